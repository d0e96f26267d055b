"""``lms course``: the editions of a course, what becomes of officers in mid-course, and which courses go where."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID, uuid4

import typer
from sqlalchemy.orm import Session

from lms.cli import carrying
from lms.cli.console import Data, Json, fail, failing_on, show_rows, tell
from lms.cli.opening import opened
from lms.courses.actions import (
    CourseNotFoundError,
    EditionIncompleteError,
    EditionNotFoundError,
    MoveImpossibleError,
    MoveNotFoundError,
    undo_move,
)
from lms.courses.queries import editions_of, find_course
from lms.courses.tables import Course, Edition
from lms.editions.actions import take_up
from lms.editions.queries import Former, preview
from lms.node import utc_now

app = typer.Typer(no_args_is_help=True)
group = typer.Typer(
    help="Editions of a course, officers in mid-course, and which courses go where.", no_args_is_help=True
)
app.add_typer(group, name="course")
group.add_typer(carrying.commands)

CourseId = Annotated[UUID, typer.Argument(help="The course, by its id.", metavar="COURSE")]
Number = Annotated[int, typer.Option("--edition", help="An edition, by its number.")]
_REFUSED = (
    CourseNotFoundError,
    EditionNotFoundError,
    EditionIncompleteError,
    MoveImpossibleError,
    MoveNotFoundError,
)


@group.command()
def editions(course: CourseId, data: Data = None, as_json: Json = False) -> None:
    """List the editions of a course, the newest first."""
    with failing_on(*_REFUSED), opened(data) as node, node.database.read() as session:
        found = _course(session, course)
        rows = [_edition_facts(found, one) for one in editions_of(session, found)]
    show_rows(rows, as_json=as_json, empty="This course has no edition yet.")


@group.command()
def officers(course: CourseId, edition: Number, data: Data = None, as_json: Json = False) -> None:
    """Say who is in mid-course in other editions, and what they would keep by moving to this one."""
    with failing_on(*_REFUSED), opened(data) as node, node.database.read() as session:
        wanted = _edition(session, course, edition)
        found = preview(session, node.shelf, course, wanted.public_id)
    rows = [_former_facts(one) for one in found.formers]
    show_rows(rows, as_json=as_json, empty="No other edition of this course was ever published.")


@group.command()
def publish(
    course: CourseId,
    edition: Number,
    move_from: Annotated[
        list[int] | None,
        typer.Option(help="Let officers in mid-course in this edition move; may be repeated."),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Give learners an edition, a former one too; officers in mid-course stay unless --move-from names theirs."""
    with failing_on(*_REFUSED), opened(data) as node, node.database.write() as session:
        wanted = _edition(session, course, edition)
        sources = [_edition(session, course, number).public_id for number in move_from or ()]
        made = take_up(
            session,
            node.shelf,
            course,
            wanted.public_id,
            move_from=sources,
            by=None,
            now=utc_now(),
            new_id=uuid4,
        )
    rows = [{"move": str(move.id), "source": str(move.source), "target": str(move.target)} for move in made]
    show_rows(rows, as_json=as_json, empty=f"Learners are given edition {edition} from now on.")


@group.command(name="undo-move")
def undo(
    course: CourseId,
    move: Annotated[UUID, typer.Argument(help="The move, as `publish` printed it.", metavar="MOVE")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Let those whom a move took along go back to where they were."""
    with failing_on(*_REFUSED), opened(data) as node, node.database.write() as session:
        undo_move(session, course, move, now=utc_now())
    tell(
        {"undone": str(move)},
        f"Move {move} is undone: whom it took along goes back on opening the course.",
        as_json=as_json,
    )


def _course(session: Session, public_id: UUID) -> Course:
    found = find_course(session, public_id)
    if found is None:
        raise CourseNotFoundError(public_id)
    return found


def _edition(session: Session, course: UUID, number: int) -> Edition:
    """Return the edition of a number; two nodes apart may both have made one, then the later counts."""
    found = next(
        (one for one in editions_of(session, _course(session, course)) if one.number == number), None
    )
    return found or fail(f"This course has no edition {number}.")


def _edition_facts(course: Course, one: Edition) -> dict[str, Any]:
    return {
        "number": one.number,
        "id": str(one.public_id),
        "standard": one.standard_name,
        "bytes": one.size,
        "imported": one.imported,
        "published": one.published,
        "withdrawn": one.withdrawn,
        "current": one.public_id == course.current_edition,
    }


def _former_facts(one: Former) -> dict[str, Any]:
    return {
        "edition": one.edition.number,
        "officers": one.officers,
        "leaving": one.leaving,
        "finished": one.finished,
        "units_kept": list(one.difference.kept),
        "units_gone": list(one.difference.gone),
        "units_new": list(one.difference.new),
        "begun_kept": one.begun_kept,
        "begun_gone": one.begun_gone,
        "may_move": one.may_move,
    }
