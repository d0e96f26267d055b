"""Commands of ``lms`` run beside the server, and what they made is there at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from lms.demo.packages import scorm2004_single_sco
from tests.faults.conftest import Furnished, another_writer
from tests.faults.officer import NUMBER, SCORM_12, SCORM_2004, Officer
from tests.faults.records import Records
from tests.servers import NodeUnderTest

PASSWORD = "nine-words-for-tests"


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory, furnished: Furnished) -> Iterator[NodeUnderTest]:
    """One laptop for all the commands here, serving all the time."""
    with furnished.copied(tmp_path_factory.mktemp("beside") / "laptop") as laptop:
        yield laptop


@pytest.fixture
def package(tmp_path: Path) -> Path:
    package = tmp_path / "course.zip"
    package.write_bytes(scorm2004_single_sco())
    return package


def test_somebody_added_beside_the_server_signs_in_at_once(laptop: NodeUnderTest) -> None:
    laptop.run("user", "create", "A-7", "--password-stdin", stdin=PASSWORD)

    somebody = Officer(laptop, SCORM_2004, "", number="A-7", password=PASSWORD)
    somebody.sign_in()
    somebody.close()


@pytest.mark.parametrize("standard", [SCORM_2004], ids=["scorm2004"])
def test_a_course_imported_beside_the_server_is_taken_at_once(
    laptop: NodeUnderTest, officer: Officer, package: Path
) -> None:
    officer.course = laptop.facts("import", str(package), "--publish")["course_id"]
    laptop.run("enrol", officer.course, "--user", NUMBER)

    officer.open_course()
    officer.commit("initialize")

    officer.check(officer.reload_frame())


def test_a_key_made_beside_the_server_opens_the_record_store_at_once(laptop: NodeUnderTest) -> None:
    key = laptop.facts("lrs-key", "create", "reader", "--scope", "statements/read")

    answer = httpx.get(
        f"{laptop.url}/xapi/statements",
        auth=(key["key"], key["secret"]),
        headers={"X-Experience-API-Version": "1.0.3"},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("standard", [SCORM_12], ids=["scorm12"])
def test_a_report_beside_the_server_tells_what_was_committed_a_moment_ago(
    laptop: NodeUnderTest, officer: Officer
) -> None:
    officer.open_course()
    officer.commit("initialize")

    rows = laptop.facts("report")

    hers = [row for row in rows if (row["course_id"], row["personnel_number"]) == (officer.course, NUMBER)]
    assert [row["status"] for row in hers] == ["in progress"]


def test_the_node_tells_of_itself_beside_the_server(laptop: NodeUnderTest) -> None:
    shown, status = laptop.facts("node", "show"), laptop.facts("status")

    assert shown["node"] == status["node"]
    assert httpx.get(f"{laptop.url}/readyz").status_code == 200


def test_a_sync_with_nobody_says_so_beside_the_server(laptop: NodeUnderTest) -> None:
    done = laptop.run("sync", check=False)

    assert done.returncode == 1
    assert "not paired with another yet" in done.stderr
    assert "Traceback" not in done.stderr
    assert httpx.get(f"{laptop.url}/readyz").status_code == 200


@pytest.mark.parametrize("standard", [SCORM_2004], ids=["scorm2004"])
def test_commands_and_commits_wait_for_one_another_and_all_succeed(
    laptop: NodeUnderTest, officer: Officer, records: Records, package: Path
) -> None:
    enough = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as apart:
        work = apart.submit(officer.work, goes_on=lambda: not enough.is_set())
        try:
            laptop.run("user", "create", "A-8", "--password-stdin", stdin=PASSWORD)
            course = laptop.facts("import", str(package), "--publish")["course_id"]
            laptop.run("enrol", course, "--user", "A-8")
            still_working = not work.done()
        finally:
            enough.set()
        work.result()

    assert still_working
    officer.check(officer.open_course())
    records.check(officer.ledger)


def test_a_command_that_cannot_write_for_long_says_so_and_changes_nothing(laptop: NodeUnderTest) -> None:
    with another_writer(laptop):
        done = laptop.run("user", "create", "A-9", "--password-stdin", check=False, stdin=PASSWORD)

    assert done.returncode == 1
    assert "The database does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    laptop.run("user", "create", "A-9", "--password-stdin", stdin=PASSWORD)
