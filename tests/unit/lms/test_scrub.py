"""The round over all files: what it finds, how much of a machine it takes, and where it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from content_packages.package import load_package
from content_packages.shelf import FileRef, Shelf
from lms.courses import scrub as scrubbing
from lms.courses.checked_files import CheckedFiles
from lms.courses.scrub import ROUND_EVERY, Scrub
from lms.courses.tables import Edition
from lms.database import Database
from tests.course_builders import NOON, a_scorm_file, an_edition


@dataclass
class Kept:
    """A course on the shelf, and what reads the shelf."""

    database: Database
    shelf: Shelf
    edition: Edition
    place: Path
    now: datetime = NOON

    def scrub(self) -> Scrub:
        """Return one that knows only what the file says, as after a restart."""
        return Scrub(
            database=self.database,
            checked=CheckedFiles(self.shelf),
            place_kept=self.place,
            now=lambda: self.now,
        )

    def goes_round(self, scrub: Scrub | None = None) -> None:
        scrub = scrub or self.scrub()
        for _ in range(1000):
            scrub.step()
            if self.stands_at() is None:
                return
        raise AssertionError("it does not end")

    def stands_at(self) -> str | None:
        place: str | None = json.loads(self.place.read_text())["after"] if self.place.exists() else ""
        return place

    def page(self) -> FileRef:
        return load_package(self.shelf, self.edition.manifest).files["unit0.html"]


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> Kept:
    shelf = Shelf(tmp_path / "shelf")
    with database.write() as session:
        _, edition = an_edition(session, shelf, a_scorm_file(tmp_path))
    return Kept(database, shelf, edition, tmp_path / "place.json")


def spoil(shelf: Shelf, digest: str) -> None:
    path = shelf.path(digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def test_a_file_nobody_asked_for_is_found_damaged_and_set_aside(kept: Kept) -> None:
    page = kept.page()
    spoil(kept.shelf, page.digest)

    kept.goes_round()

    assert kept.shelf.lost() == [page]
    assert not kept.shelf.has(page.digest)


def test_a_file_that_was_cut_is_asked_for_with_the_size_it_should_have(kept: Kept) -> None:
    page = kept.page()
    path = kept.shelf.path(page.digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:5])

    kept.goes_round()

    assert kept.shelf.lost() == [page]


def test_a_damaged_manifest_is_found(kept: Kept) -> None:
    spoil(kept.shelf, kept.edition.manifest)

    kept.goes_round()

    assert [ref.digest for ref in kept.shelf.lost()] == [kept.edition.manifest]


def test_a_damaged_file_that_nothing_names_is_asked_of_nobody(kept: Kept) -> None:
    litter = kept.shelf.put(BytesIO(b"nobody's"))
    spoil(kept.shelf, litter.digest)

    kept.goes_round()

    assert kept.shelf.lost() == []
    assert not kept.shelf.has(litter.digest)


def test_whole_files_stay_and_need_not_be_read_again_to_be_given_out(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(kept.shelf.digests())
    scrub = kept.scrub()

    kept.goes_round(scrub)
    monkeypatch.setattr(kept.shelf, "verify", lambda _digest: pytest.fail("read again"))

    assert set(kept.shelf.digests()) == before
    assert scrub.checked.path(kept.page()).is_file()


def test_a_step_reads_no_more_than_its_share(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrubbing, "STEP_BYTES", 1000)
    film = kept.shelf.put(BytesIO(bytes(10_000)))
    spoil(kept.shelf, film.digest)
    scrub = kept.scrub()
    monkeypatch.setattr(scrub.checked, "next_asked", iter([film.digest, *[None] * 100]).__next__)

    asks_for_more = [scrub.step() for _ in range(9)]
    here_after_nine = kept.shelf.has(film.digest)
    scrub.step()

    assert asks_for_more == [False] * 9
    assert here_after_nine
    assert not kept.shelf.has(film.digest)


def files_opened(monkeypatch: pytest.MonkeyPatch, shelf: Shelf) -> list[str]:
    opened: list[str] = []
    real: Callable[[str], object] = shelf.open

    def opening(digest: str) -> object:
        opened.append(digest)
        return real(digest)

    monkeypatch.setattr(shelf, "open", opening)
    return opened


def one_file_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrubbing, "STEP_BYTES", 10_000)  # more than a file has, less than opening one costs
    monkeypatch.setattr(scrubbing, "KEEP_PLACE_EVERY_S", 0.0)


def test_a_round_goes_on_where_it_stood_before_a_restart(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    one_file_a_step(monkeypatch)
    scrub = kept.scrub()
    for _ in range(2):
        scrub.step()
    stood_at = kept.stands_at()
    opened = files_opened(monkeypatch, kept.shelf)

    kept.goes_round()

    assert stood_at
    assert opened
    assert min(opened) > stood_at


def test_a_film_whose_reading_was_cut_is_passed_over_until_the_next_round(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrubbing, "STEP_BYTES", 10_000)
    film = kept.shelf.put(BytesIO(bytes(100_000)))
    scrub = kept.scrub()
    while kept.stands_at() != film.digest:
        scrub.step()
    opened = files_opened(monkeypatch, kept.shelf)

    kept.goes_round()
    in_this_round = film.digest in opened
    kept.now += ROUND_EVERY
    scrub = kept.scrub()
    scrub.step()
    kept.goes_round(scrub)

    assert not in_this_round
    assert film.digest in opened


def test_the_next_round_comes_a_week_later(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.goes_round()
    spoil(kept.shelf, kept.page().digest)

    kept.now += ROUND_EVERY - timedelta(minutes=1)
    kept.scrub().step()
    lost_before = kept.shelf.lost()
    kept.now += timedelta(minutes=2)
    scrub = kept.scrub()
    scrub.step()
    kept.goes_round(scrub)

    assert lost_before == []
    assert [ref.digest for ref in kept.shelf.lost()] == [kept.page().digest]


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"begun": "yesterday"}'])
def test_a_torn_note_of_the_place_begins_a_round(kept: Kept, torn: str) -> None:
    kept.place.write_text(torn)
    page = kept.page()
    spoil(kept.shelf, page.digest)
    scrub = kept.scrub()

    scrub.step()
    kept.goes_round(scrub)

    assert kept.shelf.lost() == [page]
