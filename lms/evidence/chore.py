"""When the server checks what is kept here, without being asked."""

from __future__ import annotations

from sync.node import Node
from sync.verification import begin_everything, verified, verify_some

EVERY_S = 3600.0
EVERYTHING_EVERY_MS = 30 * 24 * 3600 * 1000


class Check:
    """The next step of the check; everything is read anew when that was long ago, or never."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def step(self) -> bool:
        """Do the next step; return whether more is left."""
        with self._node.read() as session:
            stands = verified(session)
        long_ago = self._node.clock() - EVERYTHING_EVERY_MS
        if not stands.reading_all and (stands.whole_ms is None or stands.whole_ms < long_ago):
            begin_everything(self._node)
        return verify_some(self._node)
