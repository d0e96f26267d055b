"""A training room: 30 officers on one hub, a commit every five seconds and pages between, and a film in the middle.

``make room`` runs it for half an hour (``--minutes``). Half-way, ten laptops open one film of 300 MB at once and read
it as fast as they are given it; the commits of that time are told apart. Clients and hub share this machine, so what
is waited for includes what the clients themselves take. What a commit costs is measured first, in turns with a bare
route.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

import orjson
import psutil

from lms.app import ServingNode
from lms.enrolment.actions import enrol
from lms.node import utc_now
from lms.settings import load_settings
from tests.benchmarks.cpu import costs_side_by_side
from tests.benchmarks.pages import bare_server, machine
from tests.large_school import LargeSchool, Size, fill, signed_in
from tests.media_builders import an_mp4
from tests.servers import NodeUnderTest, node

OFFICERS, EVERY_S, WATCHERS, FILM_MB = 30, 5.0, 10, 300
COMMITS_A_UNIT, COMMITS_A_PAGE = 24, 6
REACH_TIMES, REACH_MS = 30, 250


@dataclass(kw_only=True, slots=True)
class Seen:
    """What the officers met with."""

    commits_s: list[float] = field(default_factory=list)
    beside_film_s: list[float] = field(default_factory=list)
    pages_s: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    film: threading.Event = field(default_factory=threading.Event)  # while it is read
    end: threading.Event = field(default_factory=threading.Event)


class Browser:
    """One officer's browser; its connection to the course stays open."""

    def __init__(self, hub: NodeUnderTest, cookie: tuple[str, str], course: UUID) -> None:
        self.port = hub.port
        self.content = HTTPConnection("127.0.0.1", hub.content_port, timeout=60)
        self.headers = {"Host": f"localhost:{hub.port}", "Cookie": "=".join(cookie), "Origin": hub.url}
        self.course = course
        self.sequence = 0
        self.token = self.csrf = self.content_host = ""

    def ask(self, path: str, form: dict[str, str] | None = None) -> str:
        """Ask for a page, or send a form, and return what is shown in the end."""
        method, body, headers = "GET", None, dict(self.headers)
        if form is not None:
            method, body = "POST", urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        pages = HTTPConnection(
            "127.0.0.1", self.port, timeout=60
        )  # a browser's old one would be closed by now
        status, location, html = _answer(pages, method, path, body, headers)
        pages.close()
        if status in {302, 303}:
            return self.ask(location)
        if status != 200:
            raise WrongAnswerError(f"{status} for a page")
        return html.decode()

    def open_unit(self, *, after_another: bool) -> None:
        """Open the unit at which the officer is, with the files a browser asks for."""
        at = f"/learn/{self.course}"
        further = {"csrf_token": self.csrf, "request": "continue"}
        html = self.ask(f"{at}/go", further) if after_another else self.ask(at)
        frame = re.search(r'src="([^"]+/rt/[^"]+)"', html)
        if frame is None:
            raise WrongAnswerError("no unit was opened")
        parts = urlsplit(unescape(frame[1]))
        self.content_host, self.token, self.sequence = parts.netloc, parts.path.split("/")[2], 0
        found = re.search(r'name="csrf_token" value="([^"]+)"', html)
        self.csrf = found[1] if found else self.csrf
        for path in (f"{parts.path}?{parts.query}", f"/c/{self.token}/index.html"):
            status, _, _ = _answer(self.content, "GET", path, None, {"Host": self.content_host})
            if status not in {200, 404}:
                raise WrongAnswerError(f"{status} for a file of the course")

    def commit(self, *, ends: bool = False) -> None:
        """Save as a lesson does: where one is, what one has answered, how long one has been at it."""
        self.sequence += 1
        reason, phase = ("terminate", "terminated") if ends else ("commit", "running")
        body = a_commit(self.sequence, reason, phase)
        status, _, _ = _answer(
            self.content, "POST", f"/rt/{self.token}/commit", body,
            {"Host": self.content_host, "Content-Type": "application/json", "Origin": f"http://{self.content_host}"},
        )  # fmt: skip
        if status != 200:
            raise WrongAnswerError(f"{status} for a commit")


class WrongAnswerError(Exception):
    """The hub did not answer as it should."""


