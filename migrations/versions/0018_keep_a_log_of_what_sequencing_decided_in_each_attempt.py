"""Keep a log of what sequencing decided in each attempt."""

import sqlalchemy as sa
from alembic import op

from lms.database import PublicId, UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep a log of what sequencing decided in each attempt."""
    op.create_table(
        "launch_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration", PublicId(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("edition", PublicId(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.JSON(), nullable=False),
        sa.Column("base", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        sa.Column("after", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_launch_step")),
    )
    with op.batch_alter_table("launch_step", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_launch_step_registration_number"), ["registration", "number"], unique=True
        )
