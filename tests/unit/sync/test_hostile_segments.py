"""Good requests that bring bad things: what is bad is refused by name, and the rest is taken."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from collections.abc import Callable
from typing import Any

import pytest
import zstandard

from sync import codec, log, quarantine, segment
from sync.identity import new_key
from sync.inbox import KEEP_BYTES
from sync.messages import (
    Acknowledge,
    Certificate,
    Delivery,
    Pull,
    Receipt,
    Refusal,
    Signed,
    to_line,
)
from sync.node import random_epoch
from sync.vector import Head, LogKey, vector_digest
from tests.hostile_builders import Scene, frame_of, hello_of, signed_by
from tests.sync_builders import a_segment


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
