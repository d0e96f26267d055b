"""Keep how far a withdrawn node is trusted."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nodes withdrawn so far keep all that they wrote; whoever withdrew them may say otherwise since."""
    with op.batch_alter_table("sync_revocation") as table:
        table.add_column(sa.Column("revoker", sa.Text(), server_default="", nullable=False))
        table.add_column(sa.Column("trusted", sa.Text(), nullable=True))
        table.drop_constraint(op.f("uq_sync_revocation_node"), type_="unique")
        table.create_index(op.f("ix_sync_revocation_node"), ["node"])
    op.execute("UPDATE sync_revocation SET revoker = (SELECT node FROM sync_node) WHERE made_here")
