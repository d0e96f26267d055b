"""Attachments of statements travel: the statement counts at once, its files follow to the root, and go when it goes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from lms.database import Database
from lms.records.files import ShelfFiles
from lms.streams.blobs import AllBlobs
from lms.streams.statements import StatementStream
from sync import erasures, ledger, quarantine
from sync.ledger import KindCount
from sync.ports import BlobRef, Stream, Verdict
from tests.api.test_xapi_signatures import a_jws
from tests.bundle_builders import take, write
from tests.nodes_builders import Place, a_place, a_small_node, answering, meet, pair
from tests.unit.lms.test_streams import CONTEXT, as_records
from tests.xapi_builders import an_attachment
from xapi_store import ingest
from xapi_store.attachments import SIGNATURE, Part, find_parts
from xapi_store.model.actor import actor_key
from xapi_store.model.signature import signed_statement
from xapi_store.query import find_statement

PEOPLE = "https://outpost.invalid/people"
AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/nodes", "name": "n1"}}
ANOTHER = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/nodes", "name": "n2"}}
FILM = Random(1).randbytes(300_000)
PAGE = Random(2).randbytes(2_000)


def record(place: Place, *files: bytes, person: UUID | None = None, **changes: Any) -> dict[str, Any]:
    """Let a node's record store take a statement with these files."""
    statement = {
        "id": str(uuid4()),
        "actor": {"objectType": "Agent", "account": {"homePage": PEOPLE, "name": str(person or uuid4())}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": "https://outpost.invalid/courses/c1"},
        "attachments": [an_attachment(one) for one in files],
        **changes,
    }
    parts = [
        Part(sha2=said["sha2"], content=content, content_type=said["contentType"])
        for said, content in zip(statement["attachments"], files, strict=False)
    ]
    submission = ingest.check_submission([statement], authority=AUTHORITY, parts=parts)
    with place.database.write() as session:
        refused = ingest.store_submissions(
            session, [(submission, None)], now=datetime.now(UTC), files=ShelfFiles(place.attachments)
        )
    assert refused == [None]
    return statement


def files_at(place: Place, statement: dict[str, Any], authority: dict[str, Any] | None = None) -> list[bytes]:
    """Return the files that a node gives for a statement, as somebody who may read all, or only his own."""
    with place.database.read() as session:
        key = None if authority is None else actor_key(authority)
        parts = find_parts(session, ShelfFiles(place.attachments), [statement], authority=key)
    return sorted((part.content for part in parts), key=len)


def has(place: Place, statement: dict[str, Any]) -> bool:
    with place.database.read() as session:
        return find_statement(session, UUID(statement["id"]), voided=False) is not None


def counted(place: Place) -> KindCount | None:
    with place.database.read() as session:
        return ledger.counts(session, place.node).get("attachment")


def kept_aside(place: Place) -> list[tuple[str, str]]:
    with place.database.read() as session:
        return [(one.kind, one.reason) for one in quarantine.kept_aside(session, limit=100)]


@dataclass
class Chain:
    """A laptop, the hub it has joined, and the centre which that has joined; a meeting of either."""

    laptop: Place
    hub: Place
    centre: Place
    hub_address: str
    centre_address: str

    def up_to_hub(self) -> None:
        assert meet(self.laptop, self.hub_address).state == "done"

    def up_to_centre(self) -> None:
        assert meet(self.hub, self.centre_address).state == "done"


@pytest.fixture
def chain(tmp_path: Path, database: Database) -> Iterator[Chain]:
    with ExitStack() as opened:
        centre = a_place(database, tmp_path / "central", "central")
        hub = opened.enter_context(a_small_node(tmp_path, "hub", "hub"))
        laptop = opened.enter_context(a_small_node(tmp_path, "laptop", "laptop"))
        centre_address = opened.enter_context(answering(centre))
        pair(hub, centre, centre_address, role="hub")
        hub_address = opened.enter_context(answering(hub))
        pair(laptop, hub, hub_address)
        yield Chain(laptop, hub, centre, hub_address, centre_address)


def test_a_statement_counts_at_once_and_its_files_are_delivered_when_the_root_has_them(chain: Chain) -> None:
    chain.up_to_hub()
    full, chain.hub.node = chain.hub.node, replace(chain.hub.node, blobs=_Full(chain.hub))
    statement = record(chain.laptop, FILM, PAGE)

    with answering(chain.hub) as crowded:
        meet(chain.laptop, crowded)
    chain.up_to_centre()
    before = has(chain.centre, statement), files_at(chain.centre, statement)
    chain.hub.node = full
    chain.up_to_hub()
    at_hub = counted(chain.laptop)
    chain.up_to_centre()
    chain.up_to_hub()

    assert before == (True, [])
    assert at_hub == KindCount(waiting=0, at_hub=1, delivered=0)
    assert counted(chain.laptop) == KindCount(waiting=0, at_hub=0, delivered=1)
    for place in (chain.hub, chain.centre):
        assert files_at(place, statement) == [PAGE, FILM]
        assert kept_aside(place) == []


class _Full(AllBlobs):
    """The files of a node whose disk is full."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.shelf, place.attachments, leave_free=0, read=place.database.read)

    def room(self) -> int:
        return 0


class _Broken(_Full):
    """The files of a node whose link never holds for one."""

    def size(self, digest: str) -> int | None:  # noqa: ARG002 - the port's
        return None


def test_who_may_read_only_his_own_is_given_the_files_there_as_here(chain: Chain) -> None:
    statement = record(chain.laptop, PAGE)

    chain.up_to_hub()

    assert files_at(chain.hub, statement, AUTHORITY) == [PAGE]
    assert files_at(chain.hub, statement, ANOTHER) == []


def test_a_file_named_by_another_digest_travels_and_one_without_bytes_is_not_asked_for(chain: Chain) -> None:
    named = an_attachment(PAGE, sha2=hashlib.sha512(PAGE).hexdigest())
    elsewhere = an_attachment(FILM, fileUrl="https://example.org/film")
    statement = record(chain.laptop, PAGE, attachments=[named, elsewhere])

    chain.up_to_hub()

    assert files_at(chain.hub, statement) == [PAGE]
    assert kept_aside(chain.hub) == []


def test_files_that_a_course_has_are_taken_from_there_and_the_other_way_round(chain: Chain) -> None:
    chain.hub.shelf.put(io.BytesIO(FILM))
    statement = record(chain.laptop, FILM)
    before = chain.laptop.shelf.has(hashlib.sha256(FILM).hexdigest())

    chain.up_to_hub()

    assert not before
    assert files_at(chain.hub, statement) == [FILM]
    assert chain.hub.attachments.has(hashlib.sha256(FILM).hexdigest())


def test_a_course_gets_a_file_that_is_here_as_an_attachment(chain: Chain) -> None:
    course = chain.centre.course("Any", text="The very page " * 6000)
    files = [chain.centre.shelf.read(digest) for digest in chain.centre.shelf.digests()]
    page = max((one for one in files if one.count(b"The very page") > 1000), key=len)
    record(chain.hub, page)

    for _ in range(2):
        chain.up_to_centre()

    _, editions = chain.hub.find_course(course)
    assert len(editions) == 1
    assert chain.hub.shelf.has(hashlib.sha256(page).hexdigest())


def test_a_stick_brings_what_a_link_broke_over(chain: Chain, tmp_path: Path) -> None:
    statement = record(chain.laptop, FILM)
    whole, chain.laptop.node = chain.laptop.node, replace(chain.laptop.node, blobs=_Broken(chain.laptop))
    chain.up_to_hub()
    chain.laptop.node = whole
    chain.hub.node.blobs.append(hashlib.sha256(FILM).hexdigest(), 0, FILM[:1000])
    assert files_at(chain.hub, statement) == []

    report = take(chain.hub, *write(chain.laptop, [chain.hub], tmp_path / "stick").paths)
    answer = write(chain.hub, [chain.laptop], tmp_path / "answer", with_records=False)
    take(chain.laptop, *answer.paths)

    assert (report.files, report.refused) == (1, [])
    assert files_at(chain.hub, statement) == [FILM]
    assert counted(chain.laptop) == KindCount(waiting=0, at_hub=1, delivered=0)


def test_files_of_one_who_is_erased_go_and_what_is_on_its_way_is_not_taken(chain: Chain) -> None:
    her, other = chain.laptop.person("A-17"), chain.laptop.person("A-18")
    hers, others = record(chain.laptop, FILM, person=her), record(chain.laptop, PAGE, person=other)
    chain.up_to_hub()
    chain.hub.node, whole = replace(chain.hub.node, blobs=_Full(chain.hub)), chain.hub.node
    late = record(chain.laptop, FILM + b"2", person=her)
    with answering(chain.hub) as crowded:
        meet(chain.laptop, crowded)
    chain.hub.node = whole
    digest = hashlib.sha256(FILM + b"2").hexdigest()
    chain.hub.node.blobs.append(digest, 0, FILM[:1000])
    on_its_way = chain.hub.attachments.unfinished()

    with chain.centre.database.write() as session:
        erasures.order(session, chain.centre.node, str(her), reason="asked for it")
    for _ in range(2):
        chain.up_to_centre()
        for place in (chain.centre, chain.hub):
            while erasures.carry_out_some(place.node):
                pass
        chain.up_to_hub()

    assert on_its_way == [digest]
    for place in (chain.hub, chain.centre):
        assert not has(place, hers)
        assert files_at(place, hers) + files_at(place, late) == []
        assert files_at(place, others) == [PAGE]
        assert list(place.attachments.digests()) in ([], [hashlib.sha256(PAGE).hexdigest()])
        assert place.attachments.unfinished() == []
        assert kept_aside(place) == []


def test_only_files_that_the_statement_names_are_taken_and_nothing_that_is_called_otherwise(
    chain: Chain,
) -> None:
    statement = record(chain.laptop, PAGE)
    with chain.laptop.database.read() as session:
        (change,) = stream_of(chain.laptop).changes_after(session, 0, 10).changes
        (said,) = StatementStream().changes_after(session, 0, 10).changes
    page, film = (hashlib.sha256(one).hexdigest() for one in (PAGE, FILM))
    bodies = [
        orjson.loads(change.body) | {"files": [{"sha2": sha2, "digest": digest, "size": 1}]}
        for sha2, digest in ((film, film), (page, film), (page, page))
    ]
    chain.hub.attachments.put(io.BytesIO(FILM))
    with chain.hub.database.write() as session:
        StatementStream().apply(session, as_records([said]), CONTEXT)
        records = as_records([replace(change, body=orjson.dumps(body)) for body in bodies])
        unnamed, otherwise, good = stream_of(chain.hub).apply(session, records, CONTEXT)

    assert unnamed.verdict is Verdict.PRESENT
    assert otherwise.verdict is Verdict.REFUSED
    assert good.blobs == (BlobRef(page, 1),)
    assert files_at(chain.hub, statement) == []


def stream_of(place: Place) -> Stream:
    stream = place.node.stream_of("attachment")
    assert stream is not None
    return stream


def test_a_signature_is_good_where_it_comes_to(chain: Chain) -> None:
    deed = {
        "id": str(uuid4()),
        "actor": {"objectType": "Agent", "account": {"homePage": PEOPLE, "name": str(uuid4())}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": "https://outpost.invalid/courses/c1"},
    }
    jws = a_jws(deed)
    said = an_attachment(jws, usageType=SIGNATURE, contentType="application/octet-stream")
    statement = record(chain.laptop, jws, attachments=[said], **deed)

    chain.up_to_hub()
    chain.up_to_centre()

    (found,) = files_at(chain.centre, statement)
    assert signed_statement(found) == deed
    assert found == jws


def test_a_file_that_was_lost_comes_back_from_above_and_is_not_asked_for_once_nothing_names_it(
    chain: Chain,
) -> None:
    statement = record(chain.laptop, FILM)
    chain.up_to_hub()
    digest, files = hashlib.sha256(FILM).hexdigest(), ShelfFiles(chain.laptop.attachments)
    chain.laptop.attachments.discard(digest)
    lost = files_at(chain.laptop, statement)

    for name in (digest, "0" * 64):
        files.ask_again(name, len(FILM))
    files.sweep_some(chain.laptop.database, lambda: datetime.now(UTC))
    asked = chain.laptop.attachments.lost()
    chain.up_to_hub()

    assert lost == []
    assert [one.digest for one in asked] == [digest]
    assert files_at(chain.laptop, statement) == [FILM]
    assert chain.laptop.attachments.lost() == []
