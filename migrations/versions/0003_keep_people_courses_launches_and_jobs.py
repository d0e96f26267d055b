"""Keep people, courses, launches and jobs."""

import sqlalchemy as sa
from alembic import op

from lms.database import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep people, courses, launches and jobs."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("revoked", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key", name=op.f("uq_api_key_key")),
    )
    op.create_table(
        "course",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("current_edition", sa.Uuid(), nullable=True),
        sa.Column("coming_edition", sa.Uuid(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("deleted", UtcDateTime(), nullable=True),
        sa.Column("changed", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
        sa.UniqueConstraint("public_id", name=op.f("uq_course_public_id")),
    )
    with op.batch_alter_table("course", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_course_coming_edition"), ["coming_edition"], unique=False)
        batch_op.create_index(batch_op.f("ix_course_identifier"), ["identifier"], unique=False)
        batch_op.create_index(batch_op.f("ix_course_title"), ["title"], unique=False)

    op.create_table(
        "course_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("files_done", sa.Integer(), nullable=False),
        sa.Column("files_total", sa.Integer(), nullable=False),
        sa.Column("bytes_done", sa.BigInteger(), nullable=False),
        sa.Column("bytes_total", sa.BigInteger(), nullable=False),
        sa.Column("publish", sa.Boolean(), nullable=False),
        sa.Column("into_course", sa.Uuid(), nullable=True),
        sa.Column("course", sa.Uuid(), nullable=True),
        sa.Column("edition", sa.Uuid(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("started", UtcDateTime(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("finished", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_import")),
        sa.UniqueConstraint("public_id", name=op.f("uq_course_import_public_id")),
    )
    with op.batch_alter_table("course_import", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_course_import_edition"), ["edition"], unique=False)
        batch_op.create_index(batch_op.f("ix_course_import_started"), ["started"], unique=False)

    op.create_table(
        "directory_change",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_directory_change")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "directory_proposal",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "public_id", name=op.f("pk_directory_proposal")),
    )
    op.create_table(
        "enrolment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("course", sa.Uuid(), nullable=False),
        sa.Column("registration", sa.Uuid(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("made", UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn", UtcDateTime(), nullable=True),
        sa.Column("changed", UtcDateTime(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("public_id", name=op.f("uq_enrolment_public_id")),
        sa.UniqueConstraint("registration", name=op.f("uq_enrolment_registration")),
    )
    with op.batch_alter_table("enrolment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_course_person"), ["course", "person"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolment_person_course"), ["person", "course"], unique=False)

    op.create_table(
        "grp",
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sort_key", sa.String(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("changed", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_grp")),
    )
    with op.batch_alter_table("grp", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grp_sort_key"), ["sort_key"], unique=False)

    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("enqueued", UtcDateTime(), nullable=False),
        sa.Column("due", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_due"), ["due"], unique=False)

    op.create_table(
        "launch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("registration", sa.Uuid(), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("course", sa.Uuid(), nullable=False),
        sa.Column("edition", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Uuid(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_seen", UtcDateTime(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(), nullable=True),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.Column("session_time_s", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_launch")),
        sa.UniqueConstraint("public_id", name=op.f("uq_launch_public_id")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_launch_token_digest")),
    )
    with op.batch_alter_table("launch", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_launch_registration_ended"), ["registration", "ended"], unique=False
        )

    op.create_table(
        "login_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("last_seen", UtcDateTime(), nullable=False),
        sa.Column("expires", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_login_session_digest")),
    )
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_session_expires"), ["expires"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_session_person_id"), ["person_id"], unique=False)

    op.create_table(
        "login_throttle",
        sa.Column("name_digest", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_try", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name_digest", name=op.f("pk_login_throttle")),
    )
    with op.batch_alter_table("login_throttle", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_throttle_last_try"), ["last_try"], unique=False)

    op.create_table(
        "membership",
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("changed", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_membership")),
        sa.UniqueConstraint("group_id", "person_id", name=op.f("uq_membership_group_id_person_id")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_person_id"), ["person_id"], unique=False)

    op.create_table(
        "password_cost",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("memory_kib", sa.Integer(), nullable=False),
        sa.Column("time", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_cost")),
    )
    op.create_table(
        "person",
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("personnel_number", sa.String(), nullable=False),
        sa.Column("sign_in_name", sa.String(), nullable=True),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("sort_key", sa.String(), nullable=False),
        sa.Column("search_key", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("password_temporary", sa.Boolean(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("roles_here", sa.JSON(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("changed", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_person")),
        sa.UniqueConstraint("sign_in_name", name=op.f("uq_person_sign_in_name")),
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_person_sort_key_public_id"), ["sort_key", "public_id"], unique=False
        )

    op.create_table(
        "progress",
        sa.Column("registration", sa.Uuid(), nullable=False),
        sa.Column("activity", sa.String(), nullable=False),
        sa.Column("course", sa.String(), nullable=False),
        sa.Column("completed", UtcDateTime(), nullable=True),
        sa.Column("success", sa.Boolean(), nullable=True),
        sa.Column("decided", UtcDateTime(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("first", UtcDateTime(), nullable=False),
        sa.Column("last", UtcDateTime(), nullable=False),
        sa.Column("node", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("registration", "activity", name=op.f("pk_progress")),
    )
    with op.batch_alter_table("progress", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_progress_course"), ["course"], unique=False)

    op.create_table(
        "progress_cursor",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_progress_cursor")),
    )
    op.create_table(
        "course_edition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.String(), nullable=False),
        sa.Column("standard", sa.String(), nullable=False),
        sa.Column("standard_edition", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("imported", UtcDateTime(), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("published", UtcDateTime(), nullable=True),
        sa.Column("withdrawn", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_course_edition_course_id_course"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_edition")),
        sa.UniqueConstraint("public_id", name=op.f("uq_course_edition_public_id")),
    )
    with op.batch_alter_table("course_edition", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_course_edition_course_id_number"), ["course_id", "number"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_course_edition_manifest"), ["manifest"], unique=False)

    op.create_table(
        "course_unit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_course_unit_course_id_course"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_unit")),
        sa.UniqueConstraint("course_id", "identifier", name=op.f("uq_course_unit_course_id_identifier")),
        sa.UniqueConstraint("public_id", name=op.f("uq_course_unit_public_id")),
    )
    op.create_table(
        "course_outline_item",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("parent", sa.Integer(), nullable=True),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("launchable", sa.Boolean(), nullable=False),
        sa.Column("visible", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"],
            ["course_edition.id"],
            name=op.f("fk_course_outline_item_edition_id_course_edition"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["course_unit.id"],
            name=op.f("fk_course_outline_item_unit_id_course_unit"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("edition_id", "position", name=op.f("pk_course_outline_item")),
    )
    with op.batch_alter_table("course_outline_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_course_outline_item_unit_id"), ["unit_id"], unique=False)
