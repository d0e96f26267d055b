"""Tell nodes below of the people they look after."""

import sqlalchemy as sa
from alembic import op

from lms.database import PublicId, UtcDateTime
from xapi_store.tables import digest

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_DOWN = sa.text("scope NOT IN ('up', 'offers') AND substr(scope, 1, 7) <> 'people/'")
_PEOPLE = sa.text("substr(scope, 1, 7) = 'people/'")


def upgrade() -> None:
    """Keep who signs in where and what is told of whom, and find the logs and documents that it is told from."""
    op.create_table(
        "follow",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", PublicId(), nullable=False),
        sa.Column("child", sa.String(), nullable=False),
        sa.Column("open_then", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("heard", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("answered", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow")),
        sa.UniqueConstraint("person", "child", name=op.f("uq_follow_person_child")),
    )
    with op.batch_alter_table("follow", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follow_answered"), ["answered"], unique=False)
        batch_op.create_index(batch_op.f("ix_follow_told"), ["told"], unique=False)

    op.create_table(
        "following_cursor",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("statements", sa.BigInteger(), nullable=False),
        sa.Column("documents", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_following_cursor")),
    )
    op.create_table(
        "following_tell",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("child", sa.String(), nullable=False),
        sa.Column("statement", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.BigInteger(), nullable=True),
        sa.Column("came_from_there", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("answer", PublicId(), nullable=True),
        sa.Column("transaction", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_following_tell")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "presence",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("person", PublicId(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("admitted_by", sa.String(), nullable=True),
        sa.Column("answered", UtcDateTime(), nullable=True),
        sa.Column("transaction_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_presence")),
        sa.UniqueConstraint("person", name=op.f("uq_presence_person")),
        sqlite_autoincrement=True,
    )
    op.drop_index("ix_sync_log_down", "sync_log")
    op.create_index("ix_sync_log_down", "sync_log", ["scope"], sqlite_where=_DOWN, postgresql_where=_DOWN)
    op.create_index(
        "ix_sync_log_people", "sync_log", ["scope"], sqlite_where=_PEOPLE, postgresql_where=_PEOPLE
    )
    op.add_column("xapi_document", sa.Column("agent_digest", sa.LargeBinary(length=16), nullable=True))
    _note_whose()
    op.create_index(op.f("ix_xapi_document_agent_digest"), "xapi_document", ["agent_digest"])


def _note_whose() -> None:
    """Fill the column, a thousand documents at a time."""
    connection, last = op.get_bind(), 0
    document = sa.table("xapi_document", sa.column("id"), sa.column("agent"), sa.column("agent_digest"))
    page = (
        sa.select(document.c.id, document.c.agent)
        .where(document.c.agent.is_not(None))
        .order_by(document.c.id)
    )
    fill = (
        sa.update(document)
        .where(document.c.id == sa.bindparam("row"))
        .values(agent_digest=sa.bindparam("whose"))
    )
    while rows := connection.execute(page.where(document.c.id > last).limit(1000)).all():
        last = rows[-1].id
        connection.execute(fill, [{"row": row.id, "whose": digest(row.agent)} for row in rows])
