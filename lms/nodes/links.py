"""The links to peers as kept: their terms, what passed over them today, when each is used next."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.nodes.pace import SOON, Quiet, Standing, Terms, Turn, held_until, rest_after, when
from lms.nodes.tables import Ending, Link
from sync import ledger
from sync.node import Node


def instant(node: Node) -> datetime:
    """Return the present instant, in the zone of this machine: quiet hours and days are those of its wall."""
    return datetime.fromtimestamp(node.clock() / 1000, UTC).astimezone()


def links(session: Session, peers: Collection[str]) -> dict[str, Link]:
    """Return the links to some peers, to be read; one of which nothing is kept yet has no terms and is due."""
    kept = {link.peer: link for link in session.scalars(select(Link).where(Link.peer.in_(peers)))}
    return {peer: kept.get(peer) or _new(peer) for peer in peers}


def link_to(session: Session, peer: str) -> Link:
    """Return the link to a peer, to be changed; made now if nothing is kept of it."""
    link = session.get(Link, peer)
    if link is None:
        link = _new(peer)
        session.add(link)
        session.flush()
    return link


def _new(peer: str) -> Link:
    return Link(peer=peer, by_hand=False, spent=0, used_up=False, tries=0, all_the_same=False)


# ---------------------------------------------------------------- what holds, and until when


def terms_of(link: Link) -> Terms:
    """Return the terms of a link."""
    begin, to = link.quiet_from, link.quiet_to
    return Terms(
        by_hand=link.by_hand,
        quiet=None if begin is None or to is None else Quiet(begin, to),
        bytes_per_day=link.bytes_per_day,
    )


def set_terms(link: Link, terms: Terms, *, now: datetime) -> None:
    """Put other terms; what they allow begins at once."""
    quiet = terms.quiet
    link.by_hand, link.bytes_per_day = terms.by_hand, terms.bytes_per_day
    link.quiet_from, link.quiet_to = (None, None) if quiet is None else (quiet.begin, quiet.to)
    link.used_up, link.due = False, now


def standing_of(link: Link, *, now: datetime, waits: bool = False) -> Standing:
    """Return how things stand with a peer, on the day of *now*."""
    is_today = link.day == now.date()
    return Standing(
        asked=link.asked is not None,
        all_the_same=link.all_the_same,
        spent=link.spent if is_today else 0,
        used_up=link.used_up and is_today,
        due=link.due,
        soon=link.soon,
        tries=link.tries,
        waits=waits,
    )


def turn_of(link: Link, *, now: datetime, waits: bool = False) -> Turn:
    """Return when a peer is met next."""
    return when(terms_of(link), standing_of(link, now=now, waits=waits), now=now)


def held(link: Link, *, now: datetime) -> Turn:
    """Return until when the terms keep a peer from being met now (``at`` is ``None`` where they do not)."""
    return held_until(terms_of(link), standing_of(link, now=now), now=now)


# ---------------------------------------------------------------- what happens


def spend(link: Link, count: int, *, now: datetime) -> None:
    """Count bytes that have passed."""
    if link.day != now.date():
        link.day, link.spent, link.used_up = now.date(), 0, False
    link.spent += count


def settle(
    link: Link,
    ending: Ending,
    *,
    moved: bool,
    began: datetime,
    now: datetime,
    dice: Callable[[], float],
) -> None:
    """Note how a meeting ended, and when the next is due; *moved*: the other side was there."""
    # Who asked since it began waits for the next one, and whoever asked does where the program has ended.
    if ending is not Ending.CLOSING and link.asked is not None and link.asked <= began:
        link.asked, link.all_the_same = None, False
    link.soon = now + SOON if ending is Ending.DONE else None
    link.used_up |= ending is Ending.BUDGET
    if ending in {Ending.INTERRUPTED, Ending.REFUSED}:
        link.tries = 1 if moved and ending is Ending.INTERRUPTED else link.tries + 1
    else:
        link.tries = 0
    held_by_terms = ending in {Ending.BUDGET, Ending.QUIET, Ending.CLOSING}
    link.due = now if held_by_terms else now + rest_after(link.tries, dice=dice)


def hurry(session: Session, *, due: datetime) -> None:
    """Have every peer that has an address met at *due*: the program has begun, or a link has come up."""
    for peer, _ in ledger.reachable(session):
        link = link_to(session, peer)
        link.due, link.tries = due, min(link.tries, 1)
