"""Large attachments of statements, on a shelf of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from itertools import cycle

from sqlalchemy.orm import Session

from content_packages.errors import FileMissingError
from content_packages.shelf import PARTS, FileRef, Shelf
from lms.database import Database
from xapi_store.attachments import is_named

GRACE = timedelta(days=1)  # between a file and the row that names it lies no more than a transaction


class ShelfFiles:
    """Answers ``xapi_store.attachments.Files`` from a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._parts = cycle(PARTS)

    def keep(self, content: bytes) -> str:
        """Put a file on the shelf and return its digest."""
        return self._shelf.put(BytesIO(content)).digest

    def has(self, name: str) -> bool:
        """Say whether a file is here."""
        return self._shelf.has(name)

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; ``None`` when it is not here, or is not what it was."""
        try:
            with self._shelf.open(name) as file:
                content = file.read()
        except FileMissingError:
            return None
        return content if hashlib.sha256(content).hexdigest() == name else None

    def ask_again(self, name: str, size: int) -> None:
        """Note that a file is missing, so that other nodes are asked for it."""
        self._shelf.note_lost(FileRef(digest=name, size=size), seen=None)

    def sweep_some(self, database: Database, now: Callable[[], datetime]) -> bool:
        """Remove what crashes left behind in the next folder; a chore, which comes round to all of them."""
        before = now() - GRACE
        with database.read() as session:
            self._shelf.sweep(_Named(session), before=before, parts=[next(self._parts)])
            self._shelf.forget_lost(but=_Named(session))
        self._shelf.sweep_incoming(before=before)
        return False


class _Named:
    """The files that attachments are in, asked for one by one."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __contains__(self, name: object) -> bool:
        return is_named(self._session, str(name))
