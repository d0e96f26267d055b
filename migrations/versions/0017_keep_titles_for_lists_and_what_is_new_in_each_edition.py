"""Keep titles for lists, and what is new in each edition."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

COURSE = sa.table(
    "course",
    sa.column("id", sa.Integer),
    sa.column("title", sa.String),
    sa.column("catalogue", sa.JSON(none_as_null=True)),
    sa.column("current_edition", sa.Uuid),
    sa.column("coming_edition", sa.Uuid),
    sa.column("titles", sa.JSON),
    sa.column("descriptions", sa.JSON),
    sa.column("search_key", sa.String),
)
EDITION = sa.table(
    "course_edition",
    sa.column("id", sa.Integer),
    sa.column("public_id", sa.Uuid),
    sa.column("course_id", sa.Integer),
    sa.column("imported", sa.DateTime),
    sa.column("catalogue", sa.JSON(none_as_null=True)),
)


def upgrade() -> None:
    """Fill them from what people wrote; what packages say of themselves follows with the next change of a course.

    What was written to be new belongs to the edition that is given, or else to the newest.
    """
    with op.batch_alter_table("course") as table:
        table.add_column(sa.Column("titles", sa.JSON(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("descriptions", sa.JSON(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("search_key", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("course_edition") as table:
        table.add_column(sa.Column("catalogue", sa.JSON(), nullable=True))
    connection = op.get_bind()
    for course in connection.execute(sa.select(COURSE)).all():
        said: Mapping[str, Any] = course.catalogue or {}
        titles = dict(said.get("titles") or {})
        connection.execute(
            sa.update(COURSE)
            .where(COURSE.c.id == course.id)
            .values(
                catalogue={name: value for name, value in said.items() if name != "version_notes"} or None,
                titles=titles,
                descriptions=dict(said.get("descriptions") or {}),
                search_key="\n".join(
                    dict.fromkeys(_plain(text) for text in (course.title, *titles.values()))
                ),
            )
        )
        if said.get("version_notes"):
            _give_notes(connection, course, said["version_notes"])


def _give_notes(connection: sa.Connection, course: Any, notes: str) -> None:
    given = course.coming_edition or course.current_edition
    of_course = sa.select(EDITION.c.id).where(EDITION.c.course_id == course.id)
    newest = of_course.order_by(EDITION.c.imported.desc(), EDITION.c.id.desc()).limit(1)
    edition = connection.scalar(of_course.where(EDITION.c.public_id == given) if given else newest)
    connection.execute(
        sa.update(EDITION).where(EDITION.c.id == edition).values(catalogue={"version_notes": notes})
    )


def _plain(text: str) -> str:
    """Return a text for searching, as lms.people.names.plain did when this was written."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(sign for sign in apart if not unicodedata.combining(sign)).split())
