"""Find in files that are here what a large file is made of, so that only the rest of it has to come.

A file is cut where its content says so, so bytes that were put into its middle move no cut but the next ones. Both
sides cut alike; what a cut is stands in the README, and never changes: another rule would be another message.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sync.ports import Blobs

LARGE_BYTES = 1024 * 1024
"""Smaller files come whole: a list of chunks, asked for and answered, would cost as much."""

LEAST_BYTES = 4 * 1024
MOST_BYTES = 128 * 1024
PEAK_BYTES = 8
NAME_BYTES = 16
_READ_BYTES = 4 * 1024 * 1024
_MOST_GAPS = 500

# One place in 16,384 of what looks like noise, more in text: an ``e``, then a byte that leaves 3 when divided by
# 8, then one that leaves 5. A search for it is the fastest that Python has; a rolling sum in Python would take minutes.
_CUT = re.compile(
    b"e[" + b"".join(re.escape(bytes([byte])) for byte in range(3, 256, 8)) + b"]"
    b"[" + b"".join(re.escape(bytes([byte])) for byte in range(5, 256, 8)) + b"]"
)

Read = Callable[[int, int], bytes]
"""Gives bytes of a file from an offset on, up to so many."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a file; its name is the first 16 bytes of the SHA-256 of its bytes."""

    name: bytes
    offset: int
    length: int


def chunks_of(read: Read) -> Iterator[Chunk]:
    """Return the chunks of a file, in order and without a gap.

    A chunk ends behind the first cut that begins 4 kB or more after its beginning and ends within 128 kB of it. If
    there is none (numbers, a recording without compression), it ends where in that stretch the greatest eight bytes
    begin, compared one after another, the last ones if there are several.
    """
    offset, buffer, is_all = 0, b"", False
    while True:
        while not is_all and len(buffer) < MOST_BYTES:
            more = read(offset + len(buffer), _READ_BYTES)
            buffer, is_all = buffer + more, not more
        if not buffer:
            return
        start = 0
        while start < len(buffer) and (is_all or len(buffer) - start >= MOST_BYTES):
            most = min(start + MOST_BYTES, len(buffer))
            found = _CUT.search(buffer, start + LEAST_BYTES, most)
            end = found.end() if found else _peak(buffer, start + LEAST_BYTES, most)
            yield Chunk(name_of(buffer[start:end]), offset + start, end - start)
            start = end
        offset, buffer = offset + start, buffer[start:]


def _peak(buffer: bytes, start: int, end: int) -> int:
    if start >= end:
        return end
    stretch, peak = buffer[start:end], b""
    alphabet = [bytes([byte]) for byte in sorted(set(stretch), reverse=True)]
    while len(peak) < PEAK_BYTES and stretch.find(peak) != stretch.rfind(peak):
        longer = next((peak + byte for byte in alphabet if peak + byte in stretch), None)
        if longer is None:
            break
        peak = longer
    return start + stretch.rindex(peak)


def name_of(data: bytes) -> bytes:
    """Return what a chunk of these bytes is called."""
    return hashlib.sha256(data).digest()[:NAME_BYTES]


def packed(chunks: Iterable[Chunk]) -> bytes:
    """Return a list of chunks as it travels: of each its length in 4 bytes, the highest first, and its name."""
    return b"".join(chunk.length.to_bytes(4) + chunk.name for chunk in chunks)


def unpacked(data: bytes, size: int) -> list[Chunk] | None:
    """Read a list of chunks of a file of this size; ``None``: it is none."""
    step, chunks, offset = 4 + NAME_BYTES, list[Chunk](), 0
    for at in range(0, len(data) - len(data) % step, step):
        length = int.from_bytes(data[at : at + 4])
        chunks.append(Chunk(data[at + 4 : at + step], offset, length))
        offset += length
    is_list = not len(data) % step and offset == size and all(0 < one.length <= MOST_BYTES for one in chunks)
    return chunks if is_list else None


class Mosaic:
    """What is here already of a file that is to come: chunks of it in another, told by a peer, believed when they fit.

    Args:
        chunks: of the file that is to come.
        there: those of the other, which is here.
        read: gives bytes of the other.
    """

    def __init__(self, chunks: Sequence[Chunk], there: Iterable[Chunk], read: Read) -> None:
        places = {chunk.name: chunk.offset for chunk in there}
        self._read = read
        self._here = {chunk.offset: (chunk, places[chunk.name]) for chunk in chunks if chunk.name in places}
        self._starts = [chunk.offset for chunk in chunks]
        self._size = chunks[-1].offset + chunks[-1].length if chunks else 0
        self._gaps = list(self._joined(chunk for chunk in chunks if chunk.offset not in self._here))

    @property
    def missing(self) -> int:
        """Return how many bytes have to come."""
        return sum(length for _, length in self._gaps)

    def gaps(self, after: int) -> tuple[tuple[int, int], ...]:
        """Return what has to come behind an offset: where, and how many bytes; the first of them, if they are many."""
        left = [(max(start, after), start + length) for start, length in self._gaps if start + length > after]
        return tuple((start, end - start) for start, end in left[:_MOST_GAPS])

    def bytes_at(self, offset: int) -> bytes:
        """Return the bytes from an offset to the end of a chunk that is here; none: they have to come.

        What is not any more what it was when it was cut has to come too.
        """
        start = self._start_of(offset)
        if start not in self._here:
            return b""
        chunk, there = self._here[start]
        data = self._read(there, chunk.length)
        if name_of(data) == chunk.name:
            return data[offset - start :]
        del self._here[start]
        self._gaps = sorted([*self._gaps, (chunk.offset, chunk.length)])
        return b""

    def _start_of(self, offset: int) -> int:
        if offset >= self._size:
            return -1
        return self._starts[bisect_right(self._starts, offset) - 1]

    @staticmethod
    def _joined(chunks: Iterable[Chunk]) -> Iterator[tuple[int, int]]:
        start = end = 0
        for chunk in chunks:
            if chunk.offset != end:
                if end > start:
                    yield start, end - start
                start = chunk.offset
            end = chunk.offset + chunk.length
        if end > start:
            yield start, end - start


def fill(blobs: Blobs, digest: str, mosaic: Mosaic) -> int:
    """Add to a file that is on its way what is here of it; return where it ends now: at a gap, or whole."""
    end = blobs.partial_size(digest)
    while data := mosaic.bytes_at(end):
        gathered = [data]
        at, size = end + len(data), len(data)
        while size < _READ_BYTES and (more := mosaic.bytes_at(at)):
            gathered.append(more)
            at, size = at + len(more), size + len(more)
        before, end = end, blobs.append(digest, end, b"".join(gathered))
        if end == before:
            break  # another conversation brings it
    return end
