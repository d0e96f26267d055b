"""Journeys of officers and courses between nodes, in real processes."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from content_packages.cmi5.vocabulary import SESSION_ID, Verb
from lms.cmi5.statements import ENROLMENT
from tests.cmi5_builders import a_block, a_cmi5_package, a_structure, an_au
from tests.cmi5_launching import Unit
from tests.journeys.network import join, rows, served, sync, waiting
from tests.package_builders import a_zip
from tests.servers import NodeUnderTest, node

PASSWORD = "correct horse battery"
NOT_YET = "what you did there has not come to this one yet"
UNITS = [f"https://example.org/au/{number}" for number in (1, 2, 3)]
STRUCTURE = a_structure(
    an_au(UNITS[0], attributes='moveOn="CompletedAndPassed" masteryScore="0.8"')
    + a_block(
        an_au(UNITS[1], attributes='moveOn="Completed"') + an_au(UNITS[2], attributes='moveOn="Passed"')
    )
)


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[NodeUnderTest]:
    with node(tmp_path / "centre", role="central", name="The centre") as centre:
        centre.people({"P-1": "officer"}, password=PASSWORD)
        yield centre


@contextmanager
def signed_in(place: NodeUnderTest) -> Iterator[httpx.Client]:
    """Give a browser in which the officer is signed in."""
    with httpx.Client(base_url=place.url, timeout=30) as browser:
        token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/sign-in").text)
        assert token is not None
        form = {"personnel_number": "P-1", "password": PASSWORD, "csrf_token": token[1]}
        assert browser.post("/sign-in", data=form).status_code == 303
        yield browser


def opened(browser: httpx.Client, course: str, unit: str) -> Unit:
    """Open a unit of the course by its page, and return it as the page launches it."""
    page = browser.get(f"/learn/{course}/units?unit={quote(unit, safe='')}")
    assert page.status_code == 200, page.text
    found = re.search(r'http://k[0-9a-f]{20}[.]localhost:\d+/au/[^"]+', page.text)
    assert found is not None, page.text
    url = html.unescape(found[0])
    registration = parse_qs(urlsplit(url).query)["registration"][0]
    launched = Unit(browser=browser, url=url, session_id="", registration=registration)
    launched.start()
    return launched


def finish(place: NodeUnderTest, course: str, units: list[str]) -> None:
    """Let the officer finish units of the course on a node."""
    with signed_in(place) as browser:
        for one in units:
            unit = opened(browser, course, one)
            for verb, scaled in (
                (Verb.INITIALIZED, None),
                (Verb.COMPLETED, None),
                (Verb.PASSED, 0.9),
                (Verb.TERMINATED, None),
            ):
                answer = unit.say(verb, scaled=scaled)
                assert answer.status_code == 200, answer.text


def statements(place: NodeUnderTest) -> list[dict[str, Any]]:
    """Return what a node has stored, in its order."""
    return [json.loads(raw) for (raw,) in rows(place, "SELECT raw FROM xapi_statement ORDER BY position")]


def test_two_laptops_on_which_an_officer_finishes_one_course_apart_keep_its_rules_at_the_centre(
    tmp_path: Path, centre: NodeUnderTest
) -> None:
    """Neither can ask the other, so each writes a registration of its own; what was earned on either counts."""
    course = centre.give(a_zip(tmp_path / "course.zip", a_cmi5_package(STRUCTURE)), "P-1")
    with (
        node(tmp_path / "one", name="Laptop 1") as one,
        node(tmp_path / "two", name="Laptop 2") as two,
        served(centre),
    ):
        for laptop in (one, two):
            join(laptop, centre)
            assert sync(laptop)["state"] == "done"
        with served(one, two):
            finish(one, course, UNITS)
            finish(two, course, UNITS[:2])
            finish(two, course, UNITS[2:])
        for laptop in (one, two, one, two):
            assert sync(laptop)["state"] == "done"

        assert [waiting(laptop) for laptop in (one, two)] == [0, 0]
        told = statements(centre)
        assert sorted(x["id"] for x in told) == sorted(
            {x["id"] for laptop in (one, two) for x in statements(laptop)}
        )
        assert rows(centre, "SELECT count(*) FROM sync_quarantine") == [(0,)]
        [standing] = centre.facts("report")

    by_registration: dict[str, list[dict[str, Any]]] = {}
    for statement in told:
        by_registration.setdefault(statement["context"]["registration"], []).append(statement)
    assert len(by_registration) == 2
    for said in by_registration.values():
        check_registration(said)
    enrolments = {
        x["context"]["extensions"][ENROLMENT] for x in told if ENROLMENT in x["context"].get("extensions", {})
    }
    assert len(enrolments) == 1
    assert (standing["personnel_number"], standing["status"], standing["score"]) == ("P-1", "passed", 0.9)


def test_an_officer_who_is_posted_elsewhere_in_mid_course_finishes_it_there(
    tmp_path: Path, centre: NodeUnderTest
) -> None:
    """A hub and a laptop at each post. What she earned at the first is on the laptop of the second as she goes on."""
    course = centre.give(a_zip(tmp_path / "course.zip", a_cmi5_package(STRUCTURE)), "P-1")
    with (
        node(tmp_path / "hub-1", role="hub", name="Hub 1") as hub_1,
        node(tmp_path / "hub-2", role="hub", name="Hub 2") as hub_2,
        node(tmp_path / "one", name="Laptop 1") as one,
        node(tmp_path / "two", name="Laptop 2") as two,
        served(centre, hub_1, hub_2),
    ):
        for hub, laptop in ((hub_1, one), (hub_2, two)):
            join(hub, centre, role="hub")
            join(laptop, hub)
            meet([hub, laptop], times=2)
        with served(one, two):
            finish(one, course, UNITS[:2])
            meet([one, hub_1], times=2)
            with signed_in(two) as browser:
                waits = browser.get(f"/courses/{course}").text
            meet([two, hub_2], times=3)
            with signed_in(two) as browser:
                knows = browser.get(f"/courses/{course}").text
            finish(two, course, UNITS[2:])
        meet([two, hub_2], times=1)
        [standing] = centre.facts("report")
        [(told_back,)] = rows(
            hub_1,
            "SELECT count(*) FROM sync_segment WHERE scope LIKE 'people/%' AND kinds LIKE '%statement%'",
        )

    assert NOT_YET in waits
    assert NOT_YET not in knows
    assert knows.count("state-done") >= 2
    assert (standing["personnel_number"], standing["status"], standing["score"]) == ("P-1", "passed", 0.9)
    assert told_back == 0


def meet(places: list[NodeUnderTest], *, times: int) -> None:
    """Have each node meet the one above it, in turn."""
    for _ in range(times):
        for place in places:
            assert sync(place)["state"] == "done"


def check_registration(said: list[dict[str, Any]]) -> None:
    """Check what is stored of one registration against cmi5 9.3, each rule by its section."""
    by_session: dict[str, list[str]] = {}
    for statement in said:
        session = statement["context"]["extensions"][SESSION_ID]
        by_session.setdefault(session, []).append(statement["verb"]["id"])
    for verbs in by_session.values():
        own = [verb for verb in verbs if verb != Verb.SATISFIED]
        assert own[:2] == [Verb.LAUNCHED, Verb.INITIALIZED]  # 9.3.1, 9.3.2: first, and the first of the unit
        assert own[-1] == Verb.TERMINATED  # 9.3.8: the last of the unit
        assert max(Counter(own).values()) == 1
    judged = Counter(
        (x["object"]["id"], x["verb"]["id"]) for x in said if x["verb"]["id"] in {Verb.COMPLETED, Verb.PASSED}
    )
    assert judged
    assert set(judged.values()) == {1}  # 9.3.3, 9.3.4: once in a registration
    satisfied = Counter(x["object"]["id"] for x in said if x["verb"]["id"] == Verb.SATISFIED)
    assert set(satisfied.values()) == {1}  # 9.3.9
    assert len(satisfied) == 2  # the block and the course
    when = {x["id"]: x["timestamp"] for x in said}
    assert list(when.values()) == sorted(when.values())
