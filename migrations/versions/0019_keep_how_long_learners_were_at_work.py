"""Keep how long learners were at work, without pauses, and what units said in each launch."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of what was before no pauses are known, so all of it counts."""
    with op.batch_alter_table("launch") as batch_op:
        batch_op.add_column(sa.Column("learning_time_s", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("said", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("progress") as batch_op:
        batch_op.add_column(sa.Column("learning_seconds", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE launch SET learning_time_s = session_time_s")
    op.execute("UPDATE progress SET learning_seconds = seconds")
    with op.batch_alter_table("launch") as batch_op:
        batch_op.alter_column("learning_time_s", server_default=None)
        batch_op.alter_column("said", server_default=None)
    with op.batch_alter_table("progress") as batch_op:
        batch_op.alter_column("learning_seconds", server_default=None)
