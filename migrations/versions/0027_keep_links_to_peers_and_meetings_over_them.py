"""Keep links to peers and meetings over them."""

import sqlalchemy as sa
from alembic import op

from lms.database import UtcDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Peers are met by themselves from now on, without terms; nothing asks the queue for it any more."""
    op.create_table(
        "meeting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("started", UtcDateTime(), nullable=False),
        sa.Column("heard", UtcDateTime(), nullable=False),
        sa.Column("finished", UtcDateTime(), nullable=True),
        sa.Column("ending", sa.String(length=16), nullable=True),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("bytes_up", sa.BigInteger(), nullable=False),
        sa.Column("bytes_down", sa.BigInteger(), nullable=False),
        sa.Column("bytes_left", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("to_send", sa.Integer(), nullable=False),
        sa.Column("to_receive", sa.Integer(), nullable=False),
        sa.Column("receipts", sa.Integer(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
    )
    with op.batch_alter_table("meeting") as table:
        table.create_index(op.f("ix_meeting_finished"), ["finished"])
        table.create_index(op.f("ix_meeting_peer_id"), ["peer", "id"])

    op.create_table(
        "peer_link",
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_to", sa.Integer(), nullable=True),
        sa.Column("bytes_per_day", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("used_up", sa.Boolean(), nullable=False),
        sa.Column("due", UtcDateTime(), nullable=True),
        sa.Column("soon", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("asked", UtcDateTime(), nullable=True),
        sa.Column("all_the_same", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_peer_link")),
    )
    with op.batch_alter_table("sync_peer") as table:
        table.create_index(op.f("ix_sync_peer_address"), ["address"])
    op.execute("DELETE FROM job WHERE kind = 'sync'")
