"""The server is asked to end, by SIGTERM or Ctrl-C, while an officer works."""

from __future__ import annotations

import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lms.cli.server import REQUESTS_END_WITHIN_S
from tests.faults.conftest import another_writer
from tests.faults.officer import SCORM_12, SCORM_2004, Officer
from tests.faults.records import Records
from tests.servers import NodeUnderTest

pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="Windows cannot ask another process to end, only end it"
)
LEEWAY_S = 5


@pytest.mark.parametrize("standard", [SCORM_12], ids=["scorm12"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_what_was_acknowledged_is_there_after_the_server_was_asked_to_end(
    laptop: NodeUnderTest, officer: Officer, records: Records, number: signal.Signals
) -> None:
    with ThreadPoolExecutor(max_workers=1) as apart:
        work = apart.submit(officer.work_until_cut)
        while officer.ledger.acknowledged == 0 and not work.done():
            time.sleep(0.1)
        status = laptop.stop(number)
        work.result()

    laptop.start()
    assert status == 0
    assert officer.ledger.acknowledged > 0
    officer.check(officer.open_course())
    records.check(officer.ledger)


@pytest.mark.parametrize("standard", [SCORM_2004], ids=["scorm2004"])
def test_a_commit_under_way_is_answered_before_the_server_ends(
    laptop: NodeUnderTest, officer: Officer
) -> None:
    officer.open_course()
    with ThreadPoolExecutor(max_workers=2) as apart:
        with another_writer(laptop):
            commit = apart.submit(officer.commit, "initialize")
            time.sleep(0.5)
            end = apart.submit(laptop.stop)
            time.sleep(0.5)
        commit.result()
        status = end.result()

    laptop.start()
    assert status == 0
    assert officer.ledger.acknowledged == 1
    officer.check(officer.open_course())


@pytest.mark.soak
def test_a_request_that_never_arrives_whole_keeps_the_server_no_longer_than_ten_seconds(
    laptop: NodeUnderTest,
) -> None:
    with socket.create_connection(("127.0.0.1", laptop.content_port)) as line:
        host = f"Host: k.localhost:{laptop.content_port}"
        line.sendall(f"POST /rt/none/commit HTTP/1.1\r\n{host}\r\nContent-Length: 100\r\n\r\nhalf".encode())
        time.sleep(0.5)
        asked = time.monotonic()

        status = laptop.stop()

    assert status == 0
    assert REQUESTS_END_WITHIN_S - 1 < time.monotonic() - asked < REQUESTS_END_WITHIN_S + LEEWAY_S
