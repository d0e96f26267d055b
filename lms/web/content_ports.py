"""A port for each edition that is played, where courses have no names of their own: kept in a file beside the node.

An edition keeps its port, because a browser keeps what a course stored under it. Where all are taken, the one that
was not asked for longest is given on, never one of the last days.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from filelock import FileLock

from sync.identity import write_private

FILE_NAME = "content-ports.json"
IN_USE_FOR = timedelta(days=2)


class NoPortLeftError(Exception):
    """More courses are being played than there are ports for them."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(
            f"All {count} ports for courses were used within the last days. LMS_CONTENT_PORTS makes more."
        )


class ContentPorts:
    """Which edition is played on which port.

    Args:
        folder: the data folder; several processes share the file in it.
        ports: those there are.
    """

    def __init__(self, folder: Path, ports: range, *, now: Callable[[], datetime]) -> None:
        self._file = folder / FILE_NAME
        self._ports = ports
        self._now = now
        self._lock = threading.Lock()
        self._seen: dict[UUID, tuple[int, date]] = {}

    def port_of(self, edition: UUID) -> int:
        """Return the port of an edition, and give it one the first time.

        Raises:
            NoPortLeftError: all were used lately.
        """
        today = self._now().date()
        with self._lock:
            known = self._seen.get(edition)
            if known is not None and known[1] == today:
                return known[0]
            with FileLock(self._file.with_suffix(".lock")):
                port = self._give(edition, today)
            self._seen[edition] = port, today
            return port

    def used(self) -> int:
        """Return how many ports are given to editions."""
        return len(self._read())

    def is_sound(self) -> bool:
        """Say whether the file can be read, if there is one, and gives no port to two editions."""
        if not self._file.exists():
            return True
        kept = self._kept()
        return kept is not None and len({port for port, _ in kept.values()}) == len(kept)

    def _give(self, edition: UUID, today: date) -> int:
        kept = self._read()
        port = kept.get(edition, (None, today))[0]
        if port is None:
            taken = {one for one, _ in kept.values()}
            port = next((one for one in self._ports if one not in taken), None)
        if port is None:
            longest_ago = min(kept, key=lambda one: kept[one][1])
            port, used = kept.pop(longest_ago)
            if used > today - IN_USE_FOR:
                raise NoPortLeftError(len(self._ports))
            self._seen.clear()
        kept[edition] = port, today
        self._write(kept)
        return port

    def _read(self) -> dict[UUID, tuple[int, date]]:
        """Return port and last day of use by edition; ports that are no more are left out."""
        # Of what cannot be read ports are given anew: what a course kept in a browser may then be another's to read.
        found = self._kept() or {}
        return {edition: one for edition, one in found.items() if one[0] in self._ports}

    def _kept(self) -> dict[UUID, tuple[int, date]] | None:
        try:
            lines = json.loads(self._file.read_text(encoding="utf-8"))
            return {UUID(key): (int(port), date.fromisoformat(day)) for key, (port, day) in lines.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def _write(self, kept: dict[UUID, tuple[int, date]]) -> None:
        lines = {str(edition): [port, day.isoformat()] for edition, (port, day) in kept.items()}
        write_private(self._file, json.dumps(lines, indent=1).encode())
