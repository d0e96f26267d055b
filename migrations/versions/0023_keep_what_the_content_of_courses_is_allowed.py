"""Keep what the content of courses is allowed."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has allowed anything yet."""
    with op.batch_alter_table("course") as table:
        table.add_column(sa.Column("allowances", sa.JSON(none_as_null=True), nullable=True))
