"""A person is erased: her name and her id are in no byte of any node, and everything else is where it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Uuid, event, inspect, select, text

from lms.cmi5.tables import Registration
from lms.courses.moves import Move
from lms.courses.tables import Course, Edition
from lms.database import Base, PublicId
from lms.enrolment.actions import enrol
from lms.enrolment.tables import Enrolment
from lms.erasure import actions
from lms.erasure.actions import DOERS, HERS
from lms.erasure.queries import traces_of
from lms.launch.tables import Launch, LaunchStep
from lms.people.tables import Membership, Person
from lms.progress.actions import advance
from lms.progress.tables import Progress
from lms.streams.statements import StatementStream
from sync import erasures, segment
from sync.sequencer import number_changes
from sync.tables import SegmentRow
from tests.bundle_builders import take, write
from tests.nodes_builders import Place, answering, meet, pair
from xapi_store import documents, feed, ingest, packing
from xapi_store.model.document import DocumentKey

NAME = "Zenobia Quuxwitz"
PEOPLE = "https://outpost.invalid/people"
AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/nodes", "name": "n1"}}
COURSE = "https://outpost.invalid/courses/c1"


def agent(person: UUID, **more: str) -> dict[str, Any]:
    return {"objectType": "Agent", "account": {"homePage": PEOPLE, "name": str(person)}, **more}


def name_of(place: Place, person: UUID) -> str:
    found = place.find_person(person)
    assert found is not None
    return found.display_name


def record(place: Place, person: UUID, **changes: Any) -> None:
    statement = {
        "actor": agent(person, name=name_of(place, person)),
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": COURSE},
        **changes,
    }
    with place.database.write() as session:
        ingest.store_statements(session, [statement], authority=AUTHORITY, now=datetime.now(UTC))


def keep_document(place: Place, person: UUID) -> None:
    key = DocumentKey.state(activity=COURSE, agent=agent(person), name="cmi", registration=uuid4())
    with place.database.write() as session:
        documents.put_document(
            session,
            key,
            f'{{"who":"{name_of(place, person)}"}}'.encode(),
            "application/json",
            now=datetime.now(UTC),
        )


def have_erased(place: Place, person: UUID) -> str:
    with place.database.write() as session:
        return erasures.order(session, place.node, str(person), reason="asked for it")


def carry_out(*places: Place) -> None:
    for place in places:
        while erasures.carry_out_some(place.node):
            pass
        erasures.carry_out_some(place.node)


def where(place: Place, *wanted: str) -> list[str]:
    """Return where some words stand: in which bytes of a node's files, or in which entry or row of its database."""
    needles = [one.encode() for one in wanted] + [one.replace("-", "").encode() for one in wanted]
    needles += [UUID(one).bytes for one in wanted if re.fullmatch(r"[0-9a-f-]{36}", one)]
    found = [
        str(path)
        for path in [*place.folder.rglob("*"), *place.folder.parent.glob(f"{place.folder.name}.db*")]
        if path.is_file() and any(one in path.read_bytes() for one in needles)
    ]
    with place.database.read() as session:
        said = [
            (f"{entry.kind} {entry.key} of {row.scope}", entry.body + entry.key.encode())
            for row in session.scalars(select(SegmentRow))
            for entry in segment.read(segment.take_apart(row.encoded))
        ]
        said += [
            (f"statement {one.statement_id}", one.raw)
            for one in feed.statements_after(session, 0, limit=1000)
        ]
        said += [
            (f"row of {table}", str(values).encode())
            for table in inspect(session.get_bind()).get_table_names()
            for values in session.execute(text(f"SELECT * FROM {table}"))
        ]
    return found + [place for place, bytes_there in said if any(one in bytes_there for one in needles)]


@pytest.fixture
def address(laptop: Place, centre: Place) -> Iterator[str]:
    with answering(centre) as here:
        pair(laptop, centre, here)
        yield here


