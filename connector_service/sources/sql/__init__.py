"""Source ``sql``: any database that SQLAlchemy reaches, read as a profile says."""
