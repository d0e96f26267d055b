"""Large attachments of statements, on a shelf of their own."""

from __future__ import annotations

import hashlib
from io import BytesIO

from content_packages.errors import FileMissingError
from content_packages.shelf import Shelf


class ShelfFiles:
    """Answers ``xapi_store.attachments.Files`` from a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

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
