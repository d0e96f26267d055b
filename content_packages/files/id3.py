"""Read the title of an MP3 from its tag (ID3v2.3 and 2.4, §4.2.1: ``TIT2``)."""

from __future__ import annotations

_ENCODINGS = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}


def title(head: bytes) -> str:
    """Return the title, empty where the beginning of the file holds none."""
    version = head[3:4]
    if not head.startswith(b"ID3") or version not in {b"\3", b"\4"}:
        return ""
    at, end = 10, min(len(head), 10 + _syncsafe(head[6:10]))
    while at + 10 < end:
        name = head[at : at + 4]
        size = head[at + 4 : at + 8]
        length = _syncsafe(size) if version == b"\4" else int.from_bytes(size, "big")
        if not name.isalnum() or length <= 0:
            return ""
        if name == b"TIT2":
            encoding = _ENCODINGS.get(head[at + 10], "latin-1")
            return head[at + 11 : min(end, at + 10 + length)].decode(encoding, "replace").split("\0")[0]
        at += 10 + length
    return ""


def length(head: bytes) -> int:
    """Return how many bytes the tag takes, its own head included; 0 where there is none."""
    return 10 + _syncsafe(head[6:10]) if head.startswith(b"ID3") else 0


def _syncsafe(four: bytes) -> int:
    value = 0
    for byte in four:
        value = value << 7 | byte & 0x7F
    return value
