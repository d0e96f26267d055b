"""Find the latest launch of a registration."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Find the latest launch of a registration."""
    with op.batch_alter_table("launch") as table:
        table.create_index(op.f("ix_launch_registration_id"), ["registration", "id"])
