"""The drives that a bundle can be written to or read from: what is plugged in, and how much room it has.

Linux tells what is mounted, macOS has a folder of volumes, Windows has letters. Whatever none of these shows can
still be typed as a path.
"""

from __future__ import annotations

import os
import shutil
import string
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sync.bundle_files import SUFFIX

_PLUGGED_IN = ("/media/", "/run/media/", "/mnt/", "/Volumes/")
_DISCS = frozenset({"iso9660", "udf"})
_MOST_FILES = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Drive:
    """One drive: where it is, its file system (where the system tells), and its room in bytes."""

    folder: Path
    kind: str
    free: int
    total: int
    is_writable: bool

    @property
    def name(self) -> str:
        """What people call it: its label, or its letter."""
        return self.folder.name or str(self.folder)


def list_drives(
    mounts: Path = Path("/proc/self/mounts"), plugged_in: Sequence[str] = _PLUGGED_IN
) -> list[Drive]:
    """Return the drives that are plugged in, by name.

    Args:
        mounts: where Linux tells what is mounted.
        plugged_in: where it mounts what people plug in.
    """
    drives = []
    for folder, kind in _mounted(mounts, tuple(plugged_in)):
        with suppress(OSError):  # pulled out at this moment, or nobody here may look into it
            usage = shutil.disk_usage(folder)
            drives.append(
                Drive(
                    folder=folder,
                    kind=kind,
                    free=usage.free,
                    total=usage.total,
                    is_writable=kind not in _DISCS and os.access(folder, os.W_OK),
                )
            )
    return sorted(drives, key=lambda drive: drive.name)


def bundles_on(drive: Drive) -> list[Path]:
    """Return the files on a drive that are called as bundles are, at its top and in the folders there."""
    found: list[Path] = []
    with suppress(OSError):
        for pattern in (f"*{SUFFIX}", f"*/*{SUFFIX}"):
            found.extend(path for path in drive.folder.glob(pattern) if not path.name.startswith("."))
    return sorted(found)[:_MOST_FILES]


def _mounted(mounts: Path, plugged_in: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    if sys.platform == "win32":
        for letter in string.ascii_uppercase[3:]:  # A and B are floppies, C holds the system
            with suppress(OSError):
                if Path(f"{letter}:/").exists():
                    yield Path(f"{letter}:/"), ""
    elif mounts.exists():
        for line in mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            _, folder, kind, *_ = line.split(" ")
            plain = _unescaped(folder)
            if plain.startswith(plugged_in):
                yield Path(plain), kind
    else:
        with suppress(OSError):
            for path in Path("/Volumes").iterdir():
                if not path.is_symlink():  # that one leads to the system's own disk
                    yield path, ""


def _unescaped(written: str) -> str:
    r"""Return a path as it is; the kernel writes a space as ``\040``.

    >>> _unescaped(r"/media/anna/MY\040STICK")
    '/media/anna/MY STICK'
    """
    plain = written
    for code, sign in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        plain = plain.replace(code, sign)
    return plain
