"""The record stores of trials: each over its trial's database alone, watched for the trial's log.

``lms.app`` sends here what is asked below ``/xapi/trials/<trial id>/``: inside what a unit may reach, beside the
node's own store, and opened by the credentials of the trial's sessions only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi.concurrency import contextmanager_in_threadpool
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from lms.cmi5.admission import Admission, UnitCredentials
from lms.database import Database
from lms.launch.actions import Desk
from lms.trials.actions import trial_desk
from lms.trials.databases import TrialDatabases, TrialOverError
from lms.trials.exchange import MOST_BYTES, Body, Exchange
from lms.trials.log import title_of, write_line, write_standing
from xapi_store.errors import UnauthenticatedError
from xapi_store.http import Credentials, Lrs, create_lrs_app
from xapi_store.http.responses import ALWAYS, PREFLIGHT, error_answer

STORES = "/xapi/trials/"
_OVER = "This trial has ended; nothing of it was kept."


class TrialStores:
    """ASGI: the record stores of the trials there are."""

    def __init__(self, trials: TrialDatabases, desk: Desk, *, now: Callable[[], datetime]) -> None:
        self._trials = trials
        self._desk = desk
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request at the store of one trial."""
        if scope["type"] != "http":
            return
        if scope["method"] == "OPTIONS":  # asked before every other request, and the same for all
            await _alone(Response(status_code=204), PREFLIGHT)(scope, receive, send)
            return
        name = scope["path"].removeprefix(STORES).partition("/")[0]
        trial = _id_in(name)
        try:
            async with contextmanager_in_threadpool(self._trials.opened(trial)) as database:
                below = {**scope, "root_path": STORES + name}
                await self._answer(database, below, receive, send, trial=trial)
        except TrialOverError:
            await _alone(error_answer(UnauthenticatedError(_OVER)))(scope, receive, send)

    async def _answer(
        self, database: Database, scope: Scope, receive: Receive, send: Send, *, trial: UUID
    ) -> None:
        came = self._now()
        admission = Admission(desk=trial_desk(self._desk, trial), now=self._now)
        asking: list[UnitCredentials] = []

        def authenticate(session: Session, header: str | None) -> Credentials | None:
            found = admission.authenticate(session, header)
            asking.extend([found] if found else [])
            return found

        store = create_lrs_app(
            Lrs(
                write=database.change,
                read=database.read,
                authenticate=authenticate,
                look=admission.look,
                hold=admission.hold,
                admit=admission.admit,
                oldest_write=database.oldest_write,
                files=None,  # attachments lie in the trial's database, and go with it
                now=self._now,
            )
        )
        heard = _Heard(receive, send)
        await store(scope, heard.receive, heard.send)
        headers = dict(scope["headers"])
        resource = scope["path"].removeprefix(scope["root_path"]).strip("/")
        exchange = Exchange(
            method=scope["method"],
            resource=resource,
            query=scope["query_string"].decode(errors="replace"),
            authorization=headers.get(b"authorization", b"").decode("latin-1"),
            sent=heard.sent,
            status=heard.status,
            answered=heard.answered,
        )

        def note() -> None:
            with database.write() as session:
                unit = title_of(session, asking[0].session if asking else None)
                write_line(session, "exchange", at=came, unit=unit, facts=exchange.facts())
                if resource == "statements" and exchange.status < 300 and scope["method"] != "GET":
                    write_standing(session, self._desk.shelf, at=came, unit=unit)  # right behind its cause

        await run_in_threadpool(note)


class _Heard:
    """A request and its answer on their way, and the beginning of both."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.sent, self.answered = Body(), Body()
        self.status = 500

    async def receive(self) -> Message:
        message = await self._receive()
        self.sent = _longer(self.sent, message)
        return message

    async def send(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        self.answered = _longer(self.answered, message)
        await self._send(message)


def _id_in(name: str) -> UUID:
    try:
        return UUID(name)
    except ValueError:
        return UUID(int=0)  # which no trial has


def _longer(body: Body, message: Message) -> Body:
    piece: bytes = message.get("body", b"")
    return Body(start=(body.start + piece[:MOST_BYTES])[:MOST_BYTES], size=body.size + len(piece))


def _alone(response: Response, more: Any = ()) -> Response:
    """Return an answer that no store gives, with what stands on every one of theirs."""
    response.raw_headers.extend([*ALWAYS, *more])
    return response
