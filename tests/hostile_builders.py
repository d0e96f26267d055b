"""What hostile peers are made of: a centre that serves, the keys a thief has, and requests that anybody could send."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from sync import envelope, log, quarantine
from sync.client import CONTENT_TYPE
from sync.identity import NodeKey
from sync.messages import (
    Frame,
    Hello,
    Message,
    Progress,
    Push,
    Welcome,
    from_line,
    to_line,
)
from sync.server import create_app
from sync.tables import ReceiptRow
from sync.vector import vector_digest
from tests.serving import serving
from tests.sync_builders import Place, a_network

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


@contextmanager
def a_scene(folder: Path) -> Iterator[Scene]:
    """Let a centre serve."""
    with a_network(folder) as places:
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
