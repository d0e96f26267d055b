"""What the pages of a large school cost: bytes sent, CPU used, and how that compares to a bare route.

``make bench`` runs it: a laptop's server with 1,000 officers and 100 courses, paired and partly delivered,
and beside it the bare application of :mod:`tests.benchmarks.bare` under the same server and client. Each page
and the bare route are measured in turns. What a browser loads is counted by Chromium, where there is one.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Response, sync_playwright

from lms.app import ServingNode
from lms.settings import load_settings
from tests.benchmarks.cpu import Cost, costs_side_by_side
from tests.large_school import Size, fill, joined, learn, pages, read_feed, signed_in
from tests.servers import NodeUnderTest, free_port, node

SIZE = Size(people=1000, begun=1000, courses=100, taken=40)
LANGUAGES = ("en", "ar")


@dataclass(frozen=True, kw_only=True, slots=True)
class PageAsked:
    """A page and the cookie of the person who asks for it."""

    name: str
    path: str
    cookie: tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What is printed of one page."""

    name: str
    status: int
    html: int
    loaded: Mapping[str, int]  # bytes by language; empty without a browser
    cost: Cost
    bare: Cost

    @property
    def ratio(self) -> float:
        """How many times the CPU of the bare route it takes."""
        return self.cost.median_us / self.bare.median_us


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="requests of each kind (1000)")
    parser.add_argument("--only", default="", help="only pages whose name has this in it")
    given = parser.parse_args()
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        laptop = stack.enter_context(node(folder / "laptop", name="Nyeri post, laptop 4"))
        asked = [page for page in _build(laptop, folder) if given.only in page.name]
        laptop.start()
        bare = stack.enter_context(bare_server())
        browser = stack.enter_context(_chromium())
        rows = []
        for page in asked:
            rows.append(_measure(laptop, page, bare, browser, count=given.count))
            print(".", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    _show(rows)
    print(f"\n{machine()}; {time.monotonic() - began:.0f} s in all")


# ---------------------------------------------------------------- what is measured


def _build(laptop: NodeUnderTest, folder: Path) -> list[PageAsked]:
    """Fill a laptop, deliver it to a centre, and let some more happen afterwards."""
    opened = ServingNode(load_settings(data=str(laptop.data)))
    school = fill(opened, folder, SIZE)
    with joined(opened, folder) as meet:
        meet()
    for officer in school.officers[1:20]:
        learn(opened, officer, school.courses[0], units=1)
    read_feed(opened)
    cookies = {person: signed_in(opened, person) for person in (school.officers[0], school.instructor)}
    opened.close()
    return [
        PageAsked(name=name, path=path, cookie=cookies[person])
        for name, (path, person) in pages(school).items()
    ]


def _measure(
    laptop: NodeUnderTest, page: PageAsked, bare: tuple[int, int], browser: Browser | None, *, count: int
) -> Row:
    assert laptop.process is not None
    bare_pid, bare_port = bare
    with _client(laptop.port, page) as ask, _client(bare_port, page) as ask_bare:
        status, html = ask()
        costs = costs_side_by_side([(ask_bare, bare_pid), (ask, laptop.process.pid)], count=count)
    loaded = {language: _loaded(browser, laptop, page, language) for language in LANGUAGES} if browser else {}
    return Row(name=page.name, status=status, html=html, loaded=loaded, cost=costs[1], bare=costs[0])


@contextmanager
def _client(port: int, page: PageAsked) -> Iterator[Callable[[], tuple[int, int]]]:
    """Give a function that asks for the page over one connection and returns status and bytes."""
    connection = HTTPConnection("localhost", port)
    name, value = page.cookie
    headers = {"Cookie": f"{name}={value}", "Accept": "text/html", "Accept-Language": "en"}

    def ask() -> tuple[int, int]:
        connection.request("GET", page.path, headers=headers)
        response = connection.getresponse()
        return response.status, len(response.read())

    try:
        yield ask
    finally:
        connection.close()


@contextmanager
def bare_server() -> Iterator[tuple[int, int]]:
    """Serve the bare application; gives its process and port."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "tests.benchmarks.bare", str(port)]) as process:
        while True:
            with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        try:
            yield process.pid, port
        finally:
            process.kill()


@contextmanager
def _chromium() -> Iterator[Browser | None]:
    """Give a browser, or nothing where there is none."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def _loaded(browser: Browser, laptop: NodeUnderTest, page: PageAsked, language: str) -> int:
    """Return the bytes a browser with nothing kept loads from the LMS host to show the page."""
    sizes: dict[str, int] = {}

    def note(response: Response) -> None:
        if urlsplit(response.url).port == laptop.port and response.ok:
            sizes[response.url] = len(response.body())

    with browser.new_context(viewport={"width": 1366, "height": 768}, locale=language) as context:
        name, value = page.cookie
        context.add_cookies([{"name": name, "value": value, "url": laptop.url}])
        shown = context.new_page()
        shown.on("response", note)
        shown.goto(laptop.url + page.path, wait_until="networkidle")
    return sum(sizes.values())


# ---------------------------------------------------------------- what is printed


def _show(rows: Sequence[Row]) -> None:
    print(f"{'page':<18}{'status':>7}{'HTML kB':>9}", end="")
    print("".join(f"{f'all, {language}':>9}" for language in LANGUAGES), end="")
    print(f"{'CPU µs':>9}{'p95':>8}{'bare µs':>9}{'× bare':>8}{'wall ms':>9}")
    for row in rows:
        print(f"{row.name:<18}{row.status:>7}{row.html / 1000:>9.1f}", end="")
        print(
            "".join(f"{row.loaded[one] / 1000:>9.1f}" if row.loaded else f"{'-':>9}" for one in LANGUAGES),
            end="",
        )
        print(f"{row.cost.median_us:>9.0f}{row.cost.p95_us:>8.0f}", end="")
        print(f"{row.bare.median_us:>9.0f}{row.ratio:>8.1f}{row.cost.wall_ms:>9.2f}")


def machine() -> str:
    """Say on what machine figures were taken."""
    return (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"SQLite {sqlite3.sqlite_version}, load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
