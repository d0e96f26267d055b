"""Keep registrations and sessions of cmi5."""

import sqlalchemy as sa
from alembic import op

from lms.database import PublicId, UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep registrations and sessions of cmi5."""
    op.create_table(
        "cmi5_registration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration", PublicId(), nullable=False),
        sa.Column("enrolment", PublicId(), nullable=True),
        sa.Column("person", PublicId(), nullable=True),
        sa.Column("course", PublicId(), nullable=False),
        sa.Column("edition", PublicId(), nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cmi5_registration")),
        sa.UniqueConstraint("enrolment", name=op.f("uq_cmi5_registration_enrolment")),
        sa.UniqueConstraint("registration", name=op.f("uq_cmi5_registration_registration")),
    )
    op.create_table(
        "progress_launch",
        sa.Column("registration", PublicId(), nullable=False),
        sa.Column("activity", sa.String(), nullable=False),
        sa.Column("enrolment", PublicId(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("course", sa.String(), nullable=False),
        sa.Column("is_cmi5", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("registration", "activity", name=op.f("pk_progress_launch")),
    )
    op.create_table(
        "cmi5_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", PublicId(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("standard", sa.String(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column("activity", sa.String(), nullable=False),
        sa.Column("publisher_id", sa.String(), nullable=False),
        sa.Column("launch_mode", sa.String(), nullable=False),
        sa.Column("mastery_score", sa.String(), nullable=True),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("fetch_digest", sa.LargeBinary(), nullable=True),
        sa.Column("secret_digest", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("preferences_read", sa.Boolean(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_seen", UtcDateTime(), nullable=False),
        sa.Column("latest", UtcDateTime(), nullable=False),
        sa.Column("clock_went_back", sa.Boolean(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["cmi5_registration.id"],
            name=op.f("fk_cmi5_session_registration_id_cmi5_registration"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cmi5_session")),
        sa.UniqueConstraint("content_digest", name=op.f("uq_cmi5_session_content_digest")),
        sa.UniqueConstraint("fetch_digest", name=op.f("uq_cmi5_session_fetch_digest")),
        sa.UniqueConstraint("public_id", name=op.f("uq_cmi5_session_public_id")),
    )
    with op.batch_alter_table("cmi5_session", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_cmi5_session_ended_last_seen"), ["ended", "last_seen"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_cmi5_session_registration_id_ended"), ["registration_id", "ended"], unique=False
        )

    op.create_table(
        "cmi5_unit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("waived", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["cmi5_registration.id"],
            name=op.f("fk_cmi5_unit_registration_id_cmi5_registration"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cmi5_unit")),
    )
    with op.batch_alter_table("cmi5_unit", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_cmi5_unit_registration_id_identifier"),
            ["registration_id", "identifier"],
            unique=True,
        )
