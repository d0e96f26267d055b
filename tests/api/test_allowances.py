"""What content is allowed beyond its fence: who says so, what is taken, what browsers are told, how far it travels."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from lms.content.app import ContentSite, build_content, content_security_policy
from lms.content.units import store_at
from lms.courses.actions import allow, apply_course
from lms.courses.allowance_pages import api, router
from lms.courses.allowances import Allowance, HostRefusedError, TooManyHostsError, sources_of
from lms.courses.checked_files import CheckedFiles
from lms.courses.queries import allowance_of, describe_course, find_course
from lms.database import Database
from lms.launch.actions import deliver
from lms.launch.fence import sandbox
from lms.launch.hosts import label_of
from tests.launch_builders import COURSE, EDITION, NOON, a_course, a_desk, taken
from tests.package_builders import a_manifest_12, a_zip
from tests.school_builders import School, a_school, token

pytestmark = pytest.mark.one_database

MEDIA = "https://media.example.org"
OURS = {"localhost", "lms.border.gov", "content.border.net"}


@pytest.fixture
def school(database: Database, tmp_path: Path) -> School:
    made = a_school(database, tmp_path)
    made.app.routes.extend(api.routes)
    made.app.routes.extend(router.routes)
    return made


@pytest.fixture
def course(school: School, tmp_path: Path) -> UUID:
    page = b"<img src='https://media.academy.net/a.png'><script>window.open('b.html')</script>"
    files = {"imsmanifest.xml": a_manifest_12().encode(), "index.html": page}
    done = school.importer.import_file(a_zip(tmp_path / "course.zip", files), by=None, publish_it=True)
    assert done.course is not None
    return done.course


@pytest.mark.parametrize(
    "written",
    [
        "http://media.example.org", "media.example.org", "https://*.example.org", "https://media.example.org/a",
        "https://u:p@media.example.org", "https://media.example.org?x", "https://10.0.0.7", "https://[::1]",
        "https://127.1", "https://0x7f.0.0.1", "https://2130706433", "https://localhost", "https://a.localhost",
        "https://hub.local", "https://hub", "https://media.example.org:0", "https://media.example.org:70000",
        "https://media.example.org;script-src", "https://média.example.org", "https://a..org", "https://-a.org",
        "https://lms.border.gov", "https://k1.content.border.net", "https://lms.border.gov:8443", "'unsafe-inline'",
        "data:", "https:", "*", "https://media.example.org\\@a.org", "https://media.example.org.", "wss://a.org",
    ],
)  # fmt: skip
def test_a_host_is_taken_in_full_or_not_at_all(written: str) -> None:
    with pytest.raises(HostRefusedError):
        sources_of([written], ours=OURS)


def test_hosts_are_written_as_a_policy_names_them() -> None:
    written = ["HTTPS://Media.Example.org/", " ", "https://media.example.org:443", "https://a.org:8443"]

    assert sources_of(written, ours=OURS) == (MEDIA, "https://a.org:8443")
    with pytest.raises(TooManyHostsError):
        sources_of([f"https://h{number}.org" for number in range(21)], ours=OURS)


def test_the_page_says_what_the_package_asks_for_and_keeps_who_decided(school: School, course: UUID) -> None:
    admin = school.client("hub_admin")
    page = admin.get(f"/courses/{course}/allowed")
    assert "media.academy.net" in page.text
    assert "does nothing but open a window for it" in page.text

    kept = admin.post(
        f"/courses/{course}/allowed",
        data={
            **token(admin, f"/courses/{course}/allowed"),
            "windows": "true",
            "hosts": f"{MEDIA}\r\nhttps://a.org\r\n",
        },
        follow_redirects=False,
    )

    assert kept.status_code == 303
    assert f"{MEDIA}\nhttps://a.org" in admin.get(f"/courses/{course}/allowed").text
    assert f"/courses/{course}/allowed" in admin.get("/courses/allowed").text
    facts = admin.get(f"/api/v1/courses/{course}/allowed").json()
    assert facts["windows"]
    assert facts["hosts"] == [MEDIA, "https://a.org"]
    assert not facts["own_window"]
    assert [one["decided"] for one in facts["decisions"]]


def test_what_cannot_be_taken_is_shown_again_and_nothing_is_kept(school: School, course: UUID) -> None:
    admin = school.client("hub_admin")

    shown = admin.post(
        f"/courses/{course}/allowed",
        data={
            **token(admin, f"/courses/{course}/allowed"),
            "windows": "true",
            "hosts": "http://a.org",
        },
    )

    assert shown.status_code == 422
    assert "http://a.org cannot be allowed" in shown.text
    assert not admin.get(f"/api/v1/courses/{course}/allowed").json()["decisions"]


def test_an_instructor_sees_it_and_decides_nothing(school: School, course: UUID) -> None:
    instructor = school.client("instructor")
    page = instructor.get(f"/courses/{course}/allowed")

    assert page.status_code == 200
    assert "An administrator decides about this." in page.text
    sent = instructor.post(
        f"/courses/{course}/allowed",
        data={**token(instructor, f"/courses/{course}/allowed"), "windows": "true"},
    )
    assert sent.status_code == 403
    assert instructor.get("/courses/allowed").status_code == 403


def test_a_program_decides_and_what_is_left_out_is_closed_again(school: School, course: UUID) -> None:
    admin = school.client("hub_admin")
    headers = {"X-CSRF-Token": token(admin, f"/courses/{course}/allowed")["csrf_token"]}
    there = f"/api/v1/courses/{course}/allowed"

    opened = admin.put(there, json={"own_window": True}, headers=headers)
    refused = admin.put(there, json={"hosts": ["https://*.org"]}, headers=headers)
    closed = admin.put(there, json={}, headers=headers)

    assert (opened.status_code, refused.status_code, closed.status_code) == (200, 422, 200)
    assert opened.json()["own_window"]
    assert not closed.json()["own_window"]
    assert not opened.json()["frames"]
    assert [one["own_window"] for one in closed.json()["decisions"]] == [True, False]


# ------------------------------------------------------------------ what browsers are told


def directives(policy: str) -> dict[str, str]:
    return dict(one.split(" ", 1) for one in policy.split("; "))


def test_nothing_is_open_by_itself() -> None:
    closed = directives(content_security_policy("http://localhost:8000"))

    assert closed["connect-src"] == closed["frame-src"] == "'self'"
    assert "allow-popups" not in closed["sandbox"]
    assert "allow-top-navigation" not in closed["sandbox"]
    assert "img-src" not in closed


def test_frames_that_lead_each_other_stand_in_no_sandbox() -> None:
    opened = directives(content_security_policy("http://localhost:8000", Allowance(frames=True)))

    assert "sandbox" not in opened
    assert sandbox(Allowance(frames=True)) is None


def test_hosts_open_what_they_are_for_and_no_scripts() -> None:
    both = Allowance(hosts=(MEDIA, "https://lms.border.gov"))

    pages = "https://lms.border.gov"
    opened = directives(content_security_policy(pages, both, ours=OURS, reads=store_at(pages)))

    assert {name for name, sources in opened.items() if MEDIA in sources} == {
        "connect-src", "img-src", "media-src", "frame-src",
    }  # fmt: skip
    assert "https://lms.border.gov" not in opened["frame-src"].split()
    assert "https://lms.border.gov" not in opened["connect-src"].split()  # but for its two paths


def test_it_holds_for_what_is_opened_next_and_for_this_course_only(
    database: Database, tmp_path: Path
) -> None:
    desk = a_desk(tmp_path)
    with database.write() as session:
        a_course(session, desk.shelf)
        delivered = deliver(session, desk, taken(session, desk), now=NOON)
    assert delivered is not None
    secret = b"s" * 32
    site = ContentSite(
        database=database, desk=desk, checked=CheckedFiles(desk.shelf), now=lambda: NOON, secret=secret, public_url="http://localhost:8000",
        content_url="http://localhost:8001", build=tmp_path, assets={"shim.js": "shim-1.js"},
    )  # fmt: skip
    browser = TestClient(build_content(site), base_url=f"http://{label_of(secret, EDITION)}.localhost:8001")
    paths = [f"/rt/{delivered.token}/", f"/c/{delivered.token}/index.html"]
    before = [browser.get(path).headers["content-security-policy"] for path in paths]

    with database.write() as session:
        allow(session, COURSE, Allowance(windows=True, hosts=(MEDIA,), own_window=True), by=None, now=NOON)
    after = [browser.get(path).headers["content-security-policy"] for path in paths]

    assert not any(MEDIA in one or "allow-popups" in one for one in before)
    assert all(MEDIA in one and "allow-popups" in one for one in after)
    alone = browser.get(f"/rt/{delivered.token}/?lang=ar").text
    assert f"/learn/{COURSE}/after?here={delivered.launch.public_id}" in alone


# ------------------------------------------------------------------ how far it travels


def test_what_is_said_travels_with_the_course_and_silence_closes_nothing(
    database: Database, tmp_path: Path
) -> None:
    desk = a_desk(tmp_path)
    with database.write() as session:
        a_course(session, desk.shelf)
        silent = describe_course(session, COURSE)
        allow(session, COURSE, Allowance(windows=True), by=uuid4(), now=NOON)
        said = describe_course(session, COURSE)
        assert silent is not None
        assert said is not None

        apply_course(session, desk.shelf, COURSE, silent, new_id=uuid4)
        kept = allowance_of(session, EDITION)
        hostile = {**said["allowances"][0], "hosts": ["https://*.org", MEDIA, "http://a.org; script-src *"]}
        apply_course(session, desk.shelf, COURSE, {**said, "allowances": [hostile]}, new_id=uuid4)
        taken_over = allowance_of(session, EDITION)

    assert kept == Allowance(windows=True)
    assert taken_over == replace(kept, hosts=(MEDIA,))


def test_deciding_the_same_again_is_no_decision(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        a_course(session, a_desk(tmp_path).shelf)
        first = allow(session, COURSE, Allowance(windows=True), by=None, now=NOON)
        second = allow(session, COURSE, Allowance(windows=True), by=None, now=NOON + timedelta(hours=1))
        found = find_course(session, COURSE)

    assert first is not None
    assert second is None
    assert found is not None
    assert found.changed == NOON
