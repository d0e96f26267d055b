"""The launch log of an attempt: bounded, written with what it is about, and the same when it is replayed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

import lms.launch.steps as log
from content_packages.sequencing.event import Event, Request, RunTime, RunTimeResult
from content_packages.sequencing.step import step
from content_packages.sequencing.tracking import State, new_state
from content_packages.sequencing.tree import ActivityTree
from lms.database import Database
from lms.launch.actions import Desk, Phase, apply_commit, carry_out, deliver
from lms.launch.course import read_standing
from lms.launch.moving import at_rest
from lms.launch.steps import Step, count_steps, replay, show, steps_from, write_steps
from tests.launch_builders import EDITION, NOON, REGISTRATION, a_commit, a_course, a_desk, taken
from tests.random_courses import RandomCourse
from tests.unit.content_packages.test_sequencing_step import START, a_lesson
from tests.unit.content_packages.test_sequencing_step import a_course as a_tree


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return a_desk(tmp_path)


def kinds(session: Session) -> list[str]:
    return [row.event["kind"] for row in steps_from(session, REGISTRATION, 1, 1000)]


def recorded(tree: ActivityTree, state: State, *events: Event) -> tuple[State, list[Step]]:
    steps = []
    for event in events:
        after, outcome = step(tree, state, event)
        steps.append(Step(edition=EDITION, event=event, outcome=outcome, before=state, after=after))
        state = after
    return state, steps


def test_an_attempt_is_logged_as_it_goes_and_replays_to_the_same(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=2)
    delivered = deliver(session, desk, taken(session, desk), now=NOON)
    assert delivered is not None
    told: list[tuple[dict[str, str], Phase]] = [
        ({}, "running"),
        ({"cmi.location": "2"}, "running"),
        ({"cmi.score.scaled": "0.5"}, "running"),
        ({"cmi.completion_status": "completed"}, "terminated"),
    ]
    for sequence, (values, phase) in enumerate(told, 1):
        commit = a_commit(sequence, values, phase=phase)
        apply_commit(session, desk, delivered.launch, *commit, now=NOON + timedelta(seconds=sequence))
    carry_out(session, desk, taken(session, desk), Request.CONTINUE, now=NOON + timedelta(minutes=1))

    rows = steps_from(session, REGISTRATION, 1, 99)
    trees = {EDITION: taken(session, desk).opened.tree}

    # Of the four commits that which only moved the bookmark changed nothing that sequencing knows.
    assert kinds(session) == ["start", "commit", "commit", "terminate", "continue"]
    assert [row.at - NOON for row in rows][1:4] == [timedelta(seconds=n) for n in (1, 3, 4)]
    assert [one.is_same for one, _ in replay(trees, rows)] == [True] * 5
    assert [row.base is not None for row in rows] == [True, False, False, False, False]
    shown = show(trees, rows)
    assert shown.replayed.row.outcome["delivery"]["activity"] == "lesson-2"
    assert "TB.2.3" in {one.process.number for one in shown.ran}


def test_what_is_only_looked_at_is_no_step(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=2)
    deliver(session, desk, taken(session, desk), now=NOON)
    before = kinds(session)

    taking = taken(session, desk)
    at_rest(taking, read_standing(session, taking))

    assert kinds(session) == before == ["start"]


def test_a_step_that_another_engine_decides_otherwise_is_seen(session: Session, desk: Desk) -> None:
    a_course(session, desk.shelf, standard="scorm2004", units=2)
    deliver(session, desk, taken(session, desk), now=NOON)
    (row,) = steps_from(session, REGISTRATION, 1, 1)
    row.outcome = {**row.outcome, "exception": "SB.2.1-2"}

    ((replayed, _),) = replay({EDITION: taken(session, desk).opened.tree}, [row])

    assert replayed.is_same is False


def test_the_log_of_an_attempt_is_bounded_and_what_is_left_replays(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "MOST_STEPS", 20)
    monkeypatch.setattr(log, "BASE_EVERY", 8)
    tree, whose = a_tree(a_lesson("a"), a_lesson("b")), uuid4()
    state = new_state()
    for _ in range(30):
        state, steps = recorded(tree, state, START, Event(kind=Request.EXIT_ALL))
        write_steps(session, whose, steps, attempt=1, now=NOON)

    assert count_steps(session, whose) == (41, 60)
    rows = steps_from(session, whose, 41, 60)
    assert [one.is_same for one, _ in replay({EDITION: tree}, rows)] == [None] * 7 + [True] * 13
    assert [row.number for row in steps_from(session, whose, 53, 53)] == [48, 49, 50, 51, 52, 53]
    assert show({EDITION: tree}, steps_from(session, whose, 53, 53)).replayed.is_same


def test_what_is_too_large_is_said_to_be_and_the_next_step_begins_anew(session: Session) -> None:
    tree, whose = a_tree(a_lesson("a")), uuid4()
    large = Event(kind=RunTime.COMMIT, result=RunTimeResult(exit="x" * 40_000))
    _, steps = recorded(tree, new_state(), START, large, Event(kind=Request.EXIT_ALL))
    write_steps(session, whose, steps, attempt=1, now=NOON)

    rows = steps_from(session, whose, 1, 3)

    assert [row.is_whole for row in rows] == [True, False, True]
    assert [one.is_same for one, _ in replay({EDITION: tree}, rows)] == [True, None, True]


def test_a_state_that_something_else_has_changed_is_kept(session: Session) -> None:
    tree, whose = a_tree(a_lesson("a")), uuid4()
    state, steps = recorded(tree, new_state(), START)
    elsewhere: State = {**state, "globals": {"shared": {"satisfied": True}}}
    _, more = recorded(tree, elsewhere, Event(kind=Request.EXIT_ALL))
    write_steps(session, whose, [*steps, *more], attempt=1, now=NOON)

    rows = steps_from(session, whose, 1, 2)

    assert rows[1].base == elsewhere
    assert [one.is_same for one, _ in replay({EDITION: tree}, rows)] == [True, True]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.integers(0, 2**40))
def test_a_replay_of_a_recorded_attempt_gives_the_same_decisions(database: Database, seed: int) -> None:
    source = RandomCourse(seed)
    tree, whose = ActivityTree(source.course()), uuid4()
    _, steps = recorded(tree, new_state(seed=seed), START, *(source.event() for _ in range(12)))
    with database.write() as session:
        for one in steps:
            write_steps(session, whose, [one], attempt=1, now=NOON)

    with database.read() as session:
        rows = steps_from(session, whose, 1, 999)
        replayed = [one.is_same for one, _ in replay({EDITION: tree}, rows)]

        kept = [one for one in steps if one.event.kind is not RunTime.COMMIT or one.before != one.after]
        assert replayed == [True] * len(kept)
        assert sum(row.base is not None for row in rows) == 1
