"""Keep the pass marks that instructors want."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has said any yet."""
    with op.batch_alter_table("course") as table:
        table.add_column(sa.Column("pass_marks", sa.JSON(none_as_null=True), nullable=True))
