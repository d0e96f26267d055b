"""Files on sticks, discs and shares: read without trust, written whole or not at all, and read back.

What is plugged in may be pulled out, full, or prepared by somebody: a name may lead elsewhere, be a pipe, or be
another file by the time it is opened.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Self

from sync.errors import BundleError

SUFFIX = ".outpost"
FAT32_BYTES = 2**32 - 1
"""The longest file that FAT32 takes."""

_READ_BYTES = 1024 * 1024
_STALE_S = 3600.0
_FULL = {errno.ENOSPC, errno.EDQUOT}
_PLAIN = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file that somebody brought, if it is one: no link, no pipe, no device.

    Raises:
        BundleError: ``not_a_file`` or ``unreadable``.
    """
    try:
        if path.is_symlink():  # where the system cannot refuse it while opening
            raise _no_file(path)
        # A pipe would wait for ever until somebody writes to it.
        descriptor = os.open(path, os.O_RDONLY | _PLAIN | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _no_file(path) from None
        raise BundleError("unreadable", f"{path} cannot be read: {error.strerror}.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_file(path)
    with os.fdopen(descriptor, "rb") as file:
        yield file


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a drive is read into a sentence.

    Raises:
        BundleError: ``unreadable``.
    """
    try:
        yield
    except OSError as error:
        detail = f"{path} cannot be read to its end: {error.strerror}. Is the drive still there?"
        raise BundleError("unreadable", detail) from error


def parts_of_name(target: Path, parts: int) -> list[Path]:
    """Return what the files of a bundle are called.

    >>> [path.name for path in parts_of_name(Path("post.outpost"), 2)]
    ['post.part1of2.outpost', 'post.part2of2.outpost']
    """
    if parts == 1:
        return [target]
    stem = target.name.removesuffix(SUFFIX)
    width = len(str(parts))
    return [
        target.with_name(f"{stem}.part{number:0{width}}of{parts}{SUFFIX}") for number in range(1, parts + 1)
    ]


class Writing:
    """Some files that appear together: written beside their names, read back, and only then called by them.

    A block that ends in an error leaves nothing; where even that fails (the drive is gone) what is left is called
    otherwise than a bundle, and is not one.
    """

    def __init__(self, targets: Sequence[Path]) -> None:
        self.targets = list(targets)
        self._folder = self.targets[0].parent
        self._digests: list[bytes] = []
        self._named: list[Path] = []

    def __enter__(self) -> Self:
        """Make sure that there is a place to write to."""
        if not self._folder.is_dir():
            raise BundleError("gone", f"There is no folder {self._folder}. Is the drive plugged in?")
        self._sweep()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        """Take away what did not become whole; say what the drive did."""
        if kind is None:
            return
        for path in (*map(_beside, self.targets), *self._named):
            with suppress(OSError):
                path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise self._said(error) from error

    def check_room(self, size: int) -> None:
        """Make sure that so many bytes have a chance.

        Raises:
            BundleError: ``full``.
        """
        free = shutil.disk_usage(self._folder).free
        if free < size:
            raise BundleError(
                "full",
                f"{self._folder} has {free / 1e6:,.1f} MB free, and {size / 1e6:,.1f} MB are needed. Nothing was "
                "written; make room there, or take another drive.",
            )

    @contextmanager
    def file(self, number: int) -> Iterator[Callable[[bytes], None]]:
        """Give what writes the file of a target; on the medium when the block ends."""
        digest = hashlib.sha256()
        descriptor = os.open(
            _beside(self.targets[number]), os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN, 0o644
        )
        with os.fdopen(descriptor, "wb") as file:

            def write(data: bytes) -> None:
                digest.update(data)
                file.write(data)

            yield write
            file.flush()
            os.fsync(descriptor)
        self._digests.append(digest.digest())

    def read_back(self, told: Callable[[int], None]) -> None:
        """Read every file again from the medium and compare it with what was written.

        Args:
            told: called with the number of bytes of each piece read.

        Raises:
            BundleError: ``differs``.
        """
        for target, written in zip(self.targets, self._digests, strict=True):
            digest = hashlib.sha256()
            with _beside(target).open("rb", buffering=0) as file:
                _forget_cached(file.fileno())
                while data := file.read(_READ_BYTES):
                    digest.update(data)
                    told(len(data))
            if digest.digest() != written:
                raise BundleError(
                    "differs",
                    f"What was read back from {self._folder} is not what was written; the drive is failing. Take "
                    "another one.",
                )

    def finish(self) -> None:
        """Call all files by their names, on the medium when this returns."""
        for target in self.targets:
            _beside(target).replace(target)
            self._named.append(target)
        _sync_folder(self._folder)

    def _sweep(self) -> None:
        """Take away what a program that died left of the same files."""
        for path in self._folder.iterdir():
            if any(path.name.startswith(f".{target.name}.") for target in self.targets) and _is_left(path):
                with suppress(OSError):
                    path.unlink()

    def _said(self, error: OSError) -> BundleError:
        if error.errno in _FULL:
            return BundleError(
                "full", f"{self._folder} is full. Nothing was left there; make room, or take another drive."
            )
        if error.errno == errno.EFBIG:
            return BundleError(
                "too_large",
                f"{self._folder} takes no file that large. Nothing was left there; write it in smaller parts.",
            )
        return BundleError(
            "gone",
            f"{self._folder} cannot be written: {error.strerror}. Was the drive pulled out? No whole bundle is on "
            "it; plug it in and write again.",
        )


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.new")


def _is_left(path: Path) -> bool:
    """Say whether a file beside a target is nobody's: its process has ended, or it has not grown for an hour."""
    process = path.stem.rpartition(".")[2]
    if path.suffix != ".new" or not process.isdigit():
        return False
    with suppress(OSError):
        if abs(time.time() - path.stat().st_mtime) > _STALE_S:
            return True
    if sys.platform == "win32":
        return False  # to ask there whether a process lives would end it
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return int(process) == os.getpid()  # one before us was called so, too


def _forget_cached(descriptor: int) -> None:
    """Have the next read come from the medium, not from memory, where the system can be told so."""
    if sys.platform == "linux":
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return  # a folder cannot be opened there, and names are written through
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems of sticks know no such thing
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _no_file(path: Path) -> BundleError:
    return BundleError("not_a_file", f"{path} is no file, or only leads to one elsewhere.")
