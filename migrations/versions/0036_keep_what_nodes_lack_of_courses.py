"""Keep what nodes lack of courses."""

import sqlalchemy as sa
from alembic import op

from lms.database import UtcDateTime

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each node tells it anew when it next meets another."""
    op.create_table(
        "course_lack",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("needed", sa.JSON(), nullable=False),
        sa.Column("no_room", sa.JSON(), nullable=False),
        sa.Column("room", sa.BigInteger(), nullable=False),
        sa.Column("told", UtcDateTime(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_course_lack")),
    )
