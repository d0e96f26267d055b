"""Files are read through before this process first gives them out, and again when they were written to since."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest

from content_packages.errors import FileMissingError
from content_packages.shelf import FileRef, Shelf
from lms.courses import checked_files
from lms.courses.checked_files import CheckedFiles


@pytest.fixture
def checked(tmp_path: Path) -> CheckedFiles:
    return CheckedFiles(Shelf(tmp_path / "shelf"))


def flip(path: Path) -> None:
    """Change one bit of a file."""
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_whole_file_is_given_out(checked: CheckedFiles) -> None:
    ref = checked.shelf.put(BytesIO(b"a page"))

    assert checked.path(ref).read_bytes() == b"a page"


@pytest.mark.parametrize("given_before", [False, True])
def test_a_file_with_one_bit_flipped_is_not_given_out_and_is_noted(
    checked: CheckedFiles, *, given_before: bool
) -> None:
    ref = checked.shelf.put(BytesIO(b"a page"))
    if given_before:
        checked.path(ref)
    flip(checked.shelf.path(ref.digest))

    with pytest.raises(FileMissingError):
        checked.path(ref)

    assert checked.shelf.lost() == [ref]
    assert not checked.shelf.has(ref.digest)


def test_a_file_that_came_again_is_given_out(checked: CheckedFiles) -> None:
    ref = checked.shelf.put(BytesIO(b"a page"))
    flip(checked.shelf.path(ref.digest))
    with pytest.raises(FileMissingError):
        checked.path(ref)

    checked.shelf.put(BytesIO(b"a page"))

    assert checked.path(ref).read_bytes() == b"a page"
    assert checked.shelf.lost() == []


def test_a_missing_file_is_noted_so_that_other_nodes_are_asked(checked: CheckedFiles) -> None:
    ref = FileRef(digest="0" * 64, size=7)

    with pytest.raises(FileMissingError):
        checked.path(ref)

    assert checked.shelf.lost() == [ref]


def test_a_file_is_read_once(checked: CheckedFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = checked.shelf.put(BytesIO(b"a page"))
    read: list[str] = []
    monkeypatch.setattr(checked.shelf, "verify", read.append)

    with ThreadPoolExecutor(max_workers=8) as many:
        list(many.map(checked.path, [ref] * 40))

    assert read == [ref.digest]


def test_a_film_is_given_out_at_once_and_asked_to_be_read(
    checked: CheckedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked_files, "AT_ONCE_BYTES", 4)
    ref = checked.shelf.put(BytesIO(b"a film"))
    flip(checked.shelf.path(ref.digest))

    for _ in range(3):
        checked.path(ref)

    assert (checked.next_asked(), checked.next_asked()) == (ref.digest, None)


def test_a_film_that_was_cut_is_not_given_out(checked: CheckedFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked_files, "AT_ONCE_BYTES", 4)
    ref = checked.shelf.put(BytesIO(b"a film"))
    checked.shelf.path(ref.digest).chmod(0o600)
    checked.shelf.path(ref.digest).write_bytes(b"a fi")

    with pytest.raises(FileMissingError):
        checked.path(ref)

    assert checked.shelf.lost() == [ref]


def test_what_is_remembered_is_bounded(checked: CheckedFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked_files, "_MOST_REMEMBERED", 2)
    refs = [checked.shelf.put(BytesIO(bytes([number]))) for number in range(4)]

    for ref in refs * 2:
        assert checked.path(ref).is_file()


def test_an_edition_is_looked_over_before_somebody_begins_with_it(checked: CheckedFiles) -> None:
    refs = [checked.shelf.put(BytesIO(bytes([number]))) for number in range(3)]
    checked.look_over(refs)
    lost_at_first = checked.shelf.lost()
    flip(checked.shelf.path(refs[1].digest))

    checked.look_over(refs)

    assert lost_at_first == []
    assert checked.shelf.lost() == [refs[1]]
