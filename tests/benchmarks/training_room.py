"""A training room: 30 officers on one hub, a commit every five seconds and pages between, and a film in the middle.

``make room`` runs it for half an hour (``--minutes``). Half-way, ten laptops open one film of 300 MB at once and read
it as fast as they are given it; the commits of that time are told apart. Clients and hub share this machine, so what
is waited for includes what the clients themselves take. What a commit costs is measured first, in turns with a bare
route.

It needs nobody beside it: each minute is told, and each error as it happens, after which its officer opens her lesson
again. At the end stands one table, with what the figures are to reach; the exit status says whether all do.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from http.client import HTTPException
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
from tests.benchmarks.lines import Line
from tests.benchmarks.pages import bare_server, machine
from tests.large_school import LargeSchool, Size, fill, signed_in
from tests.media_builders import an_mp4
from tests.servers import NodeUnderTest, node

OFFICERS, EVERY_S, WATCHERS, FILM_MB = 30, 5.0, 10, 300
COMMITS_A_UNIT, COMMITS_A_PAGE = 24, 6
ROUNDS = 5
REACH_TIMES, REACH_MS, REACH_GROWTH = 30, 250, 1.1
SETTLED_MINUTES = 5  # by then all that is built once has been


@dataclass(kw_only=True, slots=True)
class Seen:
    """What the officers met with; ``times`` is what a commit takes of the CPU beside a bare route, round by round."""

    times: list[float] = field(default_factory=list)
    commits_s: list[float] = field(default_factory=list)
    beside_film_s: list[float] = field(default_factory=list)
    pages_s: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)  # at the beginning, and then minute by minute
    errors: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)
    film: threading.Event = field(default_factory=threading.Event)  # while it is read
    end: threading.Event = field(default_factory=threading.Event)

    def note_error(self, doing: str, error: Exception | str) -> None:
        """Count an error, and tell of it at once."""
        what = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else error
        self.errors[f"{doing}: {what}"] += 1
        self.tell(f"ERROR while {doing}: {what}")

    def tell(self, what: str) -> None:
        """Print something with the minute of it."""
        print(f"{(time.monotonic() - self.began) / 60:5.1f} min  {what}", file=sys.stderr, flush=True)


class Browser:
    """One officer's browser; its connection to the course stays open."""

    def __init__(self, hub: NodeUnderTest, cookie: tuple[str, str], course: UUID) -> None:
        self.port = hub.port
        self.content = Line(hub.content_port)
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
        pages = Line(self.port)  # a browser's old one would be closed by now
        status, location, html = pages.ask(method, path, body, headers)
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
            status = self.content.ask("GET", path, None, {"Host": self.content_host}).status
            if status not in {200, 404}:
                raise WrongAnswerError(f"{status} for a file of the course")

    def commit(self, *, ends: bool = False) -> None:
        """Save as a lesson does: where one is, what one has answered, how long one has been at it."""
        self.sequence += 1
        reason, phase = ("terminate", "terminated") if ends else ("commit", "running")
        body = a_commit(self.sequence, reason, phase)
        told = {"Content-Type": "application/json", "Origin": f"http://{self.content_host}"}
        headers = {"Host": self.content_host, **told}
        answer = self.content.ask("POST", f"/rt/{self.token}/commit", body, headers)
        if answer.status != 200:
            raise WrongAnswerError(f"{answer.status} for a commit: {answer.body[:200]!r}")


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
        seen = _work(hub, browsers, watchers, given.minutes)
        seen.times = times
    sys.exit(0 if _show(seen, given.minutes) else 1)


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


