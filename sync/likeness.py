"""What one meeting knows of large files that are to come: of which chunks they are made, and which of them are here.

Nothing of it is kept: the file that is likely to share much with one that is wanted is named beside it, and is cut
when a peer has said of which chunks the wanted one is made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import accumulate

from sync import quarantine
from sync.chunks import LARGE_BYTES, Mosaic, chunks_of, fill, unpacked
from sync.messages import Wanted
from sync.node import Node

_MOST_AT_ONCE = 16
_MOST_BYTES_AT_ONCE = 1024 * 1024 * 1024  # the peer reads through them before it answers
_WORTH_IT = 0.95  # of a file: what has to come, at most, or it comes whole


class Mosaics:
    """The files of one meeting of which parts may be here.

    Attributes:
        known: those of which parts are here.
    """

    def __init__(self, node: Node) -> None:
        self.known: dict[str, Mosaic] = {}
        self._node = node
        self._whole: set[str] = set()  # nothing is to be won of them, or their parts did not make them
        self._like: dict[str, tuple[str, int]] = {}

    def unknown(self, wanted: Sequence[Wanted]) -> list[str]:
        """Return the files of which a peer is to be asked how they are cut, a few at a time."""
        large = {one.digest: one.size for one in wanted if one.size >= LARGE_BYTES}
        new = large.keys() - self.known.keys() - self._whole
        if not new:
            return []
        with self._node.read() as session:
            like = quarantine.likenesses(session, new)
        here = {digest: other for digest, other in like.items() if self._node.blobs.size(other) is not None}
        self._whole |= new - here.keys()
        asked = [
            digest
            for digest, total in zip(here, accumulate(large[digest] for digest in here), strict=True)
            if total <= max(_MOST_BYTES_AT_ONCE, large[digest])
        ][:_MOST_AT_ONCE]
        self._like = {digest: (here[digest], large[digest]) for digest in asked}
        return asked

    def learn(self, asked: Sequence[str], lists: Mapping[str, bytes]) -> None:
        """Hear how they are cut; what the peer did not tell of comes whole."""
        for digest in asked:
            other, size = self._like[digest]
            chunks = unpacked(lists.get(digest, b""), size)
            if chunks is None:
                self._whole.add(digest)
                continue
            read = partial(self._node.blobs.read, other)
            mosaic = Mosaic(chunks, chunks_of(read), read)
            if mosaic.missing <= _WORTH_IT * size:
                self.known[digest] = mosaic
            else:
                self._whole.add(digest)

    def put_in(self, wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
        """Put what is here into the files that are wanted; return what has to come still.

        A file of which all is here is judged, and is wanted no more or whole.
        """
        return tuple(left for one in wanted if (left := self._put_in(one)) is not None)

    def blamed(self, spoilt: Collection[str]) -> set[str]:
        """Return those of some spoilt files that a peer gave so; one that was put together is to come whole."""
        ours = self.known.keys() & set(spoilt)
        self._give_up(ours)
        return set(spoilt) - ours

    def _put_in(self, wanted: Wanted) -> Wanted | None:
        mosaic = self.known.get(wanted.digest)
        if mosaic is None:
            return wanted
        end = fill(self._node.blobs, wanted.digest, mosaic)
        if end == wanted.size:
            return None if self._is_made(wanted.digest) else wanted.model_copy(update={"offset": 0})
        return wanted.model_copy(update={"offset": end, "gaps": mosaic.gaps(end)})

    def _is_made(self, digest: str) -> bool:
        if not self._node.blobs.finish(digest):
            self._give_up({digest})
            return False
        with self._node.write() as session:
            quarantine.blobs_arrived(session, self._node, [digest])
        return True

    def _give_up(self, digests: Collection[str]) -> None:
        for digest in digests:
            del self.known[digest]
        self._whole |= set(digests)
