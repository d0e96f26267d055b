"""What a lone laptop made reaches the centre and is adopted; what the centre decides reaches every laptop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from lms.courses.actions import withdraw_edition
from lms.courses.queries import find_course, find_edition, missing_files, outline
from lms.database import Database
from lms.enrolment.queries import find_enrolment
from lms.people.queries import members
from lms.people.queries import person as find_person
from sync import quarantine
from sync.node import Node
from sync.segment import open_segment, take_apart
from sync.tables import SegmentRow
from tests.nodes_builders import Place, a_place, a_small_node, answering, meet, pair
from xapi_store import ingest

AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/nodes", "name": "n1"}}
NAME = "Amina Ould Testname"


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Place]:
    with a_small_node(tmp_path, "second", "laptop") as place:
        yield place


@pytest.fixture
def between(tmp_path: Path) -> Iterator[Place]:
    with a_small_node(tmp_path, "between", "hub") as place:
        yield place


@pytest.fixture
def hub(database: Database, tmp_path: Path) -> Place:
    return a_place(database, tmp_path / "hub", "hub")


def test_a_lone_laptops_school_is_adopted_with_its_names_files_and_enrolments(
    laptop: Place, centre: Place
) -> None:
    person = laptop.person("A-1", name=NAME)
    course = laptop.course("Border control")
    laptop.enrol(person, course)
    group = laptop.group("Walk-ins", person)

    with answering(centre) as address:
        pair(laptop, centre, address)
        report = meet(laptop, address)

    assert (report.state, report.waiting) == ("done", 0)
    with centre.database.read() as session:
        adopted = find_person(session, person)
        assert (adopted.display_name, adopted.sign_in_name) == (NAME, "a-1")
        assert not adopted.provisional
        taken = find_course(session, course)
        assert taken is not None
        assert not taken.provisional
        assert taken.current_edition is not None
        edition = find_edition(session, taken.current_edition)
        assert edition is not None
        assert missing_files(centre.shelf, edition) == frozenset()
        assert [line.title for line in outline(session, edition) if line.launchable] == ["One", "Two"]
        enrolment = find_enrolment(session, person=person, course=course)
        assert enrolment is not None
        assert not enrolment.provisional
        assert [member.public_id for member in members(session, group)] == [person]
        assert quarantine.kept_aside(session, limit=10) == []
    for digest in centre.shelf.digests():
        centre.shelf.verify(digest)


def test_the_adopted_comes_back_once_and_then_nothing_moves(laptop: Place, centre: Place) -> None:
    person = laptop.person("A-1")
    course = laptop.course("Border control")
    laptop.enrol(person, course)

    with answering(centre) as address:
        pair(laptop, centre, address)
        first = meet(laptop, address)
        second = meet(laptop, address)
        third = meet(laptop, address)

    assert first.sent == 3
    assert (second.sent, second.received) == (0, 3)
    assert (third.sent, third.received) == (0, 0)
    with laptop.database.read() as session:
        assert not find_person(session, person).provisional
        enrolment = find_enrolment(session, person=person, course=course)
        assert enrolment is not None
        assert not enrolment.provisional


def test_what_the_centre_decides_reaches_every_laptop(laptop: Place, second: Place, centre: Place) -> None:
    made_below = laptop.person("A-1")
    person = centre.person("B-1", name="Second Name", roles=["instructor"])
    course = centre.course("First aid")
    centre.enrol(person, course)

    with answering(centre) as address:
        pair(laptop, centre, address)
        pair(second, centre, address)
        meet(laptop, address)
        meet(second, address)

    for place in (laptop, second):
        with place.database.read() as session:
            assert find_person(session, person).display_name == "Second Name"
            assert find_person(session, person).roles == ["instructor"]
            assert find_person(session, made_below).personnel_number == "A-1"
            taken = find_course(session, course)
            assert taken is not None
            assert taken.current_edition is not None
            assert find_enrolment(session, person=person, course=course) is not None
    assert set(laptop.shelf.digests()) == set(centre.shelf.digests())


def test_a_hub_that_stands_alone_decides_for_its_laptops(laptop: Place, hub: Place) -> None:
    made_below = laptop.person("A-1")
    made_there = hub.person("B-1")
    course = hub.course("First aid")

    with answering(hub) as address:
        pair(laptop, hub, address)
        meet(laptop, address)
        meet(laptop, address)

    adopted = hub.find_person(made_below)
    here, _ = laptop.find_course(course)
    assert adopted is not None
    assert not adopted.provisional
    assert laptop.find_person(made_there) is not None
    assert here is not None
    assert here.current_edition is not None


def test_a_hub_between_relays_offers_with_their_files_and_decides_nothing(
    laptop: Place, between: Place, centre: Place
) -> None:
    person = laptop.person("A-1")
    course = laptop.course("Border control")
    laptop.enrol(person, course)

    with answering(centre) as top, answering(between) as middle:
        pair(between, centre, top, role="hub")
        pair(laptop, between, middle)
        meet(laptop, middle)
        at_hub = between.find_person(person)
        meet(between, top)
        meet(between, top)
        meet(laptop, middle)
        last = meet(laptop, middle)

    assert at_hub is not None
    assert at_hub.provisional
    taken, _ = centre.find_course(course)
    assert taken is not None
    assert taken.current_edition is not None
    here = laptop.find_person(person)
    assert here is not None
    assert not here.provisional
    assert (last.sent, last.received) == (0, 0)


def test_a_withdrawn_edition_stops_at_the_laptop_too(laptop: Place, centre: Place) -> None:
    course = centre.course("First aid")
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
        _, (edition,) = centre.find_course(course)
        with centre.database.write() as session:
            withdraw_edition(session, edition.public_id, now=datetime.now(UTC))
        meet(laptop, address)

    here, _ = laptop.find_course(course)
    assert here is not None
    assert here.current_edition is None


def test_a_correction_made_while_the_older_version_came_down_is_kept_and_adopted(
    laptop: Place, centre: Place
) -> None:
    person = laptop.person("A-1", name="Before")
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
        with laptop.database.write() as session:
            laptop.rename(session, person, "After")
        meet(laptop, address)
        between = laptop.find_person(person)
        meet(laptop, address)

    after = laptop.find_person(person)
    at_centre = centre.find_person(person)
    assert between is not None
    assert between.display_name == "After"
    assert after is not None
    assert (after.display_name, after.provisional) == ("After", False)
    assert at_centre is not None
    assert at_centre.display_name == "After"


def test_a_small_node_alters_nobody_whom_the_centre_made(laptop: Place, centre: Place) -> None:
    person = centre.person("B-1", name="As the centre says")
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
        with laptop.database.write() as session:
            laptop.rename(session, person, "Somebody else")
        meet(laptop, address)

    with centre.database.read() as session:
        assert find_person(session, person).display_name == "As the centre says"
        (kept,) = quarantine.kept_aside(session, limit=10)
    assert (kept.verdict, kept.reason) == ("refused", "not_yours")


def test_an_administrator_of_a_small_node_is_none_at_the_centre(laptop: Place, centre: Place) -> None:
    person = laptop.person("A-1", roles=["officer", "hub_admin"])
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
        meet(laptop, address)

    there = centre.find_person(person)
    here = laptop.find_person(person)
    assert there is not None
    assert there.all_roles == {"officer"}
    assert here is not None
    assert here.all_roles == {"officer", "hub_admin"}


def test_two_people_with_one_number_are_both_kept(laptop: Place, second: Place, centre: Place) -> None:
    first = laptop.person("A-1")
    other = second.person("a-1")
    with answering(centre) as address:
        for place in (laptop, second):
            pair(place, centre, address)
            meet(place, address)

    with centre.database.read() as session:
        assert find_person(session, first).sign_in_name == "a-1"
        assert find_person(session, other).sign_in_name is None


def test_no_name_travels_beside_facts(laptop: Place, centre: Place) -> None:
    person = laptop.person("A-1", name=NAME)
    made = {
        "actor": {"account": {"homePage": "https://outpost.invalid/people", "name": str(person)}},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": "https://outpost.invalid/courses/c1"},
    }
    with laptop.database.write() as session:
        ingest.store_statements(session, [made], authority=AUTHORITY, now=datetime.now(UTC))
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)

    by_scope = bodies(centre, laptop.node)
    assert by_scope.keys() == {"up", "offers"}
    assert NAME.encode() not in b"".join(by_scope["up"])
    assert NAME.encode() in b"".join(by_scope["offers"])


def bodies(place: Place, origin: Node) -> dict[str, list[bytes]]:
    """Return the bodies of all entries of an origin that a place holds, by scope."""
    found: dict[str, list[bytes]] = {}
    with place.database.read() as session:
        for row in session.scalars(select(SegmentRow).where(SegmentRow.origin == origin.id)):
            records = open_segment(take_apart(row.encoded), public_key=origin.key.public_key)
            found.setdefault(row.scope, []).extend(record.body for record in records)
    return found
