"""Run the migrations (Alembic). Apart, because whoever finds the schema at its newest need not load Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def alembic_config() -> Config:
    """Return what Alembic needs to find the history of the schema."""
    config = Config()
    config.set_main_option("script_location", Path(__file__).parent.as_posix())
    return config


def run_migrations(connection: Connection, *, to: str = "head") -> None:
    """Bring the schema to a revision, in the transaction of the connection."""
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)
