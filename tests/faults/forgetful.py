"""The ``lms`` command on connections that promise less: ``PRAGMA synchronous = NORMAL``.

For the test that has to see acknowledged statements lost. Run as ``python -m tests.faults.forgetful …``.
"""

from __future__ import annotations

import functools
import sqlite3
from typing import Any

from lms.cli import main


class Forgetful(sqlite3.Connection):
    """A connection on which nobody can ask for more."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.execute("PRAGMA synchronous = NORMAL")
        self.set_authorizer(_ignore_synchronous)


def _ignore_synchronous(action: int, name: str | None, value: str | None, *_: str | None) -> int:
    setting = action == sqlite3.SQLITE_PRAGMA and name == "synchronous" and value is not None
    return sqlite3.SQLITE_IGNORE if setting else sqlite3.SQLITE_OK


if __name__ == "__main__":
    forgetful: Any = functools.partial(sqlite3.connect, factory=Forgetful)
    sqlite3.connect = sqlite3.dbapi2.connect = forgetful
    main()
