"""One history of the database schema for every part of Outpost (Alembic)."""
