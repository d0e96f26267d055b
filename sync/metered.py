"""Keep what a link may carry: ask before each request whether it may be sent, and how large it may be.

Stands before any transport. A push or pull that is larger than what is left is cut to it, not refused: the other side
says in its answer how far it is, or gives fewer bytes, and the next one goes on there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from sync.errors import StoppedError
from sync.messages import Frame, Message, Pull, Push, to_line
from sync.ports import Reply, Traffic, Transport

#: What goes with a request besides its line and bytes, both ways: headers (measured: 400 bytes up, 700 down) and the
#: line of an answer that brings a receipt (800). How long an answer is, is known only once it is here.
BESIDE: Final = 2_500
LEAST_USEFUL: Final = 1_024
BUDGET: Final = "budget"


class Meter(Protocol):
    """Says whether a conversation may go on; owned by whoever knows the terms of the link."""

    def room(self) -> int | None:
        """Return how many bytes may pass from now on, both ways together; ``None``: as many as it takes.

        Asked before each request: whatever passed before it is counted durably first.

        Raises:
            StoppedError: the conversation is to end here.
        """

    def look(self) -> None:
        """Hear that bytes of an answer are arriving.

        Raises:
            StoppedError: the conversation is to end here; what has arrived is kept.
        """


class MeteredTransport:
    """A transport under a meter."""

    def __init__(self, transport: Transport, meter: Meter) -> None:
        self._transport = transport
        self._meter = meter

    @property
    def traffic(self) -> Traffic:
        """Return the running totals."""
        return self._transport.traffic

    @contextmanager
    def ask(self, message: Message, body: Iterable[bytes] = ()) -> Iterator[Reply]:
        """Ask as far as the meter allows; see ``sync.ports.Transport``.

        Raises:
            StoppedError: nothing of this message may be sent any more.
        """
        room = self._meter.room()
        if room is not None:
            message, body = fitted(message, body, room)
        with self._transport.ask(message, body) as reply:
            yield _Watched(reply, self._meter)


class _Watched:
    """An answer whose bytes are looked at as they arrive."""

    def __init__(self, reply: Reply, meter: Meter) -> None:
        self.message = reply.message
        self._reply = reply
        self._meter = meter

    def chunks(self) -> Iterator[bytes]:
        """Return the bytes after the message."""
        for chunk in self._reply.chunks():
            yield chunk
            self._meter.look()


def fitted(message: Message, body: Iterable[bytes], room: int) -> tuple[Message, Iterable[bytes]]:
    """Return a message and its bytes, cut to what may pass.

    Raises:
        StoppedError: too little is left for any of it.
    """
    left = room - len(to_line(message)) - BESIDE
    if left < 0:
        raise _too_little()
    if isinstance(message, Pull):
        if left < min(LEAST_USEFUL, message.max_bytes):
            raise _too_little()
        return message.model_copy(update={"max_bytes": min(message.max_bytes, left)}), body
    if isinstance(message, Push):
        length = sum(frame.length for frame in message.frames)
        if length <= left:
            return message, body
        if left < LEAST_USEFUL:
            raise _too_little()
        return message.model_copy(update={"frames": _first_frames(message.frames, left)}), _first(body, left)
    return message, body


def _first_frames(frames: Iterable[Frame], room: int) -> tuple[Frame, ...]:
    kept = []
    for frame in frames:
        length = min(frame.length, room)
        kept.append(frame.model_copy(update={"length": length}))
        room -= length
        if not room:
            break
    return tuple(kept)


def _first(body: Iterable[bytes], room: int) -> Iterator[bytes]:
    for chunk in body:
        yield chunk[:room]
        room -= len(chunk)
        if room <= 0:
            return


def _too_little() -> StoppedError:
    return StoppedError(BUDGET, "The bytes of this day are used.")
