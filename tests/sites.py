"""A laptop that has recorded something alone, and a centre it then joins over a link: processes, databases and all."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.poor_link import Link, PoorLink, poor_link
from tests.servers import LMS, NodeUnderTest, node

BATCH = 500
Statements = Sequence[dict[str, Any]]


@dataclass(kw_only=True, slots=True)
class Site:
    """A laptop, the centre it has joined, which serves, and the link between them."""

    laptop: NodeUnderTest
    centre: NodeUnderTest
    link: PoorLink
    key: tuple[str, str]

    def record(self, statements: Statements) -> None:
        """Let the laptop's record store take statements; its server is stopped then."""
        self.laptop.start()
        self.tell(statements)
        self.laptop.stop()

    def tell(self, statements: Statements) -> None:
        """Let the laptop's record store take statements; it serves already."""
        with httpx.Client(auth=self.key, headers={"X-Experience-API-Version": "1.0.3"}, timeout=60) as client:
            for first in range(0, len(statements), BATCH):
                batch = list(statements[first : first + BATCH])
                client.post(f"{self.laptop.url}/xapi/statements", json=batch).raise_for_status()

    def meet(self) -> dict[str, Any]:
        """Let the laptop deliver what it has, by the command, and return its report."""
        done = subprocess.run(
            [*LMS, "sync", "--json"], env=self.laptop.environment, capture_output=True, check=False
        )
        assert done.stdout, done.stderr.decode()
        report: dict[str, Any] = orjson.loads(done.stdout)
        return report


@contextmanager
def site(
    folder: Path, link: Link, recorded: Statements, *, role: str = "central", database_url: str = ""
) -> Iterator[Site]:
    """Give a site in *folder*, where the laptop has recorded something; what it joins is a centre or a hub.

    ``database_url`` is that of what it joins.
    """
    with ExitStack() as opened:
        centre = opened.enter_context(node(folder / "centre", role=role, database_url=database_url))
        laptop = opened.enter_context(node(folder / "laptop"))
        made = laptop.facts("lrs-key", "create", "programs", "--scope", "all")
        centre.start()
        between = opened.enter_context(poor_link(centre.port, link))
        here = Site(laptop=laptop, centre=centre, link=between, key=(made["key"], made["secret"]))
        here.record(recorded)
        code = centre.facts("node", "invite")["code"]
        peer = laptop.facts("node", "join", centre.url, code)["paired_with"]
        laptop.facts("node", "address", peer, f"http://localhost:{between.port}")
        yield here
