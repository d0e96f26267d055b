"""Dictionaries of agents, activities and verbs: a long identifier in, a small number out."""

from collections.abc import Iterable
from hashlib import blake2b

from sqlalchemy import Connection, select

from xapi_store.tables.inserts import insert_or_ignore
from xapi_store.tables.prepared import PreparedForList
from xapi_store.tables.rows import ActivityRow, AgentRow, VerbRow

Dictionary = type[AgentRow] | type[ActivityRow] | type[VerbRow]


def digest(*parts: str) -> bytes:
    """Return 16 bytes that stand for some strings in an index."""
    hashed = blake2b(digest_size=16)
    for part in parts:
        text = part.encode()
        hashed.update(len(text).to_bytes(4, "big"))
        hashed.update(text)
    return hashed.digest()


def find_numbers(connection: Connection, dictionary: Dictionary, values: Iterable[str]) -> dict[str, int]:
    """Return the numbers of those values that the dictionary has."""
    by_digest = {digest(value): value for value in values}
    return {by_digest[key]: number for number, key in _FOUND[dictionary].rows(connection, list(by_digest))}


def numbers(connection: Connection, dictionary: Dictionary, values: Iterable[str]) -> dict[str, int]:
    """Return the numbers of values, adding those that are new."""
    wanted = set(values)
    found = find_numbers(connection, dictionary, wanted)
    missing = sorted(wanted - found.keys())  # writers that add in the same order cannot deadlock
    if missing:
        _ADDED[dictionary].change(connection, [(digest(value), value) for value in missing])
        found |= find_numbers(connection, dictionary, missing)
    return found


def _find(row: Dictionary) -> PreparedForList:
    return PreparedForList(select(row.id, row.digest), row.digest)


_DICTIONARIES: tuple[Dictionary, ...] = (AgentRow, ActivityRow, VerbRow)
_FOUND = {row: _find(row) for row in _DICTIONARIES}
_ADDED = {row: insert_or_ignore(row, columns=["digest", "value"]) for row in _DICTIONARIES}
