"""The model of a disk that the power cuts use, on traces written by hand."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.disk import Disk, Luck
from tests.strace import read_calls

UNLUCKY, LUCKY, TORN = Luck(arrives=0, torn=0), Luck(arrives=1, torn=0), Luck(arrives=1, torn=1)
FOLDER = Path("/n")
END = 100


def hexadecimal(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def file(name: str) -> str:
    """Write a descriptor as strace does."""
    return f"3<{hexadecimal(f'/n/{name}')}>"


def write(text: str, offset: int) -> str:
    return f'pwrite64({file("a")}, "{hexadecimal(text)}", {len(text)}, {offset}'


SYNC = f"fdatasync({file('a')}"
CREATE = f'openat(AT_FDCWD</>, "{hexadecimal("/n/a")}", O_RDWR|O_CREAT, 0644) = {file("a")}'


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "trace"


def after(
    trace: Path, *lines: str, luck: Luck, moment: int = END, first: bytes | None = b"...."
) -> dict[str, bytes]:
    trace.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return Disk(FOLDER, {"a": first}, read_calls(trace)).after_cut(moment, random.Random(1), luck)


def test_what_was_synced_stays_and_what_came_after_may_go(trace: Path) -> None:
    lines = [f"7 {write('A', 0)}) = 1", f"7 {SYNC}) = 0", f"7 {write('B', 1)}) = 1"]

    assert after(trace, *lines, luck=UNLUCKY) == {"a": b"A..."}
    assert after(trace, *lines, luck=LUCKY) == {"a": b"AB.."}


def test_a_sync_that_had_not_returned_promises_nothing(trace: Path) -> None:
    lines = [
        f"7 {write('A', 0)}) = 1",
        f"7 {SYNC} <unfinished ...>",
        '8 sendto(9<TCP:[a:1->b:2]>, "\\x48", 1, 0, NULL, 0) = 1',
        "7 <... fdatasync resumed>) = 0",
    ]

    assert after(trace, *lines, luck=UNLUCKY, moment=3) == {"a": b"...."}
    assert after(trace, *lines, luck=UNLUCKY, moment=4) == {"a": b"A..."}


def test_a_sync_does_not_cover_a_write_that_was_under_way(trace: Path) -> None:
    lines = [
        f"7 {write('A', 0)} <unfinished ...>",
        f"8 {SYNC}) = 0",
        "7 <... pwrite64 resumed>) = 1",
    ]

    assert after(trace, *lines, luck=UNLUCKY) == {"a": b"...."}


def test_a_write_that_was_not_synced_may_arrive_in_sectors(trace: Path) -> None:
    lines = [f"7 {write('A' * 8 * 512, 0)}) = 4096"]

    content = after(trace, *lines, luck=TORN, first=bytes(4096))["a"]

    sectors = {content[at : at + 512] for at in range(0, 4096, 512)}
    assert sectors == {b"A" * 512, bytes(512)}


def test_a_file_cut_shorter_and_not_synced_may_have_its_old_length(trace: Path) -> None:
    lines = [f"7 ftruncate({file('a')}, 1) = 0"]

    assert after(trace, *lines, luck=UNLUCKY) == {"a": b"...."}
    assert after(trace, *lines, luck=LUCKY) == {"a": b"."}


def test_a_new_file_is_there_for_certain_once_its_folder_was_synced(trace: Path) -> None:
    lines = [f"7 {CREATE}", f"7 {write('A', 0)}) = 1", f"7 {SYNC}) = 0"]
    folder = f"7 fdatasync(4<{hexadecimal('/n')}>) = 0"

    assert after(trace, *lines, luck=UNLUCKY, first=None) == {}
    assert after(trace, *lines, folder, luck=UNLUCKY, first=None) == {"a": b"A"}


def test_a_change_that_the_model_does_not_know_is_not_overlooked(trace: Path) -> None:
    with pytest.raises(AssertionError):
        after(trace, f"7 fallocate({file('a')}, 0, 0, 100) = 0", luck=LUCKY)
