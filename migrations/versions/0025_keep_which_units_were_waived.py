"""Keep which units were waived."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A unit waived so far keeps its date of completion, and is known for waived once its statement is read again."""
    with op.batch_alter_table("progress") as table:
        table.add_column(sa.Column("waived", sa.Boolean(), server_default=sa.false(), nullable=False))
