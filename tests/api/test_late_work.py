"""Work that comes without its token, signing in over a lesson, and a course that is open elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.testclient import TestClient

from content_packages.sequencing.event import Request
from lms.courses.queries import unit_of
from lms.database import Database
from lms.enrolment.tables import Enrolment
from lms.launch.actions import Desk, apply_commit, boot_values, carry_out
from lms.launch.errors import TROUBLES
from lms.launch.open_pages import router as open_pages
from lms.launch.pages import router
from lms.launch.queries import SLEEPS_AFTER, launch_with
from lms.launch.tables import LateWork
from lms.launch.unit import keep_unit, read_unit
from lms.launch.using_late import LateWorkElsewhereError, use_late
from lms.people.actions import create_person
from lms.people.pages import router as people_pages
from lms.people.passwords import Cost, Passwords
from lms.people.policy import PersonRole
from lms.people.sessions import recognise
from lms.web.frame import frame
from lms.web.site import Chip, Site
from tests.launch_builders import (
    COURSE,
    NOON,
    PERSON,
    REGISTRATION,
    a_commit,
    a_course,
    a_desk,
    said,
    taken,
)
from xapi_store.tables import DocumentRow

PASSWORD = "nine-words-for-tests"
OTHER = UUID(int=1999, version=4)
LOCATION = "cmi.core.lesson_location"


class Node:
    """A node whose clock stands still until it is moved, and a browser before it."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.now = NOON
        self.desk: Desk = a_desk(folder)
        self.passwords = Passwords(Cost(memory_kib=8, time=1))
        site = Site(
            database=database, now=lambda: self.now, public_url="http://localhost:8000",
            content_url="http://localhost:8001", secret=b"s" * 32, node_name="Post 7", shelf=self.desk.shelf,
            uploads=folder, assets=dict.fromkeys(("app.css", "player.css", "page.js", "site.js"), "/static/x"),
            chip=lambda _session, _now: Chip(state="alone"), recognise=recognise,
        )  # fmt: skip
        with database.write() as session:
            a_course(session, self.desk.shelf)
            for public_id, number in ((PERSON, "A-1"), (OTHER, "A-2")):
                create_person(
                    session, public_id=public_id, personnel_number=number, name=f"Officer {number}",
                    roles=[PersonRole.OFFICER], password_hash=self.passwords.hash(PASSWORD), now=NOON,
                )  # fmt: skip
                session.add(
                    Enrolment(
                        public_id=public_id,
                        person=public_id,
                        course=COURSE,
                        made=NOON,
                        registration=REGISTRATION if public_id == PERSON else public_id,
                    )
                )
        app = FastAPI()
        for pages in (router, open_pages, people_pages):
            app.routes.extend(pages.routes)
        app.state.desk, app.state.passwords = self.desk, self.passwords
        frame(app, site, host_names=["localhost"], troubles=[TROUBLES])
        self.app = app

    def browser(self, number: str = "A-1") -> Browser:
        opened = Browser(TestClient(self.app, base_url="http://localhost:8000"))
        opened.sign_in(number)
        return opened

    def commit(self, launch: UUID, sequence: int, place: str, **how: Any) -> bytes:
        """Let a shim commit; return what it sent."""
        commit, body = a_commit(sequence, {LOCATION: place}, **how)
        with self.database.write() as session:
            found = launch_with(session, launch)
            assert found is not None
            apply_commit(session, self.desk, found, commit, body, now=self.now)
        return body

    def values(self, launch: UUID) -> dict[str, str]:
        with self.database.read() as session:
            found = launch_with(session, launch)
            assert found is not None
            return boot_values(session, taken(session, self.desk), found)

    def aside(self) -> list[bytes]:
        with self.database.read() as session:
            return list(session.scalars(select(LateWork.body).order_by(LateWork.id)))


