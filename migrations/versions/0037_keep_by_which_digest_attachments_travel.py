"""Keep by which digest attachments travel."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_SHA256 = 64  # hexadecimal digits
_ATTACHMENTS = sa.table(
    "xapi_attachment",
    sa.column("sha2", sa.Text),
    sa.column("sha256", sa.Text),
    sa.column("file", sa.Text),
    sa.column("content", sa.LargeBinary),
)
_FEED = sa.table(
    "sync_feed",
    sa.column("name", sa.Text),
    sa.column("position", sa.BigInteger),
    sa.column("wall_ms", sa.BigInteger),
    sa.column("counter", sa.BigInteger),
)


def upgrade() -> None:
    """Name each attachment by SHA-256, and tell of those that are here already once a node is met again."""
    with op.batch_alter_table("xapi_attachment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sha256", sa.Text(), nullable=False, server_default=""))
    connection, row = op.get_bind(), _ATTACHMENTS.c
    connection.execute(
        sa.update(_ATTACHMENTS).values(sha256=row.sha2).where(sa.func.length(row.sha2) == _SHA256)
    )
    others = sa.select(row.sha2, row.file).where(sa.func.length(row.sha2) != _SHA256)
    for sha2, file in connection.execute(others).all():
        # A file of its own is called by this digest.
        sha256 = file or hashlib.sha256(_content(connection, sha2)).hexdigest()
        connection.execute(sa.update(_ATTACHMENTS).values(sha256=sha256).where(row.sha2 == sha2))
    with op.batch_alter_table("xapi_attachment", schema=None) as batch_op:
        batch_op.alter_column("sha256", server_default=None)
        batch_op.create_index(op.f("ix_xapi_attachment_sha256"), ["sha256"])
    if connection.execute(sa.select(row.sha2).limit(1)).first() is None:
        _pass_over(connection)


def _content(connection: sa.Connection, sha2: str) -> bytes:
    found = connection.execute(sa.select(_ATTACHMENTS.c.content).where(_ATTACHMENTS.c.sha2 == sha2)).scalar()
    return found or b""


def _pass_over(connection: sa.Connection) -> None:
    """Begin after the statements that are here: none has a file, and a centre has millions."""
    newest = sa.select(sa.func.coalesce(sa.func.max(sa.literal_column("position")), 0))
    position = connection.execute(newest.select_from(sa.text("xapi_statement"))).scalar()
    # Of PostgreSQL's open transactions there are none now: nobody writes while this runs.
    connection.execute(
        sa.insert(_FEED).values(name="attachments", position=position or 0, wall_ms=0, counter=0)
    )
