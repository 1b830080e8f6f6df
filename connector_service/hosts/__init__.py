"""Ways to run the service: here in the foreground."""
