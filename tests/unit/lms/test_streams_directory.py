"""The directory's stream: who may say what, which version stands, and that nonsense hurts nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from content_packages.shelf import Shelf
from lms.courses.actions import publish
from lms.courses.queries import describe_course
from lms.database import Database
from lms.nodes.local import make_identity
from lms.people.actions import create_person
from lms.people.changes import record_change
from lms.people.entries import describe_person
from lms.people.tables import Person
from lms.streams.course_files import manifest_sizes
from lms.streams.directory import DirectoryStream
from sync.canonical import canonical_json
from sync.clock import Stamp
from sync.messages import Record, Role
from sync.ports import Changes, Context, Outcome, Verdict
from tests.course_builders import a_scorm_file, an_edition

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OFFER = Context(
    origin="laptop-1", epoch="e1", scope="offers", role="laptop", units=(), is_authority=False,
    now_ms=round(NOON.timestamp() * 1000),
)  # fmt: skip
DECIDED = replace(OFFER, origin="centre", scope="directory", role="central", is_authority=True)
PERSON = {
    "personnel_number": "A-1", "name": "Anna", "locale": None, "password_hash": None, "password_temporary": False,
    "roles": ["officer"], "provisional": True, "disabled": False, "created": NOON.isoformat(),
    "changed": (NOON - timedelta(days=1)).isoformat(),
}  # fmt: skip


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


@pytest.fixture
def stream(shelf: Shelf) -> DirectoryStream:
    return DirectoryStream(shelf, new_id=uuid4)


def a_node(session: Session, folder: Path, role: Role) -> str:
    return make_identity(session, folder, name="This", role=role).node


def a_record(public_id: UUID, entry: dict[str, Any], *, kind: str = "person", **told: Any) -> Record:
    body = canonical_json({"entry": entry, **told})
    return Record(seq=1, kind=kind, key=str(public_id), schema=1, body=body, stamp=Stamp(0, 0))


def take(stream: DirectoryStream, session: Session, record: Record, context: Context = OFFER) -> Outcome:
    (outcome,) = stream.apply(session, [record], context)
    return outcome


def told(database: Database, stream: DirectoryStream) -> Changes:
    with database.read() as session:
        return stream.changes_after(session, 0, 100)


def name_of(session: Session, person: UUID) -> str:
    return session.get_one(Person, person).display_name


def test_only_the_node_that_proposed_a_person_may_go_on_changing_her(
    session: Session, stream: DirectoryStream, tmp_path: Path
) -> None:
    a_node(session, tmp_path, "central")
    anna = uuid4()
    take(stream, session, a_record(anna, PERSON))
    later = {**PERSON, "changed": NOON.isoformat()}

    theirs = take(
        stream, session, a_record(anna, {**later, "name": "Theirs"}), replace(OFFER, origin="laptop-2")
    )
    hers = take(stream, session, a_record(anna, {**later, "name": "Hers"}))
    older = take(stream, session, a_record(anna, {**PERSON, "name": "Older"}))
    again = take(stream, session, a_record(anna, {**later, "name": "Hers"}))

    assert (theirs.verdict, theirs.reason) == (Verdict.REFUSED, "not_yours")
    assert [hers.verdict, older.verdict, again.verdict] == [
        Verdict.APPLIED,
        Verdict.PRESENT,
        Verdict.PRESENT,
    ]
    assert name_of(session, anna) == "Hers"


def test_who_became_more_than_an_officer_is_out_of_reach_for_whoever_proposed_her(
    session: Session, stream: DirectoryStream, tmp_path: Path
) -> None:
    a_node(session, tmp_path, "central")
    anna = uuid4()
    take(stream, session, a_record(anna, {**PERSON, "roles": ["officer", "central_admin"]}))
    row = session.get_one(Person, anna)
    offered_roles = row.roles
    row.roles = ["instructor", "officer"]
    session.flush()

    outcome = take(stream, session, a_record(anna, {**PERSON, "name": "X", "changed": NOON.isoformat()}))

    assert offered_roles == ["officer"]
    assert outcome.reason == "not_yours"
    assert name_of(session, anna) == "Anna"


def test_an_offer_from_a_clock_that_runs_ahead_can_still_be_corrected(
    session: Session, stream: DirectoryStream, tmp_path: Path
) -> None:
    a_node(session, tmp_path, "central")
    anna = uuid4()

    take(stream, session, a_record(anna, {**PERSON, "changed": "2044-01-01T00:00:00+00:00"}))

    assert session.get_one(Person, anna).changed == NOON


def test_what_was_decided_is_told_in_the_directory_with_whoever_proposed_it(
    database: Database, stream: DirectoryStream, tmp_path: Path
) -> None:
    with database.write() as session:
        a_node(session, tmp_path, "central")
        take(stream, session, a_record(uuid4(), PERSON))

    (change,) = told(database, stream).changes

    assert change.scope == "directory"
    assert b'"proposed_by":"laptop-1"' in change.body
    assert b'"provisional":false' in change.body


def test_a_hub_that_is_its_own_root_decides_for_its_own_nodes(
    database: Database, stream: DirectoryStream, tmp_path: Path
) -> None:
    with database.write() as session:
        hub = a_node(session, tmp_path, "hub")
        take(stream, session, a_record(uuid4(), PERSON))

    (change,) = told(database, stream).changes

    assert change.scope == f"directory/{hub}"


def test_a_thing_changed_twice_is_told_once_and_what_arrived_never(
    database: Database, stream: DirectoryStream, tmp_path: Path
) -> None:
    mine = uuid4()
    with database.write() as session:
        a_node(session, tmp_path, "laptop")
        create_person(
            session,
            public_id=mine,
            personnel_number="B-1",
            name="Ben",
            roles=["officer"],
            password_hash=None,
            now=NOON,
        )
        record_change(session, "person", mine)
        take(stream, session, a_record(uuid4(), PERSON), DECIDED)

    found = told(database, stream)

    assert [(change.key, change.scope) for change in found.changes] == [(str(mine), "offers")]
    with database.read() as session:
        assert stream.waiting(session, 0) == {"person": 1}
        assert stream.waiting(session, found.position) == {}


def test_the_authority_overrules_a_change_made_here_to_what_it_decided(
    session: Session, stream: DirectoryStream, tmp_path: Path
) -> None:
    a_node(session, tmp_path, "laptop")
    anna = uuid4()
    take(stream, session, a_record(anna, PERSON), DECIDED)
    session.get_one(Person, anna).display_name = "Changed here"
    session.get_one(Person, anna).changed = NOON + timedelta(days=900)
    record_change(session, "person", anna)

    take(stream, session, a_record(anna, {**PERSON, "name": "Decided", "changed": NOON.isoformat()}), DECIDED)

    assert name_of(session, anna) == "Decided"


def test_an_older_decision_that_comes_late_changes_nothing(
    session: Session, stream: DirectoryStream, tmp_path: Path
) -> None:
    a_node(session, tmp_path, "laptop")
    anna = uuid4()
    take(stream, session, a_record(anna, {**PERSON, "name": "Newer", "changed": NOON.isoformat()}), DECIDED)

    outcome = take(stream, session, a_record(anna, PERSON), DECIDED)

    assert outcome.verdict is Verdict.PRESENT
    assert name_of(session, anna) == "Newer"


def test_an_offered_course_waits_for_its_manifest_then_for_its_files(
    database: Database, stream: DirectoryStream, shelf: Shelf, tmp_path: Path
) -> None:
    with database.write() as session:
        a_node(session, tmp_path, "central")
        course_id, entry, sizes, there = a_course_elsewhere(session, tmp_path)
        record = a_record(course_id, entry, kind="course", manifests=sizes)

        first = take(stream, session, record)
        carry(first, there, shelf)
        then = take(stream, session, record)
        unfinished = describe_course(session, course_id)
        carry(then, there, shelf)
        last = take(stream, session, record)
        arrived = describe_course(session, course_id)

    assert [first.verdict, then.verdict] == [Verdict.WAITING, Verdict.WAITING]
    assert last.verdict is Verdict.APPLIED
    assert {blob.digest for blob in first.blobs} == set(sizes)
    assert unfinished is None
    assert arrived == {**entry, "provisional": False}
    assert [change.scope for change in told(database, stream).changes] == ["catalogue"]


def test_a_fence_is_opened_by_who_decides_and_never_by_an_offer(
    database: Database, stream: DirectoryStream, shelf: Shelf, tmp_path: Path
) -> None:
    opened = {"windows": True, "hosts": [], "own_window": False, "decided": NOON.isoformat(), "by": None}
    with database.write() as session:
        a_node(session, tmp_path, "laptop")
        course_id, entry, sizes, there = a_course_elsewhere(session, tmp_path)
        record = a_record(course_id, {**entry, "allowances": [opened]}, kind="course", manifests=sizes)

        for _ in range(3):
            outcome = take(stream, session, record)
            carry(outcome, there, shelf)
        offered = describe_course(session, course_id)
        take(stream, session, record, replace(DECIDED, scope="catalogue"))
        decided = describe_course(session, course_id)

    assert offered is not None
    assert "allowances" not in offered
    assert decided is not None
    assert decided["allowances"] == [opened]


SOME_ID = "7d733e12-6038-4772-bf1c-2a1c22dbb005"  # the same in every worker: it stands in the test's name


@pytest.mark.parametrize(
    ("kind", "key", "body"),
    [
        ("person", "not an id", b"{}"),
        ("person", SOME_ID, b"not JSON"),
        ("person", SOME_ID, b'{"entry": {}}'),
        ("person", SOME_ID, canonical_json({"entry": {**PERSON, "changed": "yesterday"}})),
        ("person", SOME_ID, canonical_json({"entry": {**PERSON, "roles": None}})),
        ("membership", SOME_ID, canonical_json({
            "entry": {"group": SOME_ID, "person": SOME_ID, "active": True, "changed": NOON.isoformat()}
        })),
        ("course", SOME_ID, canonical_json({"entry": {
            "changed": NOON.isoformat(), "deleted": None, "current_edition": None,
            "editions": [{"public_id": "x", "manifest": "../../etc/passwd", "withdrawn": None}],
        }})),
    ],
)  # fmt: skip
def test_nonsense_is_refused_and_the_rest_is_taken(
    session: Session, stream: DirectoryStream, tmp_path: Path, *, kind: str, key: str, body: bytes
) -> None:
    a_node(session, tmp_path, "central")
    anna = uuid4()
    bad = Record(seq=1, kind=kind, key=key, schema=1, body=body, stamp=Stamp(0, 0))

    refused, taken = stream.apply(session, [bad, a_record(anna, PERSON)], OFFER)

    assert (refused.verdict, refused.reason) == (Verdict.REFUSED, "malformed")
    assert taken.verdict is Verdict.APPLIED
    assert describe_person(session, anna) is not None


def test_a_newer_form_waits_for_an_upgrade(session: Session, stream: DirectoryStream, tmp_path: Path) -> None:
    a_node(session, tmp_path, "central")

    outcome = take(stream, session, replace(a_record(uuid4(), PERSON), schema=2))

    assert (outcome.verdict, outcome.reason) == (Verdict.WAITING, "schema")


def a_course_elsewhere(session: Session, folder: Path) -> tuple[UUID, dict[str, Any], dict[str, int], Shelf]:
    """Return a published course as another node describes it, and that node's shelf."""
    there = Shelf(folder / "there")
    inner = session.begin_nested()
    course, edition = an_edition(session, there, a_scorm_file(folder))
    publish(session, there, edition.public_id, now=NOON)
    course_id, entry = course.public_id, describe_course(session, course.public_id)
    inner.rollback()
    assert entry is not None
    return course_id, entry, manifest_sizes(there, entry), there


def carry(outcome: Outcome, there: Shelf, here: Shelf) -> None:
    for blob in outcome.blobs:
        with there.open(blob.digest) as file:
            assert here.put(file, expected=blob.digest).size == blob.size
