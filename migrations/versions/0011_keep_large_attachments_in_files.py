"""Keep large attachments in files."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep large attachments in files; those that are here stay in their rows."""
    op.rename_table("xapi_attachment", "xapi_attachment_before")
    if op.get_bind().dialect.name != "sqlite":  # PostgreSQL has every name once
        op.drop_constraint("pk_xapi_attachment", "xapi_attachment_before")
    op.create_table(
        "xapi_attachment",
        sa.Column("sha2", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.Text()),
        sa.Column("content", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("sha2", name="pk_xapi_attachment"),
    )
    op.execute(
        "INSERT INTO xapi_attachment (sha2, size, content) "
        "SELECT sha2, length(content), content FROM xapi_attachment_before"
    )
    op.drop_table("xapi_attachment_before")
