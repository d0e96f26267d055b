"""Editions: made, published, withdrawn, taken over from another node."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from content_packages.package import load_package
from content_packages.shelf import Shelf
from lms.courses.actions import (
    CourseNotFoundError,
    EditionIncompleteError,
    apply_course,
    delete_course,
    publish,
    switch_on_complete,
    withdraw_edition,
)
from lms.courses.queries import (
    courses_page,
    describe_course,
    editions_of,
    editions_on_their_way,
    find_course,
    find_edition,
    missing_files,
    outline,
)
from lms.database import Base, Database
from tests.course_builders import NOON, a_scorm_file, an_edition


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


def test_learners_are_given_an_edition_only_once_it_is_published(
    session: Session, shelf: Shelf, tmp_path: Path
) -> None:
    course, edition = an_edition(session, shelf, a_scorm_file(tmp_path))

    before = course.current_edition
    publish(session, shelf, edition.public_id, now=NOON)

    assert before is None
    assert course.current_edition == edition.public_id


def test_units_keep_their_ids_through_editions(session: Session, shelf: Shelf, tmp_path: Path) -> None:
    course, first = an_edition(session, shelf, a_scorm_file(tmp_path, units=["One", "Two"]))

    _, second = an_edition(session, shelf, a_scorm_file(tmp_path, units=["Two", "One", "Three"]), of=course)

    then = {line.title: line.unit for line in outline(session, first)}
    now = {line.title: line.unit for line in outline(session, second)}
    assert [edition.number for edition in editions_of(session, course)] == [2, 1]
    assert (now["One"], now["Two"]) == (then["One"], then["Two"])
    assert [line.title for line in outline(session, first)] == ["One", "Two"]
    assert [(line.title, line.index) for line in outline(session, second)] == [
        ("Two", 0),
        ("One", 1),
        ("Three", 2),
    ]


def test_withdrawing_an_edition_leaves_none_until_an_older_one_is_published(
    session: Session, shelf: Shelf, tmp_path: Path
) -> None:
    course, first = an_edition(session, shelf, a_scorm_file(tmp_path))
    _, second = an_edition(session, shelf, a_scorm_file(tmp_path, text="Anew"), of=course)
    publish(session, shelf, first.public_id, now=NOON)
    publish(session, shelf, second.public_id, now=NOON)

    withdraw_edition(session, second.public_id, now=NOON)
    withdrawn = course.current_edition
    publish(session, shelf, first.public_id, now=NOON)

    assert withdrawn is None
    assert course.current_edition == first.public_id


def test_an_edition_whose_files_are_gone_is_not_published(
    session: Session, shelf: Shelf, tmp_path: Path
) -> None:
    _, edition = an_edition(session, shelf, a_scorm_file(tmp_path))
    lost = next(iter(load_package(shelf, edition.manifest).digests()))
    shelf.discard(lost)

    with pytest.raises(EditionIncompleteError) as refusal:
        publish(session, shelf, edition.public_id, now=NOON)

    assert refusal.value.missing == 1


def test_a_deleted_course_is_in_no_list(session: Session, shelf: Shelf, tmp_path: Path) -> None:
    course, _ = an_edition(session, shelf, a_scorm_file(tmp_path))

    delete_course(session, course.public_id, now=NOON)

    assert find_course(session, course.public_id) is None
    assert courses_page(session).total == 0
    with pytest.raises(CourseNotFoundError):
        delete_course(session, course.public_id, now=NOON)


def test_courses_are_found_by_words_of_their_title(session: Session, shelf: Shelf, tmp_path: Path) -> None:
    for title in ("Drug identification", "Drug precursors 100%", "First aid"):
        an_edition(session, shelf, a_scorm_file(tmp_path, title=title))

    assert [row.title for row in courses_page(session, search="PRE drug").rows] == ["Drug precursors 100%"]
    assert courses_page(session, search="%").total == 1
    assert courses_page(session).total == 3


@pytest.fixture
def other_session(tmp_path: Path, database: Database):
    other = Database(f"sqlite:///{(tmp_path / 'other.db').as_posix()}")
    Base.metadata.create_all(other.engine)
    with other.write() as session:
        yield session
    other.close()


def carry(digest: str, source: Shelf, target: Shelf) -> None:
    with source.open(digest) as file:
        target.put(file, expected=digest)


def test_a_course_from_another_node_is_switched_on_when_its_last_file_arrives(
    session: Session, other_session: Session, shelf: Shelf, tmp_path: Path
) -> None:
    course, edition = an_edition(session, shelf, a_scorm_file(tmp_path))
    publish(session, shelf, edition.public_id, now=NOON)
    described = describe_course(session, course.public_id)
    assert described is not None
    there = Shelf(tmp_path / "other-shelf")

    apply_course(other_session, there, course.public_id, described, new_id=uuid4)
    arrived = find_course(other_session, course.public_id)
    assert arrived is not None
    (waiting,) = editions_on_their_way(other_session)
    wanted_first = missing_files(there, waiting)
    carry(edition.manifest, shelf, there)
    wanted_then = missing_files(there, waiting)
    for digest in wanted_then:
        assert switch_on_complete(other_session, there, new_id=uuid4) == 0
        assert arrived.current_edition is None
        carry(digest, shelf, there)

    assert switch_on_complete(other_session, there, new_id=uuid4) == 1
    assert wanted_first == {edition.manifest}
    assert wanted_then == load_package(shelf, edition.manifest).digests()
    assert arrived.current_edition == edition.public_id
    taken = find_edition(other_session, edition.public_id)
    assert taken is not None
    assert outline(other_session, taken) == outline(session, edition)
    assert describe_course(other_session, course.public_id) == described


def test_an_edition_taken_up_again_elsewhere_is_taken_up_again_here(
    session: Session, other_session: Session, shelf: Shelf, tmp_path: Path
) -> None:
    course, first = an_edition(session, shelf, a_scorm_file(tmp_path))
    _, second = an_edition(session, shelf, a_scorm_file(tmp_path, text="Better"), of=course)

    given = []
    for edition in (first, second, first):
        publish(session, shelf, edition.public_id, now=NOON)
        told = describe_course(session, course.public_id) or {}
        apply_course(other_session, shelf, course.public_id, told, new_id=uuid4)
        arrived = find_course(other_session, course.public_id)
        assert arrived is not None
        given.append(arrived.current_edition)

    assert given == [first.public_id, second.public_id, first.public_id]


def test_a_withdrawal_from_elsewhere_stops_the_edition_here(
    session: Session, other_session: Session, shelf: Shelf, tmp_path: Path
) -> None:
    course, edition = an_edition(session, shelf, a_scorm_file(tmp_path))
    publish(session, shelf, edition.public_id, now=NOON)
    apply_course(
        other_session, shelf, course.public_id, describe_course(session, course.public_id) or {}, new_id=uuid4
    )
    arrived = find_course(other_session, course.public_id)
    assert arrived is not None
    assert arrived.current_edition == edition.public_id

    withdraw_edition(session, edition.public_id, now=NOON)
    apply_course(
        other_session, shelf, course.public_id, describe_course(session, course.public_id) or {}, new_id=uuid4
    )

    assert arrived.current_edition is None