def a_commit(sequence: int, reason: str, phase: str) -> bytes:
    """Return a commit of about 2 kB."""
    values = {
        "cmi.location": str(sequence),
        "cmi.suspend_data": f"{sequence:04}" * 500,
        "cmi.completion_status": "completed" if phase == "terminated" else "incomplete",
        "cmi.success_status": "passed" if phase == "terminated" else "unknown",
        "cmi.progress_measure": f"{min(sequence / COMMITS_A_UNIT, 1):.2f}",
    }
    return orjson.dumps(
        {
            "sequence": sequence, "values": values, "reason": reason, "phase": phase,
            "session_time_s": sequence * 5, "learning_time_s": sequence * 5,
        }
    )  # fmt: skip


def main() -> None:
    """Fill a hub, measure a commit, let the room work, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="how long the room works (30)")
    parser.add_argument("--count", type=int, default=1000, help="commits whose cost is measured first (1000)")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        hub = stack.enter_context(node(folder / "hub", role="hub", name="Training room"))
        measured, browsers, watchers = _fill(hub, folder)
        hub.start()
        assert hub.process is not None
        times = _cost(hub.process.pid, measured, given.count)
        seen, memory = _work(hub, browsers, watchers, given.minutes)
    _show(times, seen, memory)


def _fill(hub: NodeUnderTest, folder: Path) -> tuple[Browser, list[Browser], list[Browser]]:
    """Make the officers, a course of 40 lessons, and a film; all are signed in."""
    opened = ServingNode(load_settings(data=str(hub.data)))
    school = fill(opened, folder, Size(people=OFFICERS + 1, begun=1, courses=2, taken=1, units=40))
    film = _import_film(opened, folder, school)
    cookies = [signed_in(opened, officer) for officer in school.officers]
    opened.close()
    first, *others = (Browser(hub, cookie, school.courses[0]) for cookie in cookies)
    return first, others, [Browser(hub, cookie, film) for cookie in cookies[:WATCHERS]]


def _import_film(opened: ServingNode, folder: Path, school: LargeSchool) -> UUID:
    path = folder / "film.mp4"
    noise = Random(1).randbytes(1_000_000)
    with path.open("wb") as file:
        file.write(an_mp4() + (FILM_MB * len(noise) + 8).to_bytes(4, "big") + b"free")
        for _ in range(FILM_MB):
            file.write(noise)
    imported = opened.importer.import_file(path, by=None, publish_it=True)
    assert imported.course is not None, imported
    with opened.database.write() as session:
        enrol(
            session, imported.course, school.officers, by=school.instructor, now=utc_now(), new_id=uuid4, due=None
        )  # fmt: skip
    return imported.course


def _cost(pid: int, browser: Browser, count: int) -> float:
    """Return how many times the CPU of a bare route that reads the same bytes one commit takes."""
    browser.open_unit(after_another=False)
    body = a_commit(1, "commit", "running")
    with bare_server() as (bare_pid, bare_port):
        other = HTTPConnection("127.0.0.1", bare_port)
        bare, ours = costs_side_by_side(
            [(partial(_answer, other, "POST", "/", body, {}), bare_pid), (browser.commit, pid)], count=count
        )
    print(f"a commit: {ours.median_us:.0f} µs of CPU, bare route {bare.median_us:.0f} µs", file=sys.stderr)
    return ours.median_us / bare.median_us


def _work(
    hub: NodeUnderTest, browsers: Sequence[Browser], watchers: Sequence[Browser], minutes: float
) -> tuple[Seen, list[float]]:
    """Let everybody work; return what was seen, and the memory of the hub in MB, minute by minute."""
    assert hub.process is not None
    seen, process = Seen(), psutil.Process(hub.process.pid)
    officers = [threading.Thread(target=_learn, args=(one, seen, n)) for n, one in enumerate(browsers)]
    for officer in officers:
        officer.start()
    began, memory, shown = time.monotonic(), [], False
    while (passed := time.monotonic() - began) < minutes * 60:
        time.sleep(min(60, minutes * 60 - passed))  # from one look at the memory to the next
        memory.append(process.memory_info().rss / 1e6)
        print(f"minute {len(memory)}: {memory[-1]:.0f} MB, {dict(seen.errors)}", file=sys.stderr, flush=True)
        if not shown and time.monotonic() - began > minutes * 30:
            shown = True
            _show_film(hub, watchers, seen)
    seen.end.set()
    for officer in officers:
        officer.join()
    return seen, memory


def _learn(browser: Browser, seen: Seen, place: int) -> None:
    """Take the course from unit to unit until the end of the lesson."""
    pages = ("/", f"/courses/{browser.course}", f"/learn/{browser.course}/bar", "/account")
    seen.end.wait(place * EVERY_S / OFFICERS)
    done, due = 0, time.monotonic()
    try:
        browser.open_unit(after_another=False)
        while not seen.end.is_set():
            done += 1
            ends = done % COMMITS_A_UNIT == 0
            began, beside = time.perf_counter(), seen.film.is_set()
            browser.commit(ends=ends)
            (seen.beside_film_s if beside else seen.commits_s).append(time.perf_counter() - began)
            began = time.perf_counter()
            if ends:
                browser.open_unit(after_another=True)
            elif done % COMMITS_A_PAGE == 0:
                browser.ask(pages[done // COMMITS_A_PAGE % len(pages)])
            if ends or done % COMMITS_A_PAGE == 0:
                seen.pages_s.append(time.perf_counter() - began)
            due += EVERY_S
            seen.end.wait(max(0.0, due - time.monotonic()))
    except (OSError, WrongAnswerError) as error:
        seen.errors[f"{type(error).__name__}: {error}"] += 1


def _show_film(hub: NodeUnderTest, watchers: Sequence[Browser], seen: Seen) -> None:
    """Have ten laptops open the film at once and read it to its end."""
    for watcher in watchers:
        watcher.open_unit(after_another=False)
    asked = [(hub.content_port, one.content_host, f"/c/{one.token}/video.mp4") for one in watchers]
    context = multiprocessing.get_context("spawn")
    with context.Pool(len(asked)) as pool:
        pool.map(_nothing, range(len(asked)))  # they are there before the film begins
        seen.film.set()
        began = time.perf_counter()
        sizes = pool.starmap(_watch, asked, chunksize=1)
        took = time.perf_counter() - began
        seen.film.clear()
    if min(sizes) < FILM_MB * 1_000_000:
        seen.errors["a film was cut short"] += 1
    print(f"film: {sum(sizes) / 1e6:.0f} MB in {took:.1f} s", file=sys.stderr, flush=True)


def _nothing(_number: int) -> None:
    time.sleep(0.2)  # so that each process of the pool takes one of these, and none two


def _watch(port: int, host: str, path: str) -> int:
    """Read a film as a browser asks for it, into nothing; return how many bytes came."""
    connection = HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("GET", path, headers={"Host": host, "Range": "bytes=0-"})
    response = connection.getresponse()
    room, size = bytearray(256 * 1024), 0
    while count := response.readinto(room):
        size += count
    return size


def _answer(
    connection: HTTPConnection, method: str, path: str, body: str | bytes | None, headers: dict[str, str]
) -> tuple[int, str, bytes]:
    """Return status, location and body."""
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, response.headers.get("Location", ""), response.read()


def _show(times: float, seen: Seen, memory: Sequence[float]) -> None:
    print(f"CPU of a commit: {times:.1f} × a bare route; reach {REACH_TIMES}")
    for name, waited in (
        ("commits", seen.commits_s),
        ("beside the film", seen.beside_film_s),
        ("pages", seen.pages_s),
    ):
        if len(waited) > 1:
            middle, p95, p99 = (statistics.quantiles(waited, n=100)[at] * 1000 for at in (49, 94, 98))
            print(
                f"{name}: {len(waited)}, median {middle:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms, "
                f"most {max(waited) * 1000:.0f} ms; reach p95 {REACH_MS} ms"
            )
    print(f"errors: {seen.errors.total()} {dict(seen.errors)}")
    settled = memory[min(5, len(memory) // 2) :]
    if settled:
        print(
            f"memory: {settled[0]:.0f} MB after {min(5, len(memory) // 2) + 1} min, {settled[-1]:.0f} MB at the end"
        )
    print(f"\n{machine()}")


if __name__ == "__main__":
    main()
