"""Random schedules of few nodes and few acts, and of rules that are broken on purpose: the schedules notice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync import blackout, losses, quarantine, rot, sequencer, trust
from sync.inbox import Intake
from sync.messages import Frame, Record
from sync.node import Node
from sync.vector import LogKey
from tests import sync_builders
from tests.simulation.schedules import (
    ERASURE_SCHEDULES,
    NARROW_ROT_SCHEDULES,
    NARROW_SCHEDULES,
    REVOCATION_SCHEDULES,
    ROT_SCHEDULES,
    Act,
    run_many,
)
from tests.sync_builders import NoteRow, Place


@pytest.mark.parametrize(
    ("count", "schedules"),
    [
        (60, NARROW_SCHEDULES),
        (40, REVOCATION_SCHEDULES),
        (40, ERASURE_SCHEDULES),
        (4, ROT_SCHEDULES),
        (4, NARROW_ROT_SCHEDULES),
        pytest.param(1_000, ROT_SCHEDULES, marks=pytest.mark.soak),
    ],
)
def test_nothing_is_lost_in_any_order(count: int, schedules: st.SearchStrategy[list[Act]]) -> None:
    run_many(count, schedules)


# ---------------------------------------------------------------- rules broken on purpose


def without_epochs(patch: pytest.MonkeyPatch) -> None:
    """A restored or cloned database goes on numbering where it stands."""
    patch.setattr(sequencer, "ensure_epoch", lambda *_: False)
    patch.setattr(sync_builders, "ensure_epoch", lambda *_: False)
    patch.setattr(sequencer, "is_overtaken", lambda *_: False)


def with_a_cursor_of_time(patch: pytest.MonkeyPatch) -> None:
    """Changes are told by when they were made, not in the order in which they became visible."""

    def write_note(self: Place, key: str, text: str = "text", *, scope: str = "up") -> None:
        with self.database.write() as session:
            position = self.now[0] * 1_000
            later = select(func.max(NoteRow.position)).where(
                NoteRow.position.between(position, position + 999)
            )
            position = (session.scalar(later) or position) + 1
            session.add(NoteRow(position=position, key=key, scope=scope, text=text, made_here=True))

    patch.setattr(Place, "write_note", write_note)


def with_receipts_before_commit(patch: pytest.MonkeyPatch) -> None:
    """A segment is told as held before what it says is there: that comes in a transaction of its own."""
    later: list[tuple[Node, Sequence[Record], dict[str, Any]]] = []

    def put_off(_session: Session, node: Node, records: Sequence[Record], **how: Any) -> None:
        later.append((node, records, how))

    def finish_in_two(self: Intake, frame: Frame) -> None:
        later.clear()
        finish(self, frame)
        for node, records, how in later:
            with node.write() as session:
                apply(session, node, records, **how)

    apply, finish = quarantine.apply_records, Intake._finish_segment
    patch.setattr(quarantine, "apply_records", put_off)
    patch.setattr(Intake, "_finish_segment", finish_in_two)


def with_trust_by_arrival(patch: pytest.MonkeyPatch) -> None:
    """What arrives once it is known that its node was withdrawn is not taken, what came before is."""

    def by_arrival(session: Session, key: LogKey) -> trust.Limit | None:
        return None if trust.revocation_of(session, key.origin) is None else trust.NO_TRUST

    patch.setattr(trust, "limit_of", by_arrival)


def with_trust_of_whatever_is_relayed(patch: pytest.MonkeyPatch) -> None:
    """A withdrawn node is refused, and what others bring of it is taken."""
    patch.setattr(trust, "limit_of", lambda *_: None)


def with_late_segments_readable(patch: pytest.MonkeyPatch) -> None:
    """What comes after an order is taken as ever; only what was held before is blacked out."""
    patch.setattr(blackout, "arriving", lambda _session, _node, encoded, _parts, records: (encoded, records))


def with_a_look_at_nothing_held(patch: pytest.MonkeyPatch) -> None:
    """Only what comes after an order is blacked out."""
    patch.setattr(blackout, "black_out_some", lambda *_: None)


def with_nothing_told_again(patch: pytest.MonkeyPatch) -> None:
    """What rotted is declared lost, though the host still has what it told."""
    patch.setattr(rot, "_seal_again", lambda *_: False)
    patch.setattr(losses, "untold", lambda *_: iter(()))


# Numbers by which a rule is noticed within a few schedules; by others it takes more of them.
@pytest.mark.parametrize(
    ("break_a_rule", "schedules", "number"),
    [
        (without_epochs, NARROW_SCHEDULES, 1),
        (with_a_cursor_of_time, NARROW_SCHEDULES, 3),
        (with_receipts_before_commit, NARROW_SCHEDULES, 2),
        (with_trust_by_arrival, REVOCATION_SCHEDULES, 1),
        (with_trust_of_whatever_is_relayed, REVOCATION_SCHEDULES, 4),
        (with_late_segments_readable, ERASURE_SCHEDULES, 1),
        (with_a_look_at_nothing_held, ERASURE_SCHEDULES, 1),
        (with_nothing_told_again, NARROW_ROT_SCHEDULES, 3),
    ],
)
def test_a_rule_broken_on_purpose_is_noticed(
    break_a_rule: Callable[[pytest.MonkeyPatch], None],
    schedules: st.SearchStrategy[list[Act]],
    number: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_a_rule(monkeypatch)

    with pytest.raises(AssertionError):
        run_many(300, schedules, number=number, phases=[Phase.generate], database=None)
