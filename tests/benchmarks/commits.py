"""What it costs the server to keep what a lesson has done, beside a bare route that reads the same bytes.

``make bench`` runs it: a laptop's server on which officers are in courses of 1, 40 and 2,000 lessons. A lesson stores
its place, or its status as well, which may open and close ways through a course of SCORM 2004; a unit of cmi5 sends a
statement. Everything is measured in several rounds, of which the least and the median are printed: what else the
machine does only adds.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from lms.app import ServingNode
from lms.demo.packages import scorm12_many_scos, scorm2004_many_scos
from lms.keys.actions import create_key
from lms.launch.actions import deliver
from lms.launch.course import open_course
from lms.launch.hosts import label_of, origin_of
from lms.people.actions import create_person
from lms.settings import load_settings
from tests.benchmarks.cpu import Cost, costs_side_by_side
from tests.benchmarks.lines import Line
from tests.benchmarks.pages import bare_server, machine
from tests.cmi5_builders import a_cmi5_package, a_structure, an_au
from tests.cmi5_launching import ACTOR, Unit
from tests.package_builders import a_zip
from tests.servers import NodeUnderTest, node

SIZES = (1, 40, 2_000)
REACH_TIMES = 30
#: What a lesson stores, in turns, by standard and by what it is called here.
STORED: Mapping[str, Mapping[str, tuple[Mapping[str, str], ...]]] = {
    "SCORM 1.2": {
        "a place": ({"cmi.core.lesson_location": "1"}, {"cmi.core.lesson_location": "2"}),
        "a status": (
            {"cmi.core.lesson_location": "1", "cmi.core.lesson_status": "passed"},
            {"cmi.core.lesson_location": "2", "cmi.core.lesson_status": "failed"},
        ),
    },
    "SCORM 2004": {
        "a place": ({"cmi.location": "1"}, {"cmi.location": "2"}),
        "a status": (
            {"cmi.location": "1", "cmi.success_status": "passed"},
            {"cmi.location": "2", "cmi.success_status": "failed"},
        ),
    },
}
PACKAGES: Mapping[str, Callable[[int], bytes]] = {
    "SCORM 1.2": scorm12_many_scos,
    "SCORM 2004": scorm2004_many_scos,
}
EXPERIENCED = "http://adlnet.gov/expapi/verbs/experienced"


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One kind of request that keeps something: what it is called, where it goes, and its bodies without end."""

    name: str
    port: int
    path: str
    headers: Mapping[str, str]
    bodies: Iterator[bytes]

    def sender(self, port: int) -> Callable[[], int]:
        """Return a function that sends the next body to a port and returns the bytes of the answer."""
        line = Line(port)

        def send() -> int:
            answer = line.ask("POST", self.path, next(self.bodies), self.headers)
            assert answer.status == 200, answer.body[:200]
            return len(answer.body)

        return send


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400, help="requests of each kind and round (400)")
    parser.add_argument("--rounds", type=int, default=3, help="how often all is measured (3)")
    parser.add_argument("--only", default="", help="only requests whose name has this in it")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        laptop = stack.enter_context(node(folder / "laptop", name="Nyeri post, laptop 4"))
        opened = ServingNode(load_settings(data=str(laptop.data)))
        lessons = [_begun(laptop, opened, folder, standard, size) for standard in STORED for size in SIZES]
        units = [_imported_cmi5(opened, folder, size) for size in SIZES]
        token = _token(opened)
        opened.close()
        laptop.start()
        assert laptop.process is not None
        told = [one for some in lessons for one in some]
        told += [_running(laptop, token, *unit) for unit in units]
        told = [one for one in told if given.only in one.name]
        bare_pid, bare_port = stack.enter_context(bare_server())
        pairs = [(one, one.sender(bare_port), one.sender(one.port)) for one in told]
        sizes = {one.name: send() for one, _, send in pairs}
        found: dict[str, list[tuple[Cost, Cost]]] = {one.name: [] for one in told}
        for _ in range(given.rounds):
            for one, ask, send in pairs:
                measured = [(ask, bare_pid), (send, laptop.process.pid)]
                bare, cost = costs_side_by_side(measured, count=given.count)
                found[one.name].append((bare, cost))
    _show(found, sizes)