def _cost(pid: int, browser: Browser, count: int) -> list[float]:
    """Return how many times the CPU of a bare route that reads the same bytes one commit takes, round by round."""
    browser.open_unit(after_another=False)
    body = a_commit(1, "commit", "running")
    times = []
    with bare_server() as (bare_pid, bare_port):
        ask = partial(Line(bare_port).ask, "POST", "/", body)
        for _ in range(ROUNDS):
            measured: list[tuple[Callable[[], object], int]] = [(ask, bare_pid), (browser.commit, pid)]
            bare, ours = costs_side_by_side(measured, count=max(1, count // ROUNDS))
            times.append(ours.median_us / bare.median_us)
            print(
                f"a commit: {ours.median_us:.0f} µs of CPU, bare route {bare.median_us:.0f} µs",
                file=sys.stderr,
                flush=True,
            )
    return times


def _work(
    hub: NodeUnderTest, browsers: Sequence[Browser], watchers: Sequence[Browser], minutes: float
) -> Seen:
    """Let everybody work; return what was seen."""
    assert hub.process is not None
    seen, process = Seen(), psutil.Process(hub.process.pid)
    seen.memory_mb.append(process.memory_info().rss / 1e6)
    officers = [threading.Thread(target=_learn, args=(one, seen, n)) for n, one in enumerate(browsers)]
    for officer in officers:
        officer.start()
    film = threading.Thread(target=_show_film, args=(hub, watchers, seen))
    shown = False
    while (passed := time.monotonic() - seen.began) < minutes * 60:
        time.sleep(min(60, minutes * 60 - passed))  # from one look at the memory to the next
        if hub.process.poll() is not None:
            seen.note_error("serving", f"the hub ended with {hub.process.returncode}")
            seen.tell(hub.log()[-4000:])
            break
        seen.memory_mb.append(process.memory_info().rss / 1e6)
        seen.tell(_so_far(seen))
        if not shown and time.monotonic() - seen.began >= minutes * 30:
            shown = True
            film.start()
    if shown:
        film.join()
    seen.end.set()
    for officer in officers:
        officer.join()
    return seen


def _so_far(seen: Seen) -> str:
    waited = seen.commits_s[-600:]
    p95 = f", p95 of the last {len(waited)} {_ms(waited)[1]:.0f} ms" if len(waited) > 1 else ""
    return f"{seen.memory_mb[-1]:.0f} MB, {len(seen.commits_s)} commits{p95}, {seen.errors.total()} errors"


def _learn(browser: Browser, seen: Seen, place: int) -> None:
    """Take the course from unit to unit until the end of the lesson; after an error the lesson is opened again."""
    seen.end.wait(place * EVERY_S / OFFICERS)
    while not seen.end.is_set():
        try:
            _take_course(browser, seen)
        except (OSError, HTTPException, WrongAnswerError) as error:
            seen.note_error("learning", error)
            seen.end.wait(EVERY_S)


def _take_course(browser: Browser, seen: Seen) -> None:
    pages = ("/", f"/courses/{browser.course}", f"/learn/{browser.course}/bar", "/account")
    done, due = 0, time.monotonic()
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


def _show_film(hub: NodeUnderTest, watchers: Sequence[Browser], seen: Seen) -> None:
    """Have ten laptops open the film at once and read it to its end."""
    with ExitStack() as stack:
        try:
            for watcher in watchers:
                watcher.open_unit(after_another=False)
            laptops = [stack.enter_context(_laptop(hub, one)) for one in watchers]
            for laptop in laptops:
                _hear(laptop)  # that it is there
            seen.film.set()
            began = time.perf_counter()
            for laptop in laptops:
                _begin(laptop)
            sizes = [int(_hear(laptop) or 0) for laptop in laptops]
            took = time.perf_counter() - began
        except (OSError, HTTPException, WrongAnswerError) as error:
            seen.note_error("watching the film", error)
            return
        finally:
            seen.film.clear()
    if min(sizes) < FILM_MB * 1_000_000:
        seen.note_error("watching the film", f"{min(sizes)} bytes of it came")
    seen.tell(f"the film: {sum(sizes) / 1e6:.0f} MB in {took:.1f} s")


@contextmanager
def _laptop(hub: NodeUnderTest, watcher: Browser) -> Iterator[subprocess.Popen[str]]:
    """Give a process that will read the film; it ends with the block."""
    film = (str(hub.content_port), watcher.content_host, f"/c/{watcher.token}/video.mp4")
    command = [sys.executable, "-m", "tests.benchmarks.watching", *film]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _hear(laptop: subprocess.Popen[str]) -> str:
    """Return what a laptop says next; nothing where it has ended."""
    assert laptop.stdout is not None
    return laptop.stdout.readline().strip()


def _begin(laptop: subprocess.Popen[str]) -> None:
    assert laptop.stdin is not None
    laptop.stdin.write("now\n")
    laptop.stdin.flush()


def _ms(waited: Sequence[float]) -> tuple[float, float, float, float]:
    """Return p50, p95, p99 and the most, in milliseconds."""
    cut = statistics.quantiles(waited, n=100, method="inclusive")
    return cut[49] * 1000, cut[94] * 1000, cut[98] * 1000, max(waited) * 1000


def _show(seen: Seen, minutes: float) -> bool:
    """Print the table; say whether everything is within reach."""
    print(f"\nA room of {OFFICERS} officers for {minutes:g} min, a commit of each every {EVERY_S:g} s")
    kept = [_shown_times(seen.times)]
    print(f"{'waited for, ms':<24}{'count':>8}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>8}{'reach':>12}")
    waits = {
        "a commit": (seen.commits_s, REACH_MS),
        "a commit beside the film": (seen.beside_film_s, REACH_MS),
        "a page": (seen.pages_s, None),
    }
    for name, (waited, reach) in waits.items():
        print(f"{name:<24}{len(waited):>8}", end="")
        if len(waited) < 2:
            print("   too few")
            kept.append(False)
            continue
        p50, p95, p99, most = _ms(waited)
        print(f"{p50:>8.0f}{p95:>8.0f}{p99:>8.0f}{most:>8.0f}", end="")
        print("" if reach is None else f"{f'p95 ≤ {reach}':>12}{_verdict(p95 <= reach)}")
        kept.append(reach is None or p95 <= reach)
    kept += [_shown_memory(seen.memory_mb), not seen.errors]
    print(f"{'errors':<24}{seen.errors.total():>8}{'':>32}{'none':>12}{_verdict(not seen.errors)}")
    for what, count in seen.errors.most_common():
        print(f"{count:>8} × {what}")
    print(f"\n{machine()}")
    return all(kept)


def _shown_times(times: Sequence[float]) -> bool:
    within = statistics.median(times) <= REACH_TIMES
    found = f"least {min(times):.1f}, median {statistics.median(times):.1f}"
    print(f"CPU of a commit, × a bare route: {found:<31}{f'≤ {REACH_TIMES}':>12}{_verdict(within)}")
    return within


def _shown_memory(memory: Sequence[float]) -> bool:
    """Compare the end with the time when all was settled: the fifth minute, or half-way in a short run."""
    settled = memory[min(SETTLED_MINUTES, len(memory) // 2)]
    within = memory[-1] <= settled * REACH_GROWTH
    print(
        f"memory of the hub, MB: {memory[0]:.0f} at the start, {settled:.0f} settled, {memory[-1]:.0f} at the end, "
        f"{max(memory):.0f} at most; reach: end ≤ {REACH_GROWTH:g} × settled{_verdict(within)}"
    )
    return within


def _verdict(within: bool) -> str:
    return "   yes" if within else "   NO"


if __name__ == "__main__":
    main()
