"""Read the index of an MP4: is it whole, what is in it, what is it called (ISO/IEC 14496-12 §4.2, §8).

Only headers and the index are read, however large the film is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from content_packages.limits import MIB

#: Sample entries every browser of the last years plays: AVC, AV1, VP8, VP9; AAC, MP3, Opus, FLAC.
PLAYED = frozenset(
    {"avc1", "avc3", "av01", "vp08", "vp09", "mp4a", ".mp3", "Opus", "fLaC", "tx3g", "text", "wvtt", "stpp"}
)
MOST_INDEX = 32 * MIB
_PLAYED_KINDS = frozenset({"vide", "soun"})
_MOST_BOXES = 10_000
_SPAN = tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Film:
    """What the index says.

    Args:
        handlers: kinds of tracks: ``vide``, ``soun``, …
        codecs: sample entries, such as ``avc1``.
    """

    handlers: frozenset[str]
    codecs: frozenset[str]
    title: str = ""


def read_film(file: BinaryIO) -> Film | None:
    """Return what the index says; ``None`` where it is missing, or the file is shorter than it should be."""
    length = file.seek(0, os.SEEK_END)
    at, index = 0, b""
    for _ in range(_MOST_BOXES):
        if at >= length:
            break
        file.seek(at)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        elif size == 0:
            size = length - at
        if size < 8 or at + size > length:
            return None
        if head[4:8] == b"moov" and size <= MOST_INDEX:
            file.seek(at + 8)
            index = file.read(size - 8)
        at += size
    return film_of(index) if index else None


def film_of(index: bytes) -> Film:
    """Return what an index says: what stands in a ``moov`` box."""
    handlers: set[str] = set()
    codecs: set[str] = set()
    whole = (0, len(index))
    for track in _inside(index, whole, b"trak"):
        for media in _inside(index, track, b"mdia"):
            kinds = {_name(index[at + 8 : min(end, at + 12)]) for at, end in _inside(index, media, b"hdlr")}
            handlers |= kinds
            if not kinds & _PLAYED_KINDS:  # a telephone records where it was held, too
                continue
            for start, end in _below(index, media, b"minf", b"stbl", b"stsd"):
                codecs.add(_name(index[start + 12 : min(end, start + 16)]))
    titles = _below(index, whole, b"udta", b"meta", b"ilst", b"\xa9nam", b"data")
    title = next((index[start + 8 : end].decode("utf-8", "replace") for start, end in titles), "")
    return Film(handlers=frozenset(handlers), codecs=frozenset(codecs), title=title)


def _below(index: bytes, span: _SPAN, *path: bytes) -> Iterator[_SPAN]:
    first, *rest = path
    for inner in _inside(index, span, first):
        # A meta box has version and flags before what it holds; QuickTime leaves them out.
        start = (
            inner[0] + 4 if first == b"meta" and index[inner[0] + 4 : inner[0] + 8] != b"hdlr" else inner[0]
        )
        if rest:
            yield from _below(index, (start, inner[1]), *rest)
        else:
            yield inner


def _inside(index: bytes, span: _SPAN, wanted: bytes) -> Iterator[_SPAN]:
    """Yield where the contents of the boxes of one type lie within a span."""
    at, end = span
    while at + 8 <= end:
        size = int.from_bytes(index[at : at + 4], "big")
        if size < 8 or at + size > end:
            return
        if index[at + 4 : at + 8] == wanted:
            yield at + 8, at + size
        at += size


def _name(four: bytes) -> str:
    return four.decode("latin-1").strip("\0")
