"""How fast a hub fills a new laptop with courses, beside curl of one file from it, and what a new edition moves.

``make bench-content`` runs it: 2 GB of courses, each of many small files and some films, then the film of a course of
cmi5, as large as all of them, by its content host. Both ends are processes of their own with databases of their own,
over plain HTTP on one machine. The clock of a filling runs from the command to its end, so the program's start is in,
and all that was taken is on the disk; what curl wrote need not be.

Then editions of which one hundredth has changed, in the ways in which courses change: some pages were
written anew, a film was packed anew and begins otherwise, bytes were put into the middle of another.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import httpx
import psutil

from tests.benchmarks.pages import machine
from tests.cmi5_builders import a_cmi5_package
from tests.media_builders import an_mp4
from tests.package_builders import a_package
from tests.servers import LMS, NodeUnderTest, node

MB = 1_000_000
BLOCK = 16 * MB
FILMS_MB = ((300,), (250, 50), (200, 60), (280,), (150, 50, 50), (220,), (180, 60), (70,))
SMALL = 250  # files of each course besides its films
REACH_SPEED = 0.7
REACH_MOVED = 0.03


def main() -> None:
    """Measure and print; the exit status says whether all is reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--share", type=float, default=1.0, help="of the 2 GB, for a quick look (1.0)")
    share = parser.parse_args().share
    reached = []
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="outpost-content-")))
        hub = opened.enter_context(node(folder / "hub", role="hub", name="The hub"))
        courses = [_course(folder, hub, number, films, share) for number, films in enumerate(FILMS_MB)]
        laptop = opened.enter_context(node(folder / "laptop"))
        hub.start()
        took_s, size, memory_mb, _ = _fill(laptop, hub, is_new=True)
        film = _one_film(folder, hub, size)
        curl_s = min(_curl(hub, film, folder / "film") for _ in range(2))
        speed, curl = size / took_s / MB, size / curl_s / MB
        reached.append(speed >= REACH_SPEED * curl)
        print(
            f"filled with {size / MB:,.0f} MB: {took_s:.1f} s, {speed:.0f} MB/s; curl of one file {curl_s:.1f} s,"
            f" {curl:.0f} MB/s: {speed / curl:.2f} of it, reach {REACH_SPEED}; memory {memory_mb:.0f} MB",
            flush=True,
        )
        _fill(laptop, hub)  # the film of the course of cmi5
        for number, (course, films) in enumerate(zip(courses, FILMS_MB, strict=True)):
            if number not in (1, 4):
                continue
            edition = _write(folder / "next.zip", number, films, share, edition=1)
            hub.run_here("import", str(folder / "next.zip"), "--publish", "--as", course, "--json")
            took_s, _, memory_mb, moved = _fill(laptop, hub)
            reached.append(moved <= REACH_MOVED * edition)
            print(
                f"an edition of {edition / MB:.0f} MB of which 1 % changed: {moved / MB:.2f} MB moved,"
                f" {moved / edition:.2%}, reach {REACH_MOVED:.0%}; {took_s:.1f} s, memory {memory_mb:.0f} MB",
                flush=True,
            )
    print(f"\n{machine()}")
    raise SystemExit(0 if all(reached) else 1)


# ------------------------------------------------------------------ courses


def _course(folder: Path, hub: NodeUnderTest, number: int, films: tuple[int, ...], share: float) -> str:
    _write(folder / "course.zip", number, films, share)
    said = json.loads(hub.run_here("import", str(folder / "course.zip"), "--publish", "--json"))
    (folder / "course.zip").unlink()
    return str(said["course_id"])


def _write(path: Path, number: int, films: tuple[int, ...], share: float, *, edition: int = 0) -> int:
    """Write a package and return how many bytes are in it; of another edition one hundredth has changed."""
    dice, total = Random(number), 0
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in a_package().items():
            archive.writestr(name, data)
        for at in range(SMALL):
            data = dice.randbytes(dice.randrange(2_000, 90_000))
            if edition and at % 100 == 0:
                data = Random(f"{number} {edition} {at}").randbytes(len(data))
            archive.writestr(f"assets/{at}.png", data)
            total += len(data)
        for at, film_mb in enumerate(films):
            with archive.open(f"film-{at}.mp4", "w", force_zip64=True) as file:
                for piece in _film(f"{number} {at}", int(film_mb * MB * share), edition):
                    file.write(piece)
                    total += len(piece)
    return total


