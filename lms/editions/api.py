"""Editions and those in mid-course, for programs: ``/api/v1/courses/{course}/editions`` and ``…/moves``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request

from lms.courses.actions import CourseNotFoundError, move_officers, undo_move
from lms.courses.moves import Move, moves_of
from lms.courses.queries import find_course
from lms.editions.actions import take_up
from lms.editions.queries import Former, preview
from lms.people.policy import Right
from lms.people.viewer import requires
from lms.web.site import site_of
from lms.web.viewer import Viewer

router = APIRouter(prefix="/api/v1/courses/{course}", tags=["courses"])
Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_COURSES))]


class MoveOut(BaseModel):
    """A decision that those in mid-course in ``source`` go over to ``target``."""

    id: UUID
    source: UUID
    target: UUID
    decided: datetime
    undone: datetime | None


class MoveWanted(BaseModel):
    """Whom to move, and where to: editions by id."""

    source: UUID
    target: UUID


class Moves(BaseModel):
    """Decisions, in the order they were taken."""

    moves: list[MoveOut]


class PublishWanted(BaseModel):
    """The editions whose officers in mid-course go over to the one published; all others stay."""

    move_from: list[UUID] = Field(default=[], max_length=1000)


class FormerOut(BaseModel):
    """An edition officers may come from; units by title, officers as far as this node knows them."""

    edition: UUID
    number: int
    officers: int
    leaving: int
    finished: int
    units_kept: list[str]
    units_gone: list[str]
    units_new: list[str]
    begun_kept: int
    begun_gone: int
    may_move: bool


class PreviewOut(BaseModel):
    """What giving learners an edition would mean for those in mid-course in others."""

    edition: UUID
    number: int
    editions: list[FormerOut]


@router.get("/editions/{edition}/officers")
def get_officers(request: Request, _: Manager, course: UUID, edition: UUID) -> PreviewOut:
    """Say who is in mid-course in other editions, and what each would keep by moving to this one."""
    site = site_of(request)
    with site.database.read() as session:
        found = preview(session, site.shelf, course, edition)
    return PreviewOut(
        edition=edition, number=found.edition.number, editions=[_former(one) for one in found.formers]
    )


@router.post("/editions/{edition}/publish")
def post_publish(
    request: Request, viewer: Manager, course: UUID, edition: UUID, wanted: PublishWanted
) -> Moves:
    """Give learners an edition, a former one too; answer with the decisions this made."""
    site = site_of(request)
    with site.database.write() as session:
        made = take_up(
            session,
            site.shelf,
            course,
            edition,
            move_from=wanted.move_from,
            by=viewer.public_id,
            now=site.now(),
            new_id=uuid4,
        )
    return Moves(moves=[_move(one) for one in made])


@router.get("/moves")
def get_moves(request: Request, _: Manager, course: UUID) -> Moves:
    """List what was decided on those in mid-course."""
    with site_of(request).database.read() as session:
        found = find_course(session, course)
    if found is None:
        raise CourseNotFoundError(course)
    return Moves(moves=[_move(one) for one in moves_of(found.moves)])


@router.post("/moves", status_code=201)
def post_move(request: Request, viewer: Manager, course: UUID, wanted: MoveWanted) -> MoveOut:
    """Let those in mid-course in one edition go over to another, as each next opens the course."""
    site = site_of(request)
    with site.database.write() as session:
        made = move_officers(
            session,
            course,
            source=wanted.source,
            target=wanted.target,
            by=viewer.public_id,
            now=site.now(),
            new_id=uuid4,
        )
    return _move(made)


@router.post("/moves/{move}/undo")
def post_undo(request: Request, _: Manager, course: UUID, move: UUID) -> MoveOut:
    """Let those whom a decision took along go back, and nobody follow it any more."""
    site = site_of(request)
    with site.database.write() as session:
        return _move(undo_move(session, course, move, now=site.now()))


def _move(move: Move) -> MoveOut:
    return MoveOut(
        id=move.id, source=move.source, target=move.target, decided=move.decided, undone=move.undone
    )


def _former(one: Former) -> FormerOut:
    return FormerOut(
        edition=one.edition.public_id,
        number=one.edition.number,
        officers=one.officers,
        leaving=one.leaving,
        finished=one.finished,
        units_kept=list(one.difference.kept),
        units_gone=list(one.difference.gone),
        units_new=list(one.difference.new),
        begun_kept=one.begun_kept,
        begun_gone=one.begun_gone,
        may_move=one.may_move,
    )
