"""Keep orders to erase somebody."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Keep orders, who has carried them out, and who blacked entries of a segment out."""
    op.create_table(
        "sync_erasure",
        sa.Column("position", _COUNTER, nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("ordered_ms", sa.BigInteger(), nullable=False),
        sa.Column("orderer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("made_here", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_sync_erasure")),
        sa.UniqueConstraint("order_id", name=op.f("uq_sync_erasure_order_id")),
    )
    op.create_table(
        "sync_erasure_done",
        sa.Column("position", _COUNTER, nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("done_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_here", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_sync_erasure_done")),
    )
    with op.batch_alter_table("sync_erasure_done") as table:
        table.create_index(
            op.f("ix_sync_erasure_done_order_id_node_epoch"), ["order_id", "node", "epoch"], unique=True
        )
    with op.batch_alter_table("sync_segment") as table:
        table.add_column(sa.Column("blacked_by", sa.Text(), nullable=True))
        table.create_index(
            op.f("ix_sync_segment_blacked_by"),
            ["blacked_by"],
            sqlite_where=sa.text("blacked_by IS NOT NULL"),
            postgresql_where=sa.text("blacked_by IS NOT NULL"),
        )
