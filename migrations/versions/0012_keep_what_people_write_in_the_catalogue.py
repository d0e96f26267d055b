"""Keep what people write in the catalogue."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep what people write in the catalogue."""
    op.add_column("course", sa.Column("catalogue", sa.JSON(), nullable=True))