class Browser:
    """One browser: its cookies, and what the scripts of a player page would ask."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.token = ""

    def sign_in(self, number: str) -> None:
        form = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/sign-in").text)
        assert form
        fields = {"personnel_number": number, "password": PASSWORD, "csrf_token": form[1]}
        done = self.client.post("/sign-in", data=fields, follow_redirects=False)
        assert done.status_code == 303

    def open_course(self, *, instead_of: UUID | None = None) -> UUID:
        here = f"?here={instead_of}" if instead_of else ""
        page = self.client.get(f"/learn/{COURSE}{here}").text
        found = re.search(r'data-launch="([^"]+)" data-owner="[^"]+" data-token="([^"]+)"', page)
        assert found, page
        self.token = found[2]
        return UUID(found[1])

    def post(self, launch: UUID, what: str, **how: Any) -> Any:
        headers = {"X-CSRF-Token": self.token}
        return self.client.post(f"/launches/{launch}/{what}", headers=headers, **how)

    def send_late(self, launch: UUID, body: bytes, *, restarted: bool = False) -> Any:
        return self.post(launch, "late", json={"commit": body.decode(), "restarted": restarted})


@pytest.fixture
def node(database: Database, tmp_path: Path) -> Iterator[Node]:
    return Node(database, tmp_path)


def kept(sequence: int, place: str, phase: str = "running", reason: str = "autosave") -> bytes:
    return orjson.dumps(
        {
            "sequence": sequence,
            "values": {LOCATION: place},
            "reason": reason,
            "phase": phase,
            "session_time_s": 60,
        }
    )


@pytest.fixture
def browser(node: Node) -> Browser:
    return node.browser()


@pytest.fixture
def launch(node: Node, browser: Browser) -> UUID:
    """A lesson in which page 1 was saved, by its first commit."""
    opened = browser.open_course()
    node.commit(opened, 1, "p1")
    return opened


@pytest.mark.parametrize("later", [timedelta(minutes=10), SLEEPS_AFTER + timedelta(hours=1)])
def test_late_work_is_applied_once_even_under_a_token_that_expired(
    node: Node, browser: Browser, launch: UUID, later: timedelta
) -> None:
    node.now += later
    browser.sign_in("A-1")
    browser.token = browser.client.get(f"/launches/{launch}/visit").json()["csrf_token"]

    first = browser.send_late(launch, kept(2, "p2", "terminated", "terminate"))
    told = said_by(node)
    second = browser.send_late(launch, kept(2, "p2", "terminated", "terminate"))

    assert (first.json()["outcome"], second.json()["outcome"]) == ("saved", "already")
    assert node.values(launch)[LOCATION] == "p2"
    assert "terminated unit" in told
    assert said_by(node) == told


def said_by(node: Node) -> list[str]:
    with node.database.read() as session:
        return said(session)


def test_a_later_request_of_the_same_shim_contains_what_was_kept(
    node: Node, browser: Browser, launch: UUID
) -> None:
    node.commit(launch, 5, "p5")

    sent = browser.send_late(launch, kept(4, "p4"))

    assert sent.json()["outcome"] == "already"
    assert node.values(launch)[LOCATION] == "p5"
    assert node.aside() == []


def test_what_a_shim_kept_before_it_was_loaded_again_does_not_write_over_the_next_one(
    node: Node, browser: Browser, launch: UUID
) -> None:
    node.commit(launch, 5, "p5")

    sent = browser.send_late(launch, kept(4, "p4"), restarted=True)

    assert sent.json()["outcome"] == "aside"
    assert node.values(launch)[LOCATION] == "p5"
    assert node.aside() == [kept(4, "p4")]


def test_work_that_meets_newer_work_is_put_aside_whole_and_once_and_shown_to_its_learner(
    node: Node, browser: Browser, launch: UUID
) -> None:
    newer = UUID(
        re.findall(r'data-launch="([^"]+)"', browser.client.get(f"/learn/{COURSE}?here={launch}").text)[0]
    )
    node.commit(newer, 1, "elsewhere")

    outcomes = [browser.send_late(launch, kept(2, "p<b>2")).json()["outcome"] for _ in range(2)]

    assert outcomes == ["aside", "aside"]
    assert node.aside() == [kept(2, "p<b>2")]
    assert node.values(newer)[LOCATION] == "elsewhere"
    page = browser.client.get(f"/learn/{COURSE}/late").text
    assert "p&lt;b&gt;2" in page
    assert "Lesson 1" in page
    assert "p&lt;b&gt;2" not in node.browser("A-2").client.get(f"/learn/{COURSE}/late").text


def test_work_written_meanwhile_by_another_node_is_not_written_over(
    node: Node, browser: Browser, launch: UUID
) -> None:
    with node.database.write() as session:
        taking = taken(session, node.desk)
        unit = unit_of(session, COURSE, "lesson-1")
        assert unit is not None
        there = read_unit(session, taking, unit)
        assert there is not None
        there.values[LOCATION] = "hub"
        keep_unit(session, taking, unit, there, now=NOON + timedelta(minutes=5))

    assert browser.send_late(launch, kept(2, "p2")).json()["outcome"] == "aside"
    assert node.values(launch)[LOCATION] == "hub"


def test_the_launchs_own_learner_alone_may_bring_late_work(
    node: Node, browser: Browser, launch: UUID
) -> None:
    other = node.browser("A-2")
    other.token = other.client.get(f"/launches/{launch}/visit").json()["csrf_token"]
    nobody = Browser(TestClient(node.app, base_url="http://localhost:8000"))
    nobody.token = nobody.client.get(f"/launches/{launch}/visit").json()["csrf_token"]
    forged = node.browser()
    forged.token = "made-up"

    for who, status in ((other, 404), (nobody, 403), (forged, 403)):
        assert who.send_late(launch, kept(2, "p2")).status_code == status
        assert who.post(launch, "wake").status_code == status
        assert who.post(launch, "gone").status_code == status

    assert browser.send_late(UUID(int=1, version=4), kept(2, "p2")).status_code == 404
    assert node.values(launch)[LOCATION] == "p1"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422), (b"[]", 422), (b'{"commit": {}, "restarted": false}', 422),
        (orjson.dumps({"commit": "{}", "restarted": False}), 422),
        (orjson.dumps({"commit": kept(0, "p").decode(), "restarted": False}), 422),
        (orjson.dumps({"commit": kept(2, "p").decode(), "restarted": False, "person": "x"}), 422),
        (b'{"commit": "\\ud800", "restarted": false}', 422),
        (orjson.dumps({"commit": kept(2, "p" * 4_200_000).decode(), "restarted": False}), 413),
        (b"x" * 9_000_000, 413),
    ],
)  # fmt: skip
def test_what_is_no_commit_is_refused_whole(
    node: Node, browser: Browser, launch: UUID, body: bytes, status: int
) -> None:
    assert browser.post(launch, "late", content=body).status_code == status
    assert node.values(launch)[LOCATION] == "p1"


def test_late_values_are_judged_like_any(node: Node, browser: Browser, launch: UUID) -> None:
    body = kept(2, "p2").replace(
        LOCATION.encode(), b'cmi.core.student_id":"somebody","cmi.core.lesson_location'
    )

    assert browser.send_late(launch, body).json()["outcome"] == "saved"
    assert node.values(launch)[LOCATION] == "p2"
    assert node.values(launch)["cmi.core.student_id"] == str(PERSON)


def test_a_token_that_lay_still_is_woken_and_one_that_was_taken_is_not(
    node: Node, browser: Browser, launch: UUID
) -> None:
    node.now += SLEEPS_AFTER + timedelta(hours=1)
    browser.sign_in("A-1")
    browser.token = browser.client.get(f"/launches/{launch}/visit").json()["csrf_token"]
    asleep = browser.client.get(f"/launches/{launch}").json()
    woken = browser.post(launch, "wake").json()
    node.commit(launch, 2, "p2")
    browser.client.get(f"/learn/{COURSE}?here={launch}")

    taken_over = browser.post(launch, "wake").json()

    assert (asleep["state"], woken["state"], taken_over["state"]) == ("asleep", "open", "taken")
    assert browser.client.get(f"/launches/{launch}").json()["by"] != str(launch)


def test_asking_how_a_launch_stands_does_not_prolong_a_sign_in(
    node: Node, browser: Browser, launch: UUID
) -> None:
    for _ in range(5):
        node.now += timedelta(minutes=30)
        browser.client.get(f"/launches/{launch}")

    assert browser.client.get(f"/launches/{launch}/visit").json()["signed_in"] == "no"


def test_signing_in_over_a_lesson_opens_a_session_for_its_own_learner(node: Node, launch: UUID) -> None:
    visitor = Browser(TestClient(node.app, base_url="http://localhost:8000"))
    visit = visitor.client.get(f"/launches/{launch}/visit").json()
    visitor.token = visit["csrf_token"]

    wrong = visitor.post(launch, "sign-in", data={"password": "wrong"})
    right = visitor.post(launch, "sign-in", data={"password": PASSWORD})

    assert visit["signed_in"] == "no"
    assert (wrong.status_code, bool(wrong.json()["error"])) == (422, True)
    assert right.status_code == 200
    assert visitor.client.get(f"/launches/{launch}/visit").json() == {
        "signed_in": "yes", **right.json(),
    }  # fmt: skip
    visitor.token = right.json()["csrf_token"]
    assert visitor.send_late(launch, kept(2, "p2")).json()["outcome"] == "saved"


def test_wrong_passwords_over_a_lesson_are_counted_with_all_others(node: Node, launch: UUID) -> None:
    visitor = Browser(TestClient(node.app, base_url="http://localhost:8000"))
    visitor.token = visitor.client.get(f"/launches/{launch}/visit").json()["csrf_token"]

    answers = [visitor.post(launch, "sign-in", data={"password": "x"}).status_code for _ in range(6)]

    assert answers == [422, 422, 422, 422, 422, 429]


def test_a_course_whose_unit_may_run_elsewhere_asks_before_it_ends_that(
    node: Node, browser: Browser, launch: UUID
) -> None:
    page = browser.client.get(f"/learn/{COURSE}")
    before = browser.client.get(f"/launches/{launch}").json()["state"]
    browser.client.get(f"/learn/{COURSE}?here={UUID(int=3)}")  # an old address ends nothing
    still = browser.client.get(f"/launches/{launch}").json()["state"]
    there = re.search(r'data-testid="go-on-here" href="([^"]+)"', page.text)
    assert there

    player = browser.client.get(there[1])

    assert "open in another tab or on another device" in page.text
    assert (before, still) == ("open", "open")
    assert 'data-testid="player-frame"' in player.text
    assert browser.client.get(f"/launches/{launch}").json()["state"] == "taken"


def test_a_page_that_said_good_bye_is_not_asked_about(node: Node, browser: Browser, launch: UUID) -> None:
    assert (
        browser.client.post(f"/launches/{launch}/gone", data={"csrf_token": browser.token}).status_code == 204
    )

    assert 'data-testid="player-frame"' in browser.client.get(f"/learn/{COURSE}").text


def test_a_person_has_her_own_mark_and_no_id_is_in_it(node: Node, browser: Browser, launch: UUID) -> None:
    def mark(page: str) -> str:
        return re.findall(r'data-(?:owner|kept)="([^"]+)"', page)[0]

    hers = mark(browser.client.get(f"/learn/{COURSE}").text)
    theirs = mark(node.browser("A-2").client.get(f"/learn/{COURSE}").text)

    assert hers != theirs
    assert str(PERSON) not in hers


def test_signing_out_does_not_clear_what_waits_for_its_owner(browser: Browser) -> None:
    browser.open_course()

    out = browser.client.post("/sign-out", data={"csrf_token": browser.token}, follow_redirects=False)

    assert out.headers["clear-site-data"] == '"cache"'


def documents(node: Node) -> dict[str, Any]:
    """Return what is kept of the attempt."""
    with node.database.read() as session:
        rows = session.scalars(select(DocumentRow).where(DocumentRow.registration == REGISTRATION))
        return {f"{row.activity} {row.name}": orjson.loads(row.content) for row in rows}


def use(browser: Browser) -> Any:
    """Press the button of the newest work that was put aside."""
    page = browser.client.get(f"/learn/{COURSE}/late").text
    where = re.search(rf'action="(/learn/{COURSE}/late/\d+)"', page)
    assert where, page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    return browser.client.post(where[1], data={"csrf_token": token[1]}, follow_redirects=False)


@pytest.fixture
def second(node: Node, browser: Browser, launch: UUID) -> UUID:
    """A lesson opened again and gone on with, and after that what the first had kept."""
    node.now += timedelta(minutes=5)
    again = browser.open_course(instead_of=launch)
    node.commit(again, 1, "p7")
    assert browser.send_late(launch, kept(2, "p2")).json()["outcome"] == "aside"
    return again


def test_work_that_was_put_aside_can_be_used_and_taken_back_to_the_letter(
    node: Node, browser: Browser, second: UUID
) -> None:
    use(browser)
    use(browser)  # a session that was open has ended by now
    before = documents(node)

    used = use(browser)
    between = node.values(second)[LOCATION]
    aside = node.aside()
    back = use(browser)

    assert (used.status_code, back.status_code) == (303, 303)
    assert between == "p2"
    assert len(aside) == len(node.aside()) == 1
    assert documents(node) == before
    use(browser)
    assert node.values(second)[LOCATION] == "p2"  # and used again


def test_what_was_replaced_can_be_used_after_the_lesson_has_gone_on(
    node: Node, browser: Browser, second: UUID
) -> None:
    use(browser)
    node.now += timedelta(minutes=5)
    third = browser.open_course()
    node.commit(third, 1, "p3")

    use(browser)

    assert node.values(third)[LOCATION] == "p7"
    use(browser)
    assert node.values(third)[LOCATION] == "p3"


def test_using_work_ends_the_lesson_that_is_open(node: Node, browser: Browser, second: UUID) -> None:
    use(browser)

    assert browser.client.get(f"/launches/{second}").json()["state"] == "taken"
    node.now += timedelta(minutes=1)
    assert browser.send_late(second, kept(2, "p8")).json()["outcome"] == "aside"


def test_work_of_somebody_else_is_not_found(node: Node, browser: Browser, second: UUID) -> None:
    page = browser.client.get(f"/learn/{COURSE}/late").text
    where = re.search(rf'action="(/learn/{COURSE}/late/\d+)"', page)
    assert where
    stranger = node.browser("A-2")
    token = re.search(r'name="csrf_token" value="([^"]+)"', stranger.client.get(f"/learn/{COURSE}/late").text)

    answer = stranger.client.post(where[1], data={"csrf_token": token[1] if token else ""})

    assert answer.status_code == 404
    assert node.values(second)[LOCATION] == "p7"


def test_where_the_course_has_ended_work_cannot_be_used(node: Node, browser: Browser, second: UUID) -> None:
    with node.database.write() as session:
        carry_out(session, node.desk, taken(session, node.desk), Request.EXIT_ALL, now=node.now)
    page = browser.client.get(f"/learn/{COURSE}/late").text

    with node.database.write() as session:
        (late,) = session.scalars(select(LateWork)).all()
        with pytest.raises(LateWorkElsewhereError):
            use_late(session, node.desk, late, now=node.now)

    assert f'action="/learn/{COURSE}/late' not in page
    assert "Once this lesson has been opened again" in page
    assert len(node.aside()) == 1
