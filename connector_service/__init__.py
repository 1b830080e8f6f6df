"""Connector Service: puts what is new in a business system into the accounting package, once."""

__version__ = "0.1.0"
