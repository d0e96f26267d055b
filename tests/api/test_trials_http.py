"""Trials: an instructor takes a course in a database of its own, and nothing of it reaches the node's."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text, update
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from content_packages.package import Standard
from content_packages.sequencing.definition import SequencingDefinition
from content_packages.shelf import FileRef
from lms.content.app import ContentSite, build_content
from lms.content.traces import router as traces
from lms.courses.checked_files import CheckedFiles
from lms.courses.errors import TROUBLES as COURSE_TROUBLES
from lms.courses.tables import Course, Edition
from lms.database import Database
from lms.launch.actions import deliver
from lms.launch.errors import TROUBLES as LAUNCH_TROUBLES
from lms.launch.hosts import label_of
from lms.people.policy import Right
from lms.trials.actions import open_trial
from lms.trials.databases import KEPT, TrialDatabases
from lms.trials.errors import TROUBLES, OwnTrialsFullError
from lms.trials.pages import router
from lms.trials.step_pages import router as step_router
from lms.web.cookies import SESSION, cookie_name
from lms.web.frame import frame
from lms.web.site import Chip, Site
from lms.web.viewer import Viewer
from migrations import all_metadata
from tests.launch_builders import EDITION, NEVER, NOON, PERSON, a_course, a_desk, taken

pytestmark = pytest.mark.one_database

INSTRUCTOR = Viewer(
    public_id=PERSON, name="Instructor", roles=frozenset({"instructor"}), rights=frozenset({Right.MANAGE_COURSES}),
    locale="en",
)  # fmt: skip
SECRET = b"s" * 32


@dataclass
class School:
    """A node with a course, an instructor's browser at its pages, and what the content hosts answer."""

    database: Database
    folder: Path
    pages: TestClient
    content: Callable[[str], TestClient]
    viewer: Viewer = field(default=INSTRUCTOR)

    def try_it(self, *, edition: UUID = EDITION) -> Any:
        return self.post("/trials", edition=str(edition))

    def post(self, path: str, **fields: str) -> Any:
        page = self.pages.get("/trials/form")
        return self.pages.post(path, data={"csrf_token": page.text, **fields})

    def trial(self) -> str:
        """Open a trial; return the address of its page."""
        opened = self.try_it()
        assert opened.status_code == 303, opened.text
        return str(opened.headers["location"])

    def launch(self, trial: str) -> tuple[TestClient, str]:
        """Load the page of a trial; return its content host and the token of the launch."""
        page = self.pages.get(trial)
        src = re.search(r'src="(http://k[0-9a-f]+\.localhost:8001)/rt/([^/"]+)/', page.text)
        assert src is not None, page.text
        return self.content(src[1]), src[2]

    def rows(self) -> dict[str, int]:
        """Return how many rows each table of the node's database has."""
        with self.database.read() as session:
            return {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for metadata in all_metadata()
                for table in metadata.sorted_tables
            }

    def files(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "trials").glob("*"))


@pytest.fixture
def standard() -> Standard:
    return "scorm2004"


@pytest.fixture
def lessons() -> list[SequencingDefinition]:
    return []


