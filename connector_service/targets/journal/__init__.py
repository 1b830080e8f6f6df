"""The embedded books: plain-text double-entry in a folder, in Beancount syntax."""
