"""Peers that lie, over real HTTP: each is refused by name, the name is in the log, and nothing of it stays."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from sync import codec, envelope, identity, ledger, log, pairing, quarantine, revocations, segment
from sync.client import CONTENT_TYPE, HttpTransport, join
from sync.engine import SyncReport, converse
from sync.errors import PairingError, SyncError
from sync.identity import NodeKey, new_key
from sync.inbox import KEEP_BYTES
from sync.messages import (
    MAX_MESSAGE_BYTES,
    Acknowledge,
    Certificate,
    Delivery,
    Frame,
    Hello,
    Message,
    Progress,
    Pull,
    Push,
    Receipt,
    Refusal,
    Signed,
    Welcome,
    from_line,
    to_line,
)
from sync.node import random_epoch
from sync.server import create_app
from sync.tables import ReceiptRow
from sync.vector import Head, LogKey, vector_digest
from tests.serving import serving
from tests.sync_builders import MemoryLink, Place, a_network, a_segment, open_place, pair

NOBODY = vector_digest({})


@dataclass
class Scene:
    """A centre that serves, a laptop and another unit's whose keys a thief has, and one of another network."""

    centre: Place
    laptop: Place
    other: Place
    stranger: Place
    address: str

    def state(self) -> tuple[object, ...]:
        with self.centre.database.read() as session:
            return (
                self.centre.notes(),
                dict(self.centre.blobs.whole),
                dict(self.centre.blobs.parts),
                log.held(session),
                [kept.key for kept in quarantine.kept_aside(session, limit=1_000)],
                {
                    row.text
                    for row in session.scalars(select(ReceiptRow))
                    if row.issuer != self.centre.node.id
                },
            )

    def send(
        self, line: bytes, *, kind: str, header: str = "", body: bytes = b""
    ) -> tuple[int, Message, bytes]:
        """Post what anybody could, and return what came back."""
        answer = httpx.post(
            f"{self.address}/sync/v1/{kind}",
            content=line + body,
            headers={"authorization": header, "content-type": CONTENT_TYPE},
            timeout=30,
        )
        told, _, rest = answer.content.partition(b"\n")
        return answer.status_code, from_line(told), rest

    def say(
        self, message: Message, *, by: Place | None = None, to: str = "", body: bytes = b""
    ) -> tuple[int, Message, bytes]:
        """Say something by the rules, signed with a node's key."""
        line = to_line(message) + b"\n"
        header = signed_by((by or self.laptop).node.key, to or self.centre.node.id, message.kind, line)
        return self.send(line, kind=message.kind, header=header, body=body)

    def token(self, by: Place | None = None) -> str:
        _, answer, _ = self.say(hello_of(by or self.laptop), by=by)
        assert isinstance(answer, Welcome)
        return answer.conversation

    def push(self, *bodies: bytes, frames: tuple[Frame, ...] = (), by: Place | None = None) -> Progress:
        """Push segments, or bytes as *frames* call them."""
        named = frames or tuple(frame_of(body) for body in bodies)
        message = Push(conversation=self.token(by), frames=named)
        status, answer, _ = self.say(message, by=by, body=b"".join(bodies))
        assert status == 200
        assert isinstance(answer, Progress)
        return answer


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with a_network(tmp_path_factory.mktemp("scene")) as places:
        app = FastAPI()
        app.mount("/sync", create_app(places["centre"].node))
        with serving(app) as address:
            yield Scene(address=address, **places)


def signed_by(key: NodeKey, to: str, kind: str, line: bytes) -> str:
    return envelope.authorization(key, to=to, kind=kind, line=line)


def hello_of(place: Place, **other: Any) -> Hello:
    told: dict[str, Any] = {
        "protocols": (1, 1), "node": place.node.id, "epoch": "0" * 13, "time_ms": place.now[0],
        "base": NOBODY, "heads": (), "held": NOBODY,
    }  # fmt: skip
    return Hello.model_validate({**told, **other})