def test_no_byte_of_her_is_left_anywhere(laptop: Place, centre: Place, address: str, tmp_path: Path) -> None:
    her, other = laptop.person("A-17", name=NAME), laptop.person("A-18")
    laptop.group("Shift", her, other)
    for person in (her, other):
        record(laptop, person)
        keep_document(laptop, person)
    meet(laptop, address)
    course = centre.course("Any")
    for person in (her, other):
        centre.enrol(person, course)
        record(centre, person)
        with centre.database.write() as session:
            while advance(session):
                pass
    number_changes(laptop.node)
    stick = write(laptop, [centre], tmp_path / "stick", from_start=True)
    meet(laptop, address)
    assert where(laptop, NAME, str(her))
    assert where(centre, NAME, str(her))

    made = have_erased(centre, her)
    carry_out(centre)
    meet(laptop, address)
    carry_out(laptop)
    meet(laptop, address)
    take(centre, *stick.paths)

    for place in (laptop, centre):
        assert where(place, NAME, str(her)) == []
        assert where(place, str(other))
        assert place.find_person(her) is None
        assert place.find_person(other) is not None
    with centre.database.read() as session:
        (state,) = erasures.ordered(session, centre.node)
        assert state.id == made
        assert state.outstanding == []
        assert session.scalars(select(Enrolment.person)).all() == [other]
        assert set(session.scalars(select(Membership.person_id))) == {other}


class Killed(BaseException):
    """The process ended, without a word to anybody."""


