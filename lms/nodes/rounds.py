"""Go round the peers by itself: each is met when its time has come, in a thread of its own.

A link that comes up is told by a new address of this machine: a cable, a wireless network, a modem bring one, and to
look sends nothing. Behind a router that keeps its address the next try finds it, half an hour later at most.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy.orm import Session

from lms.nodes.actions import PeerBusyError, sync_with
from lms.nodes.links import hurry, instant, link_to, links, settle, turn_of
from lms.nodes.meter import Occasion, end_abandoned
from lms.nodes.tables import Ending, Link
from sync import ledger
from sync.node import Node

log = logging.getLogger(__name__)

FIRST_WITHIN: Final = timedelta(seconds=5)  # a class of laptops is switched on in the same minute
SETTLING: Final = timedelta(seconds=3)  # a new address may be there before what leads beyond it
_LOOK_AT_ADDRESSES_S: Final = 5.0
_LOOK_FOR_NEWS_S: Final = 30.0


class Rounds:
    """Meets the peers of this node that have an address.

    Args:
        node: as sync sees it.
        addresses_here: the addresses of this machine.
        dice: a number from 0 to 1, for rests that are not in step with those of other nodes.
    """

    def __init__(
        self,
        node: Node,
        *,
        addresses_here: Callable[[], Iterable[str]],
        dice: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._node = node
        self._addresses_here = addresses_here
        self._dice = dice
        self._monotonic = monotonic
        self._stop = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._seen: frozenset[str] | None = None
        self._look_at_addresses = 0.0
        self._look_for_news: dict[str, float] = {}

    def look_after(self) -> bool:
        """Begin with every peer whose time has come, for the worker; it keeps nobody waiting."""
        self._notice_links()
        self._threads = {peer: thread for peer, thread in self._threads.items() if thread.is_alive()}
        for peer, address, link in self._due():
            if not self._stop.is_set():
                meet = partial(self._meet, peer, address, link)
                self._threads[peer] = thread = threading.Thread(target=meet, name=f"meet {peer}", daemon=True)
                thread.start()
        return False

    def ask_to_stop(self) -> None:
        """Begin nothing more, and let what is under way end before its next request."""
        self._stop.set()

    def join(self, *, within_s: float) -> bool:
        """Wait until what is under way has ended; say whether it has."""
        deadline = time.monotonic() + within_s
        for thread in self._threads.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads.values())

    def _notice_links(self) -> None:
        if self._monotonic() < self._look_at_addresses:
            return
        self._look_at_addresses = self._monotonic() + _LOOK_AT_ADDRESSES_S
        here = frozenset(self._addresses_here())
        before, self._seen = self._seen, here
        if before is None:
            with self._node.write() as session:
                end_abandoned(session)
                hurry(session, due=instant(self._node) + FIRST_WITHIN * self._dice())
        elif here - before:
            log.info("link_appeared")
            with self._node.write() as session:
                hurry(session, due=instant(self._node) + SETTLING * (1 + self._dice()))

    def _due(self) -> list[tuple[str, str, Link]]:
        now = instant(self._node)
        with self._node.read() as session:
            reachable = [one for one in ledger.reachable(session) if one[0] not in self._threads]
            if not reachable:
                return []
            kept = links(session, [peer for peer, _ in reachable])
            found = []
            for peer, address in reachable:
                link = kept[peer]
                may_be_soon = link.soon is not None and link.soon <= now
                waits = may_be_soon and self._has_news_for(session, peer)
                at = turn_of(link, now=now, waits=waits).at
                if at is not None and at <= now:
                    found.append((peer, address, link))
        return found

    def _has_news_for(self, session: Session, peer: str) -> bool:
        if self._monotonic() < self._look_for_news.get(peer, 0.0):
            return False
        self._look_for_news[peer] = self._monotonic() + _LOOK_FOR_NEWS_S
        return ledger.has_news_for(session, self._node, peer)

    def _meet(self, peer: str, address: str, link: Link) -> None:
        asked, began = link.asked is not None, instant(self._node)
        occasion = Occasion(by_hand=asked, all_the_same=link.all_the_same, stop=self._stop, dice=self._dice)
        try:
            sync_with(self._node, peer, address, occasion, knocks=link.tries > 0 and not asked)
        except PeerBusyError:
            pass  # a command has it; looked at again in two seconds
        except Exception:  # one peer in trouble must not stop the others, nor be tried without a pause
            log.exception("meeting_failed", extra={"peer": peer})
            now = instant(self._node)
            with self._node.write() as session:
                settle(
                    link_to(session, peer),
                    Ending.INTERRUPTED,
                    moved=False,
                    began=began,
                    now=now,
                    dice=self._dice,
                )
