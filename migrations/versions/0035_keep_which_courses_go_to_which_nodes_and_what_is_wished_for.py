"""Keep which courses go to which nodes and what is wished for."""

import sqlalchemy as sa
from alembic import op

from lms.database import PublicId, UtcDateTime

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Until something is assigned, every node carries every course as before."""
    op.create_table(
        "course_assignment",
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("public_id", PublicId(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("courses", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("made_by", PublicId(), nullable=True),
        sa.Column("changed", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_course_assignment")),
        sa.UniqueConstraint("public_id", name=op.f("uq_course_assignment_public_id")),
    )
    op.create_table(
        "sync_wish",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("like", sa.Text(), nullable=True),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("leads", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", "digest", name=op.f("pk_sync_wish")),
    )
    with op.batch_alter_table("sync_wish", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sync_wish_digest"), ["digest"], unique=False)

    with op.batch_alter_table("course", schema=None) as batch_op:
        batch_op.add_column(sa.Column("carried", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.add_column(sa.Column("asked", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("removed", UtcDateTime(), nullable=True))

    with op.batch_alter_table("course_edition", schema=None) as batch_op:
        batch_op.add_column(sa.Column("manifest_size", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("held_above", sa.Boolean(), server_default=sa.false(), nullable=False))

    # What came from elsewhere is held there; of what was imported here it is found out once it comes as decided.
    op.execute("UPDATE course_edition SET held_above = TRUE WHERE report IS NULL")
