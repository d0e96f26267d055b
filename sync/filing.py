"""Take the bytes of files as they arrive: large ones in pieces, small ones together.

What has come is handed to the system in pieces that are each worth it, while the next ones come. Small files that came
whole wait for the disk together, and are noted in one transaction.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import MappingProxyType

from sync import quarantine
from sync.chunks import Mosaic, fill
from sync.messages import Frame
from sync.node import Node
from sync.ports import BlobRef

SMALL_BYTES = 256 * 1024
_PIECE_BYTES = 4 * 1024 * 1024  # each takes a lock of the host's, which is not for nothing
_PIECE_S = 0.25  # so much of what came is kept in memory alone, at most, unless it came faster than a piece
_LEAST_BYTES = 16 * 1024
_TOGETHER_BYTES = 16 * 1024 * 1024
_TOGETHER_FILES = 500
_TOGETHER_S = 1.0
_MOST_UNDER_WAY = 2  # pieces
_INLINE_BYTES = 1024 * 1024
_LOST_S = 2.0


class Filing:
    """Takes the bytes of those frames of one request that are of files.

    Args:
        partials: is told how much of each file that was begun is here.
        answers: what is here is told to whoever sent it, and durable first. Who asked for it himself may lose the last
            seconds of it with the power, and asks again.
        mosaics: what is here already of some of them, put in as soon as all before it has come.

    Attributes:
        moved: whether any byte was of use.
        touched: whether anything was handed on.
        spoilt: files that came whole and are not what they are called.
        origins: whose entries waited for what has come.
    """

    def __init__(
        self,
        node: Node,
        frames: Sequence[Frame],
        partials: dict[str, int],
        *,
        answers: bool,
        mosaics: Mapping[str, Mosaic] = MappingProxyType({}),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.moved = False
        self.touched = False
        self.spoilt: set[str] = set()
        self.origins: set[str] = set()
        self._node = node
        self._partials = partials
        self._mosaics = mosaics
        self._within_s = 0 if answers else _LOST_S
        self._begun: set[str] = set()
        self._named = {BlobRef(frame.digest, frame.size) for frame in frames if frame.what == "blob"}
        self._wanted: set[BlobRef] | None = None
        self._monotonic = monotonic
        self._frame: Frame | None = None
        self._base = 0
        self._pieces: list[memoryview] = []
        self._in_pieces = 0
        self._kept_at = monotonic()
        self._small: dict[str, bytes] = {}
        self._since = 0.0
        self._worker = _Worker()

    def begin(self, frame: Frame) -> bool:
        """Begin with a frame; return whether its bytes are of use."""
        self._frame = frame
        if frame.digest in self._begun:
            self._worker.rest()
        self._base = self._partials[frame.digest] = self._node.blobs.partial_size(frame.digest)
        self._begun.add(frame.digest)
        fits = frame.offset == self._base and frame.offset + frame.length <= frame.size
        return fits and self._base < frame.size and self._is_welcome(frame)

    def feed(self, frame: Frame, data: memoryview) -> None:
        """Take the next bytes of the frame that was begun last; nobody changes them later."""
        self._pieces.append(data)
        self._in_pieces += len(data)
        if self._in_pieces < _LEAST_BYTES or self._is_small(frame):
            return
        if self._in_pieces >= _PIECE_BYTES or self._monotonic() - self._kept_at >= _PIECE_S:
            self._keep(frame)

    def end(self, frame: Frame) -> None:
        """Note that these were all bytes of the frame that was begun last."""
        if self._is_small(frame):
            self._gather(frame.digest)
            return
        self._keep(frame)
        if frame.digest in self._mosaics:
            self._worker.do(lambda: self._fill(frame), 0)
        elif self._base == frame.size:
            self._worker.do(lambda: self._finish(frame), 0)

    def stop(self) -> None:
        """Make durable what has come."""
        if self._frame is not None:
            self._keep(self._frame)
        self._put_small()
        self._worker.end()
        for digest in self._begun:
            if self._partials[digest]:
                self._node.blobs.settle(digest, within_s=self._within_s)
            self._partials[digest] = self._node.blobs.partial_size(digest)

    def _is_small(self, frame: Frame) -> bool:
        return not self._base and frame.length == frame.size <= SMALL_BYTES

    def _is_welcome(self, frame: Frame) -> bool:
        if self._wanted is None:
            with self._node.read() as session:
                self._wanted = quarantine.which_wanted(session, self._node, self._named)
        if frame.digest in self._small or BlobRef(frame.digest, frame.size) not in self._wanted:
            return False
        blobs = self._node.blobs
        return blobs.size(frame.digest) is None and frame.size - self._base <= blobs.room()

    # ------------------------------------------------------------ in pieces

    def _keep(self, frame: Frame) -> None:
        digest, at, pieces, size = frame.digest, self._base, self._pieces, self._in_pieces
        self._pieces, self._in_pieces = [], 0
        if size:
            self._base += size
            self._kept_at = self._monotonic()
            self._worker.do(lambda: self._append(digest, at, pieces), size)

    def _append(self, digest: str, at: int, pieces: Sequence[memoryview]) -> None:
        end = self._partials[digest] = self._node.blobs.append(digest, at, b"".join(pieces))
        self.moved |= end > at
        self.touched = True

    def _fill(self, frame: Frame) -> None:
        self._partials[frame.digest] = fill(self._node.blobs, frame.digest, self._mosaics[frame.digest])
        self._finish(frame)

    def _finish(self, frame: Frame) -> None:
        if self._partials[frame.digest] != frame.size:
            return  # a gap is left; or another conversation brings it too, and is not there yet
        self._forget(frame.digest)
        if self._node.blobs.finish(frame.digest):
            self._arrived([frame.digest])
        else:
            self.spoilt.add(frame.digest)

    # ------------------------------------------------------------ together

    def _gather(self, digest: str) -> None:
        self._forget(digest)
        now = self._monotonic()
        self._since = self._since if self._small else now
        self._small[digest] = b"".join(self._pieces)
        self._pieces, self._in_pieces = [], 0
        if (
            len(self._small) >= _TOGETHER_FILES
            or sum(map(len, self._small.values())) >= _TOGETHER_BYTES
            or now - self._since >= _TOGETHER_S
        ):
            self._put_small()

    def _put_small(self) -> None:
        if not self._small:
            return
        came, self._small = self._small, {}
        self._worker.do(lambda: self._put_all(came), sum(map(len, came.values())))

    def _put_all(self, came: dict[str, bytes]) -> None:
        kept = self._node.blobs.put_all(came)
        self.touched = True
        self.moved |= bool(kept)
        self.spoilt |= came.keys() - set(kept)
        self._arrived(kept)

    def _forget(self, digest: str) -> None:
        self._begun.discard(digest)
        self._partials.pop(digest, None)

    def _arrived(self, digests: Iterable[str]) -> None:
        with self._node.write() as session:
            origins = quarantine.blobs_arrived(session, self._node, digests)
        self.origins |= origins


class _Worker:
    """Does things in order: in a thread of its own once there is much to do, so that the next bytes come meanwhile."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: deque[Future[None]] = deque()
        self._done_bytes = 0

    def do(self, work: Callable[[], None], size: int) -> None:
        """Do something with so many bytes, now or as soon as what came before it is done.

        Raises:
            Exception: what something before it raised.
        """
        self._done_bytes += size
        if self._done_bytes < _INLINE_BYTES:
            work()
            return
        self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="files-in")
        self._under_way.append(self._pool.submit(work))
        while len(self._under_way) > _MOST_UNDER_WAY:
            self._under_way.popleft().result()

    def rest(self) -> None:
        """Wait until all is done.

        Raises:
            Exception: what something raised; what came after it was done all the same.
        """
        while self._under_way:
            self._under_way.popleft().result()

    def end(self) -> None:
        """Wait, and let the thread go; see ``rest``."""
        try:
            self.rest()
        finally:
            if self._pool is not None:
                self._pool.shutdown()
                self._pool = None