def frame_of(body: bytes, **other: Any) -> Frame:
    told = {"what": "segment", "digest": hashlib.sha256(body).hexdigest(), "size": len(body), "offset": 0}
    return Frame.model_validate({**told, "length": len(body), **other})


# ---------------------------------------------------------------- requests that are refused

Refused = tuple[int, Message, bytes]


def unsigned(scene: Scene) -> Refused:
    return scene.send(to_line(hello_of(scene.laptop)) + b"\n", kind="hello")


def by_a_stranger(scene: Scene) -> Refused:
    return scene.say(hello_of(scene.stranger), by=scene.stranger)


def in_another_name(scene: Scene) -> Refused:
    line = to_line(hello_of(scene.laptop)) + b"\n"
    header = signed_by(scene.other.node.key, scene.centre.node.id, "hello", line)
    return scene.send(line, kind="hello", header=header.replace(scene.other.node.id, scene.laptop.node.id, 1))


def that_names_another_inside(scene: Scene) -> Refused:
    return scene.say(hello_of(scene.laptop), by=scene.other)


def meant_for_another(scene: Scene) -> Refused:
    return scene.say(hello_of(scene.laptop), to=scene.other.node.id)


def signed_as_another_kind(scene: Scene) -> Refused:
    line = to_line(Pull(conversation=scene.token(), max_bytes=1000)) + b"\n"
    return scene.send(
        line, kind="pull", header=signed_by(scene.laptop.node.key, scene.centre.node.id, "hello", line)
    )


def sent_to_another_door(scene: Scene) -> Refused:
    line = to_line(hello_of(scene.laptop)) + b"\n"
    return scene.send(
        line, kind="pull", header=signed_by(scene.laptop.node.key, scene.centre.node.id, "pull", line)
    )


def changed_on_its_way(scene: Scene) -> Refused:
    line = to_line(hello_of(scene.laptop)) + b"\n"
    header = signed_by(scene.laptop.node.key, scene.centre.node.id, "hello", line)
    return scene.send(line.replace(b'"time_ms":1', b'"time_ms":2'), kind="hello", header=header)


def with_a_token_of_another(scene: Scene) -> Refused:
    return scene.say(Pull(conversation=scene.token(scene.other), max_bytes=1000))


def with_a_token_it_made_up(scene: Scene) -> Refused:
    return scene.say(Push(conversation=f"{scene.centre.now[0] + 1000:x}.{'0' * 32}", frames=()))


def replayed_after_its_hour(scene: Scene) -> Refused:
    token = scene.token()
    scene.centre.now[0] += envelope.CONVERSATION_MS + 1
    try:
        return scene.say(Push(conversation=token, frames=()))
    finally:
        scene.centre.now[0] -= envelope.CONVERSATION_MS + 1


def of_a_protocol_to_come(scene: Scene) -> Refused:
    return scene.say(hello_of(scene.laptop, protocols=(7, 9)))


def raw(line: bytes) -> Callable[[Scene], Refused]:
    def send(scene: Scene) -> Refused:
        header = signed_by(scene.laptop.node.key, scene.centre.node.id, "hello", line)
        return scene.send(line, kind="hello", header=header)

    return send


def an_answer(scene: Scene) -> Refused:
    return scene.say(Progress())


def with_a_guessed_code(scene: Scene) -> Refused:
    with scene.stranger.database.write() as session:
        code = pairing.invite(session, role="laptop", units=(), now_ms=0)
    question, _ = pairing.ask_to_join(scene.stranger.node.key, name="Post 9", role="laptop", code=code)
    return scene.send(to_line(question) + b"\n", kind="join")


