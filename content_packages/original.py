"""The file that was imported, byte for byte, kept as the pieces it is made of.

A zip is the bytes of its files, packed or as they are, and a little between them. A file that stands in it as it is,
such as a film, is on the shelf already; packed ones are put there too, large ones alone and small ones in runs. What
lies between is the frame, one file more. So another edition costs what is new in it, though every date in its zip has
changed, and an import goes over its bytes once.

A run ends where the checksum of a file says so, and not by count: a file more or less changes the run it is in, and
those after it stay what they were.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import Any, BinaryIO, Final

import orjson

from content_packages.errors import StoredPackageError
from content_packages.shelf import Delivery, FileRef, Part, Shelf

_FORMAT: Final = 1
_CHUNK: Final = 256 * 1024
SMALL: Final = 32 * 1024  # packed bytes; from here on a file is a piece of its own
_READ_WHOLE: Final = 4 * 1024 * 1024
_LONGEST_RUN: Final = 256 * 1024
_ENDS_A_RUN: Final = 8  # one checksum in as many


@dataclass(frozen=True, slots=True)
class Piece:
    """`size` bytes from `start` on of a file on the shelf stand at `at` in the original."""

    at: int
    size: int
    file: FileRef
    start: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Original:
    """An imported file as pieces.

    Args:
        size: its bytes.
        pieces: in order, without a gap.
    """

    size: int
    pieces: tuple[Piece, ...]

    def files(self) -> list[FileRef]:
        """Return every file that it is made of, once."""
        return list(dict.fromkeys(piece.file for piece in self.pieces))

    def read(self, shelf: Shelf, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Return the bytes from *start* to before *end*, bit by bit.

        Pieces of up to :data:`_READ_WHOLE` are compared with their digests first; films are not, and are compared
        elsewhere.

        Raises:
            FileMissingError: a piece is not here, or was damaged.
        """
        read_whole = lru_cache(maxsize=2)(shelf.read)  # the frame comes again between any two others
        end = self.size if end is None else min(end, self.size)
        first = bisect_right(self.pieces, start, key=lambda piece: piece.at) - 1
        for piece in self.pieces[max(0, first) :]:
            low, high = max(start, piece.at), min(end, piece.at + piece.size)
            if low >= high:
                continue
            first_byte = piece.start + low - piece.at
            if piece.file.size <= _READ_WHOLE:
                yield read_whole(piece.file.digest)[first_byte : first_byte + high - low]
                continue
            with shelf.open(piece.file.digest) as file:
                file.seek(first_byte)
                yield from _bits(file, high - low)

    def to_json(self) -> bytes:
        """Return it as it is kept."""
        files = self.files()
        numbers = {file: number for number, file in enumerate(files)}
        return orjson.dumps(
            {
                "format": _FORMAT,
                "size": self.size,
                "files": [[file.digest, file.size] for file in files],
                "pieces": [[one.at, one.size, numbers[one.file], one.start] for one in self.pieces],
            }
        )


def load_original(shelf: Shelf, digest: str) -> Original:
    """Read back how an original is put together.

    Raises:
        FileMissingError: that is not here, or was damaged.
        StoredPackageError: a newer release wrote it, or it is something else.
    """
    content = shelf.read(digest)
    try:
        plain: Any = orjson.loads(content)
        if plain["format"] != _FORMAT:
            raise StoredPackageError(f"its format is {plain['format']}, this release reads {_FORMAT}")
        files = [FileRef(digest=digest, size=size) for digest, size in plain["files"]]
        pieces = tuple(Piece(at, size, files[number], start) for at, size, number, start in plain["pieces"])
        return Original(size=plain["size"], pieces=pieces)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise StoredPackageError("it does not say how an original is put together") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Extent:
    """Where the bytes of one file stand in what is imported; `crc` is of the unpacked ones."""

    at: int
    size: int
    packed: bool
    crc: int = 0


@dataclass(kw_only=True)
class OriginalBuilder:
    """Keeps the pieces of an original while an import goes over its files, in the order in which they stand."""

    delivery: Delivery
    _pieces: list[Piece] = field(default_factory=list)
    _run: bytearray = field(default_factory=bytearray)
    _in_run: list[tuple[int, int]] = field(default_factory=list)  # where each stands, and how long it is
    _part: Part | None = None
    _seen: int = 0

    def begin(self, extent: Extent) -> None:
        """Begin with a packed file, whose packed bytes come next."""
        self._seen = 0
        self._part = self.delivery.begin() if extent.size >= SMALL else None

    def take(self, packed: bytes) -> None:
        """Take the next packed bytes of the file at hand."""
        self._seen += len(packed)
        if self._part is not None:
            self._part.write(packed)
        else:
            self._run += packed

    def end(self, extent: Extent, file: FileRef) -> None:
        """End a file, packed or not, that is *file* on the shelf."""
        if not extent.packed:
            self._pieces.append(Piece(extent.at, extent.size, file, 0))
        elif self._part is not None:
            self._pieces.append(Piece(extent.at, self._seen, self._part.finish(), 0))
            self._part = None
        else:
            self._in_run.append((extent.at, self._seen))
            if extent.crc % _ENDS_A_RUN == 0 or len(self._run) >= _LONGEST_RUN:
                self._end_run()

    def finish(self, whole: BinaryIO, size: int) -> FileRef:
        """Keep what lies between the files, and how all of it is put together; return that."""
        self._end_run()
        pieces = sorted((piece for piece in self._pieces if piece.size), key=lambda piece: piece.at)
        gaps, position = [], 0
        for piece in pieces:
            gaps.append((position, piece.at - position))
            position = piece.at + piece.size
        gaps = [(at, length) for at, length in (*gaps, (position, size - position)) if length]
        if gaps:
            pieces += self._frame(whole, gaps)
        pieces.sort(key=lambda piece: piece.at)
        made = Original(size=size, pieces=tuple(pieces))
        return self.delivery.put(BytesIO(made.to_json()))

    def _end_run(self) -> None:
        if self._in_run:
            file, start = self.delivery.put(BytesIO(self._run)), 0
            for at, size in self._in_run:
                self._pieces.append(Piece(at, size, file, start))
                start += size
            self._run.clear()
            self._in_run.clear()

    def _frame(self, whole: BinaryIO, gaps: list[tuple[int, int]]) -> list[Piece]:
        part = self.delivery.begin()
        for at, size in gaps:
            whole.seek(at)
            for bit in _bits(whole, size):
                part.write(bit)
        frame, pieces, start = part.finish(), [], 0
        for at, size in gaps:
            pieces.append(Piece(at, size, frame, start))
            start += size
        return pieces


def _bits(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size:
        bit = file.read(min(size, _CHUNK))
        if not bit:
            raise StoredPackageError("a piece of an original is shorter than it should be")
        size -= len(bit)
        yield bit
