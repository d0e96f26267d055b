"""Two nodes pair by a code and exchange their records over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from fastapi import FastAPI

from content_packages.shelf import Shelf
from lms.certificates.authority import Authority, make_authority
from lms.certificates.door import root_file
from lms.database import Database
from lms.nodes.actions import NobodyPairedError, addresses, invite, join, revoke, sync_with
from lms.nodes.local import make_identity, sync_node
from lms.nodes.queries import chip, overview
from lms.nodes.roots import NoRootFoundError, Root, root_of
from lms.streams.blobs import ShelfBlobs
from lms.streams.documents import DocumentStream
from lms.streams.statements import StatementStream
from lms.web.reach import ROOT_NAME
from sync.errors import PairingError, SyncError
from sync.messages import Role
from sync.node import Node
from sync.server import create_app
from tests.conftest import fresh_schema
from tests.serving import serving
from xapi_store import ingest
from xapi_store.query import StatementFilter, find_statements

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/nodes", "name": "n1"}}


@dataclass
class Place:
    """One node of the test."""

    database: Database
    node: Node


def a_place(database: Database, folder: Path, role: Role) -> Place:
    folder.mkdir()
    with database.write() as session:
        key = make_identity(session, folder, name=f"The {role}", role=role)
    streams = [StatementStream(), DocumentStream()]
    blobs = ShelfBlobs(Shelf(folder / "shelf"), leave_free=0)
    return Place(database, sync_node(database, key, folder, streams=streams, blobs=blobs))


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Place]:
    database = Database(f"sqlite:///{(tmp_path / 'laptop.db').as_posix()}")
    fresh_schema(database)
    yield a_place(database, tmp_path / "laptop", "laptop")
    database.close()


@pytest.fixture
def centre(database: Database, tmp_path: Path) -> Place:
    return a_place(database, tmp_path / "centre", "central")


def record(place: Place, count: int = 1) -> None:
    made = [
        {
            "id": str(uuid4()),
            "actor": {"account": {"homePage": "https://outpost.invalid/people", "name": "p1"}},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
            "object": {"id": f"https://outpost.invalid/courses/c{number}"},
        }
        for number in range(count)
    ]
    with place.database.write() as session:
        ingest.store_statements(session, made, authority=AUTHORITY, now=NOON)


def statements_at(place: Place) -> list[bytes]:
    with place.database.read() as session:
        return [stored.raw for stored in find_statements(session, StatementFilter(), limit=500).statements]


def app_of(place: Place) -> FastAPI:
    app = FastAPI()
    app.mount("/sync", create_app(place.node))
    return app


def test_what_a_lone_laptop_recorded_reaches_the_centre(laptop: Place, centre: Place) -> None:
    record(laptop, 7)
    with laptop.database.read() as session:
        assert chip(session, laptop.node).state == "alone"
    with centre.database.write() as session:
        code = invite(session, centre.node, role="laptop")

    with serving(app_of(centre)) as address:
        peer = join(laptop.node, address, code).peer
        with laptop.database.read() as session:
            before = chip(session, laptop.node)
        report = sync_with(laptop.node, peer, address)
        again = sync_with(laptop.node, peer, address)

    assert (before.state, before.count) == ("waiting", 7)
    assert (report.state, report.sent, report.waiting) == ("done", 7, 0)
    assert (again.state, again.sent, again.received) == ("done", 0, 0)
    assert sorted(statements_at(centre)) == sorted(statements_at(laptop))
    with laptop.database.read() as session:
        after = chip(session, laptop.node)
        assert after.state == "delivered"
        assert [peer.name for peer in overview(session, laptop.node).peers] == ["The central"]


@pytest.mark.parametrize(("role", "goal"), [("hub", "hub"), ("central", "centre")])
def test_a_hub_that_has_joined_no_centre_is_where_records_end(
    laptop: Place, database: Database, tmp_path: Path, role: Role, goal: str
) -> None:
    above = a_place(database, tmp_path / "above", role)
    with above.database.write() as session:
        code = invite(session, above.node, role="laptop")
        alone = chip(session, above.node)

    with serving(app_of(above)) as address:
        join(laptop.node, address, code)

    assert (alone.state, alone.goal) == ("delivered", "here")
    with laptop.database.read() as session:
        assert chip(session, laptop.node).goal == goal


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The root of a centre that serves HTTPS with one of its own."""
    made = make_authority(tmp_path / "hub", node_name="Hub", hosts=["localhost"], now=datetime.now(UTC))
    made.show(["127.0.0.1"], now=datetime.now(UTC))
    return made


def https(centre: Place, authority: Authority) -> AbstractContextManager[str]:
    return serving(app_of(centre), chain=authority.chain_file, key=authority.key_file)


def door_of(authority: Authority) -> FastAPI:
    app = FastAPI()
    app.get(f"/{ROOT_NAME}")(lambda: root_file(authority))
    return app


def test_a_laptop_takes_the_root_in_as_it_joins_and_syncs_with_it(
    laptop: Place, centre: Place, authority: Authority
) -> None:
    record(laptop, 2)
    with centre.database.write() as session:
        code = invite(session, centre.node, role="laptop")

    with https(centre, authority) as address, serving(door_of(authority)) as door:
        joined = join(laptop.node, address, code, door_port=urlsplit(door).port or 0)
        report = sync_with(laptop.node, joined.peer, address)

    assert joined.root is not None
    assert joined.root.fingerprint == authority.fingerprint
    assert (report.state, report.sent) == ("done", 2)


def test_a_root_that_is_another_s_is_not_taken_in(
    laptop: Place, centre: Place, authority: Authority, tmp_path: Path
) -> None:
    other = make_authority(tmp_path / "other", node_name="Other", hosts=["localhost"], now=datetime.now(UTC))
    with centre.database.write() as session:
        code = invite(session, centre.node, role="laptop")

    with https(centre, authority) as address, serving(door_of(other)) as door:
        port = urlsplit(door).port or 0
        with pytest.raises(NoRootFoundError, match="another's"):
            join(laptop.node, address, code, door_port=port)
        with pytest.raises(SyncError):
            join(laptop.node, address, code, root=Root(other.root_der))
        joined = join(laptop.node, address, code, root=Root(authority.root_der))  # the code was not spent

    assert root_of(laptop.node.folder, joined.peer) is not None


def test_a_code_is_good_for_one_laptop_and_not_for_a_guess(laptop: Place, centre: Place) -> None:
    with centre.database.write() as session:
        code = invite(session, centre.node, role="laptop")

    with serving(app_of(centre)) as address, pytest.raises(PairingError):
        join(laptop.node, address, code[:-1] + ("A" if code[-1] != "A" else "B"))

    with laptop.database.read() as session, pytest.raises(NobodyPairedError):
        addresses(session)


def test_a_revoked_laptop_is_refused_and_keeps_what_it_has(laptop: Place, centre: Place) -> None:
    with centre.database.write() as session:
        code = invite(session, centre.node, role="laptop")
    with serving(app_of(centre)) as address:
        peer = join(laptop.node, address, code).peer
        with centre.database.write() as session:
            revoke(session, centre.node, laptop.node.id, reason="stolen")
        record(laptop)

        report = sync_with(laptop.node, peer, address)

    assert report.state == "refused"
    assert statements_at(centre) == []
    assert len(statements_at(laptop)) == 1
