"""Keep what was verified."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Keep how far logs were verified, what was found, and which statements logs have told of."""
    op.create_table(
        "evidence_told",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("exact", sa.Boolean(), nullable=False),
        sa.Column("bits", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", "exact", name=op.f("pk_evidence_told")),
    )
    op.create_table(
        "sync_finding",
        sa.Column("id", _COUNTER, nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kept_ms", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("found_ms", sa.BigInteger(), nullable=False),
        sa.Column("whole", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_finding")),
    )
    with op.batch_alter_table("sync_finding") as table:
        table.create_index(table.f("ix_sync_finding_origin_epoch_scope"), ["origin", "epoch", "scope"])
        table.create_index(table.f("ix_sync_finding_part"), ["part"])

    op.create_table(
        "sync_verification",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("whole", sa.BigInteger(), nullable=False),
        sa.Column("whole_done", sa.BigInteger(), nullable=False),
        sa.Column("whole_began_ms", sa.BigInteger(), nullable=True),
        sa.Column("whole_done_ms", sa.BigInteger(), nullable=True),
        sa.Column("latest_ms", sa.BigInteger(), nullable=True),
        sa.Column("kept_to", sa.BigInteger(), nullable=False),
        sa.Column("unlisted", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_verification")),
    )
    op.create_table(
        "sync_verified",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("whole", sa.BigInteger(), nullable=False),
        sa.Column("erased", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "epoch", "scope", name=op.f("pk_sync_verified")),
    )
