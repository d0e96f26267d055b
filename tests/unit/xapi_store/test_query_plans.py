"""No query of the record store reads a table from end to end, whatever it is asked for and however much there is.

The queries are those really executed, as the driver saw them. Three may walk a whole index, because they are
asked for everything and stop at a limit: statements without a filter, in either direction, and the newest of
them.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.orm import Session

from lms.database import Database
from tests.xapi_builders import (
    AUTHORITY,
    COURSE,
    LEARNER,
    NOON,
    PASSED,
    a_reference,
    a_statement,
    a_voiding,
    an_activity,
    an_attachment,
    an_id,
    somebody,
    something,
)
from xapi_store import feed
from xapi_store.attachments import Part, find_parts
from xapi_store.documents import (
    Arriving,
    delete_document,
    delete_documents,
    get_document,
    list_documents,
    merge_document,
    put_document,
    take_document,
)
from xapi_store.ingest import store_copies, store_statements
from xapi_store.model.actor import actor_key
from xapi_store.model.document import DocumentKey
from xapi_store.query import (
    StatementFilter,
    definitions,
    find_activity,
    find_person,
    find_statement,
    find_statements,
    newest_stored,
)
from xapi_store.statistics import refresh_statistics

REGISTRATION = UUID("39e24cc4-69af-4b01-a824-1fdc6ea8a3af")
STATE = DocumentKey.state(activity=COURSE, agent=LEARNER, name="s", registration=REGISTRATION)


def every_filter() -> Iterator[StatementFilter]:
    """All that a reader can ask for."""
    learner, authority = actor_key(LEARNER), actor_key(AUTHORITY)
    for agents, activities in itertools.product(
        (None, False, True), repeat=2
    ):  # not asked for, direct, related
        for registration, verb, mine, since, until, ascending, cursor in itertools.product(
            (False, True), repeat=7
        ):
            yield StatementFilter(
                agent=None if agents is None else learner,
                related_agents=bool(agents),
                activity=None if activities is None else COURSE,
                related_activities=bool(activities),
                registration=REGISTRATION if registration else None,
                verb=PASSED if verb else None,
                authority=authority if mine else None,
                since=NOON - timedelta(days=1) if since else None,
                until=NOON + timedelta(days=1) if until else None,
                ascending=ascending,
                after=1 if cursor and ascending else None,
                before=9 if cursor and not ascending else None,
            )


def filled(session: Session) -> None:
    """Something of every kind, so that no lookup ends early."""
    target = an_id()
    content = b"file"
    store_statements(
        session,
        [
            a_statement(
                id=target,
                actor=LEARNER | {"name": "Name"},
                object=an_activity(COURSE, name={"en": "Course"}),
                context={"registration": str(REGISTRATION)},
                attachments=[an_attachment(content)],
            ),
            a_statement(object=a_reference(target)),
            a_voiding(an_id()),
        ],
        authority=AUTHORITY,
        now=NOON,
        parts=[Part(sha2=an_attachment(content)["sha2"], content=content, content_type="text/plain")],
    )
    put_document(session, STATE, b"{}", "application/json", now=NOON)


def among_many_others(session: Session) -> None:
    """Tell PostgreSQL, which plans by what it has counted, that what is asked for is rare."""
    if session.connection().dialect.name == "sqlite":
        return
    others = [
        a_statement(
            actor=somebody(),
            verb={"id": something("verb")},
            object=an_activity(something()),
            context={"registration": an_id()},
        )
        for _ in range(1000)
    ]
    store_statements(session, others, authority=AUTHORITY, now=NOON)
    refresh_statistics(session)


def everything_else(session: Session) -> dict[str, Callable[[], object]]:
    """What the package asks the database besides pages of statements."""
    one = a_statement(id=an_id(), timestamp="2026-01-02T03:04:05Z", authority=AUTHORITY, version="1.0.0")
    learner = str(actor_key(LEARNER))
    other = DocumentKey.state(activity=COURSE, agent=LEARNER, name="new")
    arriving = Arriving(content=b"x", content_type="text/plain", updated=NOON)
    return {
        "one statement": lambda: find_statement(session, REGISTRATION, authority=learner),
        "a voided one": lambda: find_statement(session, REGISTRATION, voided=True),
        "the newest": lambda: newest_stored(session),
        "definitions": lambda: definitions(session, [COURSE, "urn:x:y"]),
        "an activity": lambda: find_activity(session, COURSE),
        "a person": lambda: find_person(session, learner),
        "files": lambda: find_parts(session, None, [a_statement(attachments=[an_attachment(b"file")])]),
        "the feed of statements": lambda: feed.statements_after(session, 0, limit=2),
        "the feed of documents": lambda: feed.documents_after(session, 0, limit=2),
        "statements made here": lambda: feed.statements_made_here(session, 0),
        "documents made here": lambda: feed.documents_made_here(session, 0),
        "a document": lambda: get_document(session, STATE),
        "documents of a scope": lambda: list_documents(session, STATE.scope, since=NOON),
        "a document written": lambda: put_document(session, STATE, b"{}", "application/json", now=NOON),
        "a document new": lambda: put_document(session, other, b"{}", "application/json", now=NOON),
        "a document merged": lambda: merge_document(session, STATE, b"{}", "application/json", now=NOON),
        "a document taken": lambda: take_document(session, STATE, arriving, take=lambda _ours: True),
        "a document deleted": lambda: delete_document(session, other, now=NOON),
        "documents deleted": lambda: delete_documents(session, STATE.scope, now=NOON),
        "statements stored": lambda: filled(session),
        "a copy taken": lambda: store_copies(session, [json.dumps(one).encode()] * 2, now=NOON),
    }


# ---------------------------------------------------------------- what the driver saw


@contextmanager
def traced(session: Session) -> Iterator[set[str]]:
    """Collect the statements that SQLite executes, with their values in place."""
    driver: Any = session.connection().connection.driver_connection
    said: set[str] = set()
    driver.set_trace_callback(said.add)
    yield said
    driver.set_trace_callback(None)


#: A walk that is meant: along the statements themselves, in order, to a limit; and SQLite's own list of row numbers.
_MAY_WALK = re.compile(r"SCAN (xapi_statement|sqlite_sequence|xapi_dictionary USING COVERING INDEX \w+)")


def faults_on_sqlite(session: Session, said: set[str], *, no_filter: bool) -> list[str]:
    driver: Any = session.connection().connection.driver_connection
    faults = []
    for query in said:
        if query.split(None, 1)[0] not in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            continue
        for *_, step in driver.execute(f"EXPLAIN QUERY PLAN {query}"):
            walks = (
                step.startswith("SCAN")
                and step != "SCAN CONSTANT ROW"
                and not (
                    no_filter
                    and _MAY_WALK.fullmatch(step)
                    and ("LIMIT" in query or "sqlite_sequence" in step)
                )
            )
            # Names of one agent, documents of one scope, are few and are sorted; a page of statements never is.
            sorts = "TEMP B-TREE" in step and "xapi_agent_name" not in query and "xapi_document" not in query
            if walks or sorts:
                faults.append(f"{step}: {query}")
    return faults


@contextmanager
def explained(session: Session, *, in_order: bool) -> Iterator[list[dict[str, Any]]]:
    """Collect the plans of what PostgreSQL executes in a session, told by its own auto_explain."""
    driver: Any = session.connection().connection.driver_connection
    plans: list[dict[str, Any]] = []

    def told(notice: psycopg.errors.Diagnostic) -> None:
        found = re.search(r"\{.*\}", notice.message_primary or "", re.DOTALL)
        if found:
            plans.append(json.loads(found[0]))

    try:
        driver.execute("SAVEPOINT loading")
        driver.execute("LOAD 'auto_explain'")
    except psycopg.Error as error:
        driver.execute("ROLLBACK TO SAVEPOINT loading")
        pytest.skip(f"this PostgreSQL cannot explain what it executes: {error}")
    for setting in (
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_format = json",
        "auto_explain.log_level = notice",
        "client_min_messages = notice",
        "enable_seqscan = off",  # tables as small as these are read whole, if one lets it
        "enable_bitmapscan = off",
        "enable_mergejoin = off",
        "enable_hashjoin = off",
        *(("enable_sort = off",) if in_order else ()),
    ):
        driver.execute(f"SET LOCAL {setting}")
    driver.add_notice_handler(told)
    yield plans
    driver.execute("SELECT 1")  # a plan is told when the next query takes its place
    driver.remove_notice_handler(told)
    driver.execute("SET LOCAL auto_explain.log_min_duration = -1")


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def faults_on_postgresql(plans: list[dict[str, Any]], *, no_filter: bool) -> list[str]:
    faults = []
    for plan in plans:
        for node in _nodes(plan["Plan"]):
            kind, table = node["Node Type"], re.sub(r"_part_\d+$", "", node.get("Relation Name", ""))
            whole = kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in node
            meant = (
                no_filter and table in ("xapi_statement", "xapi_dictionary") and "LIMIT" in plan["Query Text"]
            )
            if (kind == "Seq Scan" and table.startswith("xapi_")) or (whole and not meant):
                faults.append(f"{kind} of {table}: {plan['Query Text']}")
            if kind == "Sort" and table == "" and "xapi_agent_name" not in plan["Query Text"]:
                faults.append(f"Sort: {plan['Query Text']}") if "xapi_document" not in plan[
                    "Query Text"
                ] else None
    return faults


def faults_of(
    session: Session, work: Callable[[], object], *, no_filter: bool, in_order: bool = True
) -> list[str]:
    if session.connection().dialect.name == "sqlite":
        with traced(session) as said:
            work()
        assert said
        return faults_on_sqlite(session, said, no_filter=no_filter)
    with explained(session, in_order=in_order) as plans:
        work()
    assert plans
    return faults_on_postgresql(plans, no_filter=no_filter)


# ---------------------------------------------------------------- the promise


def test_no_page_of_statements_is_found_by_reading_all_of_them(database: Database) -> None:
    faults: list[str] = []
    with database.write() as session:
        filled(session)
        among_many_others(session)
        for wanted in every_filter():
            filters = (wanted.agent, wanted.activity, wanted.verb, wanted.registration, wanted.authority)
            no_filter = all(one is None for one in filters)
            faults += faults_of(
                session, lambda wanted=wanted: find_statements(session, wanted, limit=5), no_filter=no_filter
            )

    assert faults == []


@pytest.mark.parametrize(
    ("links", "wanted"),
    [
        ("agent", StatementFilter(agent=actor_key(LEARNER), verb=PASSED)),
        ("activity", StatementFilter(activity=COURSE, verb=PASSED)),
        (
            "agent",
            StatementFilter(agent=actor_key(LEARNER), related_agents=True, verb=PASSED, ascending=True),
        ),
    ],
)
def test_a_verb_narrows_the_index_that_is_walked(
    session: Session, links: str, wanted: StatementFilter
) -> None:
    """Or "this officer, this verb" would walk all that the officer ever did."""
    if session.connection().dialect.name != "sqlite":
        pytest.skip("the choice among indexes is PostgreSQL's own, by what it has counted")
    filled(session)

    with traced(session) as said:
        find_statements(session, wanted, limit=5)

    driver: Any = session.connection().connection.driver_connection
    plans = [
        [step[-1] for step in driver.execute(f"EXPLAIN QUERY PLAN {one}")]
        for one in said
        if f"{links}_link" in one
    ]
    assert plans
    for plan in plans:
        assert any(f"({links}_id=? AND verb_id=? AND related=?" in step for step in plan), plan


def test_nothing_else_reads_a_table_whole(database: Database) -> None:
    faults: list[str] = []
    with database.write() as session:
        filled(session)
        for work in everything_else(session).values():
            faults += faults_of(session, work, no_filter=True, in_order=False)

    assert faults == []
