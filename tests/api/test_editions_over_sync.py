"""An edition is replaced at the centre under an officer in mid-course on a laptop, and rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from lms.courses.actions import publish, undo_move, withdraw_edition
from lms.courses.queries import describe_withdrawal, find_course
from lms.courses.tables import Course
from lms.database import Database
from lms.editions.actions import take_up
from lms.editions.queries import preview
from lms.launch.actions import Delivered
from lms.launch.course import CourseWithdrawnError
from lms.progress.actions import advance
from lms.reports.queries import roster_page
from sync import log
from sync.canonical import canonical_json
from sync.clock import Stamp
from sync.messages import Record
from sync.ports import Context, Verdict
from tests.course_builders import a_scorm_file, an_edition
from tests.nodes_builders import Place, a_place, a_small_node, answering, long_ago, meet, opens, pair


@pytest.fixture
def centre(database: Database, tmp_path: Path) -> Place:
    return a_place(database, tmp_path / "central", "central")


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Place]:
    with a_small_node(tmp_path, "laptop", "laptop") as place:
        yield place


def begun(delivered: Delivered) -> set[str]:
    activities = delivered.standing.state["activities"]
    return {one for one, record in activities.items() if record.get("attempts") and one.startswith("item")}


def test_a_laptop_follows_what_the_centre_decides_and_takes_back(
    laptop: Place, centre: Place, tmp_path: Path
) -> None:
    officer, course = centre.person("A-1"), centre.course("Border control")
    centre.enrol(officer, course)
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
        first = opens(laptop, officer, course, status="completed")
        meet(laptop, address)

        with centre.database.write() as session:
            into = session.query(Course).filter_by(public_id=course).one()
            package = a_scorm_file(tmp_path, name="2.zip", title="Border control", units=["One", "New"])
            _, second = an_edition(session, centre.shelf, package, of=into)
            seen = preview(session, centre.shelf, course, second.public_id)
            (move,) = take_up(
                session, centre.shelf, course, second.public_id,
                move_from=[first.taking.edition], by=None, now=datetime.now(UTC), new_id=uuid4,
            )  # fmt: skip
            second_id = second.public_id
        meet(laptop, address)
        moved = opens(laptop, officer, course)
        meet(laptop, address)
        with centre.database.read() as session:
            followed = preview(session, centre.shelf, course, second_id)

        with centre.database.write() as session:
            undo_move(session, course, move.id, now=datetime.now(UTC))
        meet(laptop, address)
        back = opens(laptop, officer, course)

    assert [(one.officers, one.begun_kept, one.begun_gone) for one in seen.formers] == [(1, 1, 0)]
    assert moved.taking.edition == second_id
    assert "item-One" in begun(moved)
    assert [(one.followed, one.to_follow) for one in followed.decided] == [(1, 0)]
    assert back.taking.edition == first.taking.edition
    assert begun(first) <= begun(back)
    with laptop.database.read() as session:
        found = find_course(session, course)
        assert found is not None
        assert found.current_edition == second_id  # who begins now begins with what the centre gives


@pytest.mark.parametrize("is_admitted", [True, False])
def test_an_edition_that_is_withdrawn_is_opened_nowhere_any_more(
    laptop: Place, centre: Place, *, is_admitted: bool
) -> None:
    """It travels before all else, and reaches also the laptop that is given no courses any more."""
    officer, course = centre.person("A-1"), centre.course("Border control")
    centre.enrol(officer, course)
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
        first = opens(laptop, officer, course, status="completed")
        if not is_admitted:
            long_ago(centre, laptop, node=laptop.node.id, admitted_by=centre)
        with centre.database.write() as session:
            withdraw_edition(session, first.taking.edition, now=datetime.now(UTC))
        meet(laptop, address)

        with pytest.raises(CourseWithdrawnError):
            opens(laptop, officer, course)
        reviewed = [under_review(place, course) for place in (laptop, centre)]
        with centre.database.read() as session:
            kept = log.held(session, origins=[centre.node.id])
        assert "revocations" in {key.scope for key, head in kept.items() if head.seq}

        with centre.database.write() as session:
            publish(session, centre.shelf, first.taking.edition, now=datetime.now(UTC))
        meet(laptop, address)
        again = opens(laptop, officer, course) if is_admitted else None

    assert again is None or begun(first) <= begun(again)
    assert reviewed == [[True], [True]]
    assert not is_admitted or under_review(laptop, course) == [False]


def under_review(place: Place, course: UUID) -> list[bool]:
    with place.database.write() as session:
        while advance(session):
            pass
    with place.database.read() as session:
        return [line.under_review for line in roster_page(session, course).rows]


def test_a_withdrawal_that_comes_late_does_not_withdraw_what_was_given_again(
    laptop: Place, centre: Place
) -> None:
    officer, course = centre.person("A-1"), centre.course("Border control")
    centre.enrol(officer, course)
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
        edition = opens(laptop, officer, course).taking.edition
        with centre.database.write() as session:
            withdraw_edition(session, edition, now=datetime.now(UTC))
        with centre.database.read() as session:
            described = describe_withdrawal(session, edition)
        with centre.database.write() as session:
            publish(session, centre.shelf, edition, now=datetime.now(UTC))
        meet(laptop, address)

    late = Record(
        seq=1,
        kind="withdrawal",
        key=str(edition),
        schema=1,
        body=canonical_json({"entry": described}),
        stamp=Stamp(1, 0),
    )
    context = Context(
        origin=centre.node.id, epoch="", scope="revocations", role="central", units=("*",), is_authority=True,
        now_ms=laptop.node.clock(),
    )  # fmt: skip
    stream = laptop.node.stream_of("withdrawal")
    assert stream is not None
    with laptop.database.write() as session:
        (outcome,) = stream.apply(session, [late], context)
    assert outcome.verdict is Verdict.PRESENT
    opens(laptop, officer, course)