def _begun(laptop: NodeUnderTest, opened: ServingNode, folder: Path, standard: str, size: int) -> list[Told]:
    """Have an officer begin a course of that many lessons; return what its first one may save."""
    now, package, officer = datetime.now(UTC), folder / "lessons.zip", uuid4()
    package.write_bytes(PACKAGES[standard](size))
    course = opened.importer.import_file(package, by=None, publish_it=True).course
    assert course is not None
    with opened.database.write() as session:
        create_person(
            session, public_id=officer, personnel_number=f"{standard} {size}", name="Amina Diallo", roles=["officer"],
            password_hash=None, now=now,
        )  # fmt: skip
        taking = open_course(session, opened.shelf, person=officer, registration=uuid4(), course=course)
        delivered = deliver(session, opened.desk, taking, now=now)
        assert delivered is not None
        content = f"http://localhost:{laptop.content_port}"
        origin = origin_of(content, label_of(opened.secret, delivered.launch.edition))
    sequence = itertools.count(1)
    return [
        Told(
            name=f"{what}, {standard}, {size:,} lessons",
            port=laptop.content_port,
            path=f"/rt/{delivered.token}/commit",
            headers={"Host": urlsplit(origin).netloc, "Content-Type": "application/json"},
            bodies=map(_body, sequence, itertools.cycle(values)),
        )
        for what, values in STORED[standard].items()
    ]


def _body(sequence: int, values: Mapping[str, str]) -> bytes:
    told = {"sequence": sequence, "values": values, "reason": "commit", "phase": "running"}
    return json.dumps({**told, "session_time_s": sequence, "learning_time_s": sequence}).encode()


def _imported_cmi5(opened: ServingNode, folder: Path, size: int) -> tuple[int, str]:
    """Import a course of that many units of cmi5; return how many, and its public id."""
    units = "\n".join(an_au(f"https://example.org/au/{size}/{number}") for number in range(size))
    package = a_zip(folder / "units.zip", a_cmi5_package(a_structure(units)))
    course = opened.importer.import_file(package, by=None, publish_it=True).course
    assert course is not None
    return size, str(course)


def _token(opened: ServingNode) -> str:
    with opened.database.write() as session:
        key = create_key(session, "token", "The bench", ["all"], now=datetime.now(UTC))
    return f"{key.key}.{key.secret}"


def _running(laptop: NodeUnderTest, token: str, size: int, course: str) -> Told:
    """Launch a unit and begin it; return what it says of its learner in between."""
    browser = httpx.Client()
    launched = browser.post(
        f"{laptop.url}/api/v1/courses/{course}/units/0/launches",
        json={"actor": ACTOR, "registration": None, "launch_mode": "Normal"},
        headers={"Authorization": f"Bearer {token}"},
    )
    unit = Unit(browser=browser, **launched.json())
    unit.start()
    unit.say("http://adlnet.gov/expapi/verbs/initialized").raise_for_status()
    endpoint = urlsplit(unit["endpoint"])
    return Told(
        name=f"a statement, cmi5, {size:,} units",
        port=laptop.port,
        path=f"{endpoint.path}statements",
        headers={**unit.known, "Host": endpoint.netloc, "Content-Type": "application/json"},
        bodies=map(_statement, itertools.repeat(unit)),
    )


def _statement(unit: Unit) -> bytes:
    statement: Any = unit.statement(EXPERIENCED, defined=False)
    return json.dumps(statement).encode()


def _show(found: Mapping[str, list[tuple[Cost, Cost]]], sizes: Mapping[str, int]) -> None:
    print(f"{'':<36}{'CPU, µs':>16}{'':>8}{'bare, µs':>10}{'× bare':>16}{'':>6}{'answer':>8}")
    print(f"{'a request that keeps':<36}", end="")
    print(f"{'least':>8}{'median':>8}{'p95':>8}{'median':>10}{'least':>8}{'median':>8}{'≤ 30':>6}{'B':>8}")
    for name, rounds in found.items():
        costs = [cost.median_us for _, cost in rounds]
        times = [cost.median_us / bare.median_us for bare, cost in rounds]
        print(f"{name:<36}{min(costs):>8.0f}{statistics.median(costs):>8.0f}", end="")
        print(f"{statistics.median(cost.p95_us for _, cost in rounds):>8.0f}", end="")
        print(f"{statistics.median(bare.median_us for bare, _ in rounds):>10.0f}", end="")
        within = "yes" if statistics.median(times) <= REACH_TIMES else "NO"
        print(f"{min(times):>8.1f}{statistics.median(times):>8.1f}{within:>6}{sizes[name]:>8}")
    print(f"\n{machine()}")


if __name__ == "__main__":
    main()
