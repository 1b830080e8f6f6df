"""The audit trail: every change that anything made, in files that only grow and that show when they were touched."""
