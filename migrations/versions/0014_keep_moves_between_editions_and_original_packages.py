"""Keep moves between editions, and the packages editions were imported from."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep moves between editions, and the packages editions were imported from."""
    with op.batch_alter_table("course") as table:
        table.add_column(sa.Column("moves", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("course_edition") as table:
        table.add_column(sa.Column("original", sa.String(), nullable=True))
        table.add_column(sa.Column("original_name", sa.String(), nullable=True))
        table.add_column(sa.Column("original_size", sa.BigInteger(), nullable=True))
