"""An edition replaced under an officer in mid-course: she stays, moves, moves back; nothing of hers is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from content_packages.package import load_package
from content_packages.sequencing.event import Request
from lms.courses.actions import (
    MoveImpossibleError,
    apply_course,
    move_officers,
    publish,
    undo_move,
    withdraw_edition,
)
from lms.courses.queries import describe_course
from lms.courses.tables import Course, Edition
from lms.database import Base, Database
from lms.launch.actions import Delivered, Desk, apply_commit, boot_values, carry_out, deliver
from lms.launch.course import CourseWithdrawnError, Taking, open_course, open_package
from lms.launch.steps import replay, steps_from
from tests.course_builders import a_scorm_file, an_edition
from tests.launch_builders import NOON, PERSON, REGISTRATION, a_commit, a_desk
from xapi_store.tables import Base as Records


@dataclass
class Post:
    """A course of two lessons at a post, published, and one officer in front of it."""

    session: Session
    desk: Desk
    folder: Path
    course: Course
    first: Edition

    def next_edition(self, *units: str) -> Edition:
        package = a_scorm_file(self.folder, units=units, text=str(units))
        _, edition = an_edition(self.session, self.desk.shelf, package, of=self.course)
        publish(self.session, self.desk.shelf, edition.public_id, now=NOON)
        return edition

    def move(self, source: Edition, target: Edition) -> UUID:
        return move_officers(
            self.session, self.course.public_id,
            source=source.public_id, target=target.public_id, by=None, now=NOON, new_id=uuid4,
        ).id  # fmt: skip

    def undo(self, move: UUID) -> None:
        undo_move(self.session, self.course.public_id, move, now=NOON)

    def taking(self, registration: UUID = REGISTRATION) -> Taking:
        return open_course(
            self.session, self.desk.shelf,
            person=PERSON, registration=registration, course=self.course.public_id,
        )  # fmt: skip

    def opens(self, registration: UUID = REGISTRATION) -> Delivered:
        delivered = deliver(self.session, self.desk, self.taking(registration), now=NOON)
        assert delivered is not None
        return delivered

    def works(self, delivered: Delivered, **values: str) -> None:
        plain = {f"cmi.core.{name}": value for name, value in values.items()}
        apply_commit(self.session, self.desk, delivered.launch, *a_commit(1, plain), now=NOON)

    def finishes(self, delivered: Delivered) -> None:
        commit = a_commit(1, {"cmi.core.lesson_status": "completed"}, phase="terminated")
        apply_commit(self.session, self.desk, delivered.launch, *commit, now=NOON)


@pytest.fixture
def post(session: Session, tmp_path: Path) -> Post:
    desk = a_desk(tmp_path)
    course, first = an_edition(session, desk.shelf, a_scorm_file(tmp_path))
    publish(session, desk.shelf, first.public_id, now=NOON)
    return Post(session=session, desk=desk, folder=tmp_path, course=course, first=first)


def bookmark(post: Post, delivered: Delivered) -> str | None:
    values = boot_values(post.session, post.taking(), delivered.launch)
    return values.get("cmi.core.lesson_location")


def test_an_officer_in_mid_course_stays_on_her_edition(post: Post) -> None:
    post.works(post.opens(), lesson_location="page-3")

    post.next_edition("One", "Two", "Three")
    again = post.opens()

    assert again.taking.edition == post.first.public_id
    assert bookmark(post, again) == "page-3"


def test_she_moves_by_the_instructors_choice_and_keeps_where_she_was(post: Post) -> None:
    post.works(post.opens(), lesson_location="page-3")
    second = post.next_edition("Zero", "One")

    post.move(post.first, second)
    moved = post.opens()

    assert moved.taking.edition == second.public_id
    assert moved.launch.identifier == "item-One"
    assert bookmark(post, moved) == "page-3"


def test_what_was_open_on_the_screen_is_saved_before_she_moves_and_then_over(post: Post) -> None:
    before = post.opens()
    post.works(before, lesson_location="page-3")
    post.move(post.first, post.next_edition("One", "Two"))

    apply_commit(
        post.session, post.desk, before.launch, *a_commit(2, {"cmi.core.lesson_location": "page-4"}), now=NOON
    )
    moved = post.opens()

    assert before.launch.ended == NOON
    assert before.launch.edition == post.first.public_id
    assert bookmark(post, moved) == "page-4"


def test_a_move_that_is_undone_brings_her_back_with_all_she_did(post: Post) -> None:
    post.finishes(post.opens())
    second = post.next_edition("Two", "Three")
    move = post.move(post.first, second)
    moved = post.opens()
    post.works(moved, lesson_location="page-7")

    post.undo(move)
    back = post.opens()

    assert moved.taking.edition == second.public_id
    assert back.taking.edition == post.first.public_id
    assert back.standing.state["activities"]["item-One"]["completed"] is True
    assert bookmark(post, back) == "page-7"


def test_a_move_that_was_undone_before_she_opened_the_course_never_was(post: Post) -> None:
    post.works(post.opens())

    post.undo(post.move(post.first, post.next_edition("Two")))

    assert post.opens().taking.edition == post.first.public_id


def test_undoing_takes_back_only_whom_the_move_took_along(post: Post) -> None:
    post.works(post.opens())
    second = post.next_edition("One", "Two")
    native = uuid4()
    post.works(post.opens(native))
    move = post.move(post.first, second)
    post.works(post.opens())

    post.undo(move)

    assert post.opens().taking.edition == post.first.public_id
    assert post.opens(native).taking.edition == second.public_id


def test_a_roll_back_takes_along_whom_it_names(post: Post) -> None:
    post.works(post.opens(), lesson_location="page-3")
    second = post.next_edition("One")
    post.move(post.first, second)
    post.works(post.opens(), lesson_location="page-4")

    publish(post.session, post.desk.shelf, post.first.public_id, now=NOON)
    stayed = post.opens()
    post.move(second, post.first)
    back = post.opens()

    assert stayed.taking.edition == second.public_id
    assert back.taking.edition == post.first.public_id
    assert bookmark(post, back) == "page-4"


def test_a_decision_taken_before_she_began_does_not_concern_her(post: Post) -> None:
    second = post.next_edition("One")
    post.move(post.first, second)
    publish(post.session, post.desk.shelf, post.first.public_id, now=NOON)

    post.works(post.opens())

    assert post.opens().taking.edition == post.first.public_id


def test_who_has_finished_stays_where_she_finished(post: Post) -> None:
    post.finishes(post.opens())
    carry_out(post.session, post.desk, post.taking(), Request.CONTINUE, now=NOON)
    post.finishes(post.opens())

    post.move(post.first, post.next_edition("One", "Two", "Three"))

    assert post.taking().edition == post.first.public_id
    assert post.opens().taking.edition == post.first.public_id


def test_she_goes_on_as_she_is_until_the_other_edition_is_whole_here(post: Post) -> None:
    post.works(post.opens())
    second = post.next_edition("One", "Two")
    post.move(post.first, second)
    shelf = post.desk.shelf
    (lost, *_) = (
        load_package(shelf, second.manifest).digests() - load_package(shelf, post.first.manifest).digests()
    )
    kept = shelf.path(lost).read_bytes()
    shelf.discard(lost)

    before = post.opens()
    (post.folder / "again").write_bytes(kept)
    with (post.folder / "again").open("rb") as file:
        shelf.put(file)

    assert before.taking.edition == post.first.public_id
    assert post.opens().taking.edition == second.public_id


def test_a_move_out_of_a_withdrawn_edition_opens_the_course_again(post: Post) -> None:
    post.works(post.opens())
    second = post.next_edition("One", "Two")
    withdraw_edition(post.session, post.first.public_id, now=NOON)

    with pytest.raises(CourseWithdrawnError), post.session.begin_nested():
        post.opens()
    post.move(post.first, second)

    assert post.opens().taking.edition == second.public_id


def test_nobody_moves_to_an_edition_learners_were_never_given(post: Post) -> None:
    _, draft = an_edition(
        post.session, post.desk.shelf, a_scorm_file(post.folder, text="draft"), of=post.course
    )

    with pytest.raises(MoveImpossibleError):
        post.move(post.first, draft)


@pytest.fixture
def laptop(tmp_path: Path, database: Database) -> Iterator[Session]:
    other = Database(f"sqlite:///{(tmp_path / 'laptop.db').as_posix()}")
    Base.metadata.create_all(other.engine)
    Records.metadata.create_all(other.engine)
    with other.write() as session:
        yield session
    other.close()


def test_a_decision_reaches_an_officer_on_another_node_with_the_course(post: Post, laptop: Session) -> None:
    def travels() -> None:
        described = describe_course(post.session, post.course.public_id)
        assert described is not None
        apply_course(laptop, post.desk.shelf, post.course.public_id, described, new_id=uuid4)

    travels()
    there = Post(session=laptop, desk=post.desk, folder=post.folder, course=post.course, first=post.first)
    there.works(there.opens(), lesson_location="page-3")
    second = post.next_edition("Two", "One")
    move = post.move(post.first, second)

    travels()
    moved = there.opens()
    post.undo(move)
    travels()
    back = there.opens()

    assert (moved.taking.edition, moved.launch.identifier) == (second.public_id, "item-One")
    assert back.taking.edition == post.first.public_id
    assert bookmark(there, back) == "page-3"


def test_the_log_of_her_attempt_goes_on_in_the_other_edition_and_replays(post: Post) -> None:
    post.works(post.opens(), lesson_status="incomplete")
    second = post.next_edition("Zero", "One")
    post.move(post.first, second)

    post.finishes(post.opens())

    rows = steps_from(post.session, REGISTRATION, 1, 99)
    trees = {one.public_id: open_package(post.desk.shelf, one.manifest).tree for one in (post.first, second)}
    assert [row.event["kind"] for row in rows] == ["start", "commit", "suspendAll", "resumeAll", "terminate"]
    assert [row.edition for row in rows] == [post.first.public_id] * 3 + [second.public_id] * 2
    assert [one.is_same for one, _ in replay(trees, rows)] == [True] * 5
