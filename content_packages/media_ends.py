"""Whether films and recordings can be played to their end, told while their bytes go by.

Each format says by itself where it should end: MP4 by the lengths of its boxes (ISO/IEC 14496-12 §4.2), WebM by those
of its elements (RFC 8794 §6), MP3 by its frames (ISO/IEC 11172-3 §2.4.1) and by the count of bytes that encoders leave
in the first.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from content_packages.files import id3, mp4
from content_packages.files.kinds import frame_bytes
from content_packages.findings import Finding, finding
from content_packages.shelf import Readable

#: Without a tenth of its length nobody completes a course of one film or recording (``files.course.ENOUGH``).
_ENOUGH = 0.9
#: A file of hardly more than heads would keep an importer busy for minutes and is followed no further; the frames of a
#: recording are longer than this even at 32 kbit/s.
_FEWEST_BYTES = 64
_HEADS_AT_LEAST = 10_000
_MISCOUNTED = 2048  # encoders differ in whether they count the frame that holds the count


class _Walk(ABC):
    """Goes from element to element of a file, of which it looks at the heads only.

    Args:
        size: the bytes that came so far.
        should: the bytes there should be at least, as far as heads have told.
        known: whether it began as its name says.
    """

    LONGEST_HEAD: ClassVar[int]

    def __init__(self) -> None:
        self.size = 0
        self.should = 0
        self.known = False
        self._next = 0  # where an element begins
        self._heads = 0
        self._head = bytearray()  # what came of it
        self._going_on = True

    def take(self, piece: bytes) -> None:
        """Take the next bytes."""
        begins = self.size
        self.size += len(piece)
        while self._going_on and self._next < self.size:
            at = self._next + len(self._head) - begins
            self._head += piece[at : at + self.LONGEST_HEAD - len(self._head)]
            length = self._length(bytes(self._head), self._next)
            if length is None:
                self._going_on = len(self._head) < self.LONGEST_HEAD
                return
            self._heads += 1
            self._going_on = length > 0 and self._heads < max(_HEADS_AT_LEAST, self._next // _FEWEST_BYTES)
            del self._head[:length]
            self._next += length
            self.should = max(self.should, self._next)

    @property
    def playable(self) -> bool:
        """Whether a player would find what it begins with."""
        return self.known

    @property
    def codecs(self) -> Collection[str]:
        """What it is recorded as and many browsers do not play."""
        return ()

    @abstractmethod
    def _length(self, head: bytes, at: int) -> int | None:
        """Return how far it is to the next element, 0 where nothing more can be told; ``None`` for more of the head."""


class _Mp4(_Walk):
    LONGEST_HEAD = 16
    _FIRST = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid"})

    def __init__(self) -> None:
        super().__init__()
        self._index = bytearray()  # of one film at a time: let go when it was read, or the film is over
        self._index_at = range(0)
        self._codecs: Collection[str] = ()
        self._segment = False  # of a stream that a script puts together: its index is in another file

    def take(self, piece: bytes) -> None:
        begins = self.size
        super().take(piece)
        span = self._index_at
        self._index += piece[max(0, span.start - begins) : max(0, span.stop - begins)]
        if len(self._index) == len(span) > 0:
            self._codecs = mp4.film_of(bytes(self._index)).codecs - mp4.PLAYED
        if len(self._index) == len(span) or not piece:
            self._index.clear()

    @property
    def playable(self) -> bool:
        return self._segment or (self.known and len(self._index_at) > 0)

    @property
    def codecs(self) -> Collection[str]:
        return self._codecs

    def _length(self, head: bytes, at: int) -> int | None:
        if len(head) < 8:
            return None
        size, kind, body = int.from_bytes(head[:4], "big"), head[4:8], 8
        if at == 0:
            self._segment = kind == b"styp"
            self.known = kind in self._FIRST or self._segment
        if size == 1:
            if len(head) < 16:
                return None
            size, body = int.from_bytes(head[8:16], "big"), 16
        if kind == b"moov" and body < size <= mp4.MOST_INDEX:
            self._index_at = range(at + body, at + size)
        return size if size >= body and self.known else 0  # the last box may say 0: until the end


class _WebM(_Walk):
    LONGEST_HEAD = 12
    _EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675

    def _length(self, head: bytes, at: int) -> int | None:
        name_bytes = 9 - head[0].bit_length() if head else 0
        if name_bytes > 4:
            return 0
        if len(head) <= name_bytes or not head:
            return None
        size_bytes = 9 - head[name_bytes].bit_length()
        if size_bytes > 8:
            return 0
        before = name_bytes + size_bytes
        if len(head) < before:
            return None
        name = int.from_bytes(head[:name_bytes], "big")
        most = (1 << 7 * size_bytes) - 1
        size = int.from_bytes(head[name_bytes:before], "big") & most
        if at == 0:
            self.known = name == self._EBML
        if name == self._SEGMENT and size != most:
            self.should = at + before + size
        if name == self._SEGMENT or (name == self._CLUSTER and size == most):
            return before  # what is in it comes next; whoever records live does not know how long it will be
        return before + size if self.known and size != most else 0


class _Mp3(_Walk):
    LONGEST_HEAD = 64
    _NOT_SOUND = (
        b"<",
        b"version https://",
        b"{",
    )  # an answer of a server, or what stands for a file elsewhere
    _COUNT = re.compile(rb"(?:Xing|Info)(?P<flags>.{4})(?P<counts>.{8})|VBRI.{6}(?P<bytes>.{4})", re.DOTALL)

    def __init__(self) -> None:
        super().__init__()
        self._is_first_frame = True

    def _length(self, head: bytes, at: int) -> int | None:
        if len(head) < 4 or (head.startswith(b"ID3") and len(head) < 10):
            return None
        if at == 0:
            self.known = not head.startswith(self._NOT_SOUND)
        if head.startswith(b"ID3") and at == 0:
            return id3.length(head)
        frame = frame_bytes(head)
        if frame and self._is_first_frame:
            if len(head) < self.LONGEST_HEAD:
                return None
            self._is_first_frame = False
            self.should = at + self._counted(head) - _MISCOUNTED
        return frame

    def _counted(self, frame: bytes) -> int:
        """Return the bytes of sound as the encoder has counted them, 0 where it has not."""
        found = self._COUNT.search(frame)
        if found is None:
            return 0
        if found["bytes"]:
            return int.from_bytes(found["bytes"], "big")
        flags = int.from_bytes(found["flags"], "big")
        at = 4 if flags & 1 else 0  # frames are counted before bytes
        return int.from_bytes(found["counts"][at : at + 4], "big") if flags & 2 else 0


_WALKS: Mapping[str, type[_Walk]] = {
    **dict.fromkeys(("mp4", "m4v", "mov", "m4a"), _Mp4),
    **dict.fromkeys(("webm", "weba"), _WebM),
    "mp3": _Mp3,
}


#: Films and recordings as programs of other days kept them; no browser plays them.
_UNPLAYED = frozenset({"wmv", "wma", "avi", "flv", "f4v", "mpg", "mpeg", "asf", "rm", "ram", "aif", "aiff"})


@dataclass(slots=True)
class MediaEnds:
    """The films and recordings of a package, by their paths."""

    seen: dict[str, _Walk] = field(default_factory=dict)
    unplayed: list[str] = field(default_factory=list)

    def watch(self, stream: Readable, path: str, extension: str) -> Readable:
        """Return a stream of the same bytes looked through while read; of other formats, the stream itself."""
        if extension in _UNPLAYED:
            self.unplayed.append(path)
        if extension not in _WALKS:
            return stream
        self.seen[path] = _WALKS[extension]()
        return _Watched(stream, self.seen[path])

    def lacks_too_much(self, path: str) -> bool:
        """Tell whether so much of a file is missing that no officer could complete it."""
        walk = self.seen.get(path)
        return walk is not None and not (walk.playable and walk.size >= _ENOUGH * walk.should)

    def findings(self, called: Callable[[str], str]) -> Iterator[Finding]:
        """Return what an instructor should know of them, who knows a file by what it is *called*."""
        unplayable = [path for path, walk in self.seen.items() if not walk.playable]
        short = [path for path, walk in self.seen.items() if walk.playable and walk.size < walk.should]
        for code, paths in (
            ("media.unplayable", unplayable),
            ("media.cut_short", short),
            ("media.old_format", self.unplayed),
        ):
            if paths:
                name = called(paths[0])
                yield finding(code, file=name, name=name, count=len(paths))
        by_codec = {path: codecs for path, walk in self.seen.items() if (codecs := sorted(walk.codecs))}
        if by_codec:
            path, codecs = next(iter(by_codec.items()))
            name = called(path)
            yield finding("film.codec", file=name, name=name, codec=", ".join(codecs), count=len(by_codec))


class _Watched:
    def __init__(self, stream: Readable, walk: _Walk) -> None:
        self._stream = stream
        self._walk = walk

    def read(self, size: int, /) -> bytes:
        piece = self._stream.read(size)
        self._walk.take(piece)
        return piece
