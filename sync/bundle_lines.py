"""The content of a bundle: lines of canonical facts, each a message, and bytes after those that announce them.

Every part begins with an ``opening``. In the first, what its writer holds, signed papers and the files it lacks
follow; then, in all, ``frame`` lines with their bytes, as in a ``push``. Segments come in the order in which a
conversation moves logs, files after the segments that name them. What finds no room in a part goes on in the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from sync.errors import BundleError
from sync.messages import (
    MAX_MESSAGE_BYTES,
    OLDEST_PROTOCOL,
    PROTOCOL,
    Counted,
    Digest,
    Epoch,
    Frame,
    NodeId,
    Row,
    Signed,
    Wire,
)
from sync.segment import MAX_ENCODED_BYTES


class Opening(Wire):
    """Who wrote this, in which life after which, and when, with the certificates that lead from it to its root."""

    kind: Literal["opening"] = "opening"
    protocols: tuple[int, int] = (OLDEST_PROTOCOL, PROTOCOL)
    node: NodeId
    epoch: Epoch
    past: tuple[Epoch, ...] = ()
    time_ms: Counted
    certificates: tuple[Signed, ...]


class Heads(Wire):
    """How far the writer holds logs that its recipients may see; all lines of this kind together tell all of it."""

    kind: Literal["heads"] = "heads"
    heads: tuple[Row, ...]


class Papers(Wire):
    """Certificates of origins the recipients may not have met, and receipts for what they sent."""

    kind: Literal["papers"] = "papers"
    certificates: tuple[Signed, ...] = ()
    receipts: tuple[Signed, ...] = ()


class Wants(Wire):
    """Files that the writer lacks, with their sizes."""

    kind: Literal["wants"] = "wants"
    files: tuple[tuple[Digest, Counted], ...]


class Announced(Frame):
    """``length`` bytes of a segment or file follow."""

    kind: Literal["frame"] = "frame"


Line = Opening | Heads | Papers | Wants | Announced

_ANY: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="kind")])


def written(line: Line) -> bytes:
    """Return a line as it stands in the content, with its line feed."""
    fields = line.model_dump_json(exclude_defaults=True, exclude={"kind"})[1:-1]
    return f'{{"kind":"{line.kind}"{"," * bool(fields)}{fields}}}\n'.encode()


class Reader:
    """Reads content as it is opened, holding no more than one line and one piece of it.

    Iterating gives the lines; between an ``Announced`` and the next line its bytes are there to be had with
    ``body``. What nobody takes of them is passed over.

    Raises:
        BundleError: ``content``, while iterating: it is not written as content is.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._buffer = b""
        self._left = 0  # of the bytes announced last

    def __iter__(self) -> Iterator[Line]:
        """Return the lines, checked for what one can see of them alone."""
        while True:
            self.skip(self._left)
            line = self._line()
            if line is None:
                return
            if isinstance(line, Announced):
                _check(line)
                self._left = line.length
            yield line

    def body(self) -> Iterator[bytes]:
        """Return what is left of the bytes announced last, as it is opened."""
        while self._left:
            if not self._buffer:
                self._more()
            now, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
            self._left -= len(now)
            yield now

    def skip(self, length: int) -> None:
        """Pass over so many of the bytes announced last."""
        while length:
            if not self._buffer:
                self._more()
            passed = min(length, len(self._buffer))
            self._buffer = self._buffer[passed:]
            self._left -= passed
            length -= passed

    def _line(self) -> Line | None:
        begun: list[bytes] = []
        size = 0
        while b"\n" not in self._buffer:
            size += len(self._buffer)
            begun.append(self._buffer)
            self._buffer = next(self._pieces, b"")
            if not self._buffer and not size:
                return None
            if not self._buffer or size > MAX_MESSAGE_BYTES:
                raise _strange("a line of it does not end")
        head, _, self._buffer = self._buffer.partition(b"\n")
        try:
            return _ANY.validate_json(b"".join((*begun, head)))
        except ValidationError:
            raise _strange("a line of it says nothing that is known") from None

    def _more(self) -> None:
        self._buffer = next(self._pieces, b"")
        if not self._buffer:
            raise _strange("it ends in the middle")


def check_content(pieces: Iterator[bytes], *, writer: str) -> Opening:
    """Read content to its end and return its opening, changing nothing.

    Raises:
        BundleError: ``content``, or what ``pieces`` raises.
    """
    opening: Opening | None = None
    for line in Reader(pieces):
        if isinstance(line, Opening) == (opening is not None):
            raise _strange("its opening is missing or stands there twice")
        if isinstance(line, Opening):
            opening = line
    if opening is None or opening.node != writer:
        raise _strange("its opening names another node than its header")
    return opening


def _check(frame: Announced) -> None:
    inside = frame.offset + frame.length <= frame.size
    if not inside or (frame.what == "segment" and frame.size > MAX_ENCODED_BYTES):
        raise _strange("a length in it is impossible")


def _strange(why: str) -> BundleError:
    return BundleError("content", f"This bundle was sealed by a node, but {why}. Have it written anew.")
