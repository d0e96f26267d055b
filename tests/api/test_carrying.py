"""Which courses come to which node: what was assigned, and what somebody who learns there takes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from lms.carrying.actions import AssignedElsewhereError, assign
from lms.carrying.here import (
    CourseHere,
    InTheMiddleError,
    OnlyHereError,
    Use,
    courses_here,
    let_go,
    remove,
)
from lms.carrying.lacks import LackTold, lack_told_by
from lms.carrying.rules import Mode, Orders
from lms.carrying.tables import Lack
from lms.courses.actions import ask_for
from lms.courses.iris import course_iri
from lms.courses.queries import missing_files
from lms.courses.shelving import editions_here, named_files
from lms.enrolment.actions import enrol
from lms.enrolment.queries import registration_of
from lms.people.sessions import open_session
from lms.progress.tables import Progress
from sync import quarantine, wishes
from sync.clock import Stamp
from sync.messages import Record
from sync.ports import BlobRef, Context, Verdict
from tests.nodes_builders import Place, a_small_node, answering, meet, pair


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Place]:
    with a_small_node(tmp_path, "hub", "hub") as place:
        yield place


def say(centre: Place, target: str, orders: Orders) -> None:
    with centre.database.write() as session:
        assign(session, target, orders, by=None, now=datetime.now(UTC))


def choose(centre: Place, target: str, *courses: UUID) -> None:
    say(centre, target, Orders(mode=Mode.CHOSEN, courses=frozenset(courses)))


def sign_in(place: Place, person: UUID) -> None:
    with place.database.write() as session:
        open_session(session, person, now=datetime.now(UTC))


def is_here(place: Place, course: UUID) -> bool:
    row, editions = place.find_course(course)
    return row is not None and row.current_edition in {one.public_id for one in editions}


def stands(place: Place, course: UUID) -> tuple[bool, bool]:
    """Return whether it is given to learners, and whether its files are to come."""
    row, _ = place.find_course(course)
    assert row is not None
    return row.current_edition is not None, row.carried


def listed(place: Place) -> list[CourseHere]:
    with place.database.read() as session:
        return courses_here(session, place.shelf)


def take_off(place: Place, course: UUID, *, all_the_same: bool = False) -> int:
    """Remove a course, and return how many bytes that freed at once."""
    now = datetime.now(UTC)
    with place.database.write() as session:
        files = remove(session, place.shelf, course, all_the_same=all_the_same, now=now)
    return let_go(place.shelf, files, now=now).size


def ask(place: Place, course: UUID) -> None:
    with place.database.write() as session:
        ask_for(session, course, now=datetime.now(UTC))
        assert place.node.wishes is not None
        place.node.wishes.look(session)


def on_shelf(place: Place) -> int:
    return sum(place.shelf.path(one).stat().st_size for one in place.shelf.digests())


def missing_of(place: Place, course: UUID) -> frozenset[str]:
    _, (edition,) = place.find_course(course)
    return missing_files(place.shelf, edition)


def let_lie(place: Place) -> None:
    """Make the files on the shelf two days old."""
    then = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    for digest in place.shelf.digests():
        os.utime(place.shelf.path(digest), (then, then))


def begin(place: Place, person: UUID, course: UUID) -> None:
    """Leave the record that somebody has begun a course here."""
    now = datetime.now(UTC)
    with place.database.write() as session:
        registration = registration_of(session, person=person, course=course)
        iri = course_iri(course)
        session.add(
            Progress(
                registration=registration, activity=iri, course=iri, first=now, last=now, node=place.node.id
            )
        )


def lack_at(centre: Place, place: Place) -> Lack | None:
    with centre.database.read() as session:
        return lack_told_by(session, place.node.id)


@contextmanager
def full(place: Place) -> Iterator[None]:
    """Leave a node no room for files."""
    blobs, directory = place.node.blobs, place.node.wishes
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("_packages", "_attachments"):
            patch.setattr(getattr(blobs, kind), "_leave_free", 2**62)
        patch.setattr(directory, "_leave_free", 2**62)
        yield


def test_without_a_word_every_course_comes_as_before(laptop: Place, centre: Place) -> None:
    courses = [centre.course("Passports", language="en"), centre.course("Visas", language="ar")]

    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)

    assert [is_here(laptop, one) for one in courses] == [True, True]


def test_what_was_not_chosen_is_known_and_does_not_come_until_it_is(laptop: Place, centre: Place) -> None:
    chosen, other = centre.course("Passports"), centre.course("Visas", text="Other")
    with answering(centre) as address:
        pair(laptop, centre, address)
        choose(centre, laptop.node.id, chosen)
        first = meet(laptop, address)
        before = (stands(laptop, chosen), stands(laptop, other))
        idle = meet(laptop, address)

        choose(centre, laptop.node.id, chosen, other)
        meet(laptop, address)

    assert first.state == "done"
    assert before == ((True, True), (False, False))
    assert idle.turns == 1  # nothing is asked for in vain
    assert stands(laptop, other) == (True, True)


def test_courses_come_in_the_languages_of_a_node_and_those_that_say_none(
    laptop: Place, centre: Place
) -> None:
    courses = [
        centre.course("Passports", language="en"),
        centre.course("Jawazat", language="ar-EG"),
        centre.course("Drill", text="Mute"),
    ]
    with answering(centre) as address:
        pair(laptop, centre, address)
        say(centre, laptop.node.id, Orders(mode=Mode.LANGUAGES, languages=frozenset({"ar"})))

        meet(laptop, address)

    assert [is_here(laptop, one) for one in courses] == [False, True, True]


def test_what_somebody_takes_who_signs_in_here_comes_though_it_was_not_chosen(
    laptop: Place, centre: Place
) -> None:
    officer, stranger = centre.person("A-1"), centre.person("A-2")
    hers, not_hers = centre.course("Visas"), centre.course("Passports", text="Other")
    centre.enrol(officer, hers)
    centre.enrol(stranger, not_hers)
    with answering(centre) as address:
        pair(laptop, centre, address)
        choose(centre, laptop.node.id)
        meet(laptop, address)
        before = is_here(laptop, hers)
        sign_in(laptop, officer)

        meet(laptop, address)

    assert not before
    assert is_here(laptop, hers)
    assert not is_here(laptop, not_hers)


def test_what_the_group_takes_that_learns_here_comes(laptop: Place, centre: Place) -> None:
    officer, course = centre.person("A-1"), centre.course("Visas")
    group = centre.group("Post 4", officer)
    centre.enrol(officer, course)
    with answering(centre) as address:
        pair(laptop, centre, address)
        say(centre, laptop.node.id, Orders(mode=Mode.CHOSEN, groups=frozenset({group})))

        meet(laptop, address)

    assert is_here(laptop, course)


def test_a_laptop_follows_its_hub_and_a_hub_carries_what_its_laptops_are_assigned(
    laptop: Place, hub: Place, centre: Place
) -> None:
    of_the_hub, of_the_laptop, of_nobody = (
        centre.course(one, text=one) for one in ("Passports", "Visas", "Drill")
    )
    with answering(centre) as above, answering(hub) as between:
        pair(hub, centre, above, role="hub")
        pair(laptop, hub, between)
        choose(centre, hub.node.id, of_the_hub)
        meet(hub, above)
        meet(laptop, between)
        followed = [stands(laptop, one)[1] for one in (of_the_hub, of_the_laptop, of_nobody)]

        choose(centre, laptop.node.id, of_the_laptop)
        meet(hub, above)
        meet(laptop, between)

    assert followed == [True, False, False]
    assert stands(hub, of_the_laptop) == (True, True)
    assert is_here(laptop, of_the_laptop)


def test_what_is_due_is_most_needed_then_what_is_taken_then_what_was_asked_for(
    laptop: Place, centre: Place
) -> None:
    officer = centre.person("A-1")
    days = {"later": date(2027, 5, 1), "due": date(2026, 12, 1), "taken": None}
    courses = {name: centre.course(name, text=name) for name in (*days, "asked", "neither")}
    for name, due in days.items():
        with centre.database.write() as session:
            enrol(session, courses[name], [officer], by=None, now=datetime.now(UTC), new_id=uuid4, due=due)
    with answering(centre) as address:
        pair(laptop, centre, address)
        choose(centre, laptop.node.id)
        meet(laptop, address)
    sign_in(laptop, officer)

    with laptop.database.write() as session:
        ask_for(session, courses["asked"], now=datetime.now(UTC))
        assert laptop.node.wishes is not None
        laptop.node.wishes.look(session)
        ranks = wishes.ranks(session)

    names = {str(one): name for name, one in courses.items()}
    assert [names[one] for one in sorted(ranks, key=ranks.__getitem__)] == ["due", "later", "taken", "asked"]


def test_no_node_but_the_deciding_one_assigns(laptop: Place, centre: Place) -> None:
    with answering(centre) as address:
        pair(laptop, centre, address)

    with pytest.raises(AssignedElsewhereError):
        choose(laptop, laptop.node.id)


def test_a_removed_course_frees_what_is_its_own_stays_listed_and_comes_back_when_asked_for(
    laptop: Place, centre: Place
) -> None:
    kept, gone = centre.course("Passports", text="Shared"), centre.course("Visas", text="Shared" * 1000)
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
        here = {one.public_id: one for one in listed(laptop)}
        size_before = on_shelf(laptop)
        let_lie(laptop)
        freed = take_off(laptop, gone)
        size_after = on_shelf(laptop)
        stood = (stands(laptop, gone), stands(laptop, kept))
        swept_too_much = missing_of(laptop, kept)
        meet(laptop, address)
        still_gone = stands(laptop, gone)

        ask(laptop, gone)
        meet(laptop, address)

    assert here[gone].use is Use.NOBODY
    assert here[gone].frees == freed == size_before - size_after > 5000
    assert stood == ((False, False), (True, True))
    assert still_gone == (False, False)
    assert swept_too_much == frozenset()
    assert is_here(laptop, gone)


def test_what_a_removed_course_shares_with_another_stays_and_is_not_counted(
    laptop: Place, centre: Place
) -> None:
    gone, kept = centre.course("Passports", text="Long" * 1000), centre.course("Visas", text="Long" * 1000)
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
    (frees,) = (one.frees for one in listed(laptop) if one.public_id == gone)
    let_lie(laptop)

    freed = take_off(laptop, gone)

    assert 0 < freed == frees < 4000  # its own manifest.xml, and neither of the two lessons
    assert missing_of(laptop, kept) == frozenset()


def test_a_removed_course_that_was_not_swept_yet_is_back_at_once(laptop: Place, centre: Place) -> None:
    course = centre.course("Passports")
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
    freed = take_off(laptop, course)  # it came a moment ago: an import may be about to name the same files

    with laptop.database.read() as session:
        expected, named = editions_here(session), named_files(session, laptop.shelf)
    ask(laptop, course)

    assert freed == 0
    assert expected == []  # so nobody is told that its files are missing
    assert len(named.files) == 1  # its manifest; the sweep takes the rest
    assert is_here(laptop, course)


def test_what_was_removed_comes_back_for_whoever_is_enrolled_afterwards(laptop: Place, centre: Place) -> None:
    early, late = centre.person("A-1"), centre.person("A-2")
    course = centre.course("Visas")
    centre.enrol(early, course)
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
        sign_in(laptop, early)
        sign_in(laptop, late)
        let_lie(laptop)
        take_off(laptop, course)
        meet(laptop, address)
        without = is_here(laptop, course)

        centre.enrol(late, course)
        meet(laptop, address)
        meet(laptop, address)

    assert not without
    assert is_here(laptop, course)


def test_a_course_in_which_somebody_is_stays_unless_that_is_accepted(laptop: Place, centre: Place) -> None:
    officer, course = centre.person("A-1"), centre.course("Visas")
    centre.enrol(officer, course)
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
    sign_in(laptop, officer)
    begin(laptop, officer, course)

    with pytest.raises(InTheMiddleError) as refused:
        take_off(laptop, course)
    take_off(laptop, course, all_the_same=True)

    assert refused.value.begun == 1
    assert stands(laptop, course) == (False, False)


def test_a_course_that_is_nowhere_else_stays(laptop: Place, centre: Place) -> None:
    course = laptop.course("Walk-ins")
    at_the_centre = centre.course("Passports", text="Other")
    with pytest.raises(OnlyHereError):
        take_off(laptop, course)
    with pytest.raises(OnlyHereError):
        take_off(centre, at_the_centre)
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)  # offers it
        meet(laptop, address)  # hears that it was taken up

    take_off(laptop, course)

    assert stands(laptop, course) == (False, False)


def test_a_node_tells_once_for_what_it_has_no_room_and_again_when_it_has(
    laptop: Place, centre: Place
) -> None:
    course = centre.course("Passports", text="Long" * 1000)
    with answering(centre) as address:
        pair(laptop, centre, address)
        with full(laptop):
            meet(laptop, address)
            first = meet(laptop, address)
            told = lack_at(centre, laptop)
            again = meet(laptop, address)
        meet(laptop, address)
        meet(laptop, address)

    assert first.sent == 1
    assert told is not None
    assert [UUID(one["course"]) for one in told.no_room] == [course]
    assert told.no_room[0]["bytes"] > 0
    assert again.sent == 0
    assert is_here(laptop, course)
    after = lack_at(centre, laptop)
    assert after is not None
    assert after.no_room == []


def test_a_hub_carries_what_an_officer_takes_who_signs_in_below_it(
    laptop: Place, hub: Place, centre: Place
) -> None:
    officer, course = centre.person("A-1"), centre.course("Visas")
    centre.enrol(officer, course)
    with answering(centre) as above, answering(hub) as between:
        pair(hub, centre, above, role="hub")
        pair(laptop, hub, between)
        choose(centre, hub.node.id)
        meet(hub, above)
        meet(laptop, between)
        without = (stands(hub, course), stands(laptop, course))
        sign_in(laptop, officer)
        meet(laptop, between)  # tells what it needs
        meet(hub, above)

        meet(laptop, between)

    assert without == ((False, False), (False, False))
    assert is_here(hub, course)
    assert is_here(laptop, course)


def test_what_a_hub_has_comes_though_what_is_needed_more_is_not_there_yet(
    laptop: Place, hub: Place, centre: Place
) -> None:
    officer = centre.person("A-1")
    there, needed = centre.course("Passports"), centre.course("Visas", text="Other")
    centre.enrol(officer, needed)
    with answering(centre) as above, answering(hub) as between:
        pair(hub, centre, above, role="hub")
        pair(laptop, hub, between)
        choose(centre, hub.node.id, there)
        meet(hub, above)
        sign_in(laptop, officer)

        meet(laptop, between)

    assert stands(laptop, needed) == (False, True)
    assert is_here(laptop, there)


def test_nobody_tells_of_another_node(laptop: Place, centre: Place) -> None:
    body = LackTold(needed=[], no_room=[], room=1, told=datetime.now(UTC)).model_dump_json().encode()
    record = Record(seq=1, kind="carrying", key="another", schema=1, body=body, stamp=Stamp(0, 0))
    context = Context(
        origin=laptop.node.id, epoch="e", scope="up", role="laptop", units=(), is_authority=False, now_ms=0
    )
    stream = centre.node.stream_of("carrying")
    assert stream is not None

    with centre.database.write() as session:
        (outcome,) = stream.apply(session, [record], context)

    assert (outcome.verdict, outcome.reason) == (Verdict.REFUSED, "not_yours")
    assert lack_at(centre, laptop) is None


def test_a_course_of_less_need_takes_no_room_from_one_that_finds_none(laptop: Place) -> None:
    due = BlobRef(hashlib.sha256(b"due").hexdigest(), 2**50)
    other = BlobRef(hashlib.sha256(b"other").hexdigest(), 10)

    with laptop.database.write() as session:
        wishes.wish(session, "due", [due], rank=1)
        wishes.wish(session, "assigned", [other], rank=9)
        crowded = quarantine.wanted_blobs(session, laptop.node, limit=9)
        wishes.forget(session, ["due"])
        free = quarantine.wanted_blobs(session, laptop.node, limit=9)

    assert crowded == []
    assert [one.digest for one in free] == [other.digest]
