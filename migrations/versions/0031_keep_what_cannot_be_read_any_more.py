"""Keep what cannot be read any more."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Keep which segments cannot be read any more, and what their origins have declared lost."""
    op.create_table(
        "sync_loss",
        sa.Column("position", _COUNTER, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("kept_ms", sa.BigInteger(), nullable=False),
        sa.Column("declared_ms", sa.BigInteger(), nullable=False),
        sa.Column("told_ms", sa.BigInteger(), nullable=True),
        sa.Column("made_here", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_sync_loss")),
    )
    with op.batch_alter_table("sync_loss") as table:
        table.create_index(
            table.f("ix_sync_loss_origin_epoch_scope_first"),
            ["origin", "epoch", "scope", "first"],
            unique=True,
        )

    op.create_table(
        "sync_rotten",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("found_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "epoch", "scope", "first", name=op.f("pk_sync_rotten")),
    )
    with op.batch_alter_table("sync_rotten") as table:
        table.create_index(table.f("ix_sync_rotten_digest"), ["digest"])