def _film(seed: str, size: int, edition: int) -> Iterator[bytes]:
    """Give a film; of another edition its beginning is another, and 1 % was put into its middle."""
    yield an_mp4(title="Packed anew" * edition) + b"\0\0\0\1mdat"
    dice, left = Random(seed), size
    while left:
        if edition and left <= size // 2:
            yield Random(f"{seed} {edition}").randbytes(size // 100)
            edition = 0
        block = dice.randbytes(min(BLOCK, left))
        left -= len(block)
        yield block


# ------------------------------------------------------------------ meetings


def _join(laptop: NodeUnderTest, hub: NodeUnderTest) -> None:
    code = hub.facts("node", "invite")["code"]
    laptop.run_here("node", "join", hub.url, code)


def _fill(
    laptop: NodeUnderTest, hub: NodeUnderTest, *, is_new: bool = False
) -> tuple[float, int, float, int]:
    """Return seconds, bytes that have come on the shelf, memory in MB, and bytes of HTTP."""
    if is_new:
        _join(laptop, hub)
    before = _on_shelf(laptop)
    began = time.monotonic()
    process = subprocess.Popen(
        [*LMS, "sync", "--json"], env=laptop.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with _watched(process.pid) as peak:
        out, err = process.communicate()
    took = time.monotonic() - began
    assert process.returncode == 0, err.decode()
    report = json.loads(out)
    assert report["state"] == "done", report
    assert laptop.facts("sync")["bytes_left"] == 0
    return took, _on_shelf(laptop) - before, peak[0] / MB, report["bytes_down"] + report["bytes_up"]


def _on_shelf(place: NodeUnderTest) -> int:
    return sum(path.stat().st_size for path in (place.data / "shelf" / "files").glob("*/*"))


@contextmanager
def _watched(pid: int) -> Iterator[list[int]]:
    """Give the memory that a process uses at most, while the block lasts."""
    peak, over = [0], threading.Event()

    def look() -> None:
        process = psutil.Process(pid)
        while not over.wait(0.05):
            try:
                peak[0] = max(peak[0], process.memory_info().rss)
            except psutil.Error:
                return

    thread = threading.Thread(target=look)
    thread.start()
    yield peak
    over.set()
    thread.join()


# ------------------------------------------------------------------ curl


def _one_film(folder: Path, hub: NodeUnderTest, size: int) -> str:
    """Let the hub have a unit of cmi5 with a film of this size; return the film's address, with a session's token."""
    with zipfile.ZipFile(folder / "unit.zip", "w") as archive:
        for name, data in a_cmi5_package().items():
            archive.writestr(name, data)
        with archive.open("film.mp4", "w", force_zip64=True) as file:
            for piece in _film("one", size - 500, 0):
                file.write(piece)
    said = json.loads(hub.run_here("import", str(folder / "unit.zip"), "--publish", "--json"))
    (folder / "unit.zip").unlink()
    token = hub.facts("token", "create", "programs", "--scope", "all")["token"]
    actor = {"objectType": "Agent", "account": {"homePage": "https://example.org/school", "name": "p-1"}}
    made = httpx.post(
        f"{hub.url}/api/v1/courses/{said['course_id']}/units/0/launches",
        json={"actor": actor, "registration": None, "launch_mode": "Normal"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    made.raise_for_status()
    url: str = made.json()["url"]
    return url.partition("?")[0].replace("index.html", "film.mp4")


def _curl(hub: NodeUnderTest, url: str, to: Path) -> float:
    host = urlsplit(url).hostname
    began = time.monotonic()
    subprocess.run(
        ["curl", "-sSf", "--resolve", f"{host}:{hub.content_port}:127.0.0.1", "-o", to, url], check=True
    )
    took = time.monotonic() - began
    to.unlink()
    return took


if __name__ == "__main__":
    main()
