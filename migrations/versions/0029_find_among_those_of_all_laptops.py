"""Find the logs that come down, and receipts of a former life, among those of all laptops."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_DOWN = sa.text("scope NOT IN ('up', 'offers')")


def upgrade() -> None:
    """Index the logs of revocations, directory and catalogue, a handful, and in which life a receipt was signed."""
    op.create_index("ix_sync_log_down", "sync_log", ["scope"], sqlite_where=_DOWN, postgresql_where=_DOWN)
    op.create_index(op.f("ix_sync_receipt_issuer_issuer_epoch"), "sync_receipt", ["issuer", "issuer_epoch"])
