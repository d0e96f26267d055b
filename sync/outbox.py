"""Give the bytes that frames name, from segments and from files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sync import log
from sync.errors import LinkError
from sync.messages import Frame
from sync.node import Node

_READ_BYTES = 1024 * 1024
_TOGETHER_BYTES = 256 * 1024


def read_frames(node: Node, frames: Sequence[Frame]) -> Iterator[bytes]:
    """Return the bytes of frames, in order; nothing stays open between two of them.

    Small ones come together: each piece costs a server a change of threads.

    Raises:
        LinkError: a file went away meanwhile.
    """
    gathered = bytearray()
    for piece in _pieces(node, frames):
        if gathered or len(piece) < _TOGETHER_BYTES:
            gathered += piece
            if len(gathered) >= _TOGETHER_BYTES:
                yield bytes(gathered)
                gathered.clear()
        else:
            yield piece
    if gathered:
        yield bytes(gathered)


def _pieces(node: Node, frames: Sequence[Frame]) -> Iterator[bytes]:
    for frame in frames:
        if frame.what == "segment":
            with node.read() as session:
                encoded = log.encoding_of(session, frame.digest) or b""
            yield encoded[frame.offset : frame.offset + frame.length]
        else:
            at, end = frame.offset, frame.offset + frame.length
            while at < end:
                data = node.blobs.read(frame.digest, at, min(_READ_BYTES, end - at))
                if not data:  # what follows would be taken for its rest
                    raise LinkError(f"The file {frame.digest[:8]} is not here any more.")
                yield data
                at += len(data)


def frame_of(what: str, digest: str, size: int, offset: int, room: int) -> Frame:
    """Return the frame from ``offset`` on, at most ``room`` bytes of it."""
    start = min(offset, size)
    return Frame.model_validate(
        {"what": what, "digest": digest, "size": size, "offset": start, "length": min(size - start, room)}
    )
