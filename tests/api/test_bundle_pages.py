"""Bundles on pages: written to a drive, taken from it, and told in words what became of them."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from content_packages.limits import Limits
from lms.bundles.actions import JOB, Carrier
from lms.bundles.pages import router, sending
from lms.courses.errors import TROUBLES as COURSE_TROUBLES
from lms.nodes.queries import chip
from lms.people.sessions import open_session, recognise
from lms.people.troubles import TROUBLES as PEOPLE_TROUBLES
from lms.web.cookies import SESSION, cookie_name
from lms.web.frame import frame
from lms.web.site import Site
from lms.worker import Worker
from tests.nodes_builders import Place, answering, pair

pytestmark = pytest.mark.one_database

NOBODYS = "00000000-0000-4000-8000-000000000000"


def carrier_of(place: Place) -> Carrier:
    return Carrier(
        database=place.database,
        sync=lambda: place.node,
        folder=place.folder / "bundles",
        limits=Limits(),
        now=lambda: datetime.now(UTC),
        new_id=uuid4,
        tell_every_s=0,
    )


class Browser:
    """Somebody with these roles in front of a node, and its worker."""

    def __init__(self, place: Place, *roles: str) -> None:
        self.place = place
        self.carrier = carrier_of(place)
        app = FastAPI()
        app.state.sync = place.node
        app.state.carrier = self.carrier
        app.routes.extend(sending.routes)
        app.routes.extend(router.routes)
        site = Site(
            database=place.database,
            now=lambda: datetime.now(UTC),
            public_url="http://localhost:8000",
            content_url="http://localhost:8001",
            secret=b"s" * 32,
            node_name="Post 4",
            shelf=place.shelf,
            uploads=place.folder,
            assets={"app.css": "/static/app.css", "site.js": "/static/site.js"},
            chip=lambda session, _now: chip(session, place.node),
            recognise=recognise,
        )
        frame(app, site, host_names=["localhost"], troubles=[PEOPLE_TROUBLES, COURSE_TROUBLES])
        person = place.person(f"P-{uuid4()}", roles=roles)
        with place.database.write() as session:
            cookie = open_session(session, person, now=site.now())
        self.client = TestClient(
            app,
            base_url="http://localhost:8000",
            follow_redirects=False,
            cookies={cookie_name(site, SESSION): cookie},
        )

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, **fields: str | list[str]) -> tuple[int, str]:
        found = re.search(r'name="csrf_token" value="(\w+)"', self.client.get("/bundles/import").text)
        assert found is not None
        answer = self.client.post(path, data={"csrf_token": found[1], **fields})
        return answer.status_code, answer.headers.get("location", answer.text)

    def work(self) -> None:
        """Let the worker do one job."""
        jobs = {JOB: self.carrier.run_job}
        Worker(self.place.database, now=self.carrier.now, jobs=jobs, chores=[]).run_job(JOB)

    def upload(self, content: bytes, name: str = "from mail.outpost") -> tuple[int, str]:
        """Send a file as a browser does."""
        found = re.search(r'name="csrf_token" value="(\w+)"', self.get("/bundles/import"))
        assert found is not None
        answer = self.client.post(
            "/bundles/send", data={"csrf_token": found[1]}, files={"sent": (name, content)}
        )
        return answer.status_code, answer.headers.get("location", answer.text)

    def export(self, folder: Path, **fields: str | list[str]) -> str:
        """Write a bundle through the pages; return the page that tells of it."""
        (to,) = re.findall(r'name="to" value="(\w+)" checked', self.get("/bundles/export"))
        status, place = self.send(
            "/bundles/export", to=to, folder="typed", typed=str(folder), files="1", **fields
        )
        assert status == 303, place
        return place

    def take(self, file: Path) -> str:
        status, place = self.send("/bundles/import", file="typed", typed=str(file))
        assert status == 303, place
        return place


@pytest.fixture
def pair_of(laptop: Place, centre: Place) -> tuple[Place, Place]:
    with answering(centre) as address:
        pair(laptop, centre, address)
    return laptop, centre


@pytest.fixture
def here(pair_of: tuple[Place, Place]) -> Browser:
    """An administrator of the laptop; her making is a record to be sent."""
    return Browser(pair_of[0], "officer", "hub_admin")


@pytest.fixture
def there(pair_of: tuple[Place, Place]) -> Browser:
    return Browser(pair_of[1], "officer", "central_admin")


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def test_a_stick_goes_there_and_its_receipt_comes_back(here: Browser, there: Browser, stick: Path) -> None:
    preview = here.get("/bundles/export")
    page = here.export(stick)
    waiting = here.get(page)
    here.work()
    written = here.get(page)
    (file,) = stick.iterdir()
    taking = there.take(file)
    there.work()
    taken = there.get(taking)
    due = there.get("/bundles")
    status, receipt = there.send(f"{taking}/receipt")
    there.work()
    back = next(path for path in stick.iterdir() if path != file)
    coming_back = here.take(back)
    here.work()

    assert "2 records" in preview  # the person, and that somebody signed in
    assert "It waits for its turn" in waiting
    assert "read back and compared. It is safe to remove the drive." in written
    assert "All of it was taken" in taken
    assert "1 node waits for a receipt" in due
    assert (status, "Written, read back" in there.get(receipt)) == (303, True)
    assert "waits for a receipt" not in there.get("/bundles")
    assert "All of it was taken" in here.get(coming_back)
    with here.place.database.read() as session:
        assert chip(session, here.place.node).state == "delivered"


def test_the_second_time_all_is_duplicate(here: Browser, there: Browser, stick: Path) -> None:
    here.export(stick)
    here.work()
    (file,) = stick.iterdir()
    there.take(file)
    there.work()

    again = there.take(file)
    there.work()

    assert re.search(r'data-label="Accepted">0<.*?data-label="Duplicate">2<', there.get(again), re.DOTALL)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda content: content[:-1], "it was cut off, changed or copied badly"),
        (lambda _: b"<!doctype html>", "This is no bundle of an Outpost node"),
        (lambda content: content[:8] + b"\0\7" + content[10:], "A newer version wrote it"),
    ],
)
def test_what_is_refused_is_said_with_what_to_do(
    here: Browser, there: Browser, stick: Path, spoil: object, sentence: str
) -> None:
    here.export(stick)
    here.work()
    (file,) = stick.iterdir()
    file.write_bytes(spoil(file.read_bytes()))  # type: ignore[operator]

    page = there.take(file)
    there.work()

    assert sentence in there.get(page)
    assert "Refused" in there.get("/bundles")


def test_a_bundle_is_fetched_by_a_browser_and_by_no_other_path(here: Browser, stick: Path) -> None:
    (to,) = re.findall(r'name="to" value="(\w+)" checked', here.get("/bundles/export"))
    _, page = here.send("/bundles/export", to=to, folder="download")
    here.work()
    elsewhere = here.export(stick)
    here.work()

    content = here.client.get(f"{page}/files/0")

    assert content.content.startswith(b"OUTPOSTB")
    assert "attachment" in content.headers["content-disposition"]
    assert here.client.get(f"{page}/files/1").status_code == 404
    assert here.client.get(f"{elsewhere}/files/0").status_code == 404  # it lies on a stick


@pytest.mark.parametrize("name", ["from mail.outpost", "../../../node.key", ".hidden", "\u202egpj.outpost"])
def test_what_came_by_mail_is_sent_by_a_browser_and_stays_in_its_folder(
    here: Browser, there: Browser, stick: Path, name: str
) -> None:
    here.export(stick)
    here.work()
    (file,) = stick.iterdir()

    status, page = there.upload(file.read_bytes(), name)
    there.work()

    assert status == 303
    assert "All of it was taken" in there.get(page)
    (kept,) = (there.carrier.folder / "sent").iterdir()
    assert re.fullmatch(r"[A-Za-z0-9._-]+\.outpost", kept.name)


def test_a_file_without_the_token_of_the_page_is_not_kept(here: Browser) -> None:
    answer = here.client.post("/bundles/send", data={"csrf_token": "x"}, files={"sent": ("a", b"content")})

    assert answer.status_code == 403
    assert list((here.carrier.folder / "sent").iterdir()) == []


def test_one_that_is_cancelled_before_its_turn_is_not_written(here: Browser, stick: Path) -> None:
    page = here.export(stick)

    status, _ = here.send(f"{page}/cancel")
    here.work()

    assert status == 303
    assert "nothing of it is on the drive" in here.get(page)
    assert list(stick.iterdir()) == []


def test_a_job_that_runs_again_after_its_end_does_nothing(here: Browser, stick: Path) -> None:
    page = here.export(stick)
    here.work()
    before = here.get(page), [path.stat().st_mtime_ns for path in stick.iterdir()]

    here.carrier.run_job({"bundle": page.rpartition("/")[2]})

    assert (here.get(page), [path.stat().st_mtime_ns for path in stick.iterdir()]) == before


@pytest.mark.parametrize("folder", ["", "relative", "/nowhere at all"])
def test_a_folder_that_is_none_is_said_beside_its_field(here: Browser, folder: str) -> None:
    (to,) = re.findall(r'name="to" value="(\w+)" checked', here.get("/bundles/export"))

    status, page = here.send("/bundles/export", to=to, folder="typed", typed=folder)

    assert status == 422
    assert 'id="typed-error"' in page


@pytest.mark.parametrize("path", ["", "relative.outpost", "/nowhere/at all.outpost", "/"])
def test_a_file_that_is_none_is_said_beside_its_field(here: Browser, path: str) -> None:
    status, page = here.send("/bundles/import", file="typed", typed=path)

    assert status == 422
    assert 'id="typed-error"' in page


def test_a_node_that_is_no_recipient_is_not_taken_for_one(here: Browser, stick: Path) -> None:
    status, page = here.send("/bundles/export", to="0" * 26, folder="typed", typed=str(stick))

    assert status == 422
    assert "Choose for whom it is." in page


def test_a_lone_laptop_is_told_to_join_first(laptop: Place) -> None:
    alone = Browser(laptop, "officer", "hub_admin")

    assert "has not joined a network yet" in alone.get("/bundles")
    assert "has not joined a network yet" in alone.get("/bundles/export")


@pytest.mark.parametrize("path", ["/bundles", "/bundles/export", "/bundles/import", f"/bundles/{NOBODYS}"])
def test_an_officer_sees_none_of_it(laptop: Place, path: str) -> None:
    assert Browser(laptop, "officer").client.get(path).status_code == 403


def test_a_bundle_that_nobody_made_is_not_found(here: Browser) -> None:
    assert here.client.get(f"/bundles/{NOBODYS}").status_code == 404


def test_bundles_that_nobody_fetched_for_a_week_are_swept(here: Browser) -> None:
    (to,) = re.findall(r'name="to" value="(\w+)" checked', here.get("/bundles/export"))
    here.send("/bundles/export", to=to, folder="download")
    here.work()
    (file,) = here.carrier.folder.iterdir()

    here.carrier.sweep()
    fresh = file.exists()
    old = file.stat().st_mtime - 8 * 24 * 3600
    os.utime(file, (old, old))
    here.carrier.sweep()

    assert (fresh, file.exists()) == (True, False)
