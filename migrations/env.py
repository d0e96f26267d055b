"""What Alembic needs to know: one history over the tables of the LMS, the record store and sync.

Normally run by ``lms.database.Database.upgrade``, which hands its connection over. ``make migration
NAME=…`` compares the code with a fresh database and writes the next step.
"""

from alembic import context

import lms.tables
import sync.tables
import xapi_store.tables

TARGETS = [lms.tables.metadata, xapi_store.tables.Base.metadata, sync.tables.Base.metadata]

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TARGETS,
    render_as_batch=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
