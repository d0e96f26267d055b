"""Trials of cmi5 and xAPI units: a record store of the trial's own, a log of what was asked of it, nothing kept."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from sqlalchemy import func, insert, select
from starlette.testclient import TestClient

from content_packages.cmi5.vocabulary import Verb
from lms.cmi5.actions import IDLE_AFTER
from lms.cmi5.tables import UnitSession
from lms.database import Database
from lms.node import utc_now
from lms.trials.exchange import MOST_CHARS
from lms.trials.log import MOST_LINES, write_line
from lms.trials.trial import LogLine
from migrations import all_metadata
from tests.cmi5_builders import a_block, a_cmi5_package, a_structure, a_tincan, an_au
from tests.cmi5_launching import LMS, V1, School, Unit, a_school

pytestmark = pytest.mark.one_database

FIRST, SECOND = "https://example.org/au/1", "https://example.org/au/2"
JUDGED = 'moveOn="CompletedAndPassed" masteryScore="0.5"'
TWO = a_structure(a_block(an_au(FIRST, attributes=JUDGED) + an_au(SECOND, attributes=JUDGED)))
TINCAN = {"tincan.xml": a_tincan().encode(), "index.html": b"<p>Hello"}


@dataclass
class Instructor:
    """Somebody who tries a course by its pages."""

    school: School
    browser: TestClient
    course: str

    def edition(self) -> str:
        page = self.browser.get(f"/courses/{self.course}/editions").text
        found = re.search(r'name="edition" value="([0-9a-f-]{36})"', page)
        assert found is not None, page
        return found[1]

    def post(self, path: str, **fields: str) -> httpx.Response:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.browser.get("/courses/import").text)
        assert token is not None
        answer: httpx.Response = self.browser.post(
            path, data={"csrf_token": token[1], **fields}, follow_redirects=False
        )
        return answer

    def trial(self) -> str:
        """Open a trial; return the address of its page."""
        opened = self.post("/trials", edition=self.edition())
        assert opened.status_code == 303, opened.text
        return str(opened.headers["location"])

    def open(self, trial: str, unit: str = "") -> Unit:
        """Open the player, or a unit in it, and return the unit it shows."""
        page = self.browser.get(f"{trial}/units" + f"?unit={quote(unit, safe='')}" * bool(unit))
        found = re.search(r'http://k[0-9a-f]{20}[.]localhost:8001/au/[^"]+', page.text)
        assert found is not None, page.text
        url = html.unescape(found[0])
        registration = parse_qs(urlsplit(url).query)["registration"][0]
        return Unit(browser=self.school.browser, url=url, session_id="", registration=registration)

    def log(self, trial: str, after: int = 0) -> list[dict[str, Any]]:
        answer = self.browser.get(f"{trial}/log?after={after}")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["lines"])

    def rows(self) -> dict[str, int]:
        """Return how many rows each table of the node's database has."""
        with self.school.node.database.read() as session:
            return {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for metadata in all_metadata()
                for table in metadata.sorted_tables
            }

    def files(self) -> list[str]:
        """Return everything in the node's data folder with anything in it, but for the node's database."""
        folder = self.school.node.settings.data
        return sorted(
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and path.stat().st_size and not path.name.startswith("outpost.db")
        )


@pytest.fixture
def school(database: Database, tmp_path: Path) -> Iterator[School]:
    with a_school(database, tmp_path) as school:
        yield school


def instructor_of(school: School, files: dict[str, bytes]) -> Instructor:
    _, browser = school.signed_in("I-1", name="Ida Example", role="instructor")
    return Instructor(school=school, browser=browser, course=school.course(files))


@pytest.fixture
def instructor(school: School) -> Instructor:
    return instructor_of(school, a_cmi5_package(TWO))


def passed(unit: Unit, scaled: float = 0.75) -> None:
    unit.start()
    for answer in (
        unit.say(Verb.INITIALIZED),
        unit.say(Verb.COMPLETED),
        unit.say(Verb.PASSED, scaled=scaled),
        unit.say(Verb.TERMINATED),
    ):
        assert answer.status_code == 200, answer.text


def text_of(page: httpx.Response) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))


