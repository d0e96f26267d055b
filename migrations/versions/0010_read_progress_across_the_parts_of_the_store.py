"""Read progress across the parts of the store: positions there outgrow 32 bits."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Read progress across the parts of the store."""
    with op.batch_alter_table("progress_cursor") as table:
        table.alter_column(
            "position", existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=False
        )
