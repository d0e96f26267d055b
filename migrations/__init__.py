"""One history of the database schema for every part of Outpost (Alembic)."""

from importlib import import_module
from pathlib import Path

from sqlalchemy import MetaData

TABLES = (
    "lms.bundles.tables",
    "lms.carrying.tables",
    "lms.cmi5.tables",
    "lms.courses.tables",
    "lms.enrolment.tables",
    "lms.evidence.tables",
    "lms.following.tables",
    "lms.retention.tables",
    "lms.forwarding.tables",
    "lms.keys.tables",
    "lms.launch.tables",
    "lms.nodes.tables",
    "lms.people.tables",
    "lms.progress.tables",
    "lms.queue",
    "lms.records.tables",
    "lms.streams.tables",
    "sync.tables",
    "xapi_store.tables",
)
"""Every module that describes tables; loading it makes them known."""


def all_metadata() -> list[MetaData]:
    """Return the tables of the LMS, the record store and sync."""
    for name in TABLES:
        import_module(name)
    owners = ("lms.database", "sync.tables", "xapi_store.tables")
    return [import_module(owner).Base.metadata for owner in owners]


def revisions() -> list[str]:
    """Return all versions of the schema this program knows, the newest last: every step's file begins with its own."""
    return sorted(step.name.partition("_")[0] for step in Path(__file__).parent.glob("versions/[0-9]*.py"))
