"""What it costs the server to keep what a lesson of SCORM 2004 has done, beside a bare route.

``make bench`` runs it: a laptop's server on which one officer is in a course of one lesson and another in one of 2,000.
A lesson stores its place, or its status as well, which may open and close ways through the course.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from lms.app import Node
from lms.demo.packages import scorm2004_many_scos
from lms.launch.actions import deliver
from lms.launch.course import open_course
from lms.launch.hosts import label_of, origin_of
from lms.people.actions import create_person
from lms.settings import load_settings
from tests.benchmarks.cpu import costs_side_by_side
from tests.benchmarks.pages import bare_server, machine
from tests.servers import NodeUnderTest, node

SIZES = (1, 2_000)
PLACE: tuple[Mapping[str, str], ...] = ({"cmi.location": "1"}, {"cmi.location": "2"})
STATUS: tuple[Mapping[str, str], ...] = (
    {"cmi.location": "1", "cmi.success_status": "passed"},
    {"cmi.location": "2", "cmi.success_status": "failed"},
)


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400, help="requests of each kind (400)")
    given = parser.parse_args()
    print(f"{'commit of':<34}{'CPU µs':>9}{'p95':>8}{'bare µs':>9}{'× bare':>8}{'answer B':>10}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        laptop = stack.enter_context(node(folder / "laptop", name="Nyeri post, laptop 4"))
        lessons = {size: _begun(laptop, folder, size) for size in SIZES}
        laptop.start()
        assert laptop.process is not None
        bare_pid, bare_port = stack.enter_context(bare_server())
        for size, (host, path) in lessons.items():
            sequence = itertools.count(1)
            for what, values in {"a place": PLACE, "a status": STATUS}.items():
                bodies = map(_body, sequence, itertools.cycle(values))
                send = stack.enter_context(_sending(laptop.content_port, host, path, bodies))
                ask = stack.enter_context(_sending(bare_port, host, path, bodies))
                size_of_answer = send()
                bare, cost = costs_side_by_side(
                    [(ask, bare_pid), (send, laptop.process.pid)], count=given.count
                )
                print(
                    f"{f'{what}, course of {size:,}':<34}{cost.median_us:>9.0f}{cost.p95_us:>8.0f}"
                    f"{bare.median_us:>9.0f}{cost.median_us / bare.median_us:>8.1f}{size_of_answer:>10}"
                )
    print(f"\n{machine()}")


def _begun(laptop: NodeUnderTest, folder: Path, size: int) -> tuple[str, str]:
    """Have an officer begin a course of that many lessons; return host and path of its commits."""
    opened, now = Node(load_settings(data=str(laptop.data))), datetime.now(UTC)
    package = folder / f"{size}.zip"
    package.write_bytes(scorm2004_many_scos(size))
    course = opened.importer.import_file(package, by=None, publish_it=True).course
    assert course is not None
    officer = uuid4()
    with opened.database.write() as session:
        create_person(
            session, public_id=officer, personnel_number=str(size), name="Amina Diallo", roles=["officer"],
            password_hash=None, now=now,
        )  # fmt: skip
        taking = open_course(session, opened.shelf, person=officer, registration=uuid4(), course=course)
        delivered = deliver(session, opened.desk, taking, now=now)
        assert delivered is not None
        content = f"http://localhost:{laptop.content_port}"
        origin = origin_of(content, label_of(opened.secret, delivered.launch.edition))
    opened.close()
    return urlsplit(origin).netloc, f"/rt/{delivered.token}/commit"


def _body(sequence: int, values: Mapping[str, str]) -> bytes:
    told = {"sequence": sequence, "values": values, "reason": "commit", "phase": "running"}
    return json.dumps({**told, "session_time_s": sequence, "learning_time_s": sequence}).encode()


@contextmanager
def _sending(port: int, host: str, path: str, bodies: Iterator[bytes]) -> Iterator[Callable[[], int]]:
    """Give a function that sends the next commit over one connection and returns the bytes of the answer."""
    connection = HTTPConnection("127.0.0.1", port)
    headers = {"Host": host, "Content-Type": "application/json"}

    def send() -> int:
        connection.request("POST", path, body=next(bodies), headers=headers)
        response = connection.getresponse()
        answer = response.read()
        assert response.status == 200, answer[:200]
        return len(answer)

    try:
        yield send
    finally:
        connection.close()


if __name__ == "__main__":
    main()
