"""Keep statements of the day."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Keep what a root says of all logs each day, and what shows that an origin's stand under it."""
    op.create_table(
        "sync_day",
        sa.Column("position", _COUNTER, nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_here", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_sync_day")),
    )
    with op.batch_alter_table("sync_day") as table:
        table.create_index(
            table.f("ix_sync_day_issuer_epoch_number"), ["issuer", "epoch", "number"], unique=True
        )

    op.create_table(
        "sync_day_head",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "epoch", "scope", name=op.f("pk_sync_day_head")),
    )
    op.create_table(
        "sync_proof",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("issuer_epoch", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_sync_proof")),
    )
    with op.batch_alter_table("sync_proof") as table:
        table.create_index(table.f("ix_sync_proof_position"), ["position"])
