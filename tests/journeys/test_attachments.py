"""A statement's files on their way from a laptop over a hub to the centre, in real processes."""

from __future__ import annotations

import hashlib
import time
from email import policy
from email.parser import BytesParser
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import orjson

from tests.journeys.network import join, served, sync
from tests.poor_link import Link, poor_link
from tests.servers import NodeUnderTest, node
from tests.xapi_builders import an_attachment

PHOTO = Random(1).randbytes(1_000_000)
SCAN = Random(2).randbytes(400_000)
HEADERS = {"X-Experience-API-Version": "1.0.3"}


class Store:
    """The record store of a node that serves, with a key of its own."""

    def __init__(self, place: NodeUnderTest) -> None:
        key = place.facts("lrs-key", "create", "programs", "--scope", "all")
        self.url = f"{place.url}/xapi/statements"
        self.key = (key["key"], key["secret"])

    def take(self, content: bytes) -> str:
        """Store a statement with a file; return its id."""
        statement: dict[str, Any] = {
            "id": str(uuid4()),
            "actor": {"mbox": "mailto:officer@example.org"},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/attempted"},
            "object": {"id": "https://example.org/exercise"},
            "attachments": [an_attachment(content)],
        }
        pieces = [
            b"Content-Type: application/json\r\n\r\n" + orjson.dumps(statement),
            b"Content-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: "
            + hashlib.sha256(content).hexdigest().encode()
            + b"\r\n\r\n"
            + content,
        ]
        body = b"".join(b"--cut\r\n" + piece + b"\r\n" for piece in pieces) + b"--cut--\r\n"
        kind = {"Content-Type": "multipart/mixed; boundary=cut"}
        httpx.post(
            self.url, content=body, headers=HEADERS | kind, auth=self.key, timeout=60
        ).raise_for_status()
        return str(statement["id"])

    def files(self, statement: str) -> list[bytes]:
        """Ask for a statement with its attachments; return the bytes of those that are there."""
        wanted = {"statementId": statement, "attachments": "true"}
        answer = httpx.get(self.url, params=wanted, headers=HEADERS, auth=self.key, timeout=60)
        assert answer.status_code == 200, answer.text
        head = b"Content-Type: " + answer.headers["Content-Type"].encode() + b"\r\n\r\n"
        first, *parts = BytesParser(policy=policy.HTTP).parsebytes(head + answer.content).iter_parts()
        assert orjson.loads(first.get_payload(decode=True))["id"] == statement
        return [part.get_payload(decode=True) for part in parts]


def on_its_way(place: NodeUnderTest) -> int:
    """Return how many bytes of unfinished attachments lie at a node."""
    return sum(path.stat().st_size for path in (place.data / "attachments" / "incoming").glob("*.partial"))


def waits(place: NodeUnderTest) -> int:
    return int(place.facts("status")["waiting"].get("attachment", 0))


def test_files_reach_the_centre_though_the_laptop_and_the_hub_are_killed_and_by_stick(tmp_path: Path) -> None:
    with (
        node(tmp_path / "centre", role="central", name="The centre") as centre,
        node(tmp_path / "hub", role="hub", name="The hub") as hub,
        node(tmp_path / "laptop", name="Post 4") as laptop,
        served(centre),
    ):
        join(hub, centre, role="hub")
        hub.start()
        peer = join(laptop, hub)
        with served(laptop):
            photo = Store(laptop).take(PHOTO)
        with poor_link(hub.port, Link(bits_per_s=4_000_000)) as link:
            laptop.facts("node", "address", peer, f"http://localhost:{link.port}")
            meeting = laptop.begin("sync", "--once")
            while on_its_way(hub) < len(PHOTO) // 4:
                assert meeting.poll() is None, laptop.log()
                time.sleep(0.02)
            meeting.kill()
            meeting.wait()
            hub.kill()
            kept = on_its_way(hub)
            hub.start()
            before = link.up
            assert sync(laptop)["state"] == "done"
            sent_again = link.up - before
        laptop.facts("node", "address", peer, hub.url)
        assert sync(hub)["state"] == "done"
        assert waits(laptop) == 1  # it is at the hub, as far as the laptop knows
        assert sync(laptop)["state"] == "done"

        assert 0 < kept < len(PHOTO)
        assert sent_again < len(PHOTO) - kept + 100_000
        assert Store(centre).files(photo) == [PHOTO]
        assert waits(laptop) == 0

        hub.stop()
        with served(laptop):
            scan = Store(laptop).take(SCAN)
        laptop.run("bundle", "export", str(tmp_path / "stick.outpost"))
        before_it_is_there = waits(laptop)
        centre.run("bundle", "import", str(tmp_path / "stick.outpost"))
        centre.run("bundle", "receipt", str(tmp_path / "answer.outpost"))
        laptop.run("bundle", "import", str(tmp_path / "answer.outpost"))

        assert before_it_is_there == 1
        assert Store(centre).files(scan) == [SCAN]
        assert waits(laptop) == 0
