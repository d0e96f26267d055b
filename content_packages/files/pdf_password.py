"""Find out whether an encrypted PDF opens without a password (ISO 32000-2 §7.6.4, standard security handler).

Many PDFs are encrypted only to forbid printing or copying, and open with the empty password. Which do, pypdf
computes; it is asked about nothing else, and reads a file from anywhere only as far as its ration goes.
"""

from __future__ import annotations

import logging
import os
from io import RawIOBase
from typing import BinaryIO, cast

from content_packages.limits import MIB

# It reads a table of cross-references byte by byte, and an object's head in a dozen pieces: enough for 50,000 objects.
_MOST_READS = 1_000_000
_MOST_BYTES = 64 * MIB  # all of a file only where its table is broken

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it thinks of a file is no news of this node


def is_asked_for(file: BinaryIO) -> bool | None:
    """Say whether nobody can open a PDF without a password or certificate; ``None`` where that cannot be told."""
    from pypdf import PasswordType, PdfReader  # noqa: PLC0415 - 0.2 s that only an encrypted PDF is worth

    try:
        reader = PdfReader(cast("BinaryIO", _Rationed(file)))
        return reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED
    except NotImplementedError:  # another handler than the standard one: it asks for a certificate
        return True
    except Exception:  # noqa: BLE001 - whatever it stumbled over, the file is a stranger's
        return None


class _RationUsedUpError(Exception):
    """More was read than an honest file needs."""


class _Rationed(RawIOBase):
    """A file of which only so much is given out, in only so many pieces: no loop of references goes on for ever."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        self._reads = _MOST_READS
        self._bytes = _MOST_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        self._spend(self._size - self._file.tell() if size is None or size < 0 else size)
        return self._file.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._spend(0)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def _spend(self, size: int) -> None:
        self._reads -= 1
        self._bytes -= size
        if self._reads < 0 or self._bytes < 0:
            raise _RationUsedUpError
