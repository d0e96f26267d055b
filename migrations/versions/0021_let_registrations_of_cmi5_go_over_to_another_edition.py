"""Let registrations of cmi5 go over to another edition."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep which decisions they have heard of; those that began before have heard of none, and follow each."""
    with op.batch_alter_table("cmi5_registration") as table:
        table.add_column(sa.Column("heard", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("followed", sa.JSON(), nullable=False, server_default="[]"))
