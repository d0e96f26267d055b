"""The HTTP conversation between real servers and clients on the loopback."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from sync import log, pairing
from sync.client import HttpTransport, join
from sync.engine import converse
from sync.errors import PairingError, WireError
from sync.messages import Push
from sync.server import create_app
from tests.serving import serving
from tests.sync_builders import Place


@pytest.fixture
def address(centre: Place) -> Iterator[str]:
    app = FastAPI()
    app.mount("/sync", create_app(centre.node))
    with serving(app) as url:
        yield url


def code_from(centre: Place) -> str:
    with centre.database.write() as session:
        return pairing.invite(session, role="laptop", units=(), now_ms=centre.now[0])


def test_pairing_and_a_whole_conversation(centre: Place, laptop: Place, address: str) -> None:
    digest = laptop.blobs.put(b"course file" * 10_000)
    laptop.write_note("statement", "passed")
    laptop.write_note("course", f"blob:{digest}:110000", scope="offers")
    centre.write_note("person", scope="directory")

    peer = join(laptop.node, address, code_from(centre), name="Post 4", role="laptop")
    transport = HttpTransport(address, key=laptop.node.key, to=peer)
    report = converse(laptop.node, peer, transport)
    transport.close()

    assert report.state == "done", report
    assert set(centre.notes()) == {"statement", "course", "person"}
    assert centre.blobs.whole == laptop.blobs.whole
    assert laptop.notes()["person"] == "text"
    assert report.waiting == 0


def test_nothing_new_is_one_request_of_a_few_hundred_bytes(
    centre: Place, laptop: Place, address: str
) -> None:
    peer = join(laptop.node, address, code_from(centre), name="Post 4", role="laptop")
    laptop.write_note("a")
    first = HttpTransport(address, key=laptop.node.key, to=peer)
    converse(laptop.node, peer, first)
    first.close()

    transport = HttpTransport(address, key=laptop.node.key, to=peer)
    report = converse(laptop.node, peer, transport)
    transport.close()

    assert report.turns == 1
    assert report.bytes_up + report.bytes_down < 2500


def test_a_wrong_code_changes_nothing(centre: Place, laptop: Place, address: str) -> None:
    code_from(centre)
    with laptop.database.write() as session:
        other = pairing.invite(session, role="laptop", units=(), now_ms=0)

    with pytest.raises(PairingError, match="No open invitation"):
        join(laptop.node, address, other, name="Post 4", role="laptop")
    with pytest.raises(PairingError, match="mistyped"):
        join(laptop.node, address, "ABC-DEF-GH", name="Post 4", role="laptop")


def test_strangers_and_captive_portals_are_named(centre: Place, laptop: Place, address: str) -> None:
    unsigned = httpx.post(address + "/sync/v1/hello", content=b"{}\n")
    assert unsigned.status_code == 400

    portal = HttpTransport(address + "/elsewhere", key=laptop.node.key, to=centre.node.id)
    with pytest.raises(WireError, match="sign-in page"), portal.ask(Push(conversation="x", frames=())):
        pass
    portal.close()


def test_a_knock_tells_whether_a_node_is_there_and_says_nothing(
    centre: Place, laptop: Place, address: str
) -> None:
    laptop.write_note("a")
    transports = [
        HttpTransport(url, key=laptop.node.key, to=centre.node.id)
        for url in (address, address + "/elsewhere", "http://127.0.0.1:9")
    ]

    answered = [transport.knock() for transport in transports]
    for transport in transports:
        transport.close()

    there = transports[0].traffic
    assert answered == [True, False, False]
    assert (there.turns, centre.notes()) == (1, {})
    assert there.bytes_up + there.bytes_down < 700
    assert transports[2].traffic.bytes_up > 0  # what found nobody is counted too
    with laptop.database.read() as session:
        assert log.held(session) == {}
