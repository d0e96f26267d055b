"""A network of real nodes: each is a data folder and processes of its own."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from sync.identity import load_key, sign_paper
from sync.messages import Certificate
from sync.renewal import DAY_MS, LIFE_MS
from tests.benchmarks.traffic import of_a_post
from tests.servers import NodeUnderTest

Statements = list[dict[str, Any]]


def some_statements(seed: int, count: int) -> Statements:
    """Return what a post records."""
    return list(itertools.islice(of_a_post(seed), count))


@contextmanager
def served(*nodes: NodeUnderTest) -> Iterator[None]:
    """Let nodes serve until the block ends."""
    for place in nodes:
        place.start()
    try:
        yield
    finally:
        for place in nodes:
            if place.process is not None:
                place.stop()


def record(place: NodeUnderTest, seed: int, count: int) -> Statements:
    """Let a node's record store take statements; it serves while it does."""
    told = some_statements(seed, count)
    key = place.facts("lrs-key", "create", "programs", "--scope", "all")
    auth, headers = (key["key"], key["secret"]), {"X-Experience-API-Version": "1.0.3"}
    with served(*([] if place.process else [place])):
        httpx.post(
            f"{place.url}/xapi/statements", json=told, auth=auth, headers=headers, timeout=60
        ).raise_for_status()
    return told


def join(place: NodeUnderTest, there: NodeUnderTest, *, role: str = "laptop") -> str:
    """Pair a node with another, which serves; return the other's id."""
    code = there.facts("node", "invite", "--role", role)["code"]
    peer: str = place.facts("node", "join", there.url, code)["paired_with"]
    return peer


def sync(place: NodeUnderTest) -> dict[str, Any]:
    """Meet all peers once, and return the report of the one, or of the last."""
    done = place.run("sync", "--json", check=False)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    report: dict[str, Any] = told[-1] if isinstance(told, list) else told
    return report


def rows(place: NodeUnderTest, query: str) -> list[tuple[Any, ...]]:
    """Ask the database of a node."""
    with closing(sqlite3.connect(place.data / "outpost.db", timeout=60)) as file:
        return file.execute(query).fetchall()


def ids_in(place: NodeUnderTest) -> list[str]:
    """Return the ids of the statements that a node has."""
    return sorted(bytes(found).hex() for (found,) in rows(place, "SELECT id FROM xapi_statement_id"))


def ids_of(*statements: Statements) -> list[str]:
    """Return the ids of statements, as ``ids_in`` does."""
    return sorted(one["id"].replace("-", "") for some in statements for one in some)


def waiting(place: NodeUnderTest) -> int:
    """Return how many statements a node has that the root has not signed for."""
    return int(place.facts("status")["waiting"].get("statement", 0))


def copied(place: NodeUnderTest, to: Path) -> NodeUnderTest:
    """Return a node on a copy of another's disk."""
    return NodeUnderTest(data=Path(shutil.copytree(place.data, to)))


def fourteen_months_ago() -> int:
    """Return the moment, in milliseconds."""
    return (time.time_ns() // 1_000_000) - 425 * DAY_MS


def away_since(moment_ms: int, admitted_by: NodeUnderTest, away: NodeUnderTest) -> None:
    """Have a node been admitted at a moment, as both know it: what the clock would have come to since."""
    key = load_key(admitted_by.data)
    assert key is not None
    node = away.facts("node", "show")["node"]
    [(text,)] = rows(admitted_by, f"SELECT text FROM sync_certificate WHERE node = '{node}'")
    then = Certificate.model_validate_json(text).model_copy(
        update={"issued_ms": moment_ms, "expires_ms": moment_ms + LIFE_MS}
    )
    signed = sign_paper(key, then)
    for place in (admitted_by, away):
        with closing(sqlite3.connect(place.data / "outpost.db", timeout=60)) as file, file:
            file.execute(
                "UPDATE sync_certificate SET text = ?, signature = ? WHERE node = ?",
                (signed.text, signed.signature, node),
            )
