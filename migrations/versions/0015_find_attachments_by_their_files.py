"""Find attachments by their files."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Find attachments by their files."""
    op.create_index(op.f("ix_xapi_attachment_file"), "xapi_attachment", ["file"])
