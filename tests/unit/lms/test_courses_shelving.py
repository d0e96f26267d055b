"""What is named on the shelf, and the sweep that takes the rest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from content_packages.intake import read_package
from content_packages.original import load_original
from content_packages.package import load_package
from content_packages.shelf import Shelf
from lms.courses.actions import delete_course, publish, withdraw_edition
from lms.courses.queries import find_edition
from lms.courses.shelving import GRACE, Sweeper
from lms.courses.tables import Course, Edition
from lms.database import Database
from tests.course_builders import NOON, a_scorm_file, an_edition


@dataclass
class Shelved:
    """A course of two editions, long on the shelf, and something nothing names."""

    database: Database
    shelf: Shelf
    course: Course
    editions: tuple[Edition, Edition]
    litter: str

    def sweep(self) -> None:
        sweeper = Sweeper(
            database=self.database, shelf=self.shelf, now=lambda: NOON, offered=lambda _: frozenset()
        )
        while sweeper.step():
            pass

    def files(self, edition: Edition) -> set[str]:
        return {edition.manifest, *load_package(self.shelf, edition.manifest).digests()}

    def age(self) -> None:
        long_ago = (NOON - GRACE - timedelta(minutes=1)).timestamp()
        for digest in self.shelf.digests():
            os.utime(self.shelf.path(digest), (long_ago, long_ago))


@pytest.fixture
def shelved(database: Database, tmp_path: Path) -> Shelved:
    shelf = Shelf(tmp_path / "shelf")
    with database.write() as session:
        course, first = an_edition(session, shelf, a_scorm_file(tmp_path))
        publish(session, shelf, first.public_id, now=NOON)
        _, second = an_edition(session, shelf, a_scorm_file(tmp_path, text="Anew"), of=course)
    litter = shelf.put(BytesIO(b"nobody's")).digest
    shelved = Shelved(database, shelf, course, (first, second), litter)
    shelved.age()
    return shelved


def test_what_nothing_names_goes_and_every_edition_stays_whole(shelved: Shelved) -> None:
    kept = shelved.files(shelved.editions[0]) | shelved.files(shelved.editions[1])
    with shelved.database.write() as session:
        withdraw_edition(session, shelved.editions[0].public_id, now=NOON)

    shelved.sweep()

    assert set(shelved.shelf.digests()) == kept


def test_the_original_of_an_edition_stays_with_all_its_pieces(shelved: Shelved, tmp_path: Path) -> None:
    package = a_scorm_file(tmp_path)
    kept = read_package(package, shelved.shelf, keep_original=True).original
    assert kept is not None
    with shelved.database.write() as session:
        edition = find_edition(session, shelved.editions[0].public_id)
        assert edition is not None
        edition.original, edition.original_size = kept.digest, kept.size
    shelved.age()

    shelved.sweep()

    original = load_original(shelved.shelf, kept.digest)
    assert b"".join(original.read(shelved.shelf)) == package.read_bytes()
    assert not shelved.shelf.has(shelved.litter)


def test_the_files_of_a_deleted_course_go(shelved: Shelved) -> None:
    with shelved.database.write() as session:
        delete_course(session, shelved.course.public_id, now=NOON)

    shelved.sweep()

    assert list(shelved.shelf.digests()) == []


def test_what_came_within_a_day_stays(shelved: Shelved) -> None:
    new = shelved.shelf.put(BytesIO(b"an import at work")).digest

    shelved.sweep()

    assert shelved.shelf.has(new)
    assert not shelved.shelf.has(shelved.litter)


def test_an_edition_that_is_named_while_a_sweep_goes_on_loses_nothing(
    shelved: Shelved, tmp_path: Path
) -> None:
    with shelved.database.write() as session:
        delete_course(session, shelved.course.public_id, now=NOON)
    sweeper = Sweeper(
        database=shelved.database, shelf=shelved.shelf, now=lambda: NOON, offered=lambda _: frozenset()
    )
    sweeper.step()  # what is named was looked up; the same files are imported again meanwhile

    with shelved.database.write() as session:
        _, again = an_edition(session, shelved.shelf, a_scorm_file(tmp_path))
    while sweeper.step():
        pass

    assert shelved.files(again) <= set(shelved.shelf.digests())


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_nothing_is_swept_while_a_manifest_cannot_tell_what_it_names(shelved: Shelved, how: str) -> None:
    before = set(shelved.shelf.digests())
    lost = shelved.shelf.path(shelved.editions[1].manifest)
    lost.chmod(0o600)
    if how == "missing":
        lost.unlink()
    else:
        lost.write_bytes(lost.read_bytes().replace(b"scorm12", b"scorm13"))

    shelved.sweep()

    assert before - set(shelved.shelf.digests()) <= {shelved.editions[1].manifest}


def test_files_of_a_course_on_offer_stay(shelved: Shelved) -> None:
    manifest, files = shelved.editions[0].manifest, shelved.files(shelved.editions[0])
    with shelved.database.write() as session:
        delete_course(session, shelved.course.public_id, now=NOON)

    def offered(_session: Session) -> frozenset[str]:
        return frozenset({manifest})

    sweeper = Sweeper(database=shelved.database, shelf=shelved.shelf, now=lambda: NOON, offered=offered)
    while sweeper.step():
        pass

    assert set(shelved.shelf.digests()) == files
