"""What a disk holds after the power went, told from the trace of the program that wrote to it.

A change is on the disk for certain once a sync of its file began after it and returned before the cut. Of
the others some arrived, in any selection: the kernel writes pages when it likes, and a write of several
sectors may arrive in part. A new name is there for certain once its folder was synced, too.

The files of shared memory (``-shm``) are left out: SQLite builds them anew from the log.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.strace import Call, described, unhex

TRACED = (
    "pwrite64", "pwritev", "pwritev2", "write", "writev", "sendto", "sendmsg", "ftruncate", "fallocate",
    "fsync", "fdatasync", "openat", "open", "creat", "unlink", "unlinkat", "rename", "renameat", "renameat2",
    "link", "linkat", "truncate", "copy_file_range", "sendfile",
)  # fmt: skip
"""All by which a file may change, and by which a server answers."""
SECTOR = 512  # bytes; what a disk writes whole or not at all


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One change of a file's content: bytes at an offset, or a new length."""

    offset: int
    content: bytes | None  # nothing where the file was cut to the length `offset`
    entered: int
    left: int

    def apply(self, content: bytearray, dice: random.Random, *, whole: bool) -> None:
        """Change the content, if not whole then some sectors of it."""
        if self.content is None:
            del content[self.offset :]
            content.extend(bytes(self.offset - len(content)))
            return
        start, end = self.offset, self.offset + len(self.content)
        while start < end:
            sector = min(end, (start // SECTOR + 1) * SECTOR)
            if whole or dice.random() < 0.5:
                content.extend(bytes(max(0, sector - len(content))))
                content[start:sector] = self.content[start - self.offset : sector - self.offset]
            start = sector


@dataclass(kw_only=True, slots=True)
class File:
    """One file: what it held at first, and what happened to it."""

    first: bytes = b""
    created: Call | None = None
    changes: list[Change] = field(default_factory=list)
    syncs: list[tuple[int, int]] = field(default_factory=list)  # entered, left


@dataclass(frozen=True, kw_only=True, slots=True)
class Luck:
    """How much of what was not synced arrives, and how much of that in part."""

    arrives: float
    torn: float


class Disk:
    """The files of one folder, from a trace.

    Args:
        folder: which.
        first: the files of interest as they were before the trace began; absent ones as `None`.
        calls: the trace.
    """

    def __init__(self, folder: Path, first: Mapping[str, bytes | None], calls: Iterable[Call]) -> None:
        self._folder = folder.as_posix()
        self._files = {f"{self._folder}/{name}": File(first=now or b"") for name, now in first.items()}
        self._absent = {f"{self._folder}/{name}" for name, now in first.items() if now is None}
        self._folder_syncs: list[tuple[int, int]] = []
        for call in calls:
            if not call.failed or call.result == "?":
                self._take(call)
        for file in self._files.values():
            file.changes.sort(key=lambda change: change.entered)

    def written(self, name: str) -> int:
        """Count the changes of a file."""
        return len(self._files[f"{self._folder}/{name}"].changes)

    def after_cut(self, moment: int, dice: random.Random, luck: Luck) -> dict[str, bytes]:
        """Return the files as the disk may hold them when the power goes at a line of the trace."""
        left = {}
        for path, file in self._files.items():
            if not self._is_there(path, file, moment, dice, luck):
                continue
            content = bytearray(file.first)
            synced = _last_sync(file.syncs, moment)
            for change in file.changes:
                if change.entered >= moment:
                    break
                if change.left < synced:
                    change.apply(content, dice, whole=True)
                elif dice.random() < luck.arrives:
                    change.apply(content, dice, whole=dice.random() >= luck.torn)
            left[Path(path).name] = bytes(content)
        return left

    def _is_there(self, path: str, file: File, moment: int, dice: random.Random, luck: Luck) -> bool:
        if path not in self._absent:
            return True
        if file.created is None or file.created.entered >= moment:
            return False
        return file.created.left < _last_sync(self._folder_syncs, moment) or dice.random() < luck.arrives

    def _take(self, call: Call) -> None:
        match call.name:
            case "openat":
                file = self._files.get(described(call.result))
                if file is not None and file.created is None and "O_CREAT" in call.arguments:
                    file.created = call
                assert file is None or "O_TRUNC" not in call.arguments, call
            case "fsync" | "fdatasync":
                if call.target == self._folder:
                    self._folder_syncs.append((call.entered, call.left))
                elif call.target in self._files and call.result == "0":
                    self._files[call.target].syncs.append((call.entered, call.left))
            case "pwrite64" | "ftruncate" if call.target in self._files:
                content = call.written if call.name == "pwrite64" else None
                self._files[call.target].changes.append(
                    Change(offset=call.number, content=content, entered=call.entered, left=call.left)
                )
            case "sendto" | "sendmsg":
                pass
            case _:
                self._expect_elsewhere(call)

    def _expect_elsewhere(self, call: Call) -> None:
        """Fail rather than overlook a change: SQLite makes none of this kind in a folder that is served."""
        named = {call.target} | {
            unhex(one).decode(errors="replace")
            for one in call.arguments.split('"')[1::2]
            if "write" not in call.name
        }
        assert named.isdisjoint(self._files), call


def _last_sync(syncs: Iterable[tuple[int, int]], moment: int) -> int:
    """Return where the last sync began that had returned before a moment."""
    return max((entered for entered, left in syncs if left < moment), default=-1)