def test_a_trial_of_units_runs_to_its_verdict_and_leaves_nothing(instructor: Instructor) -> None:
    instructor.edition()
    rows, files = instructor.rows(), instructor.files()
    trial = instructor.trial()
    opened = instructor.browser.get(trial, follow_redirects=False)

    first = instructor.open(trial)
    lesson = first.browser.get(first.url)
    passed(first)
    returned = first.browser.get(first.data["returnURL"])
    halfway = text_of(instructor.browser.get(f"{trial}/units/after"))
    passed(instructor.open(trial, SECOND), 0.85)
    records = instructor.browser.get(f"{trial}/units/after")

    assert opened.headers["location"] == f"{trial}/units"
    assert (lesson.status_code, lesson.text) == (200, "<p>Hello</p>")
    assert f"{trial}/units/after" in returned.text
    assert "Why is this not complete?" in halfway
    said = text_of(records)
    assert "What decides" in said
    assert "Passed" in said
    assert "80%" in said  # the mean of both scores
    assert "The trial learner passed A unit" in said.replace(" · ", " ")
    assert "satisfied" in said
    assert records.text.count("A unit") > 2
    instructor.post(f"{trial}/end")
    assert instructor.rows() == rows
    assert instructor.files() == files


def test_an_xapi_package_is_tried_with_what_its_address_tells(school: School) -> None:
    instructor = instructor_of(school, TINCAN)
    rows = instructor.rows()
    trial = instructor.trial()

    unit = instructor.open(trial)
    unit.auth = unit["auth"].removeprefix("Basic ")
    statement = {
        "actor": orjson.loads(unit["actor"]),
        "verb": {"id": Verb.PASSED},
        "object": {"id": unit["activity_id"]},
        "result": {"score": {"scaled": 0.8}},
    }
    stored = unit.send(statement)

    assert stored.status_code == 200, stored.text
    assert unit["endpoint"] == f"{LMS}/xapi{trial}/"
    assert "Passed" in text_of(instructor.browser.get(f"{trial}/records"))
    instructor.post(f"{trial}/end")
    assert instructor.rows() == rows


def test_neither_store_opens_with_the_credentials_of_the_other(
    school: School, instructor: Instructor
) -> None:
    trial, other = instructor.trial(), instructor.trial()
    unit = instructor.open(trial)
    unit.start()
    real = school.launch(instructor.course)
    real.start()
    key = school.do("lrs-keys", name="A tool", scopes=["all"]).json()
    of_node = [f"Basic {real.auth}", f"Bearer {key['key']}.{key['secret']}", school.known["Authorization"]]
    of_node.append("Basic " + base64.b64encode(f"{key['key']}:{key['secret']}".encode()).decode())
    wrong = [f"Basic {base64.b64encode(b'x:y').decode()}", "", "Basic", f"Bearer {unit.auth}"]

    def asks(endpoint: str, credential: str) -> int:
        headers = {**V1, **({"Authorization": credential} if credential else {})}
        return int(school.browser.get(f"{endpoint}statements", headers=headers).status_code)

    assert asks(unit["endpoint"], f"Basic {unit.auth}") == 200
    assert asks(real["endpoint"], f"Basic {real.auth}") == 200
    for credential in of_node + wrong:
        assert asks(unit["endpoint"], credential) == 401, credential
    assert asks(real["endpoint"], f"Basic {unit.auth}") == 401
    assert asks(f"{LMS}/xapi{other}/", f"Basic {unit.auth}") == 401
    for strange in (f"/trials/{uuid4()}", "/trials/x", "/trials/..", f"{trial.upper()}", "/trials"):
        assert asks(f"{LMS}/xapi{strange}/", f"Basic {unit.auth}") in {401, 404}, strange


def test_a_fetch_url_opens_its_own_trial_and_once(school: School, instructor: Instructor) -> None:
    trial, other = instructor.trial(), instructor.trial()
    unit = instructor.open(trial)
    address = urlsplit(unit["fetch"])
    secret = address.path.rpartition("-")[2]
    strange = f"{LMS}/fetch/trial-{other.rpartition('/')[2].replace('-', '')}-{secret}"

    preflight = school.browser.options(unit["fetch"])
    got = school.browser.get(unit["fetch"])
    wrong = [
        school.browser.post(at)
        for at in (
            strange,
            f"{LMS}/fetch/{secret}",
            f"{LMS}/fetch/trial-{'0' * 32}-{secret}",
            f"{LMS}/fetch/trial-x",
        )
    ]
    first, second = unit.fetch(), unit.fetch()

    assert (preflight.status_code, got.status_code) == (204, 405)
    assert [one.json()["error-code"] for one in wrong] == ["2"] * 4
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    assert "auth-token" in first.json()
    assert second.json()["error-code"] == "1"


def test_a_page_elsewhere_may_ask_and_reads_every_answer(school: School, instructor: Instructor) -> None:
    trial = instructor.trial()
    unit = instructor.open(trial)
    unit.start()

    preflight = school.browser.options(unit["endpoint"] + "statements", headers={"Origin": "http://k1"})
    known = unit.ask("GET", "statements")
    instructor.post(f"{trial}/end")
    over = unit.ask("GET", "statements")
    fetched = school.browser.post(unit["fetch"])
    lesson = school.browser.get(unit.url)

    assert preflight.status_code == 204
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    assert (known.status_code, over.status_code) == (200, 401)
    assert over.json()["error"] == "This trial has ended; nothing of it was kept."
    for answer in (preflight, known, over, fetched):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert fetched.json()["error-code"] == "2"
    assert lesson.status_code == 410


