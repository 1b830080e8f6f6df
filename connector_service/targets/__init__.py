"""Accounting packages that are written, one folder each."""
