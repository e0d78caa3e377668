"""The database: its tables, SQLite and PostgreSQL, and what is read from and written to it."""
