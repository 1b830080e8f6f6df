"""The demo: a sample shop, a folder of e-invoices and embedded books, made once in a folder of their own."""
