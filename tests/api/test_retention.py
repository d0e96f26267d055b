"""Periods: decided at the root, kept to on every node; no fact goes by time, and what goes leaves evidence whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result
from sqlalchemy import func, select
from typer.testing import CliRunner

from lms.bundles.queries import receipts_due
from lms.bundles.tables import Bundle, BundleKind, BundleState
from lms.cli import app
from lms.evidence.queries import check
from lms.launch.tables import LateWork
from lms.nodes.tables import Ending, Meeting
from lms.people.tables import Person
from lms.retention.actions import DecidedElsewhereError, Housekeeping, PeriodError, decide
from lms.retention.kinds import KINDS
from lms.retention.pages import router
from lms.retention.queries import periods
from sync import ledger
from sync.sequencer import number_changes, waiting_changes
from sync.tables import InvitationRow, QuarantineRow, RefusedRow, SegmentRow
from sync.verification import verify
from tests.migrated import a_data_folder
from tests.nodes_builders import Place, answering, meet, pair
from tests.school_builders import School, a_school, token
from tests.xapi_builders import AUTHORITY, a_statement
from xapi_store import feed, ingest

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LONG_AFTER = NOW + timedelta(days=36_600)


def a_meeting(finished: datetime | None = NOW) -> Meeting:
    ending = None if finished is None else Ending.DONE
    return Meeting(peer="p", by_hand=False, started=NOW, heard=NOW, finished=finished, ending=ending)


def a_bundle(node: str, kind: BundleKind, finished: datetime) -> Bundle:
    return Bundle(
        public_id=uuid4(), kind=kind, state=BundleState.DONE, path="x", nodes=[node], started=finished,
        finished=finished,
    )  # fmt: skip


def a_refusal() -> RefusedRow:
    return RefusedRow(
        peer="p", origin="o", epoch="e", scope="up", digest="0" * 64, code="fork", detail="", refused_ms=1,
        encoded=b"bytes",
    )  # fmt: skip


def a_record_aside() -> QuarantineRow:
    return QuarantineRow(
        origin="o", epoch="e", scope="up", seq=1, kind="statement", key="k", schema=1, wall_ms=1, counter=0, body=b"x",
        verdict="refused", reason="malformed", detail="", since_ms=1,
    )  # fmt: skip


def days_at(place: Place) -> dict[str, int]:
    with place.database.read() as session:
        return {one.kind.name: one.days for one in periods(session, launch_log_days=365)}


def settle(place: Place, kind: str, days: int, *, now: datetime = NOW) -> None:
    with place.database.write() as session:
        decide(session, place.node, kind, days=days, now=now)


def clean(place: Place, *, now: datetime = LONG_AFTER) -> int:
    """Remove all that may go; return in how many transactions."""
    keeping, turns = Housekeeping(place.database, launch_log_days=365, now=lambda: now), 0
    while keeping.remove_some():
        turns += 1
    return turns


def rows(place: Place, table: Any) -> int:
    with place.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_no_fact_goes_however_short_the_periods_and_evidence_is_whole(centre: Place) -> None:
    person = centre.person("A-17")
    centre.enrol(person, centre.course("Any"))
    with centre.database.write() as session:
        ingest.store_statements(session, [a_statement() for _ in range(5)], authority=AUTHORITY, now=NOW)
        session.add_all([a_meeting(), a_bundle("n", BundleKind.EXPORT, NOW), a_record_aside(), a_refusal()])
    number_changes(centre.node)
    for kind in KINDS:
        settle(centre, kind.name, 7)
    number_changes(centre.node)
    kept = (Person, SegmentRow, QuarantineRow, Bundle, RefusedRow)
    before = [rows(centre, table) for table in kept]

    clean(centre)

    verify(centre.node, everything=True)
    with centre.database.read() as session:
        stands = check(session)
        assert len(feed.statements_after(session, 0, limit=100)) == 5
        refusal = session.scalars(select(RefusedRow)).one()
        assert (refusal.encoded, refusal.code) == (b"", "fork")
    assert stands.findings == []
    assert [rows(centre, table) for table in kept] == before
    assert rows(centre, Meeting) == 0


def test_what_has_not_outlived_its_period_or_is_under_way_stays(laptop: Place) -> None:
    with laptop.database.write() as session:
        session.add_all(
            [a_meeting(NOW - timedelta(days=400)), a_meeting(NOW - timedelta(days=300)), a_meeting(None)]
        )
        for days in (31, 1):
            session.add(
                InvitationRow(
                    code_key=b"", role="laptop", units="[]", created_ms=1,
                    expires_ms=round((NOW - timedelta(days=days)).timestamp() * 1000),
                )
            )  # fmt: skip
        late = LateWork(
            launch=uuid4(), person=uuid4(), course=uuid4(), unit=uuid4(), title="", begun=NOW,
            arrived=NOW - timedelta(days=3000), body=b"", body_digest=b"",
        )  # fmt: skip
        session.add(late)

    clean(laptop, now=NOW)

    assert [rows(laptop, table) for table in (Meeting, InvitationRow, LateWork)] == [2, 1, 1]


def test_it_is_removed_in_small_transactions(laptop: Place) -> None:
    with laptop.database.write() as session:
        session.add_all([a_meeting() for _ in range(450)])

    assert clean(laptop) == 3
    assert rows(laptop, Meeting) == 0


def test_whether_a_receipt_is_due_outlives_the_history_of_bundles(laptop: Place) -> None:
    told = [
        ("a", BundleKind.EXPORT),
        ("a", BundleKind.IMPORT),
        ("b", BundleKind.IMPORT),
        ("b", BundleKind.EXPORT),
    ]
    with laptop.database.write() as session:
        for number, (node, kind) in enumerate(told):
            session.add(a_bundle(node, kind, NOW + timedelta(minutes=number)))

    clean(laptop)

    assert rows(laptop, Bundle) == 2
    with laptop.database.read() as session:
        assert receipts_due(session) == ["a"]


# ---------------------------------------------------------------- who decides


@pytest.fixture
def address(laptop: Place, centre: Place) -> Iterator[str]:
    with answering(centre) as here:
        yield here


def test_what_the_root_decides_holds_below_and_is_not_decided_there(
    laptop: Place, centre: Place, address: str
) -> None:
    settle(laptop, "meeting", 3000, now=NOW + timedelta(days=1))
    with laptop.database.read() as session:
        waiting = waiting_changes(session, laptop.node)
    settle(centre, "meeting", 90)
    settle(centre, "late-work", 730)
    pair(laptop, centre, address)
    meet(laptop, address)
    first = days_at(laptop)
    settle(centre, "late-work", 0, now=NOW + timedelta(days=2))
    meet(laptop, address)

    with pytest.raises(DecidedElsewhereError), laptop.database.write() as session:
        decide(session, laptop.node, "meeting", days=90, now=NOW)
    with laptop.database.read() as session:
        delivered = ledger.undelivered(session, laptop.node, root=centre.node.id)
    assert "retention" not in waiting
    assert (first["meeting"], first["late-work"], first["bundle"]) == (90, 730, 365)
    assert days_at(laptop)["late-work"] == 0
    assert days_at(centre)["meeting"] == 90
    assert delivered == 0


@pytest.mark.parametrize(
    ("kind", "days"), [("statement", 90), ("meeting", 6), ("meeting", -1), ("meeting", 36_501)]
)
def test_no_period_is_decided_for_facts_and_none_that_is_none(laptop: Place, kind: str, days: int) -> None:
    with pytest.raises(PeriodError), laptop.database.write() as session:
        decide(session, laptop.node, kind, days=days, now=NOW)

    assert days_at(laptop)["meeting"] == 365


# ---------------------------------------------------------------- page and command


@pytest.fixture
def school(centre: Place, tmp_path: Path) -> School:
    made = a_school(centre.database, tmp_path)
    made.app.routes.extend(router.routes)
    made.app.state.sync = centre.node
    made.app.state.launch_log_days = 200
    return made


def test_the_page_decides_what_was_changed_and_refuses_what_is_no_period(
    school: School, centre: Place
) -> None:
    administrator = school.client("hub_admin")
    form = (
        token(administrator, "/retention")
        | {one.name: str(one.days) for one in KINDS}
        | {"launch-log": "200"}
    )

    wrong = administrator.post("/retention", data=form | {"bundle": "three", "meeting": "90"})
    before = days_at(centre)
    good = administrator.post("/retention", data=form | {"meeting": " 90 "})

    assert wrong.status_code == 422
    assert 'value="three"' in wrong.text
    assert "Give a number of days from 7 to 36500" in wrong.text
    assert before["meeting"] == 365
    assert good.status_code == 303
    assert days_at(centre) == before | {"meeting": 90}
    with centre.database.read() as session:
        changed = [one.kind.name for one in periods(session, launch_log_days=200) if one.changed]
    assert changed == ["meeting"]


def test_below_the_root_the_page_only_tells(
    laptop: Place, centre: Place, address: str, tmp_path: Path
) -> None:
    pair(laptop, centre, address)
    (tmp_path / "school").mkdir()
    school = a_school(laptop.database, tmp_path / "school")
    school.app.routes.extend(router.routes)
    school.app.state.sync, school.app.state.launch_log_days = laptop.node, 365

    page = school.client("hub_admin").get("/retention")

    assert "The centre decides this" in page.text
    assert "365 days" in page.text
    assert 'action="/retention"' not in page.text
    assert school.client("officer").get("/retention").status_code == 403


def test_the_command_lists_and_decides(tmp_path: Path) -> None:
    data = a_data_folder(tmp_path / "data")
    lms(data, "init")

    done = lms(data, "retention", "set", "meeting", "90")
    failed = lms(data, "retention", "set", "statement", "90")

    listed = {one["kind"]: one["days"] for one in json.loads(lms(data, "retention", "list", "--json").stdout)}
    assert "kept for 90 days" in done.stdout
    assert failed.exit_code == 1
    assert "these are: launch-log" in failed.output
    assert (listed["meeting"], listed["late-work"]) == (90, 0)


def lms(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data", str(data)])
