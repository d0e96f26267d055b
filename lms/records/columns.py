"""Statements as rows of a table: one column for each thing that reports ask about.

RFC 4180, in UTF-8 with a byte order mark, without which Excel takes it for something else. What others wrote may
begin with = and be run by a spreadsheet as a formula; such a cell gets an apostrophe before it. Numbers are
written by us and stay numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from xapi_store.model.actor import IDENTIFIERS
from xapi_store.model.timestamps import format_timestamp

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_RUN_BY_SPREADSHEETS = tuple("=+-@\t\r\n＝＋－＠")

Statement = dict[str, Any]


def _identifier(actor: Statement) -> Any:
    name = next((name for name in IDENTIFIERS if name in actor), "")
    return actor["account"]["name"] if name == "account" else actor.get(name, "")


def _home(actor: Statement) -> Any:
    return actor.get("account", {}).get("homePage", "")


def _result(*path: str) -> Callable[[Statement], Any]:
    def cell(statement: Statement) -> Any:
        value: Any = statement.get("result", {})
        for step in path:
            value = value.get(step, {})
        return "" if value == {} else value

    return cell


def _context(name: str) -> Callable[[Statement], Any]:
    return lambda statement: statement.get("context", {}).get(name, "")


def _object_id(statement: Statement) -> Any:
    thing = statement["object"]
    return thing.get("id") or _identifier(thing)


def _object_name(statement: Statement) -> Any:
    names = statement["object"].get("definition", {}).get("name", {})
    return next((names[tag] for tag in names if tag.split("-")[0] == "en"), next(iter(names.values()), ""))


def _parents(statement: Statement) -> str:
    parents = statement.get("context", {}).get("contextActivities", {}).get("parent", [])
    return " ".join(one["id"] for one in parents)


#: The columns, in order; the README tells what each holds.
COLUMNS: dict[str, Callable[[Statement], Any]] = {
    "id": lambda statement: statement["id"],
    "stored": lambda statement: statement["stored"],
    "timestamp": lambda statement: statement["timestamp"],
    "actor": lambda statement: _identifier(statement["actor"]),
    "actor_home_page": lambda statement: _home(statement["actor"]),
    "verb": lambda statement: statement["verb"]["id"],
    "object_type": lambda statement: statement["object"].get("objectType", "Activity"),
    "object": _object_id,
    "object_name": _object_name,
    "parent": _parents,
    "registration": _context("registration"),
    "score_scaled": _result("score", "scaled"),
    "score_raw": _result("score", "raw"),
    "score_min": _result("score", "min"),
    "score_max": _result("score", "max"),
    "success": _result("success"),
    "completion": _result("completion"),
    "duration": _result("duration"),
    "response": _result("response"),
    "platform": _context("platform"),
    "language": _context("language"),
    "authority": lambda statement: _identifier(statement.get("authority", {})),
    "version": lambda statement: statement["version"],
}


def heading() -> bytes:
    """Return the first line of a table, with what must stand before it."""
    return BYTE_ORDER_MARK + _written([list(COLUMNS)])


def rows(statements: Iterable[tuple[Statement, datetime]]) -> bytes:
    """Return lines of the table, for statements as kept and when each was stored."""
    return _written(
        _row(statement | {"stored": format_timestamp(stored)}) for statement, stored in statements
    )


def _row(statement: Statement) -> list[Any]:
    return [_cell(column(statement)) for column in COLUMNS.values()]


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_RUN_BY_SPREADSHEETS):
        return f"'{value}"
    return value


def _written(lines: Iterable[list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    return text.getvalue().encode()
