"""Servers that lie: whoever answers in the place of the centre is told apart, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from sync import ledger, log, pairing
from sync.client import CONTENT_TYPE, HttpTransport, join
from sync.engine import SyncReport, converse
from sync.errors import PairingError, SyncError
from sync.messages import (
    MAX_MESSAGE_BYTES,
    Acknowledge,
    Delivery,
    Message,
    Progress,
    Welcome,
    to_line,
)
from tests.hostile_builders import frame_of
from tests.serving import serving
from tests.sync_builders import MemoryLink, Place, a_segment, open_place, pair


@dataclass
class Liar:
    """A server that answers as it likes."""

    answers: list[Callable[[Request, bytes], Response]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def liar() -> Liar:
    return Liar()


@pytest.fixture
def lies(liar: Liar) -> Iterator[str]:
    app = FastAPI()

    @app.post("/{path:path}")
    async def answer(path: str, request: Request) -> Response:
        liar.asked.append(path)
        body = await request.body()
        return liar.answers[min(len(liar.asked), len(liar.answers)) - 1](request, body)

    with serving(app) as address:
        yield address


@pytest.fixture
def honest(tmp_path: Path) -> Iterator[Place]:
    """A laptop with something to tell, paired with a centre that it now looks for at the liar's address."""
    centre = open_place(tmp_path / "centre", "centre", "central")
    laptop = open_place(tmp_path / "laptop", "laptop", "laptop")
    pair(centre, laptop)
    laptop.write_note("an hour's work")
    yield laptop
    report = converse(laptop.node, centre.node.id, MemoryLink(laptop, centre))
    assert report.state == "done"
    assert centre.notes()["an hour's work"] == "text"
    assert report.waiting == 0
    for place in (centre, laptop):
        place.database.close()


def said(message: Message, rest: bytes = b"", **headers: str) -> Callable[[Request, bytes], Response]:
    body = to_line(message) + b"\n" + rest
    return lambda _request, _body: Response(body, media_type=CONTENT_TYPE, headers=headers)


def meet(here: Place, address: str) -> SyncReport:
    peer = root_of(here)
    transport = HttpTransport(address, key=here.node.key, to=peer)
    try:
        return converse(here.node, peer, transport)
    finally:
        transport.close()


def root_of(here: Place) -> str:
    with here.database.read() as session:
        return ledger.peers(session)[0][0].node


def a_welcome(here: Place, **other: Any) -> Welcome:
    told: dict[str, Any] = {
        "protocol": 1, "node": root_of(here), "epoch": "z" * 13, "time_ms": 1, "conversation": "x",
        "base_unknown": False,
    }  # fmt: skip
    return Welcome.model_validate({**told, **other})


def held_by(here: Place) -> tuple[tuple[str, str, str, int, str], ...]:
    with here.database.read() as session:
        return tuple((*key, head.seq, head.root) for key, head in log.held(session).items())


def of_type(
    media_type: str, body: bytes, status: int = 200, **headers: str
) -> Callable[[Request, bytes], Response]:
    return lambda _request, _body: Response(body, status, headers, media_type)


PORTAL = b"<html><form>Welcome to the hotel. Sign in.</form></html>"
ANSWERS: dict[str, Callable[[Request, bytes], Response]] = {
    "a captive portal": of_type("text/html", PORTAL),
    "a captive portal that calls itself a node": of_type(CONTENT_TYPE, PORTAL),
    "a way elsewhere": lambda _request, _body: RedirectResponse("http://127.0.0.1:9/", 307),
    "nothing": of_type(CONTENT_TYPE, b""),
    "an endless line": of_type(CONTENT_TYPE, b"x" * (MAX_MESSAGE_BYTES + 100_000)),
    "an answer to another question": said(Progress()),
    "a question": said(Acknowledge(conversation="x", heads=())),
    "an error": of_type("text/plain", b"Internal Server Error", 500),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_whoever_answers_in_the_centres_place_is_told_apart_and_nothing_is_lost(
    honest: Place, liar: Liar, lies: str, answer: str
) -> None:
    liar.answers.append(ANSWERS[answer])
    before = honest.notes()

    report = meet(honest, lies)

    assert report.state != "done"
    assert report.detail
    assert report.waiting == 1
    assert honest.notes() == before


def test_who_claims_to_hold_everything_has_delivered_nothing(honest: Place, liar: Liar, lies: str) -> None:
    """On plain HTTP answers are not signed: who sits on the line can say that nothing is missing; receipts are."""
    liar.answers.append(said(a_welcome(honest)))

    report = meet(honest, lies)

    assert report.waiting == 1
    assert honest.notes() == {"an hour's work": "text"}


def test_what_nobody_signed_is_not_taken_from_a_delivery(honest: Place, liar: Liar, lies: str) -> None:
    thief = open_place(honest.node.folder.parent / "thief", "thief", "laptop")
    theirs = a_segment(thief, scope="directory", key="you are an administrator")
    heads = ((thief.node.id, "t" * 13, "directory", 1, "ab" * 32),)
    liar.answers += [
        said(a_welcome(honest, heads=heads)),
        said(Delivery(frames=(frame_of(theirs),)), theirs),
        said(Progress()),
    ]

    report = meet(honest, lies)

    assert "pull" in liar.asked[1]
    assert honest.notes() == {"an hour's work": "text"}
    assert report.waiting == 1
    thief.database.close()


def test_a_centre_that_is_not_the_one_cannot_be_joined(
    tmp_path: Path, liar: Liar, lies: str, honest: Place
) -> None:
    lone = open_place(tmp_path / "lone", "lone", "laptop")
    false = open_place(tmp_path / "false", "false", "central")
    with honest.database.write() as session:
        code = pairing.invite(session, role="laptop", units=(), now_ms=honest.now[0])

    def admitted(_request: Request, body: bytes) -> Response:
        """Answer as a centre that never gave this code: it cannot make the proof."""
        with false.database.write() as session:
            other = pairing.invite(session, role="laptop", units=(), now_ms=false.now[0])
        question, _ = pairing.ask_to_join(lone.node.key, name="lone", role="laptop", code=other)
        with false.database.write() as session:
            joined = pairing.admit(session, false.node, question)
        return said(joined)(_request, body)

    liar.answers.append(admitted)

    with pytest.raises((PairingError, SyncError)):
        join(lone.node, lies, code, name="lone", role="laptop")

    with lone.database.read() as session:
        assert ledger.peers(session) == []
    for place in (lone, false):
        place.database.close()
