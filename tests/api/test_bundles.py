"""Courses, people and records between two nodes that meet by file only."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from content_packages.package import load_package
from lms.carrying.actions import assign
from lms.carrying.rules import Mode, Orders
from sync.bundle_export import LEAST_PART_BYTES, make_plan, write_bundle
from sync.bundle_files import FAT32_BYTES
from sync.bundle_import import BundleReport, take_bundle
from tests.nodes_builders import Place, answering, pair


@pytest.fixture
def paired(laptop: Place, centre: Place) -> None:
    with answering(centre) as address:
        pair(laptop, centre, address)


def carry(
    here: Place, there: Place, folder: Path, *, with_files: bool = True, most_bytes: int = FAT32_BYTES
) -> BundleReport:
    with closing(make_plan(here.node, [there.node.id], with_files=with_files)) as plan:
        written = write_bundle(here.node, plan, folder / "carried.outpost", most_bytes=most_bytes)
    return take_bundle(there.node, written.paths)


def is_whole(place: Place, course: object) -> bool:
    """Say whether an edition that learners are given is here with all its files."""
    found, editions = place.find_course(course)  # type: ignore[arg-type]
    if found is None or not editions:
        return False
    files = load_package(place.shelf, editions[0].manifest).files.values()
    return all(place.shelf.has(ref.digest) for ref in files)


@pytest.mark.usefixtures("paired")
@pytest.mark.parametrize("upward", [True, False])
def test_a_course_comes_with_its_files_in_one_bundle(
    laptop: Place, centre: Place, tmp_path: Path, upward: bool
) -> None:
    sender, receiver = (laptop, centre) if upward else (centre, laptop)
    course = sender.course("Passports")
    person = sender.person("B-7")
    sender.enrol(person, course)

    report = carry(sender, receiver, tmp_path)

    assert report.refused == []
    assert report.kept_aside == {}
    assert report.files > 1
    assert is_whole(receiver, course)
    assert receiver.find_person(person) is not None


@pytest.mark.usefixtures("paired")
def test_a_course_whose_files_stayed_behind_waits_for_them(
    laptop: Place, centre: Place, tmp_path: Path
) -> None:
    course = centre.course("Passports")

    without = carry(centre, laptop, tmp_path, with_files=False)
    carry(laptop, centre, tmp_path)  # tells what it waits for
    brought = carry(centre, laptop, tmp_path)

    assert without.kept_aside == {"files": 1}
    assert brought.files > 1  # the manifest it asked for, and what that names
    assert is_whole(laptop, course)


@pytest.mark.usefixtures("paired")
def test_the_files_of_a_course_that_is_not_for_its_recipient_stay_off_the_stick(
    laptop: Place, centre: Place, tmp_path: Path
) -> None:
    course, other = centre.course("Passports"), centre.course("Visas", text="Long" * 1000)
    chosen = Orders(mode=Mode.CHOSEN, courses=frozenset({course}))
    with centre.database.write() as session:
        assign(session, laptop.node.id, chosen, by=None, now=datetime.now(UTC))

    report = carry(centre, laptop, tmp_path)

    assert report.kept_aside == {}
    assert is_whole(laptop, course)
    assert laptop.find_course(other)[0] is not None
    assert report.files > 1
    assert report.files_unneeded == 0


@pytest.mark.usefixtures("paired")
def test_a_course_in_parts_for_mail_is_whole_again(laptop: Place, centre: Place, tmp_path: Path) -> None:
    noise = "".join(f"{number * 7919 % 100_003:05x}" for number in range(200_000))
    course = centre.course("Passports", text=noise)

    report = carry(centre, laptop, tmp_path, most_bytes=LEAST_PART_BYTES)

    assert report.parts > 2
    assert is_whole(laptop, course)