@pytest.fixture
def school(
    database: Database, tmp_path: Path, standard: Standard, lessons: list[SequencingDefinition]
) -> Iterator[School]:
    desk = a_desk(tmp_path)
    build = tmp_path / "build"
    build.mkdir()
    with database.write() as session:
        a_course(session, desk.shelf, standard=standard, definitions=lessons)
    assets = dict.fromkeys(
        ("app.css", "player.css", "page.js", "trial.css", "trial.js", "site.js"), "/static/x"
    )
    trials = TrialDatabases(tmp_path / "trials", now=utc_now, most=3, most_each=2)
    site = Site(
        database=database, now=utc_now, public_url="http://localhost:8000",
        content_url="http://localhost:8001", secret=SECRET, node_name="Post 7", shelf=desk.shelf, uploads=tmp_path,
        assets=assets, chip=lambda _session, _now: Chip(state="alone"),
        recognise=lambda _database, _session, _now: made.viewer,
    )  # fmt: skip
    app = FastAPI()

    @app.get("/trials/form")
    def form() -> Any:
        return PlainTextResponse(site.sign("csrf", "open"))

    app.routes.extend(router.routes)
    app.routes.extend(step_router.routes)
    app.state.desk = replace(desk, new_id=uuid4, new_token=lambda: uuid4().hex)
    app.state.trials = trials
    frame(app, site, host_names=["localhost"], troubles=[COURSE_TROUBLES, LAUNCH_TROUBLES, TROUBLES])
    content_site = ContentSite(
        database=database, desk=desk, checked=CheckedFiles(desk.shelf), now=utc_now, secret=SECRET, public_url="http://localhost:8000",
        content_url="http://localhost:8001", build=build,
        assets={"shim.js": "shim-1.js", "trial-shim.js": "trial-shim-1.js"}, trial_of=trials.of_token,
    )  # fmt: skip
    content = build_content(content_site, routers=[traces])
    with TestClient(app, base_url="http://localhost:8000", follow_redirects=False) as pages:
        pages.cookies.set(cookie_name(site, SESSION), "open")
        made = School(
            database=database,
            folder=tmp_path,
            pages=pages,
            content=lambda origin: TestClient(content, base_url=origin),
        )
        yield made


def file_of(trial: str) -> str:
    return trial.rpartition("/")[2].replace("-", "") + ".db"


def utc_now() -> datetime:
    return datetime.now(UTC)


def commit(
    host: TestClient,
    token: str,
    sequence: int = 1,
    *,
    reason: str = "commit",
    phase: str = "running",
    **values: str,
) -> Any:
    told = {
        "sequence": sequence,
        "values": {name.replace("__", "."): value for name, value in values.items()},
        "reason": reason,
        "phase": phase,
        "session_time_s": 3,
    }
    return host.post(f"/rt/{token}/commit", content=json.dumps(told))


def test_a_trial_says_why_it_is_not_complete_and_what_was_decided(school: School) -> None:
    before, trial = school.rows(), school.trial()
    host, token = school.launch(trial)
    commit(host, token, cmi__completion_status="incomplete")
    school.post(f"{trial}/go", request="exit")

    records = school.pages.get(f"{trial}/records").text
    log = school.pages.get(f"{trial}/steps").text
    step = school.pages.get(f"{trial}/steps/1")

    assert "Why is this not complete?" in records
    assert "cmi.completion_status = incomplete" in records
    assert f'href="{trial}/steps"' in records
    assert "Replayed: same." in log
    assert f'href="{trial}/steps/1"' in log
    assert "Which rule decided" in step.text
    assert school.pages.get(f"{trial}/steps/99").status_code == 404
    school.post(f"{trial}/end")
    assert school.files() == []
    assert school.rows() == before
    assert school.pages.get(f"{trial}/steps").status_code == 404


@pytest.mark.parametrize("lessons", [[SequencingDefinition(), NEVER]])
def test_a_trial_says_what_was_refused_and_offers_a_way_on(school: School) -> None:
    trial = school.trial()
    host, token = school.launch(trial)
    commit(host, token, reason="terminate", phase="terminated", adl__nav__request="continue")

    records = school.pages.get(f"{trial}/records").text
    choosing = school.pages.get(trial).text

    for page in (records, choosing):
        assert "\u2068Lesson 2\u2069 could not be opened." in page
        assert "What you did is saved." not in page
        assert f'action="{trial}/go"' in page
        (choice,) = re.findall(r'name="choice" value="([^"]+)" data-testid="way-on"', page)
    school.post(f"{trial}/go", choice=choice)
    assert 'title="Lesson 1"' in school.pages.get(trial).text


