"""Keep statements and documents."""

import sqlalchemy as sa
from alembic import op

from xapi_store.tables.types import PackedUuid, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep statements and documents."""
    op.create_table(
        "xapi_activity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("definition", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_activity")),
        sa.UniqueConstraint("digest", name=op.f("uq_xapi_activity_digest")),
    )
    op.create_table(
        "xapi_activity_link",
        sa.Column(
            "activity_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("related", sa.Boolean(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "verb_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint(
            "activity_id", "related", "position", "verb_id", name=op.f("pk_xapi_activity_link")
        ),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("xapi_activity_link", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_xapi_activity_link_activity_id_verb_id_related_position"),
            ["activity_id", "verb_id", "related", "position"],
            unique=False,
        )

    op.create_table(
        "xapi_agent",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_agent")),
        sa.UniqueConstraint("digest", name=op.f("uq_xapi_agent_digest")),
    )
    op.create_table(
        "xapi_agent_link",
        sa.Column(
            "agent_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("related", sa.Boolean(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "verb_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint(
            "agent_id", "related", "position", "verb_id", name=op.f("pk_xapi_agent_link")
        ),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("xapi_agent_link", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_xapi_agent_link_agent_id_verb_id_related_position"),
            ["agent_id", "verb_id", "related", "position"],
            unique=False,
        )

    op.create_table(
        "xapi_agent_name",
        sa.Column(
            "agent_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "digest", name=op.f("pk_xapi_agent_name")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "xapi_attachment",
        sa.Column("sha2", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha2", name=op.f("pk_xapi_attachment")),
    )
    op.create_table(
        "xapi_document",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scope", sa.LargeBinary(length=16), nullable=False),
        sa.Column("registration", PackedUuid(), nullable=False),
        sa.Column("name_digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("updated", UtcDateTime(), nullable=False),
        sa.Column("copied", sa.Boolean(), nullable=False),
        sa.Column("transaction", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_document")),
        sa.UniqueConstraint("position", name=op.f("uq_xapi_document_position")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("xapi_document", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_xapi_document_scope_registration_name_digest"),
            ["scope", "registration", "name_digest"],
            unique=True,
        )

    op.create_table(
        "xapi_registration_link",
        sa.Column("registration", PackedUuid(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("registration", "position", name=op.f("pk_xapi_registration_link")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "xapi_statement",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", PackedUuid(), nullable=False),
        sa.Column("stored", UtcDateTime(), nullable=False),
        sa.Column("authority_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("refers_to", PackedUuid(), nullable=True),
        sa.Column("voiding", sa.Boolean(), nullable=False),
        sa.Column("voided", sa.Boolean(), nullable=False),
        sa.Column("copied", sa.Boolean(), nullable=False),
        sa.Column("transaction", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_xapi_statement")),
        sa.UniqueConstraint("id", name=op.f("uq_xapi_statement_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("xapi_statement", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_xapi_statement_refers_to"),
            ["refers_to"],
            unique=False,
            sqlite_where=sa.text("refers_to IS NOT NULL"),
            postgresql_where=sa.text("refers_to IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_xapi_statement_stored_position"), ["stored", "position"], unique=False
        )

    op.create_table(
        "xapi_verb",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_verb")),
        sa.UniqueConstraint("digest", name=op.f("uq_xapi_verb_digest")),
    )
    op.create_table(
        "xapi_verb_link",
        sa.Column(
            "verb_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("verb_id", "position", name=op.f("pk_xapi_verb_link")),
        sqlite_with_rowid=False,
    )
