"""Give the bytes that frames name, from segments and from files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sync import log
from sync.messages import Frame
from sync.node import Node

_READ_BYTES = 64 * 1024


def read_frames(node: Node, frames: Sequence[Frame]) -> Iterator[bytes]:
    """Return the bytes of frames, in order; nothing stays open between two of them."""
    for frame in frames:
        if frame.what == "segment":
            with node.read() as session:
                encoded = log.encoding_of(session, frame.digest) or b""
            yield encoded[frame.offset : frame.offset + frame.length]
        else:
            at, end = frame.offset, frame.offset + frame.length
            while at < end and (data := node.blobs.read(frame.digest, at, min(_READ_BYTES, end - at))):
                yield data
                at += len(data)


def frame_of(what: str, digest: str, size: int, offset: int, room: int) -> Frame:
    """Return the frame from ``offset`` on, at most ``room`` bytes of it."""
    start = min(offset, size)
    return Frame.model_validate(
        {"what": what, "digest": digest, "size": size, "offset": start, "length": min(size - start, room)}
    )