def test_a_trial_records_in_a_database_of_its_own(school: School) -> None:
    before = school.rows()
    trial = school.trial()
    host, token = school.launch(trial)

    shim, lesson = host.get(f"/rt/{token}/"), host.get(f"/c/{token}/index.html")
    kept = commit(host, token, cmi__score__scaled="0.5", cmi__success_status="passed")
    ended = commit(host, token, 2, reason="terminate")
    left = school.post(f"{trial}/go", request="exit")
    records = school.pages.get(f"{trial}/records")

    assert 'src="../../built/trial-shim-1.js"' in shim.text
    assert lesson.text == "<p>Lesson"
    assert (kept.status_code, kept.json()["refused"]) == (200, [])
    assert ended.status_code == 200
    assert left.headers["location"] == f"{trial}/after"
    assert school.pages.get(f"{trial}/after").headers["location"] == f"{trial}/records"
    said = re.sub(r"<[^>]+>", "", records.text)
    assert "The trial learner · passed · Lesson 1 · 50%" in said
    assert "cmi.score.scaled" in said
    assert "No unit is next: the course has ended." in records.text
    assert school.rows() == before


def test_ending_a_trial_deletes_its_file_and_ends_its_token(school: School) -> None:
    trial = school.trial()
    host, token = school.launch(trial)
    assert school.files() != []

    ended = school.post(f"{trial}/end")

    assert ended.status_code == 303
    assert school.files() == []
    assert commit(host, token).status_code == 410
    assert host.get(f"/rt/{token}/").status_code == 410
    gone = school.pages.get(trial)
    assert (gone.status_code, "This trial has ended" in gone.text) == (404, True)
    assert school.files() == []


