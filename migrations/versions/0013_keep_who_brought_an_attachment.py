"""Keep who brought an attachment."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep who brought an attachment; of those that are here nobody knows, so only who may read all reads them."""
    op.create_table(
        "xapi_attachment_authority",
        sa.Column("sha2", sa.Text(), nullable=False),
        sa.Column("authority_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("sha2", "authority_id", name=op.f("pk_xapi_attachment_authority")),
    )