REFUSED: list[tuple[Callable[[Scene], Refused], int, str]] = [
    (unsigned, 401, "identity"),
    (by_a_stranger, 401, "identity"),
    (in_another_name, 401, "identity"),
    (that_names_another_inside, 401, "identity"),
    (meant_for_another, 401, "identity"),
    (signed_as_another_kind, 401, "identity"),
    (sent_to_another_door, 400, "protocol"),
    (changed_on_its_way, 401, "identity"),
    (with_a_token_of_another, 401, "identity"),
    (with_a_token_it_made_up, 401, "identity"),
    (replayed_after_its_hour, 401, "identity"),
    (of_a_protocol_to_come, 403, "protocol"),
    (raw(b"<html>\n"), 400, "protocol"),
    (raw(b'{"kind":"hello"}\n'), 400, "protocol"),
    (raw(b'{"kind":"farewell"}\n'), 400, "protocol"),
    (raw(b"[" * 100_000 + b"\n"), 400, "protocol"),
    (raw(b'{"kind":"hello","node":"\xff"}\n'), 400, "protocol"),
    (raw(b"x" * (MAX_MESSAGE_BYTES + 100_000)), 400, "protocol"),
    (an_answer, 400, "protocol"),
    (with_a_guessed_code, 403, "pairing"),
]


