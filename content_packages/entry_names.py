"""Which names of archive entries are taken, and as which path (APPNOTE 4.4.17).

Names are never used to write to disk: files are kept by digest. They are refused all the same, because a
package leaves again as a zip that somebody unpacks on Windows, and because two names that some file system
takes for one would show a learner another page than the instructor saw.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote

from content_packages.central_directory import UTF8_NAMES, Entry
from content_packages.findings import Finding, finding
from content_packages.limits import Limits

_DRIVE = re.compile(r"^[A-Za-z]:")
# Characters no font shows (Unicode, Default_Ignorable_Code_Point), and the order marks. Left out, because honest names
# have them: the joiners of Persian and Indic scripts (200C, 200D), the marks of right-to-left text (200E, 200F, 061C),
# the vowels of old Khmer text (17B4, 17B5), and variation selectors (FE00 to FE0F, E0100 to E01EF).
_DECEIVING = frozenset(
    chr(code)
    for first, last in (
        (0x00AD, 0x00AD),
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x180B, 0x180F),
        (0x200B, 0x200B),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0x3164, 0x3164),
        (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFF8),
        (0x1BCA0, 0x1BCA3),
        (0x1D173, 0x1D17A),
        (0xE0000, 0xE00FF),
        (0xE01F0, 0xE0FFF),
    )
    for code in range(first, last + 1)
)
# Windows looks at what stands before the first dot, without the spaces that end it: "CON .html" is the console.
_RESERVED = re.compile(
    r"^(con|prn|aux|nul|clock\$|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE
)
_NOT_ON_WINDOWS = frozenset('<>"|?*')
_LITTER_FOLDERS = frozenset(
    {"__macosx", ".git", ".hg", ".svn", ".spotlight-v100", ".trashes", ".fseventsd", ".temporaryitems"}
)
_LITTER_FILES = frozenset({".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".localized"})
_FINDER_ICON = "Icon\r"  # the one name with a control character that honest people have
# Where Windows notes that a file came from the web: the one hidden stream that Linux beside it (WSL) makes a file of.
_CAME_FROM_THE_WEB = ":Zone.Identifier"


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """A name that may be used.

    Args:
        path: with forward slashes, no leading slash, no empty or ``.`` segments.
        written: as it stands in the archive.
        repairs: codes of what was put right to get there.
    """

    path: str
    written: str
    folder: bool
    repairs: tuple[str, ...] = ()


def read_name(entry: Entry, limits: Limits) -> Name | Finding:
    """Return the path an entry stands for, or what is wrong with it."""
    written, decoding = _decode(entry)
    wrong = _wrong_with_text(written)
    if wrong is not None:
        return finding(wrong, name=written)
    slashed = written.replace("\\", "/")
    wrong = _wrong_with_root(slashed.removesuffix(_CAME_FROM_THE_WEB))
    if wrong is not None:
        return finding(wrong, name=written)
    segments = slashed.split("/")
    kept = [segment for segment in segments if segment not in {"", "."}]
    wrong = _wrong_with_segments(kept)
    if wrong is not None:
        return finding(wrong, name=written)
    path = "/".join(kept)
    if len(path) > limits.max_path_chars:
        return finding("name.too_long", name=path, count=len(path), **limits.facts("max_path_chars"))
    if len(kept) > limits.max_path_levels:
        return finding("name.too_deep", name=path, count=len(kept), **limits.facts("max_path_levels"))
    tidied = kept != (segments if segments[-1] else segments[:-1])
    repairs = [
        ("name.backslash", "\\" in written),
        ("name.dot_segments", tidied),
        ("name.unportable", not _NOT_ON_WINDOWS.isdisjoint(path)),
    ]
    return Name(
        path=path,
        written=written,
        folder=slashed.endswith("/"),
        repairs=(*decoding, *(code for code, happened in repairs if happened)),
    )


def is_litter(path: str) -> bool:
    """Tell whether an operating system or a version control left this behind."""
    *folders, name = path.split("/")
    return (
        name.casefold() in _LITTER_FILES | _LITTER_FOLDERS
        or name == _FINDER_ICON
        or name.startswith("._")  # what macOS keeps beside a file on foreign disks
        or name.endswith(_CAME_FROM_THE_WEB)
        or any(folder.casefold() in _LITTER_FOLDERS for folder in folders)
    )


def collisions(names: list[Name]) -> list[Finding]:
    """Find names that one file system or another would take for the same.

    Compared without case and in Unicode's composed form, as NTFS and APFS do.
    """
    found: list[Finding] = []
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in names:
        key = _key(name.path)
        if name.folder:
            folders.setdefault(key, name.path)
        elif key in files:
            code = "name.duplicate" if files[key] == name.path else "name.collision"
            found.append(finding(code, name=name.path, other=files[key]))
        else:
            files[key] = name.path
        parent = name.path.rpartition("/")[0]
        while parent:
            folders.setdefault(_key(parent), parent)
            parent = parent.rpartition("/")[0]
    found += [finding("name.file_is_folder", name=files[key]) for key in files.keys() & folders.keys()]
    return found


def _decode(entry: Entry) -> tuple[str, tuple[str, ...]]:
    """Return the name as text, and the code of what there is to say of its encoding.

    Without the UTF-8 flag the standard means code page 437, but most tools write UTF-8 all the same.
    """
    for name, says_so in ((entry.utf8_name, True), (entry.raw_name, bool(entry.flags & UTF8_NAMES))):
        if name is None:
            continue
        with suppress(UnicodeDecodeError):
            text = name.decode("utf-8")
            return text, () if says_so or text.isascii() else ("name.encoding",)
    says_so = entry.utf8_name is not None or bool(entry.flags & UTF8_NAMES)
    return entry.raw_name.decode("cp437"), ("name.not_utf8" if says_so else "name.encoding",)


def _wrong_with_text(name: str) -> str | None:
    if "\0" in name:
        return "name.nul"
    if any(unicodedata.category(c) in {"Cc", "Zl", "Zp"} for c in name.removesuffix(_FINDER_ICON)):
        return "name.control"
    if not _DECEIVING.isdisjoint(name):
        return "name.deceiving"
    return None


def _wrong_with_root(slashed: str) -> str | None:
    if slashed.startswith("//"):
        return "name.unc"
    if slashed.startswith("/"):
        return "name.absolute"
    if _DRIVE.match(slashed):
        return "name.drive"
    if ":" in slashed:
        return "name.stream"
    return None


def _wrong_with_segments(segments: list[str]) -> str | None:
    if not segments:
        return "name.empty"
    # Percent-encoded as well: whoever unpacks it again may decode.
    if ".." in unquote("/".join(segments)).replace("\\", "/").split("/"):
        return "name.traversal"
    if any(_RESERVED.match(segment) for segment in segments):
        return "name.reserved"
    if any(segment.endswith((".", " ")) for segment in segments):
        return "name.trailing"
    return None


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
