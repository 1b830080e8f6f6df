"""The store: every unit, intent, issue, link and run, in one SQLite file, through short transactions."""
