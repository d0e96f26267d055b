"""Requests by peers that lie, over real HTTP: each is refused by name, the name is in the log, and nothing stays."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from sync import envelope, pairing, revocations
from sync.messages import (
    MAX_MESSAGE_BYTES,
    Message,
    Progress,
    Pull,
    Push,
    Refusal,
    to_line,
)
from tests.hostile_builders import Scene, hello_of, signed_by
from tests.sync_builders import open_place, pair

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
