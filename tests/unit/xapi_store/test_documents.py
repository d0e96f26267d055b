"""Documents: written, merged, deleted, and seen once in the feed."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from lms.database import Database
from tests.xapi_builders import COURSE, LEARNER, NOON
from xapi_store import feed
from xapi_store.documents import (
    JSON,
    Arriving,
    Conditions,
    delete_document,
    get_document,
    get_documents,
    list_documents,
    merge_document,
    put_document,
    take_document,
)
from xapi_store.errors import DocumentConflictError, PreconditionFailedError, RequestError
from xapi_store.model.document import DocumentKey

KEY = DocumentKey.state(activity=COURSE, agent=LEARNER, name="bookmark")


def test_a_document_reads_back(session: Session) -> None:
    put_document(session, KEY, b"\x00\xff", "application/octet-stream", now=NOON)

    found = get_document(session, KEY)

    assert found is not None
    assert (found.content, found.content_type, found.updated) == (
        b"\x00\xff",
        "application/octet-stream",
        NOON,
    )
    assert [one.key for one in list_documents(session, KEY.scope)] == [KEY]


def test_several_are_read_at_once_those_that_there_are(session: Session) -> None:
    mine, gone, absent = (replace(KEY, registration=uuid4()) for _ in range(3))
    hers = DocumentKey.state(activity=COURSE, agent={"mbox": "mailto:b@example.org"}, name="bookmark")
    other_name = replace(KEY, name="notes")
    for key in (KEY, mine, gone, hers, other_name):
        put_document(session, key, key.name.encode(), "text/plain", now=NOON)
    delete_document(session, gone, now=NOON)

    found = get_documents(session, [mine, absent, gone, hers])

    assert list(found) == [mine, hers]
    assert found[hers] == get_document(session, hers)
    assert get_documents(session, []) == {}


def test_merging_replaces_properties_at_the_top(session: Session) -> None:
    put_document(session, KEY, b'{"a":1,"b":{"c":1}}', JSON, now=NOON)

    merged = merge_document(session, KEY, b'{"b":{"d":2}}', JSON, now=NOON)

    assert merged.content == b'{"a":1,"b":{"d":2}}'


def test_merging_into_what_is_no_json_is_refused(session: Session) -> None:
    put_document(session, KEY, b"abc", "text/plain", now=NOON)

    with pytest.raises(RequestError):
        merge_document(session, KEY, b"{}", JSON, now=NOON)


def test_a_writer_must_have_read_the_document_that_is_there(session: Session) -> None:
    first = put_document(session, KEY, b"1", JSON, now=NOON, conditions=Conditions(if_none_match="*"))

    with pytest.raises(DocumentConflictError):
        put_document(session, KEY, b"2", JSON, now=NOON, condition_required=True)
    with pytest.raises(PreconditionFailedError):
        put_document(session, KEY, b"2", JSON, now=NOON, conditions=Conditions(if_none_match="*"))
    with pytest.raises(PreconditionFailedError):
        put_document(session, KEY, b"2", JSON, now=NOON, conditions=Conditions(if_match='"other"'))
    put_document(session, KEY, b"2", JSON, now=NOON, conditions=Conditions(if_match=first.etag))

    found = get_document(session, KEY)
    assert found is not None
    assert found.content == b"2"


def test_the_feed_has_a_document_once_at_its_latest_change(database: Database) -> None:
    with database.write() as session:
        put_document(session, KEY, b"1", JSON, now=NOON)
    with database.read() as session:
        (before,) = feed.documents_after(session, 0, limit=10)
    with database.write() as session:
        delete_document(session, KEY, now=NOON + timedelta(minutes=1))

    with database.read() as session:
        (after,) = feed.documents_after(session, 0, limit=10)
        assert get_document(session, KEY) is None

    assert after.position > before.position
    assert (after.key, after.content) == (KEY, None)


@pytest.mark.parametrize("wins", [True, False])
def test_the_caller_decides_about_a_document_from_elsewhere(database: Database, wins: bool) -> None:
    theirs = Arriving(content=b"theirs", content_type="text/plain", updated=NOON - timedelta(days=1))
    with database.write() as session:
        put_document(session, KEY, b"ours", "text/plain", now=NOON)

    with database.write() as session:
        position = take_document(session, KEY, theirs, take=lambda _ours: wins)

    with database.read() as session:
        (entry,) = feed.documents_after(session, 0, limit=10)
    assert (position == entry.position, entry.copied) == (wins, wins)
    assert entry.content == (b"theirs" if wins else b"ours")
    assert entry.updated == (theirs.updated if wins else NOON)