def test_it_goes_on_wherever_it_was_killed(centre: Place) -> None:
    her, other = centre.person("A-17", name=NAME), centre.person("A-18")
    centre.group("Shift", her, other)
    course = centre.course("Any")
    for person in (her, other):
        centre.enrol(person, course)
        record(centre, person)
        keep_document(centre, person)
    number_changes(centre.node)
    have_erased(centre, her)
    left = [0]

    def burn(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    event.listen(centre.database.engine, "before_cursor_execute", burn)
    for lives in range(120):
        left[0] = lives // 2  # so long that in the end a step is done
        with suppress(Killed):
            while erasures.carry_out_some(centre.node):
                pass
    event.remove(centre.database.engine, "before_cursor_execute", burn)
    carry_out(centre)

    assert where(centre, NAME, str(her)) == []
    assert where(centre, str(other))
    with centre.database.read() as session:
        assert len(feed.statements_after(session, 0, limit=9)) == 1


def test_a_place_that_no_step_reaches_is_told_and_nothing_is_confirmed(
    centre: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_erased(centre, centre.person("A-17", name=NAME))
    monkeypatch.setattr(actions, "_forget_rows", lambda *_: None)

    with pytest.raises(actions.StillNamedError):
        carry_out(centre)

    with centre.database.read() as session:
        (state,) = erasures.ordered(session, centre.node)
        assert state.outstanding != []


def test_a_name_that_is_a_word_of_all_statements_harms_no_others(centre: Place) -> None:
    her, other = centre.person("A-17", name="homePage"), centre.person("A-18")
    with centre.database.write() as session:
        packing.keep_dictionary(session, packing.train_another(session))
    for person in (her, other, her, other):
        record(centre, person)

    have_erased(centre, her)
    carry_out(centre)

    with centre.database.read() as session:
        assert len(feed.statements_after(session, 0, limit=9)) == 2
        assert packing.dictionaries_with(session, ["homePage"])
    assert where(centre, str(her)) == []


def test_what_she_did_for_others_is_told_anew_without_her(laptop: Place, centre: Place, address: str) -> None:
    her, other = centre.person("A-17", name=NAME, roles=["instructor"]), centre.person("A-18")
    course = centre.course("Any")
    with centre.database.write() as session:
        enrol(session, course, [other], by=her, now=datetime.now(UTC), new_id=uuid4)
        session.query(Course).update({"created_by": her})
        session.query(Edition).update({"imported_by": her})
        move = Move(id=uuid4(), source=uuid4(), target=uuid4(), decided=datetime.now(UTC), by=her)
        session.query(Course).one().moves = [move.to_json()]
    number_changes(centre.node)

    have_erased(centre, her)
    carry_out(centre)
    meet(laptop, address)
    carry_out(laptop)

    with laptop.database.read() as session:
        (kept,) = session.scalars(select(Enrolment))
        assert (kept.person, kept.made_by) == (other, None)
        assert session.scalars(select(Course.created_by)).all() == [None]
    assert where(laptop, str(her)) == where(centre, str(her)) == []


def test_her_launches_and_what_they_led_to_go(centre: Place) -> None:
    her, other = centre.person("A-17"), centre.person("A-18")
    course = centre.course("Any")
    registrations = {}
    for person in (her, other):
        centre.enrol(person, course)
        with centre.database.write() as session:
            registration = session.scalars(
                select(Enrolment.registration).where(Enrolment.person == person)
            ).one()
            registrations[person] = registration
            now = datetime.now(UTC)
            session.add(
                Launch(
                    public_id=uuid4(), token_digest=person.bytes, registration=registration, person=person,
                    course=course, edition=course, unit=course, identifier="i", attempt=1, created=now,
                    last_seen=now,
                )
            )  # fmt: skip
            session.add(
                LaunchStep(
                    registration=registration, number=1, at=now, edition=course, attempt=1, event={}, outcome={},
                    before=b"", after=b"",
                )
            )  # fmt: skip
            session.add(Progress(registration=registration, activity="a", course="c", first=now, last=now))
            session.add(
                Registration(
                    registration=uuid4(), person=None, course=course, edition=course, told=[], created=now,
                    actor=agent(person),
                )
            )  # fmt: skip

    have_erased(centre, her)
    carry_out(centre)

    with centre.database.read() as session:
        assert session.scalars(select(Launch.person)).all() == [other]
        for table in (LaunchStep, Progress):
            assert session.scalars(select(table.registration)).all() == [registrations[other]]
        assert [row.actor for row in session.scalars(select(Registration))] == [agent(other)]


def test_what_there_is_of_her_is_counted_before(centre: Place) -> None:
    her, other = centre.person("A-17"), centre.person("A-18")
    record(centre, her)
    record(centre, other, context={"instructor": agent(her)})
    record(centre, other)
    keep_document(centre, her)
    centre.enrol(her, centre.course("Any"))

    with centre.database.read() as session:
        traces = traces_of(session, her)

    assert (traces.statements, traces.in_passing, traces.documents, traces.enrolments) == (1, 1, 1, 1)


def test_every_column_that_may_name_a_person_is_looked_at() -> None:
    """Who adds a column of ids says here whether it may be a person's."""
    of_people = {str(one) for one in (*HERS, *DOERS, Person.public_id, Enrolment.person)}
    ids = {
        f"{mapper.class_.__name__}.{column.key}"
        for mapper in Base.registry.mappers
        for column in mapper.columns
        if isinstance(column.type, (PublicId, Uuid))
    }

    assert ids - of_people == {
        "Assignment.public_id", "Bundle.public_id", "Course.coming_edition",
        "Course.current_edition", "Course.public_id",
        "CourseImport.course", "CourseImport.edition", "CourseImport.into_course", "CourseImport.public_id",
        "DeadLetter.statement_id", "DirectoryChange.public_id", "Edition.public_id", "Enrolment.course",
        "Enrolment.public_id", "Enrolment.registration", "Group.public_id", "LateWork.course", "LateWork.launch",
        "LateWork.unit", "Launch.course", "Launch.edition", "Launch.public_id", "Launch.registration",
        "Launch.unit", "LaunchStep.edition", "LaunchStep.registration", "Membership.group_id",
        "Membership.public_id", "Progress.registration", "ProgressLaunch.enrolment",
        "ProgressLaunch.registration", "Proposal.public_id", "RecordExport.public_id", "Registration.course",
        "Registration.edition", "Registration.enrolment", "Registration.registration", "Unit.public_id",
        "UnitSession.public_id",
    }  # fmt: skip


def test_an_entry_is_about_everybody_whose_id_stands_in_it(centre: Place) -> None:
    her = centre.person("A-17")
    record(centre, her)
    with centre.database.read() as session:
        (change,) = StatementStream().changes_after(session, 0, 9).changes
    assert centre.node.erasure is not None

    assert str(her) in centre.node.erasure.subjects_of(change)
