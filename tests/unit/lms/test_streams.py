"""Streams: what was made here is told once, what came from elsewhere is never told again."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy.orm import Session

from content_packages.shelf import Shelf
from lms.streams.blobs import ShelfBlobs
from lms.streams.documents import DocumentStream
from lms.streams.statements import StatementStream
from sync.clock import Stamp
from sync.messages import Record
from sync.ports import Change, Context, Verdict
from xapi_store import documents, ingest
from xapi_store.model.document import DocumentKey

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/nodes", "name": "n1"}}
LEARNER = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/people", "name": "p1"}}
CONTEXT = Context(
    origin="n2", epoch="e1", scope="up", role="laptop", units=(), is_authority=False,
    now_ms=round(NOON.timestamp() * 1000),
)  # fmt: skip


def a_statement(**changes: object) -> dict[str, object]:
    return {
        "id": str(uuid4()),
        "actor": LEARNER,
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": "https://outpost.invalid/courses/c1"},
        "timestamp": "2026-11-24T11:59:00Z",
        **changes,
    }


def as_records(changes: list[Change]) -> list[Record]:
    return [
        Record(
            seq=number,
            kind=change.kind,
            key=change.key,
            schema=change.schema,
            body=change.body,
            stamp=Stamp(change.changed_ms, 0),
        )
        for number, change in enumerate(changes, start=1)
    ]


def key_of(name: str) -> DocumentKey:
    return DocumentKey.state(
        activity="https://outpost.invalid/courses/c1", agent=LEARNER, name=name, registration=UUID(int=7)
    )


def test_a_statement_made_here_is_told_and_a_copy_is_not(session: Session) -> None:
    stream = StatementStream()
    ingest.store_statements(session, [a_statement()], authority=AUTHORITY, now=NOON)
    told = stream.changes_after(session, 0, 100)
    copy = Record(
        seq=1,
        kind="statement",
        key="x",
        schema=1,
        body=orjson.dumps({**a_statement(), "authority": AUTHORITY, "version": "1.0.3"}),
        stamp=Stamp(0, 0),
    )

    outcomes = stream.apply(session, [copy], CONTEXT)
    later = stream.changes_after(session, told.position, 100)

    assert len(told.changes) == 1
    assert told.changes[0].changed_ms == round((NOON - timedelta(minutes=1)).timestamp() * 1000)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.APPLIED]
    assert list(later.changes) == []
    assert later.position > told.position
    assert stream.waiting(session, 0) == {"statement": 1}
    assert stream.waiting(session, told.position) == {}


def test_a_statement_that_comes_twice_is_present_and_a_changed_one_is_a_conflict(session: Session) -> None:
    stream = StatementStream()
    ingest.store_statements(session, [a_statement()], authority=AUTHORITY, now=NOON)
    [record] = as_records(list(stream.changes_after(session, 0, 100).changes))
    changed = orjson.loads(record.body)
    changed["verb"]["id"] = "http://adlnet.gov/expapi/verbs/passed"

    again, conflict, malformed = stream.apply(
        session,
        [
            record,
            Record(seq=2, kind="statement", key="", schema=1, body=orjson.dumps(changed), stamp=Stamp(0, 0)),
            Record(seq=3, kind="statement", key="", schema=1, body=b'{"id": 1}', stamp=Stamp(0, 0)),
        ],
        CONTEXT,
    )

    assert again.verdict is Verdict.PRESENT
    assert conflict.verdict is Verdict.CONFLICT
    assert "verb" in conflict.detail
    assert malformed.verdict is Verdict.REFUSED


def test_a_record_of_a_newer_format_waits_for_the_upgrade(session: Session) -> None:
    newer = Record(seq=1, kind="statement", key="", schema=99, body=b"?", stamp=Stamp(0, 0))

    [outcome] = StatementStream().apply(session, [newer], CONTEXT)

    assert (outcome.verdict, outcome.reason) == (Verdict.WAITING, "schema")


@pytest.mark.parametrize("content", [b'{"page": 3}', "صفحة".encode(), b"\xff\x00\xfe"])
def test_a_document_travels_byte_for_byte(session: Session, content: bytes) -> None:
    stream = DocumentStream()
    documents.put_document(session, key_of("a"), content, "application/octet-stream", now=NOON)
    records = as_records(list(stream.changes_after(session, 0, 100).changes))
    documents.put_document(
        session, key_of("a"), b"older", "application/octet-stream", now=NOON - timedelta(hours=1)
    )

    [outcome] = stream.apply(session, records, CONTEXT)

    kept = documents.get_document(session, key_of("a"))
    assert outcome.verdict is Verdict.APPLIED
    assert kept is not None
    assert (kept.content, kept.updated) == (content, NOON)


def test_an_older_document_does_not_replace_a_newer(session: Session) -> None:
    stream = DocumentStream()
    documents.put_document(session, key_of("a"), b"older", "text/plain", now=NOON)
    records = as_records(list(stream.changes_after(session, 0, 100).changes))
    documents.put_document(session, key_of("a"), b"newer", "text/plain", now=NOON + timedelta(seconds=1))

    [outcome] = stream.apply(session, records, CONTEXT)

    kept = documents.get_document(session, key_of("a"))
    assert outcome.verdict is Verdict.PRESENT
    assert kept is not None
    assert kept.content == b"newer"


def test_a_deletion_travels_too(session: Session) -> None:
    stream = DocumentStream()
    documents.put_document(session, key_of("a"), b"x", "text/plain", now=NOON)
    documents.delete_document(session, key_of("a"), now=NOON + timedelta(minutes=2))
    records = as_records(list(stream.changes_after(session, 0, 100).changes))
    documents.put_document(session, key_of("a"), b"y", "text/plain", now=NOON + timedelta(minutes=1))

    [outcome] = stream.apply(session, records, CONTEXT)

    assert outcome.verdict is Verdict.APPLIED
    assert documents.get_document(session, key_of("a")) is None


def test_a_file_arrives_in_pieces_and_is_verified(tmp_path: Path) -> None:
    sender, receiver = (ShelfBlobs(Shelf(tmp_path / name), leave_free=0) for name in ("a", "b"))
    content = bytes(range(256)) * 40
    digest = Shelf(tmp_path / "a").put(io.BytesIO(content)).digest

    assert receiver.append(digest, 0, sender.read(digest, 0, 4000)) == 4000
    assert receiver.append(digest, 0, b"again") == 4000
    assert receiver.append(digest, 4000, sender.read(digest, 4000, 10_000)) == len(content)

    assert receiver.finish(digest)
    assert receiver.size(digest) == len(content)
    assert sender.read(digest, len(content), 10) == b""


def test_a_file_with_other_bytes_is_refused_and_forgotten(tmp_path: Path) -> None:
    blobs = ShelfBlobs(Shelf(tmp_path), leave_free=0)
    digest = hashlib.sha256(b"what was promised").hexdigest()
    blobs.append(digest, 0, b"what came instead")

    assert not blobs.finish(digest)

    assert blobs.size(digest) is None
    assert blobs.partial_size(digest) == 0
