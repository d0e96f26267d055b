"""Count who takes a course in its index."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count who takes a course in its index."""
    with op.batch_alter_table("enrolment") as table:
        table.drop_index(op.f("ix_enrolment_course_person"))
        table.create_index(op.f("ix_enrolment_course_withdrawn_person"), ["course", "withdrawn", "person"])
