"""The whole scene: a laptop without a link, an officer who passes, and days later the centre that sees it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from lms.demo.packages import scorm2004_single_sco
from tests.browser.conftest import Sitting
from tests.browser.visitor import PASSWORD
from tests.postgres import Postgres
from tests.servers import NodeUnderTest, free_port, node

pytestmark = pytest.mark.browser
CUT_AFTER = 8_000  # bytes; the package alone is more than twice that


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[NodeUnderTest]:
    with node(tmp_path / "laptop", name="Post 4") as laptop:
        laptop.run("user", "create", "A-1", "--password-stdin", stdin=PASSWORD)
        laptop.start()
        yield laptop


@pytest.fixture
def centre(tmp_path: Path, postgres: Postgres) -> Iterator[NodeUnderTest]:
    folder = tmp_path / "centre"
    with node(folder, role="central", name="Centre", database_url=postgres.create_migrated()) as centre:
        centre.run("user", "create", "I-9", "--role", "instructor", "--password-stdin", stdin=PASSWORD)
        centre.start()
        yield centre


def test_the_record_of_an_officer_without_a_link_reaches_the_centre(
    sit_down: Sitting, laptop: NodeUnderTest, centre: NodeUnderTest, tmp_path: Path
) -> None:
    course = take_course(sit_down, laptop, tmp_path)
    join(laptop, centre, centre.url)

    met = laptop.facts("sync")

    assert (met["state"], met["waiting"]) == ("done", 0)
    expect_known_at(sit_down, centre, course)


@pytest.mark.shared
def test_the_record_arrives_over_a_slow_link_that_breaks(
    sit_down: Sitting, laptop: NodeUnderTest, centre: NodeUnderTest, tmp_path: Path, shared: Path
) -> None:
    course = take_course(sit_down, laptop, tmp_path)
    with poor_link(shared, centre.port) as (port, control):
        join(laptop, centre, f"http://localhost:{port}")
        told(control, "reset")
        met = cut_in_the_middle(laptop, control)
        link = json.loads(told(control, "stats"))

    assert link["cuts"] == 1
    assert (met["state"], met["waiting"]) == ("done", 0)
    expect_known_at(sit_down, centre, course)


def take_course(sit_down: Sitting, laptop: NodeUnderTest, folder: Path) -> str:
    """Import and enrol, take half, close the tab, come back, pass; return the course's id."""
    package = folder / "course.zip"
    package.write_bytes(scorm2004_single_sco())
    course = str(laptop.facts("import", str(package), "--publish")["course_id"])
    laptop.run("enrol", course, "--user", "A-1")
    officer = sit_down(laptop)
    officer.sign_in("A-1")
    officer.go(f"/learn/{course}")
    officer.turn_pages(2)
    officer.expect_page(3, 5)
    officer.close_tab()
    officer.go(f"/learn/{course}")
    officer.expect_page(3, 5)
    officer.turn_pages(2)
    officer.answer_and_finish()
    officer.expect_saved()
    officer.press("nav-exit")
    expect(officer.page.locator("main")).to_contain_text("Passed")
    return course


def join(laptop: NodeUnderTest, centre: NodeUnderTest, address: str) -> None:
    code = centre.facts("node", "invite")["code"]
    laptop.run("node", "join", address, code)


def expect_known_at(sit_down: Sitting, centre: NodeUnderTest, course: str) -> None:
    """See on the instructor's page at the centre who passed, with what score, in what time, and where."""
    instructor = sit_down(centre)
    instructor.sign_in("I-9")
    line = instructor.roster_row("A-1")
    deadline = time.monotonic() + 60
    while True:  # the centre reads what arrived beside the meeting, not in it
        instructor.go(f"/courses/{course}/people")
        if "Passed" in line.inner_text() or time.monotonic() > deadline:
            break
    expect(line).to_contain_text("Passed")
    expect(line).to_contain_text("100%")
    expect(line).to_contain_text("1 min")
    expect(line).to_contain_text("Post 4")


@contextmanager
def poor_link(shared: Path, target: int) -> Iterator[tuple[int, int]]:
    """Put 64 kbit/s and 600 ms before a node; give the port of the link and of its control."""
    port, control = free_port(), free_port()
    script = shared / "tools" / "netlab" / "linkproxy.py"
    shape = ["--rate", "64k", "--rtt", "600", "--control", str(control)]
    command = [sys.executable, str(script), "--listen", str(port), "--target", str(target), *shape]
    link = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port, control
    finally:
        link.kill()
        link.wait()


def told(control: int, order: str) -> str:
    """Tell the link something and return what it says."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with socket.create_connection(("127.0.0.1", control), timeout=10) as line:
                line.sendall(f"{order}\n".encode())
                return line.makefile(encoding="utf-8").readline()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def cut_in_the_middle(laptop: NodeUnderTest, control: int) -> dict[str, Any]:
    """Begin a meeting and cut the link once, when part of it has crossed; return what the meeting came to."""
    meeting = subprocess.Popen(
        [sys.executable, "-m", "lms", "sync", "--json"],
        env=laptop.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    while crossed(control) < CUT_AFTER:
        assert meeting.poll() is None, "the meeting ended before it could be cut"
        time.sleep(0.05)
    told(control, "cut")
    said, _ = meeting.communicate(timeout=120)
    report: dict[str, Any] = json.loads(said)
    return report


def crossed(control: int) -> int:
    """How many bytes crossed the link, both ways."""
    counted = json.loads(told(control, "stats"))
    return int(counted["up_delivered"]) + int(counted["down_delivered"])
