"""What one night costs a centre to which 300 sites of 10 laptops report, and what would be its first limit.

``make bench-night`` runs it: the centre is a real one, with several server processes on PostgreSQL. A site is a hub as
the centre sees it, and no more: it greets, pushes and listens by the program's own conversation over HTTP, with keys,
certificates and segments of its own and of its ten laptops; it keeps no database. Each request is a connection of its
own, so one conversation is answered by several processes.

A first night, in which all are new to the centre, is not measured; in the second each laptop brings what it recorded in
a day. Then all greet once more, with nothing new; and once more after the centre was given the heads and certificates
of 100,000 laptops, as it would hold them.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import orjson
import psutil
from sqlalchemy import Connection, create_engine, insert, select, text

from sync import identity, pairing, segment
from sync.client import HttpTransport
from sync.clock import Stamp
from sync.identity import NodeKey, new_key, sign_paper
from sync.messages import (
    Certificate,
    Delivery,
    Frame,
    Join,
    Joined,
    Push,
    Record,
    SegmentRef,
    Signed,
    Welcome,
)
from sync.node import random_epoch
from sync.session import Conversation, Opening
from sync.tables import CertificateRow, LogRow, ReceiptRow
from sync.vector import NOTHING, Head, LogKey
from tests.benchmarks.cpu import cpu_ns, family
from tests.benchmarks.pages import machine
from tests.benchmarks.traffic import of_a_post
from tests.postgres import start_postgres
from tests.servers import NodeUnderTest, node

SITES, LAPTOPS, A_DAY = 300, 10, 40
WORKERS, AT_ONCE = 2, 4
MANY = 100_000
V = "1.0.3"


@dataclass(kw_only=True, slots=True)
class Laptop:
    """A laptop that nobody but its hub meets; ``days`` are its segments."""

    key: NodeKey
    paper: Signed
    log: LogKey
    head: Head = NOTHING
    days: list[tuple[SegmentRef, bytes]] = field(default_factory=list)

    def record(self, statements: Sequence[dict[str, object]]) -> None:
        """Seal a day."""
        first = self.head.seq + 1
        records = [
            Record(
                seq=first + number,
                kind="statement",
                key=str(one["id"]),
                schema=1,
                body=orjson.dumps(one),
                stamp=Stamp(1_764_000_000_000 + first + number, 0),
            )
            for number, one in enumerate(statements)
        ]
        encoded = segment.seal(records, log=self.log, previous=self.head.root, key=self.key)
        taken = segment.take_apart(encoded)
        self.head = Head(records[-1].seq, taken.header.root)
        ref = SegmentRef(
            digest=hashlib.sha256(encoded).hexdigest(),
            size=len(encoded),
            log=self.log,
            first=first,
            last=self.head.seq,
            root=taken.header.root,
        )
        self.days.append((ref, encoded))


class SiteOfLaptops:
    """A hub with its laptops, as the centre meets it."""

    def __init__(self, centre: NodeUnderTest, number: int, code: str) -> None:
        self._centre = centre
        self._key, self._epoch = new_key(), random_epoch()
        question, _ = pairing.ask_to_join(self._key, name=f"Hub {number}", role="hub", code=code)
        self._peer, papers = _joined(centre, question)
        self._me = next(one for one in map(identity.read_certificate, papers) if one.node == self._key.node)
        self.laptops = [self._laptop(f"Laptop {number}-{one}") for one in range(LAPTOPS)]
        self._papers = [*papers, *(one.paper for one in self.laptops)]
        self._said: dict[LogKey, Head] = {}
        self._known: dict[LogKey, Head] = {}  # what came down

    def _laptop(self, name: str) -> Laptop:
        key = new_key()
        certificate = Certificate(
            node=key.node, public_key=key.public_key, name=name, role="laptop", issued_ms=self._me.issued_ms
        )
        log = LogKey(key.node, random_epoch(), "up")
        return Laptop(key=key, paper=sign_paper(self._key, certificate), log=log)

    def meet(self) -> int:
        """Hold a conversation, each request over a connection of its own; return how many requests it took."""
        limits = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(timeout=120, limits=limits) as client:
            link = HttpTransport(self._centre.url, key=self._key, to=self._peer, client=client)
            self._converse(link)
            return link.traffic.turns

    def _converse(self, link: HttpTransport) -> None:
        ours = {one.log: one.head for one in self.laptops if one.head.seq} | self._known
        kept = {ref.digest: encoded for one in self.laptops for ref, encoded in one.days}
        talk = Conversation(
            Opening(
                me=self._me,
                epoch=self._epoch,
                held=ours,
                said=self._said,
                now_ms=time.time_ns() // 1_000_000,
                certificates=self._papers,
            )
        )
        while (message := talk.next()) is not None:
            if isinstance(message, Push):
                message = message.model_copy(update={"certificates": tuple(self._papers)})
                body = (_cut(kept, frame) for frame in message.frames)
            else:
                body = iter(())
            with link.ask(message, body) as reply:
                talk.receive(reply.message)
                for _ in reply.chunks():
                    pass
                if isinstance(reply.message, Welcome) and not reply.message.base_unknown:
                    talk.offer([ref for one in self.laptops for ref, _ in one.days])
                elif isinstance(reply.message, Delivery):
                    self._known |= {
                        key: head for key, head in talk.peer_heads().items() if key.origin == self._peer
                    }
                    talk.took(self._known, partials=(), wanted=(), moved=True)
        self._said = dict(talk.told)
        assert talk.left() == (0, 0), talk.left()


def _joined(centre: NodeUnderTest, question: Join) -> tuple[str, list[Signed]]:
    link = HttpTransport(centre.url, key=new_key(), to=None)
    with link.ask(question) as reply:
        answer = reply.message
    link.close()
    assert isinstance(answer, Joined), answer
    return answer.node, list(answer.certificates)


def _cut(kept: dict[str, bytes], frame: Frame) -> bytes:
    return kept[frame.digest][frame.offset : frame.offset + frame.length]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sites", type=int, default=SITES, help=f"hubs, of {LAPTOPS} laptops each ({SITES})")
    asked = parser.parse_args()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="outpost-night-")))
        kept = opened.enter_context(tempfile.TemporaryDirectory(prefix="outpost-postgres-"))
        postgres = opened.enter_context(start_postgres(Path(kept)))
        url = postgres.create()
        centre = opened.enter_context(node(folder / "centre", role="central", database_url=url))
        centre.start("--workers", str(WORKERS))
        sites = [
            SiteOfLaptops(centre, number, code) for number, code in enumerate(_codes(centre, asked.sites))
        ]
        _record(sites, seed=1)
        _together(sites)
        _record(sites, seed=2)
        measured = Watched(centre)
        count = asked.sites * LAPTOPS * A_DAY
        report("one night", measured.over(lambda: _together(sites)), count=count, greetings=0)
        _together(sites)  # hears the receipts
        report("nothing new", measured.over(lambda: _together(sites)), count=0, greetings=asked.sites)
        engine = create_engine(url)
        with engine.begin() as connection:
            there = connection.scalar(text("SELECT count(*) FROM xapi_statement"))
            assert there == 2 * count, there
            add_laptops(connection, sites[0].laptops[0], MANY)
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("ANALYZE"))
        engine.dispose()
        _together(sites)
        spent = measured.over(lambda: _together(sites))
        report(f"nothing new, beside {MANY:,} laptops", spent, count=0, greetings=asked.sites)
    print(machine())


def _codes(centre: NodeUnderTest, count: int) -> Iterator[str]:
    for _ in range(count):
        yield centre.facts("node", "invite", "--role", "hub")["code"]


def _record(sites: Sequence[SiteOfLaptops], *, seed: int) -> None:
    for number, one in enumerate(sites):
        told = of_a_post(seed * 10_000 + number)
        for laptop in one.laptops:
            laptop.record([{**statement, "version": V} for statement in itertools.islice(told, A_DAY)])


def _together(sites: Sequence[SiteOfLaptops]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as beside:
        list(beside.map(SiteOfLaptops.meet, sites))


@dataclass(kw_only=True, slots=True)
class Spent:
    """What something cost: seconds by the clock and of CPU; memory in MB."""

    seconds: float
    cpu_s: float
    database_cpu_s: float
    each_cpu_s: list[float]
    memory: float


class Watched:
    """A centre with its processes and those of its database."""

    def __init__(self, centre: NodeUnderTest) -> None:
        assert centre.process is not None
        self._pid = centre.process.pid
        self._memory = 0.0

    def over(self, act: Callable[[], object]) -> Spent:
        """Do something and return what it cost the centre."""
        mine, other = family(self._pid), _postgres()
        before, began = [cpu_ns([one]) for one in mine], time.monotonic()
        database = _database_ns(other)
        self._memory, done = 0.0, threading.Event()
        look = threading.Thread(target=self._look, args=(mine, done))
        look.start()
        act()
        done.set()
        look.join()
        each = [(cpu_ns([one]) - then) / 1e9 for one, then in zip(mine, before, strict=True)]
        return Spent(
            seconds=time.monotonic() - began,
            cpu_s=sum(each),
            database_cpu_s=(_database_ns(_postgres()) - database) / 1e9,
            each_cpu_s=each,
            memory=self._memory,
        )

    def _look(self, pids: Sequence[int], done: threading.Event) -> None:
        while not done.wait(0.5):
            self._memory = max(self._memory, sum(psutil.Process(one).memory_info().rss for one in pids) / 1e6)


def _postgres() -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["name"]) if one.info["name"] == "postgres"]


def _database_ns(processes: Sequence[psutil.Process]) -> float:
    total = 0.0
    for one in processes:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        # Of connections that have ended the postmaster is told.
        total += times.user + times.system + times.children_user + times.children_system
    return total * 1e9


def report(what: str, spent: Spent, *, count: int, greetings: int) -> None:
    """Print what something cost."""
    print(
        f"{what}: {spent.seconds:.0f} s; {WORKERS} server processes, at most {spent.memory:.0f} MB together"
    )
    print("  CPU of each process: " + ", ".join(f"{one:.1f}" for one in spent.each_cpu_s) + " s", end="")
    print(f"; of the database {spent.database_cpu_s:.1f} s")
    both = spent.cpu_s + spent.database_cpu_s
    if count:
        print(f"  {count:,} statements: {spent.cpu_s / count * 10_000:.1f} s for 10,000", end="")
        print(f", with the database {both / count * 10_000:.1f} s")
    if greetings:
        print(f"  {greetings} greetings: {both / greetings * 1_000:.1f} ms each, with the database")


def add_laptops(connection: Connection, like: Laptop, count: int) -> None:
    """Give the centre the heads and certificates of so many laptops, and the receipts that it signed for them."""
    paper = {"signer": like.paper.signer, "text": like.paper.text, "signature": like.paper.signature}
    head = {"epoch": like.log.epoch, "scope": like.log.scope, "seq": like.head.seq, "root": like.head.root}
    of_it = select(ReceiptRow.__table__).where(ReceiptRow.origin == like.key.node)
    receipt = dict(connection.execute(of_it).mappings().one())
    for first in range(0, count, 5_000):
        names = [secrets.token_hex(13) for _ in range(first, min(first + 5_000, count))]
        connection.execute(insert(LogRow), [{**head, "origin": name} for name in names])
        connection.execute(insert(CertificateRow), [{**paper, "node": name} for name in names])
        receipts = [
            {**receipt, "origin": name, "position": -number}
            for number, name in enumerate(names, start=first + 1)
        ]
        connection.execute(insert(ReceiptRow), receipts)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