def test_the_log_tells_what_was_asked_and_answered_and_why_not(instructor: Instructor) -> None:
    trial = instructor.trial()
    unit = instructor.open(trial)
    unit.start()
    early = unit.say(Verb.PASSED, scaled=0.1)
    unit.say(Verb.INITIALIZED)
    unit.say(Verb.COMPLETED)

    lines = instructor.log(trial)

    asked = [(one["name"], one["arguments"][0], one["code"]) for one in lines if one["kind"] == "exchange"]
    assert asked == [
        ("POST fetch", "", ""),
        ("GET activities/state", "LMS.LaunchData", ""),
        ("GET agents/profile", "cmi5LearnerPreferences", ""),  # not there: no error
        ("POST statements", "passed", "403"),
        ("POST statements", "initialized", ""),
        ("POST statements", "completed", ""),
    ]
    refused = next(one for one in lines if one["code"] == "403")
    assert refused["meaning"] == early.json()["error"]
    assert "cmi5" in refused["meaning"]
    assert '"verb"' in refused["arguments"][2]
    assert {one["unit"] for one in lines if one["kind"] == "exchange"} == {"A unit"}
    decided = [one["answer"] for one in lines if one["kind"] == "decision"]
    assert decided[0] == "Opened: A unit, launch mode Normal"
    assert "Completed" in [one["diagnostic"] for one in lines if one["kind"] == "decision"][-1]
    assert all(one["at_ms"] >= 0 for one in lines)


def test_the_log_goes_on_where_it_was_read_to(instructor: Instructor) -> None:
    trial = instructor.trial()
    unit = instructor.open(trial)
    last = instructor.browser.get(f"{trial}/log?after=0").json()["last"]
    assert instructor.log(trial, last) == []

    unit.fetch()

    (line,) = instructor.log(trial, last)
    assert line["name"] == "POST fetch"