def test_no_token_opens_a_database_that_is_not_its_own(school: School, tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    with school.database.write() as session:
        delivered = deliver(session, desk, taken(session, desk), now=utc_now())
    assert delivered is not None
    real = delivered.token
    real_host = school.content(f"http://{label_of(SECRET, EDITION)}.localhost:8001")
    first, second = school.trial(), school.trial()
    host, token = school.launch(first)
    prefix = "trial-" + first.rpartition("/")[2].replace("-", "") + "-"
    other = "trial-" + second.rpartition("/")[2].replace("-", "") + "-"
    assert token.startswith(prefix)
    secret = token.removeprefix(prefix)
    assert (real_host.get(f"/rt/{real}/").status_code, host.get(f"/rt/{token}/").status_code) == (200, 200)

    tried = [
        (at, one)
        for at in (host, real_host)
        for one in (
            secret,
            prefix + real,
            other + secret,
            other + real,
            f"trial-{'0' * 32}-{secret}",
            "trial-x-y",
        )
    ] + [(host, real), (real_host, token)]

    for at, one in tried:
        assert at.get(f"/rt/{one}/").status_code == 410, one
        assert at.get(f"/c/{one}/index.html").status_code == 410, one
        assert commit(at, one).status_code == 410, one
    assert len(school.files()) == 2


@pytest.mark.parametrize("state", ["withdrawn", "not published"])
def test_an_edition_that_officers_are_not_given_can_be_tried(school: School, state: str) -> None:
    with school.database.write() as session:
        if state == "withdrawn":
            session.execute(update(Edition).values(withdrawn=NOON))
        else:
            session.execute(update(Edition).values(published=None))
            session.execute(update(Course).values(current_edition=None))

    page = school.pages.get(school.trial())

    assert page.status_code == 200
    assert "Nothing of this is kept" in page.text


def test_a_course_with_a_damaged_file_is_said_to_be_damaged_and_not_to_be_on_its_way(school: School) -> None:
    shelf = a_desk(school.folder).shelf
    path = next(one for one in map(shelf.path, shelf.digests()) if one.read_bytes() == b"<p>Lesson")
    shelf.note_lost(FileRef(digest=path.name, size=9), seen=shelf.stamp(path.name))

    refused = school.try_it()

    assert refused.status_code == 503
    assert "A file of this course is damaged or missing on this node" in refused.text
    assert "next sync" not in refused.text


def test_trying_again_begins_with_nothing(school: School) -> None:
    first = school.trial()
    host, token = school.launch(first)
    commit(host, token, cmi__location="p3")

    again = school.post(f"{first}/again").headers["location"]

    assert again != first
    assert school.pages.get(first).status_code == 404
    host, token = school.launch(again)
    assert "p3" not in host.get(f"/rt/{token}/").text
    assert "p3" not in school.pages.get(f"{again}/records").text


def test_going_on_finds_what_was_stored(school: School) -> None:
    trial = school.trial()
    host, token = school.launch(trial)
    commit(host, token, cmi__location="p3", cmi__exit="suspend")
    school.post(f"{trial}/go", request="suspend")

    host, token = school.launch(trial)

    assert "p3" in host.get(f"/rt/{token}/").text


def test_more_trials_than_one_may_have_are_refused_with_limit_and_setting(school: School) -> None:
    school.trial()
    school.trial()

    refused = school.try_it()

    assert refused.status_code == 409
    assert (
        "the limit for one person is 2 (setting LMS_MAX_TRIALS_EACH, or max_trials_each in lms.toml; by default 5)"
        in refused.text
    )
    assert re.search(r'href="[^"]*/trials">To your trials</a>', refused.text)
    assert len(school.files()) == 2


def test_more_trials_than_a_node_takes_are_refused_with_limit_and_setting(school: School) -> None:
    for _ in range(3):
        school.viewer = replace(INSTRUCTOR, public_id=uuid4())
        school.trial()
    school.viewer = INSTRUCTOR

    refused = school.try_it()

    assert refused.status_code == 409
    assert "its limit is 3 (setting LMS_MAX_TRIALS, or max_trials in lms.toml; by default 50)" in refused.text


def test_limits_hold_when_all_come_at_once(school: School) -> None:
    desk = replace(a_desk(school.folder), new_id=uuid4)
    trials = TrialDatabases(school.folder / "trials", now=utc_now, most=3, most_each=2)

    def open_one(_: int) -> bool:
        try:
            with school.database.read() as session:
                open_trial(session, trials, desk, EDITION, by=PERSON, now=utc_now())
        except OwnTrialsFullError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(open_one, range(6)))

    assert sum(opened) == len(school.files()) == 2


def test_a_trial_is_seen_by_who_opened_it_alone(school: School) -> None:
    trial = school.trial()
    school.viewer = replace(INSTRUCTOR, public_id=uuid4())

    assert trial not in school.pages.get("/trials").text
    for path in ("", "/after", "/records", "/steps", "/steps/1"):
        assert school.pages.get(trial + path).status_code == 404
    for path in ("/go", "/again", "/end"):
        assert school.post(trial + path, request="exit").status_code == 404
    school.viewer = INSTRUCTOR
    assert trial in school.pages.get("/trials").text


def test_who_does_not_manage_courses_tries_none(school: School) -> None:
    trial = school.trial()
    school.viewer = replace(INSTRUCTOR, rights=frozenset({Right.TAKE_COURSES}))

    assert school.try_it().status_code == 403
    assert school.pages.get(trial).status_code == 403
    assert school.pages.get("/trials").status_code == 403
    assert school.pages.post("/trials", data={"edition": str(EDITION)}).status_code == 403


def test_a_form_without_a_token_opens_no_trial(school: School) -> None:
    assert school.pages.post("/trials", data={"edition": str(EDITION)}).status_code == 403
    assert school.files() == []


def test_an_edition_that_is_not_here_whole_is_not_tried(school: School) -> None:
    with school.database.read() as session:
        manifest = session.scalars(select(Edition.manifest)).one()
    a_desk(school.folder).shelf.path(manifest).unlink()

    assert school.try_it().status_code == 409
    assert school.try_it(edition=uuid4()).status_code == 404
    assert school.files() == []