@pytest.mark.parametrize(
    ("send", "status", "code"),
    [pytest.param(*row, id=f"{n} {row[0].__name__}") for n, row in enumerate(REFUSED)],
)
def test_a_hostile_request_is_refused_by_name_and_changes_nothing(
    scene: Scene,
    send: Callable[[Scene], Refused],
    status: int,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene.token()  # what a greeting changes is there
    before = scene.state()

    with caplog.at_level(logging.WARNING, logger="sync"):
        answered, answer, _ = send(scene)

    assert isinstance(answer, Refusal)
    assert (answered, answer.code) == (status, code)
    assert scene.state() == before
    assert code in {getattr(record, "code", "") for record in caplog.records}


def test_a_withdrawn_key_opens_nothing(
    scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stolen = open_place(tmp_path / "stolen", "stolen", "laptop")
    pair(scene.centre, stolen)
    token = scene.token(stolen)
    with scene.centre.database.write() as session:
        revocations.revoke(session, scene.centre.node, stolen.node.id, reason="stolen")
    before = scene.state()

    said = [
        scene.say(message, by=stolen)
        for message in (hello_of(stolen), Pull(conversation=token, max_bytes=1), Push(conversation=token, frames=()))
    ]  # fmt: skip

    assert [(status, answer.code) for status, answer, _ in said if isinstance(answer, Refusal)] == [
        (403, "revoked")
    ] * 3
    assert scene.state() == before
    assert [getattr(record, "code", "") for record in caplog.records].count("revoked") == 3
    stolen.database.close()


# ---------------------------------------------------------------- good requests that bring bad things


def bomb(scene: Scene) -> bytes:
    good = segment.take_apart(a_segment(scene.laptop))
    payload = zstandard.ZstdCompressor().compress(bytes(codec.MAX_DECODED_BYTES * 4))
    return (
        b"OSG1" + len(good.signed).to_bytes(2, "big") + good.signed + bytes.fromhex(good.signature) + payload
    )


def with_an_impossible_header(scene: Scene, **other: int) -> bytes:
    """A header that the origin has signed, of entries that cannot be."""
    good = segment.take_apart(a_segment(scene.laptop))
    header = dataclasses.replace(good.header, **other)
    signed = segment.canonical_json(dataclasses.asdict(header))
    signature = bytes.fromhex(scene.laptop.node.key.sign("segment", signed))
    return b"OSG1" + len(signed).to_bytes(2, "big") + signed + signature + good.payload


def altered(scene: Scene) -> bytes:
    good = bytearray(a_segment(scene.laptop, text="a" * 5000))
    good[-3] ^= 1
    return bytes(good)


BROUGHT: list[tuple[str, Callable[[Scene], bytes], str]] = [
    ("an inflation bomb", bomb, "too_large"),
    ("in another's name", lambda scene: a_segment(scene.other, of=scene.laptop), "signature"),
    ("by nobody known", lambda scene: a_segment(scene.stranger), "unknown_origin"),
    ("what a laptop may not write", lambda scene: a_segment(scene.laptop, scope="directory"), "right"),
    ("for another unit", lambda scene: a_segment(scene.laptop, scope="directory/post-5"), "right"),
    ("a withdrawal by a laptop", lambda scene: a_segment(scene.laptop, scope="revocations"), "right"),
    ("no segment", lambda _: b"<html>captive portal</html>", "format"),
    ("nothing but a name", lambda _: b"OSG1", "header"),
    ("without entries", lambda scene: with_an_impossible_header(scene, first=1, last=0), "header"),
    ("with too many entries", lambda scene: with_an_impossible_header(scene, last=10**9), "header"),
    ("with fewer entries than it says", lambda scene: with_an_impossible_header(scene, last=2), "root"),
    ("altered", altered, "damaged"),
    ("cut, and called whole", lambda scene: a_segment(scene.laptop)[:-5], "damaged"),
]


@pytest.mark.parametrize(
    ("make", "code"), [pytest.param(make, code, id=name) for name, make, code in BROUGHT]
)
def test_a_bad_segment_is_refused_by_name_and_the_rest_is_taken(
    scene: Scene, make: Callable[[Scene], bytes], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad, beside = make(scene), a_segment(scene.laptop, key=f"beside {random_epoch()}")
    before = scene.centre.notes()

    progress = scene.push(bad, beside)

    assert [one.code for one in progress.refused] == [code]
    assert len(scene.centre.notes()) == len(before) + 1
    assert code in {getattr(record, "code", "") for record in caplog.records}


def test_a_segment_that_is_sent_twice_changes_nothing(scene: Scene) -> None:
    body = a_segment(scene.laptop, key="twice")
    scene.push(body)
    before = scene.state()

    again = scene.push(body)

    assert again.refused == ()
    assert scene.state() == before


def test_segments_in_the_wrong_order_wait_and_none_is_lost(scene: Scene) -> None:
    epoch = random_epoch()
    first = a_segment(scene.laptop, key="one", epoch=epoch)
    root = segment.take_apart(first).header.root
    second = a_segment(scene.laptop, key="two", epoch=epoch, first=2, previous=root)

    early = scene.push(second)
    scene.push(first)
    late = scene.push(second)

    assert [one.code for one in early.refused] == ["gap"]
    assert late.refused == ()
    assert {"one", "two"} <= set(scene.centre.notes())


def test_a_log_that_goes_on_twice_is_refused_from_there(scene: Scene) -> None:
    epoch = random_epoch()
    first = a_segment(scene.laptop, key="branch", text="one", epoch=epoch)
    scene.push(first)

    other_first = scene.push(a_segment(scene.laptop, key="branch", text="two", epoch=epoch))
    elsewhere = scene.push(a_segment(scene.laptop, key="three", epoch=epoch, first=2, previous="ab" * 32))

    assert [one.code for one in (*other_first.refused, *elsewhere.refused)] == ["fork", "fork"]
    assert scene.centre.notes()["branch"] == "one"
    assert "three" not in scene.centre.notes()


def test_another_content_under_a_known_key_is_kept_aside_by_name(scene: Scene) -> None:
    scene.push(a_segment(scene.laptop, key="statement", text="passed"))

    progress = scene.push(a_segment(scene.other, key="statement", text="failed"), by=scene.other)

    with scene.centre.database.read() as session:
        kept = {one.key: one.reason for one in quarantine.kept_aside(session, limit=1_000)}
    assert progress.refused == ()
    assert scene.centre.notes()["statement"] == "passed"
    assert kept["statement"] == "differs"


def test_half_a_segment_is_kept_and_not_applied_and_the_other_half_finishes_it(scene: Scene) -> None:
    whole = a_segment(scene.laptop, key="halves", text=random.Random(1).randbytes(3 * KEEP_BYTES).hex())
    half = len(whole) // 2

    begun = scene.push(whole[:half], frames=(frame_of(whole, length=half),))
    between = scene.centre.notes()
    scene.push(whole[half:], frames=(frame_of(whole, offset=half, length=len(whole) - half),))

    assert [(one.offset) for one in begun.partials] == [half]
    assert "halves" not in between
    assert "halves" in scene.centre.notes()


@pytest.mark.parametrize(
    "lie",
    [
        {"size": 10**12},
        {"offset": 10**9, "size": 10**10},
        {"length": 0, "size": 0},
        {"what": "blob"},
        {"size": segment.MAX_ENCODED_BYTES + 1},
    ],
    ids=str,
)
def test_bytes_that_nobody_asked_for_are_not_kept(scene: Scene, lie: dict[str, Any]) -> None:
    body = b"litter" * 1000
    before = scene.state()

    scene.push(body, frames=(frame_of(body, **lie),))

    assert scene.state() == before


def test_unfinished_segments_of_one_peer_fill_no_disk(scene: Scene) -> None:
    dice, kept = random.Random(2), 0
    for _ in range(6):
        body = dice.randbytes(15 * 1024 * 1024)
        progress = scene.push(body, frames=(frame_of(body, size=segment.MAX_ENCODED_BYTES),), by=scene.other)
        kept += sum(one.offset for one in progress.partials)

    assert kept <= 64 * 1024 * 1024
    assert scene.push(a_segment(scene.laptop, key="after the flood")).refused == ()
    assert "after the flood" in scene.centre.notes()


def test_a_file_that_is_another_than_it_is_called_is_not_kept(scene: Scene) -> None:
    good, other = b"the file" * 1000, b"not it.." * 1000
    digest = hashlib.sha256(good).hexdigest()
    scene.push(a_segment(scene.laptop, key="course", text=f"blob:{digest}:{len(good)}"))

    lie = scene.push(other, frames=(frame_of(other, what="blob", digest=digest),))
    wanted = {one.digest for one in lie.wanted}
    truth = scene.push(good, frames=(frame_of(good, what="blob"),))

    assert digest in wanted  # of the lie nothing is left, and the file is asked for again
    assert truth.wanted == ()
    assert scene.centre.blobs.whole[digest] == good
    assert "course" in scene.centre.notes()


def test_a_receipt_that_the_root_did_not_sign_delivers_nothing(scene: Scene) -> None:
    """Neither by an acknowledgement, nor signed by another key in the root's name."""
    heads = ((scene.laptop.node.id, "0" * 13, "up", 10**6, "ab" * 32),)
    told = Receipt(
        issuer=scene.centre.node.id, issuer_epoch="0" * 13, origin=scene.laptop.node.id, heads=heads, issued_ms=1
    )  # fmt: skip
    text = told.model_dump_json()
    forged = Signed(
        signer=scene.centre.node.id, text=text, signature=scene.other.node.key.sign("receipt", text.encode())
    )
    before = scene.state()

    status, _, _ = scene.say(Acknowledge(conversation=scene.token(), heads=(), receipts=(forged,)))

    assert status == 200
    assert scene.state() == before


def test_a_certificate_that_the_root_did_not_sign_introduces_nobody(scene: Scene) -> None:
    key = new_key()
    paper = Certificate(
        node=key.node, public_key=key.public_key, name="friend", role="central", units=("*",), issued_ms=1
    )
    text = paper.model_dump_json()
    by_itself = Signed(signer=key.node, text=text, signature=key.sign("certificate", text.encode()))
    by_a_laptop = Signed(
        signer=scene.laptop.node.id,
        text=text,
        signature=scene.laptop.node.key.sign("certificate", text.encode()),
    )

    for paper_of in (by_itself, by_a_laptop):
        scene.say(hello_of(scene.laptop, certificates=(paper_of,)))
    line = to_line(hello_of(scene.laptop, node=key.node)) + b"\n"
    status, answer, _ = scene.send(
        line, kind="hello", header=signed_by(key, scene.centre.node.id, "hello", line)
    )

    assert isinstance(answer, Refusal)
    assert (status, answer.code) == (401, "identity")


def test_what_another_unit_may_see_is_not_given_to_who_asks_for_it(scene: Scene) -> None:
    scene.centre.write_note("secret of post 5", scope="directory/post-5")
    tokens = scene.token(), scene.token(scene.other)
    with scene.centre.database.read() as session:
        [theirs] = [key for key in log.held(session) if key.scope == "directory/post-5"]
    after = ((*theirs, 0, ""),)

    asked = [
        scene.say(Pull(conversation=token, after=after, max_bytes=10**6), by=by)
        for token, by in zip(tokens, (scene.laptop, scene.other), strict=True)
    ]

    given = [(answer.frames, body) for _, answer, body in asked if isinstance(answer, Delivery)]
    assert given[0] == ((), b"")
    assert [len(frames) for frames, _ in given] == [0, 1]


def test_heads_that_nobody_can_hold_do_no_harm(scene: Scene) -> None:
    lie = ((scene.centre.node.id, "m" * 13, "directory", 10**9, "ab" * 32),)
    held = vector_digest({LogKey(*lie[0][:3]): Head(*lie[0][3:])})

    scene.say(hello_of(scene.other, heads=lie, held=held), by=scene.other)
    scene.push(a_segment(scene.laptop, key="after the lie"))

    assert "after the lie" in scene.centre.notes()


# ---------------------------------------------------------------- servers that lie


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


# ---------------------------------------------------------------- honest, and odd

YEAR_MS = 365 * 24 * 3600 * 1000


@pytest.mark.parametrize("years", [-55, -10, 10])
def test_facts_of_a_clock_that_is_years_off_are_taken_and_the_clock_is_told(
    tmp_path: Path, years: int
) -> None:
    centre = open_place(tmp_path / "centre", "centre", "central")
    laptop = open_place(tmp_path / "laptop", "laptop", "laptop")
    pair(centre, laptop)
    laptop.now[0] = max(0, laptop.now[0] + years * YEAR_MS)
    laptop.write_note("a fact")

    report = converse(laptop.node, centre.node.id, MemoryLink(laptop, centre))

    assert (report.state, report.waiting) == ("done", 0)
    assert centre.notes()["a fact"] == "text"
    with centre.database.read() as session:
        seen, _ = ledger.peers(session)[0]
    assert abs(seen.skew_ms or 0) >= 9 * YEAR_MS
    for place in (centre, laptop):
        place.database.close()


def test_facts_of_a_laptop_whose_certificate_ran_out_are_taken(tmp_path: Path) -> None:
    centre = open_place(tmp_path / "centre", "centre", "central")
    laptop = open_place(tmp_path / "laptop", "laptop", "laptop")
    pair(centre, laptop)
    for place in (centre, laptop):
        place.now[0] += 14 * YEAR_MS
    laptop.write_note("fourteen years")

    report = converse(laptop.node, centre.node.id, MemoryLink(laptop, centre))

    assert (report.state, report.waiting) == ("done", 0)
    assert centre.notes()["fourteen years"] == "text"
    for place in (centre, laptop):
        place.database.close()


def test_what_an_older_program_does_not_know_waits_there_and_the_rest_is_taken(tmp_path: Path) -> None:
    centre = open_place(tmp_path / "centre", "centre", "central", older=True)
    laptop = open_place(tmp_path / "laptop", "laptop", "laptop")
    pair(centre, laptop)
    laptop.write_note("memo of a new kind")
    laptop.write_note("a fact")

    report = converse(laptop.node, centre.node.id, MemoryLink(laptop, centre))

    assert (report.state, report.waiting) == ("done", 0)
    assert set(centre.notes()) == {"a fact"}
    with centre.database.read() as session:
        assert [kept.key for kept in quarantine.kept_aside(session, limit=10)] == ["memo of a new kind"]
    for place in (centre, laptop):
        place.database.close()


def test_the_signature_of_every_paper_is_bound_to_its_purpose(scene: Scene) -> None:
    """What is signed as one thing is no other: a request can never become a certificate."""
    key, data = scene.laptop.node.key, b"data"
    purposes = ("request", "segment", "certificate", "receipt", "join", "bundle", "bundle-end")

    fits = {
        (made, read)
        for made in purposes
        for read in purposes
        if identity.verify(key.public_key, read, data, key.sign(made, data))
    }

    assert fits == {(one, one) for one in purposes}
