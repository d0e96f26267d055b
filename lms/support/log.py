"""The log that a server keeps for whoever helps: events and facts of known form, nothing that anybody wrote.

What goes to standard error is for the person on site. This one may leave the place, so it is written from what is
known to be harmless: an event by its name, a fact if its name is listed here and its value has the form given for it,
an error as its kind and the places in the program. Messages, values of queries and names of files are never written.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Final

FOLDER: Final = "log"
FILE: Final = "outpost.log"
MOST_BYTES: Final = 1024 * 1024  # of each of two files: what is newest is asked for
MOST_FRAMES: Final = 40

_OURS = ("lms", "sync", "xapi_store", "content_packages", "migrations")
_EVENT = re.compile(r"[a-z][a-z0-9_]{2,60}")
_NODE = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")
_EPOCH = re.compile(r"[0-9a-hjkmnp-tv-z]{13}")
_HEX = re.compile(r"[0-9a-f]{56,128}")
_CODE = re.compile(r"[a-z][a-z_-]{0,39}")
_NUMBER = re.compile(r"-?[0-9]{1,20}([.][0-9]{1,9})?|True|False")
_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,120}")

#: Which facts are kept, and the whole form of their values; every other fact is left out.
FACTS: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(("peer", "origin", "node", "root", "set"), _NODE),
    **dict.fromkeys(("epoch",), _EPOCH),
    **dict.fromkeys(("digest", "sha2"), _HEX),
    **dict.fromkeys(("code", "kind", "verdict", "reason", "stream", "job", "chore", "state"), _CODE),
    **dict.fromkeys(
        (
            "accepted",
            "bytes",
            "changes",
            "duplicate",
            "exit_code",
            "files",
            "first",
            "records",
            "refused",
            "status",
            "took_ms",
            "tries",
            "unreadable",
            "wait_s",
        ),
        _NUMBER,
    ),
}
#: Besides facts, what a line may have.
_FORMS: Mapping[str, re.Pattern[str]] = {
    "at": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}[+]00:00"),
    "level": re.compile(r"[A-Z]{4,8}"),
    "logger": _CLASS,
    "event": _EVENT,
    "error": _CLASS,
}
_FRAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,120}:[0-9]{1,6} [A-Za-z_<>][A-Za-z0-9_<>]{0,80}")


class Harmless(logging.Formatter):
    """Writes a record as one line of JSON, of what may leave the place."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        # The message as the program has it, before anything is put in; of other programs not even that.
        if record.name.split(".")[0] in _OURS and _EVENT.fullmatch(str(record.msg)):
            told["event"] = record.msg
        told |= {name: str(vars(record)[name]) for name in FACTS if name in vars(record)}
        if record.exc_info and record.exc_info[0] is not None:
            told["error"] = record.exc_info[0].__name__
            told["where"] = list(_frames(record.exc_info[2]))
        return json.dumps(harmless(told))


def harmless(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a line what is known and has its form."""
    forms = {**FACTS, **_FORMS}
    kept: dict[str, Any] = {
        name: value
        for name, value in told.items()
        if name in forms and isinstance(value, str) and forms[name].fullmatch(value)
    }
    where = told.get("where")
    if isinstance(where, list):
        kept["where"] = [one for one in where if isinstance(one, str) and _FRAME.fullmatch(one)]
    return kept


def _frames(found: TracebackType | None) -> Iterator[str]:
    frames = list(traceback.walk_tb(found))[-MOST_FRAMES:]
    for frame, line in frames:
        yield f"{frame.f_globals.get('__name__', '_')}:{line} {frame.f_code.co_name}"


@contextmanager
def keeping_log(data: Path) -> Iterator[None]:
    """Write such a log into the data folder until the block ends; one process does."""
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        folder / FILE, maxBytes=MOST_BYTES, backupCount=1, encoding="utf-8", delay=True
    )
    handler.setFormatter(Harmless())
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def log_lines(data: Path) -> Iterator[dict[str, Any]]:
    """Return the lines of the log, the oldest first, each looked at once more: somebody may have written there."""
    for name in (f"{FILE}.1", FILE):
        path = data / FOLDER / name
        if not path.is_file():
            continue
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    told = json.loads(line)
                except ValueError:
                    continue  # torn by a power cut
                if isinstance(told, dict) and (kept := harmless(told)):
                    yield kept
