"""The laptop's server dies in the middle of the work, as in a power cut, again and again."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.conftest import integrity
from tests.faults.officer import ANSWERS_EVERY, SCORM_12, SCORM_2004, Officer, Sent
from tests.faults.records import Records
from tests.servers import NodeUnderTest

log = logging.getLogger(__name__)  # `--log-cli-level=INFO` shows what was hit

LONGEST_WORK_S = 1.2
LONGEST_COMMIT_S = 0.02


@pytest.mark.parametrize(
    ("standard", "cuts"),
    [
        pytest.param(SCORM_12, 3, id="scorm12"),
        pytest.param(SCORM_12, 13, marks=pytest.mark.soak, id="scorm12-often"),
        pytest.param(SCORM_2004, 12, marks=pytest.mark.soak, id="scorm2004-often"),
    ],
)
def test_what_was_acknowledged_is_there_after_a_power_cut(
    laptop: NodeUnderTest, officer: Officer, records: Records, cuts: int
) -> None:
    for _ in power_cuts(laptop, officer, cuts):
        stored = officer.open_course()

        officer.check(stored)
        records.check(officer.ledger)
        assert integrity(laptop.data) == "ok"


@pytest.mark.parametrize(
    ("standard", "cuts"),
    [
        pytest.param(SCORM_2004, 2, id="scorm2004"),
        pytest.param(SCORM_12, 12, marks=pytest.mark.soak, id="scorm12-often"),
        pytest.param(SCORM_2004, 13, marks=pytest.mark.soak, id="scorm2004-often"),
    ],
)
def test_a_commit_whose_answer_was_lost_is_sent_again_and_counts_once(
    laptop: NodeUnderTest, officer: Officer, records: Records, cuts: int
) -> None:
    for lost in power_cuts(laptop, officer, cuts, in_a_commit=True):
        if lost is None:  # it was answered at the last moment
            continue
        officer.check(officer.reload_frame())
        records.check(officer.ledger)
        log.info("the lost commit had %sbeen applied", "" if officer.ledger.step == lost.step else "not ")

        answers = [officer.send(lost), officer.send(lost)]

        officer.ledger.settle(lost)
        officer.check(officer.reload_frame())
        records.check(officer.ledger)
        assert answers[0] == answers[1]
        assert integrity(laptop.data) == "ok"


@pytest.mark.parametrize("standard", [SCORM_2004], ids=["scorm2004"])
def test_a_commit_sent_again_after_a_power_cut_gets_the_answer_it_had_before(
    laptop: NodeUnderTest, officer: Officer, records: Records
) -> None:
    officer.open_course()
    officer.commit("initialize")
    sent = [officer.commit() for _ in range(ANSWERS_EVERY - 1)][-1]
    answer = officer.send(sent)
    laptop.kill()
    laptop.start()

    again = officer.send(sent)

    assert sent.answers
    assert again == answer
    records.check(officer.ledger)


def power_cuts(
    laptop: NodeUnderTest, officer: Officer, count: int, *, in_a_commit: bool = False
) -> Iterator[Sent | None]:
    """Let her work, cut the power and start again; yield the commit that was left without an answer."""
    dice = random.Random(count)
    for _ in range(count):
        with ThreadPoolExecutor(max_workers=1) as apart:
            work = apart.submit(officer.work_until_cut)
            time.sleep(dice.uniform(0, LONGEST_WORK_S))
            while in_a_commit and officer.ledger.unanswered is None and not work.done():
                time.sleep(0)
            time.sleep(dice.uniform(0, LONGEST_COMMIT_S) if in_a_commit else 0)
            laptop.kill()
            work.result()
        laptop.start()
        log.info("%d acknowledged, then a power cut", officer.ledger.acknowledged)
        yield officer.ledger.unanswered
