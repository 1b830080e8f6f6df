"""The command line: one module per command group. What is heavy is imported by the command that needs it."""
