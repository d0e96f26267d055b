"""What must hold for any valid statement, and for any that breaks a rule."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lms.database import Database
from tests.xapi_builders import AUTHORITY, NOON
from tests.xapi_strategies import (
    MEANINGS,
    Broken,
    Path,
    broken_statements,
    said_otherwise,
    statements,
)
from xapi_store.errors import InvalidStatementError, StatementConflictError
from xapi_store.ingest import Outcome, store_copies, store_statements
from xapi_store.model.statement import check_statement
from xapi_store.model.strict_json import load_object
from xapi_store.model.version import Version
from xapi_store.query import find_statement
from xapi_store.render import exact

# One database serves all examples: every statement gets a new id.
many = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
ASSIGNED = ("id", "authority", "stored", "timestamp", "version")


def stored(database: Database, statement: dict[str, Any], *, version: Version = Version.V2) -> UUID:
    with database.write() as session:
        (statement_id,) = store_statements(
            session, [statement], authority=AUTHORITY, now=NOON, version=version
        )
    return statement_id


def read_back(database: Database, statement_id: UUID) -> tuple[dict[str, Any], bytes]:
    with database.read() as session:
        for voided in (False, True):
            found = find_statement(session, statement_id, voided=voided)
            if found is not None:
                return load_object(exact(found.raw, found.stored)), found.raw
    raise AssertionError("the statement is not there")


def renewed(statement: dict[str, Any]) -> dict[str, Any]:
    return statement | {"id": str(uuid4())}


def sorted_bytes(value: Any) -> bytes:
    """Tell 1 from true and from 1.0, which Python's equality does not."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def with_lists(statement: dict[str, Any]) -> dict[str, Any]:
    """Return a statement whose context activities are lists, as answers have them."""
    listed = copy.deepcopy(statement)
    for deed in (listed, listed["object"]):
        around = deed.get("context", {}).get("contextActivities", {})
        for name, found in around.items():
            around[name] = found if isinstance(found, list) else [found]
    return listed


def steps_of(path: str) -> Path:
    """Take a JSON path apart."""
    steps: list[str | int] = []
    rest = path.removeprefix("$")
    while rest:
        found = re.match(r"""\.([^.\[]+)|\[(\d+|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]""", rest)
        assert found is not None, path
        steps.append(found[1] if found[1] is not None else ast.literal_eval(found[2]))
        rest = rest[found.end() :]
    return tuple(steps)


def test_a_path_comes_apart_as_it_was_put_together() -> None:
    assert steps_of("""$.a[3]['it\\'s']["x"]['']""") == ("a", 3, "it's", "x", "")


@pytest.mark.parametrize("version", list(Version))
@many
@given(data=st.data())
def test_a_valid_statement_reads_back_as_it_was(
    database: Database, version: Version, data: st.DataObject
) -> None:
    sent = renewed(data.draw(statements(version)))

    got, _ = read_back(database, stored(database, sent, version=version))

    for name in ASSIGNED:
        assert name in got
    if "timestamp" in sent:
        assert got["timestamp"] == sent["timestamp"]
    assert sorted_bytes({name: got[name] for name in got if name not in ASSIGNED}) == sorted_bytes(
        {name: value for name, value in with_lists(sent).items() if name not in ASSIGNED}
    )


@many
@given(statements())
def test_a_valid_statement_sent_again_is_present(database: Database, statement: dict[str, Any]) -> None:
    sent = renewed(statement)
    first = stored(database, sent)
    _, before = read_back(database, first)

    assert stored(database, sent) == first
    assert stored(database, said_otherwise(sent)) == first
    assert read_back(database, first)[1] == before
    with database.write() as session:
        (copied,) = store_copies(session, [before], now=NOON)
    assert copied.outcome is Outcome.PRESENT


@many
@given(statements(), st.sampled_from(MEANINGS))
def test_one_change_of_meaning_is_a_conflict(
    database: Database, statement: dict[str, Any], change: Callable[[dict[str, Any]], None]
) -> None:
    sent = renewed(statement)
    other = copy.deepcopy(sent)
    change(other)
    try:
        check_statement(other, Version.V2)
    except InvalidStatementError:  # such as a voiding verb that lost its reference
        assume(False)
    first = stored(database, sent)

    with pytest.raises(StatementConflictError) as caught:
        stored(database, other)

    assert caught.value.statement_id == first
    assert len(caught.value.differing) == 1


@pytest.mark.parametrize("version", list(Version))
@settings(many, max_examples=200)
@given(data=st.data())
def test_a_broken_rule_is_refused_with_a_path_to_the_fault(
    database: Database, version: Version, data: st.DataObject
) -> None:
    broken: Broken = data.draw(broken_statements(version))

    with pytest.raises(InvalidStatementError) as caught:
        stored(database, broken.statement, version=version)

    steps = steps_of(caught.value.path)
    # A wrong type of object makes the whole object one of no known kind.
    assert steps == broken.at or (broken.at[-1:] == ("objectType",) and steps == broken.at[:-1])
    assert caught.value.problem
