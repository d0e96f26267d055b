"""Dictionaries of agents, activities and verbs: a long identifier in, a small number out."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from xapi_store.tables.rows import ActivityRow, AgentRow, VerbRow

Dictionary = type[AgentRow] | type[ActivityRow] | type[VerbRow]

Value = TypeVar("Value")

#: Databases bind a limited number of values in one statement.
CHUNK = 500


def digest(*parts: str) -> bytes:
    """Return 16 bytes that stand for some strings in an index."""
    hashed = blake2b(digest_size=16)
    for part in parts:
        text = part.encode()
        hashed.update(len(text).to_bytes(4, "big"))
        hashed.update(text)
    return hashed.digest()


def find_numbers(session: Session, dictionary: Dictionary, values: Iterable[str]) -> dict[str, int]:
    """Return the numbers of those values that the dictionary has."""
    by_digest = {digest(value): value for value in values}
    found: dict[str, int] = {}
    for chunk in chunks(list(by_digest)):
        for number, key in session.execute(
            select(dictionary.id, dictionary.digest).where(dictionary.digest.in_(chunk))
        ):
            found[by_digest[key]] = number
    return found


def numbers(session: Session, dictionary: Dictionary, values: Iterable[str]) -> dict[str, int]:
    """Return the numbers of values, adding those that are new."""
    wanted = set(values)
    found = find_numbers(session, dictionary, wanted)
    missing = sorted(wanted - found.keys())  # writers that add in the same order cannot deadlock
    if missing:
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        session.connection().execute(
            insert(dictionary).on_conflict_do_nothing(index_elements=["digest"]),
            [{"digest": digest(value), "value": value} for value in missing],
        )
        found |= find_numbers(session, dictionary, missing)
    return found


def chunks(values: list[Value]) -> Iterable[list[Value]]:
    """Cut a list into pieces that one statement can bind."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