def test_what_a_page_tells_as_it_closes_stands_in_the_log(school: School) -> None:
    trial = school.trial()
    host, token = school.launch(trial)
    entries = [{"kind": "call", "name": "Terminate", "number": 9}]

    kept = host.post(f"/rt/{token}/trace", content=json.dumps({"entries": entries}))
    late = school.launch(trial)  # which ends the launch before it
    again = host.post(f"/rt/{token}/trace", content=json.dumps({"entries": entries}))

    assert (kept.status_code, again.status_code, late[1] != token) == (204, 204, True)
    log = school.pages.get(f"{trial}/log?after=0").json()
    assert [one["entries"] for one in log["lines"]] == [entries, entries]
    assert {one["unit"] for one in log["lines"]} == {"Lesson 1"}
    assert school.pages.get(f"{trial}/log?after={log['last']}").json()["lines"] == []


def test_a_trace_is_bounded_and_taken_in_trials_only(school: School, tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    with school.database.write() as session:
        delivered = deliver(session, desk, taken(session, desk), now=utc_now())
    assert delivered is not None
    real = school.content(f"http://{label_of(SECRET, EDITION)}.localhost:8001")
    host, token = school.launch(school.trial())
    good = json.dumps({"entries": []})

    assert real.post(f"/rt/{delivered.token}/trace", content=good).status_code == 410
    assert real.post(f"/rt/{token}/trace", content=good).status_code == 410
    assert host.post(f"/rt/{token}x/trace", content=good).status_code == 410
    assert host.post(f"/rt/{token}/trace", content="x" * 70_000).status_code == 413
    for wrong in ("", "[]", "{}", '{"entries": 1}', '{"entries": ["x"]}'):
        assert host.post(f"/rt/{token}/trace", content=wrong).status_code == 422


def test_a_trial_that_nobody_uses_is_over_after_a_day_and_swept(school: School) -> None:
    left, used = school.trial(), school.trial()
    host, token = school.launch(left)
    trials = TrialDatabases(school.folder / "trials", now=utc_now, most=3, most_each=2)
    (school.folder / "trials" / "0.new-wal").touch()
    for trial, ago in ((left, KEPT + timedelta(minutes=1)), (used, KEPT - timedelta(minutes=1))):
        then = (utc_now() - ago).timestamp()
        os.utime(school.folder / "trials" / file_of(trial), (then, then))

    assert commit(host, token).status_code == 410
    assert school.pages.get(left).status_code == 404
    assert left not in school.pages.get("/trials").text
    assert trials.sweep() is False

    assert school.files() == [file_of(used)]
    assert school.pages.get(used).status_code == 200
    assert (
        utc_now() - datetime.fromtimestamp((school.folder / "trials" / file_of(used)).stat().st_mtime, UTC)
        < KEPT / 2
    )


def test_a_trial_that_cannot_be_made_whole_leaves_no_file(school: School, tmp_path: Path) -> None:
    trials = TrialDatabases(tmp_path / "trials", now=utc_now, most=3, most_each=2)

    def interrupted() -> None:
        with trials.create(uuid4()) as session:
            session.execute(text("SELECT 1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()

    assert school.files() == []


def test_who_hears_a_list_of_trials_hears_which_one_a_button_ends(school: School) -> None:
    school.trial()

    page = school.pages.get("/trials").text

    assert 'aria-label="End the trial: Border posts"' in page
    assert 'aria-label="What would be recorded: Border posts"' in page


def test_the_address_of_a_trial_is_no_path(school: School) -> None:
    for name in ("..%2Foutpost", "x", "../outpost"):
        assert school.pages.get(f"/trials/{name}").status_code in {404, 422}
    assert urlsplit(school.trial()).path.startswith("/trials/")
