"""A drop folder: e-invoices, hybrid PDFs, tables and JSON lines that somebody puts there."""
