"""What was imported can be given out byte for byte, and editions that share files share their bytes."""

from __future__ import annotations

import io
import random
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content_packages.errors import FileMissingError, StoredPackageError
from content_packages.intake import ImportReport, read_package
from content_packages.original import Original, load_original
from content_packages.shelf import Shelf
from tests.media_builders import a_pdf
from tests.package_builders import a_package, deflated, raw_zip, stored

RANDOM = random.Random(4)  # bytes that do not pack
PAGES = {
    f"page{number:03}.html": b"<p>%d</p>" % number + RANDOM.randbytes(6_000).hex().encode()
    for number in range(400)
}


def bytes_of(shelf: Shelf) -> int:
    return sum(shelf.path(digest).stat().st_size for digest in shelf.digests())


def zipped_at(year: int, files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), data, method)
        archive.comment = b"from a tool of the year %d" % year
    return made.getvalue()


def kept(folder: Path, given: bytes) -> tuple[Original, Shelf, ImportReport]:
    path, shelf = folder / "given.zip", Shelf(folder / "shelf")
    path.write_bytes(given)
    report = read_package(path, shelf, keep_original=True)
    assert report.original is not None, report.findings
    assert report.original.size == len(given)
    return load_original(shelf, report.original.digest), shelf, report


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(zipped_at(2020, a_package() | PAGES), id="packed"),
        pytest.param(zipped_at(2020, a_package() | PAGES, method=zipfile.ZIP_STORED), id="as they are"),
        pytest.param(zipped_at(2020, {f"course/{n}": b for n, b in a_package().items()}), id="in a folder"),
        pytest.param(zipped_at(2020, a_package(empty=b"", large=RANDOM.randbytes(400_000))), id="large"),
        pytest.param(zipped_at(2020, a_package(a=b"same" * 99, b=b"same" * 99)), id="twice the same"),
        pytest.param(
            zipped_at(2020, a_package() | {"__MACOSX/._x": RANDOM.randbytes(50_000)}), id="with litter"
        ),
        pytest.param(
            raw_zip(
                *(deflated(name, data) for name, data in a_package().items()), stored("film.mp4", b"x" * 9)
            ),
            id="both",
        ),
        pytest.param(
            raw_zip(
                *(
                    replace(deflated(name, data), packed=deflated(name, data).packed + b"more" * 100_000)
                    for name, data in a_package().items()
                )
            ),
            id="bytes behind the data",
        ),
        pytest.param(a_pdf(), id="a single file"),
    ],
)
def test_it_is_given_out_byte_for_byte(tmp_path: Path, given: bytes) -> None:
    original, shelf, _ = kept(tmp_path, given)

    assert b"".join(original.read(shelf)) == given
    assert sum(piece.size for piece in original.pieces) == original.size


@given(
    files=st.dictionaries(st.from_regex(r"[a-z]{1,6}\.txt", fullmatch=True), st.binary(max_size=300)),
    cut=st.tuples(st.integers(0, 4_000), st.integers(0, 4_000)),
    method=st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED]),
)
@settings(max_examples=60, deadline=None)
def test_any_part_of_it_is_that_part(files: dict[str, bytes], cut: tuple[int, int], method: int) -> None:
    given = zipped_at(2020, a_package() | files, method=method)
    with tempfile.TemporaryDirectory() as folder:
        original, shelf, _ = kept(Path(folder), given)

        assert b"".join(original.read(shelf, *cut)) == given[cut[0] : cut[1]]


def test_another_edition_costs_what_is_new_in_it_though_every_date_has_changed(tmp_path: Path) -> None:
    files = a_package() | PAGES | {"film.mp4": RANDOM.randbytes(3_000_000)}
    first = zipped_at(2020, files)
    _, shelf, _ = kept(tmp_path, first)
    before = bytes_of(shelf)
    changed = dict(files)
    for name in sorted(PAGES)[40:44]:  # one in a hundred, side by side
        changed[name] = changed[name].replace(b"<p>", b"<p>Mended: ")

    second, shelf, _ = kept(tmp_path, zipped_at(2024, changed))

    assert b"".join(second.read(shelf)) == zipped_at(2024, changed)
    assert bytes_of(shelf) - before <= 0.02 * before


def test_a_film_that_is_not_packed_is_kept_once(tmp_path: Path) -> None:
    film = RANDOM.randbytes(2_000_000)

    _, shelf, _ = kept(tmp_path, zipped_at(2020, a_package() | {"film.mp4": film}, method=zipfile.ZIP_STORED))

    assert bytes_of(shelf) < len(film) + 10_000


def test_without_being_asked_for_it_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "given.zip").write_bytes(zipped_at(2020, a_package()))

    assert read_package(tmp_path / "given.zip", Shelf(tmp_path / "shelf")).original is None


def test_of_a_refused_package_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "given.zip").write_bytes(zipped_at(2020, a_package())[:-30])

    report = read_package(tmp_path / "given.zip", Shelf(tmp_path / "shelf"), keep_original=True)

    assert report.refused
    assert list(Shelf(tmp_path / "shelf").digests()) == []


def test_a_piece_that_is_damaged_is_an_error_and_not_another_file(tmp_path: Path) -> None:
    original, shelf, _ = kept(tmp_path, zipped_at(2020, a_package() | PAGES))
    path = shelf.path(original.files()[1].digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"?")

    with pytest.raises(FileMissingError):
        b"".join(original.read(shelf))

    assert [ref.digest for ref in shelf.lost()] == [original.files()[1].digest]


def test_a_piece_that_is_gone_is_an_error_and_not_a_shorter_file(tmp_path: Path) -> None:
    original, shelf, _ = kept(tmp_path, zipped_at(2020, a_package() | PAGES))
    shelf.discard(original.files()[1].digest)

    with pytest.raises(FileMissingError):
        b"".join(original.read(shelf))


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b'{"format": 2}', b'{"format": 1, "size": 1, "files": [], "pieces": [[0, 1, 0, 0]]}'],
)
def test_what_says_nothing_about_an_original_is_an_error(tmp_path: Path, content: bytes) -> None:
    shelf = Shelf(tmp_path / "shelf")
    digest = shelf.put(io.BytesIO(content)).digest

    with pytest.raises(StoredPackageError):
        load_original(shelf, digest)
