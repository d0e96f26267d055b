"""One meeting as it goes on: held to the terms of its link, counted before each request, told to whoever looks.

What a killed process leaves is counted but for the request that was under way; its meeting is ended by the next one
with the same peer, and by the next process that goes round the peers.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lms.nodes.links import held, instant, link_to, settle, spend
from lms.nodes.pace import Why
from lms.nodes.tables import Ending, Link, Meeting
from sync.engine import SyncReport
from sync.errors import StoppedError
from sync.node import Node
from sync.ports import Traffic

KEPT_PER_PEER: Final = 200
_LOOK_EVERY_S: Final = 1.0

_SAID = {
    Ending.BUDGET: "The bytes of this day are used; it goes on tomorrow.",
    Ending.QUIET: "The quiet hours have begun; it goes on when they end.",
    Ending.CANCELLED: "It was cancelled; the next meeting goes on where this one stopped.",
    Ending.CLOSING: "The program ends; the next meeting goes on where this one stopped.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Occasion:
    """Why a meeting is held, and what may end it.

    Attributes:
        by_hand: a person has asked for it.
        all_the_same: whatever the terms; it is counted all the same.
        stop: set where the meeting is to end before its next request,
        stopped_by: and what that is called then.
        told: hears of traffic and records as they pass.
        dice: a number from 0 to 1, for rests that are not in step with those of other nodes.
    """

    by_hand: bool
    all_the_same: bool = False
    stop: Event = field(default_factory=Event)
    stopped_by: Ending = Ending.CLOSING
    told: Callable[[Traffic, SyncReport], None] = lambda _traffic, _report: None
    dice: Callable[[], float] = random.random


class Meter:
    """Keeps one meeting: see ``sync.metered.Meter``.

    Args:
        traffic: the running totals of its transport.
    """

    def __init__(self, node: Node, peer: str, traffic: Traffic, occasion: Occasion) -> None:
        self._node = node
        self._peer = peer
        self._traffic = traffic
        self._occasion = occasion
        self._report = SyncReport(state="done")
        self._counted = 0
        self._looked = time.monotonic()
        self._began = instant(node)
        meeting = Meeting(peer=peer, by_hand=occasion.by_hand, started=self._began, heard=self._began)
        with node.write() as session:
            end_abandoned(session, peer)
            session.add(meeting)
            session.flush()
            _forget_old(session, peer)
        self._id = meeting.id

    def room(self) -> int | None:
        """Count what has passed, then say how much more may."""
        return self._go_on()

    def look(self) -> None:
        """Once in a second, count what has passed, and hear whether to end."""
        if time.monotonic() - self._looked >= _LOOK_EVERY_S:
            self._go_on(mid_answer=True)

    def told(self, report: SyncReport) -> None:
        """Hear from the engine how many records have passed."""
        self._report = report
        self._occasion.told(self._traffic, report)

    def pause(self, seconds: float) -> None:
        """Wait before a broken link is tried again."""
        self._occasion.stop.wait(seconds)

    def end(self, report: SyncReport) -> None:
        """Note how it ended, and when the next one is due."""
        self._report = report
        now = instant(self._node)
        with self._node.write() as session:
            meeting, link = self._write_down(session, now)
            meeting.finished, meeting.ending, meeting.detail = now, Ending(report.state), report.detail
            moved = bool(self._traffic.bytes_down)
            settle(link, meeting.ending, moved=moved, began=self._began, now=now, dice=self._occasion.dice)

    def _go_on(self, *, mid_answer: bool = False) -> int | None:
        self._looked = time.monotonic()
        now = instant(self._node)
        with self._node.write() as session:
            meeting, link = self._write_down(session, now)
        self._occasion.told(self._traffic, self._report)
        if meeting.cancelled:
            raise _stopped(Ending.CANCELLED)
        if self._occasion.stop.is_set():
            raise _stopped(self._occasion.stopped_by)
        if self._occasion.all_the_same:
            return None
        why = held(link, now=now).why
        if why is Why.QUIET:
            raise _stopped(Ending.QUIET)
        if why is Why.BUDGET and not mid_answer:
            raise _stopped(Ending.BUDGET)
        return None if link.bytes_per_day is None else link.bytes_per_day - link.spent

    def _write_down(self, session: Session, now: datetime) -> tuple[Meeting, Link]:
        traffic, report = self._traffic, self._report
        meeting, link = session.get_one(Meeting, self._id), link_to(session, self._peer)
        meeting.bytes_up, meeting.bytes_down = traffic.bytes_up, traffic.bytes_down
        meeting.bytes_left = report.bytes_left
        meeting.sent, meeting.received = report.sent, report.received
        meeting.to_send, meeting.to_receive = report.to_send, report.to_receive
        meeting.receipts, meeting.heard = report.receipts, now
        passed = traffic.bytes_up + traffic.bytes_down
        spend(link, passed - self._counted, now=now)
        session.flush()
        self._counted = passed
        return meeting, link


def cancel_meetings(session: Session) -> None:
    """Have every meeting that is under way end before its next request, and drop what was asked for."""
    session.execute(update(Meeting).where(Meeting.finished.is_(None)).values(cancelled=True))
    session.execute(update(Link).values(asked=None, all_the_same=False))


def end_abandoned(session: Session, peer: str | None = None) -> None:
    """End the meetings, with one peer or any, that a process left when it was killed, as of their last sign."""
    left = update(Meeting).where(Meeting.finished.is_(None))
    if peer is not None:
        left = left.where(Meeting.peer == peer)
    session.execute(left.values(finished=Meeting.heard, ending=Ending.INTERRUPTED))


def _stopped(ending: Ending) -> StoppedError:
    return StoppedError(ending.value, _SAID[ending])


def _forget_old(session: Session, peer: str) -> None:
    of_peer = select(Meeting.id).where(Meeting.peer == peer).order_by(Meeting.id.desc())
    last = session.scalar(of_peer.offset(KEPT_PER_PEER).limit(1))
    if last is not None:
        session.execute(delete(Meeting).where(Meeting.peer == peer, Meeting.id <= last))
