"""Statements as they are stored, for live dashboards: ``GET /api/v1/statements/events``."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lms.forwarding.events import Broadcast, EventStream
from lms.people.policy import Right
from lms.people.viewer import OwnPasswordNeededError, current_person
from lms.web.errors import NotAllowedError, NotSignedInError
from lms.web.site import site_of
from xapi_store.feed import FeedFilter, newest_position
from xapi_store.model.iri import IRI_PATTERN

router = APIRouter(prefix="/api/v1/statements", tags=["statements"])

MOST_CHARS = 4000
PARAMETERS = frozenset({"verb", "activity", "registration", "after"})
Iri = Annotated[str | None, Query(max_length=MOST_CHARS, pattern=IRI_PATTERN)]
Position = Annotated[int | None, Query(ge=0, lt=2**63)]


def may_listen(request: Request) -> None:
    """Let through whoever may see everybody's progress or the records: a person, or a program with a token.

    Raises:
        NotSignedInError: the token or the session is not in force.
        NotAllowedError: it does not go so far.
    """
    viewer = current_person(request)
    if not (viewer.may(Right.SEE_PROGRESS) or viewer.may(Right.SEE_RECORDS)):
        raise NotAllowedError(Right.SEE_PROGRESS)
    unknown = sorted(set(request.query_params) - PARAMETERS)
    if unknown:  # or a stream that was to be narrow would tell everything
        told = {
            "type": "extra_forbidden",
            "loc": ("query", unknown[0]),
            "msg": "is not a parameter here",
            "input": "",
        }
        raise RequestValidationError([told])


@router.get(
    "/events",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "An event for each statement."},
        503: {"description": "Too many listen already."},
    },
    dependencies=[Depends(may_listen)],
)
async def get_events(
    request: Request,
    *,
    verb: Iri = None,
    activity: Iri = None,
    registration: UUID | None = None,
    after: Position = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Tell each statement once it is stored; `id` is its position, to come back with as `Last-Event-ID`.

    Only what is stored from now on is told, unless `Last-Event-ID` or `after` names a position to begin behind.
    `activity` finds statements that are about it or related to it. Voided statements are left out.
    """
    broadcast = broadcast_of(request)
    listener = broadcast.admit()
    try:
        newest = await run_in_threadpool(_newest, request)
        begin = _position(last_event_id)
        begin = begin if begin is not None else after
        wanted = FeedFilter(
            verbs=() if verb is None else (verb,),
            activity=activity,
            registration=registration,
            voided=False,
        )
        return EventStream(
            broadcast,
            listener,
            wanted=wanted,
            after=newest if begin is None else min(begin, newest),
            may_still=lambda: _may_still(request),
        )
    except BaseException:
        broadcast.leave(listener)
        raise


def broadcast_of(request: Request) -> Broadcast:
    """Return the listeners of the process a request arrived at."""
    broadcast: Broadcast = request.app.state.broadcast
    return broadcast


def _newest(request: Request) -> int:
    with site_of(request).database.read() as session:
        return newest_position(session)


def _position(last_event_id: str | None) -> int | None:
    text = (last_event_id or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _may_still(request: Request) -> bool:
    request.state.visit = None  # as it was found when the stream began
    try:
        may_listen(request)
    except (NotSignedInError, NotAllowedError, OwnPasswordNeededError):
        return False
    return True