def test_the_log_never_holds_a_credential(school: School, instructor: Instructor) -> None:
    trial = instructor.trial()
    unit = instructor.open(trial)
    unit.start()
    plain = base64.b64decode(unit.auth).decode()
    note = {"told": unit.auth, "plain": plain, "headers": f"Basic {unit.auth}", "at": unit.url}
    state = {**unit.state, "stateId": unit.auth}
    unit.ask("PUT", "activities/state", body=note, **state)
    unit.ask("GET", "activities/state", **state)
    form = {"Authorization": f"Basic {unit.auth}", "X-Experience-API-Version": "1.0.3", **state}
    alternate = school.browser.post(
        unit["endpoint"] + "activities/state?method=GET",
        content=urlencode(form),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    padding = "x" * (MOST_CHARS - 30)
    unit.ask("PUT", "activities/state", body={"told": padding + unit.auth}, **{**state, "stateId": "n"})

    told = orjson.dumps(instructor.log(trial)).decode()

    assert alternate.status_code == 200
    assert "GET activities/state" in told
    secret = re.sub(r"^trial-[0-9a-f]{32}-", "", plain.partition(":")[2])
    for hidden in (unit.auth, unit.auth.rstrip("="), quote(unit.auth, safe=""), plain, secret, secret[:16]):
        assert hidden not in told
    for token in re.findall(r"trial-[0-9a-f]{32}-([\w-]+)", unit.url):
        assert token not in told
    for length in range(12, len(unit.auth)):
        assert unit.auth[:length] not in told


def test_the_log_is_bounded(instructor: Instructor) -> None:
    trial = instructor.trial()
    unit = instructor.open(trial)
    unit.start()
    unit.ask("PUT", "activities/state", body={"long": "y" * 100_000}, **{**unit.state, "stateId": "s"})
    trials = instructor.school.node.trials
    with trials.opened(UUID(trial.rpartition("/")[2])) as database, database.write() as session:
        line = {"kind": "launch", "at": utc_now(), "unit": "A unit", "facts": {"mode": "Normal"}}
        session.execute(insert(LogLine), [line] * MOST_LINES)
        write_line(session, "launch", at=utc_now(), unit="A unit", facts={"mode": "Normal"})
        kept = session.scalar(select(func.count()).select_from(LogLine))

    cut = [one for one in instructor.log(trial) if "yyy" in "".join(one["arguments"])]

    assert kept == MOST_LINES
    assert cut == []  # the oldest go first


def test_a_long_body_is_cut_and_says_how_long_it_was(instructor: Instructor) -> None:
    trial = instructor.trial()
    unit = instructor.open(trial)
    unit.start()

    unit.ask("PUT", "activities/state", body={"long": "y" * 100_000}, **{**unit.state, "stateId": "s"})

    line = instructor.log(trial)[-1]
    assert len(line["arguments"][2]) < MOST_CHARS + 40
    assert line["arguments"][2].endswith("… (100,011)")


def test_a_large_attachment_dies_with_its_trial(instructor: Instructor) -> None:
    trial = instructor.trial()
    unit = instructor.open(trial)
    unit.start()
    unit.say(Verb.INITIALIZED)
    files = [one for one in instructor.files() if not one.startswith("trials/")]
    content = b"\x00\xff" * 100_000
    sha2 = hashlib.sha256(content).hexdigest()
    statement = unit.statement("http://adlnet.gov/expapi/verbs/experienced", defined=False)
    statement["attachments"] = [
        {"usageType": "https://example.org/photo", "display": {"en": "Photo"}, "contentType": "image/png",
         "length": len(content), "sha2": sha2},
    ]  # fmt: skip
    body = (
        b"--b\r\nContent-Type: application/json\r\n\r\n" + orjson.dumps(statement)
        + b"\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n"
        + f"X-Experience-API-Hash: {sha2}\r\n\r\n".encode() + content + b"\r\n--b--\r\n"
    )  # fmt: skip

    sent = unit.browser.post(
        unit["endpoint"] + "statements",
        content=body,
        headers={**unit.known, "Content-Type": "multipart/mixed; boundary=b"},
    )
    read = unit.ask("GET", "statements", attachments="true", statementId=statement["id"])

    assert sent.status_code == 200, sent.text
    assert content in read.content
    assert [one for one in instructor.files() if not one.startswith("trials/")] == files
    assert "experienced" in [one["arguments"][0] for one in instructor.log(trial) if one["arguments"]]
    instructor.post(f"{trial}/end")
    assert instructor.files() == files


def test_a_unit_in_a_window_of_its_own_leaves_the_log_where_it_is(school: School) -> None:
    structure = a_structure(an_au(attributes='launchMethod="OwnWindow"'))
    instructor = instructor_of(school, a_cmi5_package(structure))
    trial = instructor.trial()

    page = instructor.browser.get(f"{trial}/units")

    assert "<iframe" not in page.text
    assert "http-equiv" not in page.text
    assert re.search(r'target="_blank"[^>]*href="http://k[0-9a-f]{20}[.]localhost:8001/au/', page.text)
    assert 'data-testid="trial-log"' in page.text


def test_the_button_that_tries_names_its_edition(instructor: Instructor) -> None:
    page = instructor.browser.get(f"/courses/{instructor.course}/editions")

    assert re.search(r'<button [^>]*aria-label="Try it: edition 1">Try it<', page.text)


def test_any_unit_is_chosen_and_next_is_the_next_not_satisfied(instructor: Instructor) -> None:
    trial = instructor.trial()
    instructor.open(trial)

    chosen = instructor.post(f"{trial}/units/go", choice=SECOND)
    following = instructor.post(f"{trial}/units/go", request="continue")
    stopped = instructor.post(f"{trial}/units/go", request="suspend")

    assert chosen.headers["location"] == f"{trial}/units?unit={quote(SECOND, safe='')}"
    assert following.headers["location"] == chosen.headers["location"]
    assert stopped.headers["location"] == f"{trial}/units/after"
    assert instructor.browser.get(f"{trial}/units?unit=nothing").status_code == 404


def test_a_session_left_idle_opens_nothing_in_a_trial_either(instructor: Instructor) -> None:
    trial = instructor.trial()
    unit = instructor.open(trial)
    unit.start()
    trials = instructor.school.node.trials
    with trials.opened(UUID(trial.rpartition("/")[2])) as database, database.write() as session:
        row = session.scalars(select(UnitSession)).one()
        row.last_seen = utc_now() - IDLE_AFTER - timedelta(minutes=1)

    assert unit.ask("GET", "statements").status_code == 401
    assert unit.browser.get(unit.url).status_code == 410


def test_pages_and_log_of_a_trial_are_for_who_opened_it(school: School, instructor: Instructor) -> None:
    trial = instructor.trial()
    somebody = TestClient(school.browser.app, base_url=LMS)

    assert somebody.get(f"{trial}/log?after=0", follow_redirects=False).status_code in {303, 401, 403}
    assert somebody.get(f"{trial}/units", follow_redirects=False).status_code in {303, 401, 403}
    instructor.post(f"{trial}/end")
    assert instructor.browser.get(f"{trial}/log?after=0").status_code == 404
    assert instructor.browser.get(f"{trial}/units").status_code == 404
