"""The content hosts: what a token opens, and what it does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from lms.content.app import ContentSite, build_content
from lms.courses.checked_files import CheckedFiles
from lms.database import Database
from lms.launch.actions import boot_values, deliver
from lms.launch.hosts import label_of
from lms.launch.queries import launch_of
from tests.launch_builders import EDITION, NOON, a_course, a_desk, statements, taken

pytestmark = pytest.mark.one_database

SECRET = b"s" * 32
HOST = f"{label_of(SECRET, EDITION)}.localhost:8001"
FILES = {
    "Seite ä.HTML": b"<p>Page",
    "film.mp4": bytes(range(100)),
    "setup.exe": b"MZ",
}


@pytest.fixture
def site(database: Database, tmp_path: Path) -> ContentSite:
    desk = a_desk(tmp_path)
    build = tmp_path / "build"
    build.mkdir()
    (build / "shim-1.js").write_text("export {};", encoding="utf-8")
    with database.write() as session:
        a_course(session, desk.shelf, files=FILES)
    return ContentSite(
        database=database, desk=desk, checked=CheckedFiles(desk.shelf), now=lambda: NOON, secret=SECRET, public_url="http://localhost:8000",
        content_url="http://localhost:8001", build=build, assets={"shim.js": "shim-1.js", "storage.js": "storage-1.js"},
    )  # fmt: skip


@pytest.fixture
def browser(site: ContentSite) -> Iterator[TestClient]:
    with TestClient(build_content(site), base_url=f"http://{HOST}") as client:
        yield client


def a_token(site: ContentSite) -> str:
    with site.database.write() as session:
        delivered = deliver(session, site.desk, taken(session, site.desk), now=NOON)
    assert delivered is not None
    return delivered.token


def body(sequence: int, **values: str) -> dict[str, object]:
    return {
        "sequence": sequence, "values": values, "reason": "commit", "phase": "running", "session_time_s": 3
    }  # fmt: skip


@pytest.mark.parametrize("at", ["c", "s"])
def test_content_may_ask_whether_a_file_is_there(site: ContentSite, browser: TestClient, at: str) -> None:
    token = a_token(site)

    here, gone = browser.head(f"/{at}/{token}/film.mp4"), browser.head(f"/{at}/{token}/film2.mp4")

    assert (here.status_code, here.content, here.headers["content-length"]) == (200, b"", "100")
    assert gone.status_code == 404


def test_the_shim_page_names_the_unit_and_cannot_be_broken_out_of(
    site: ContentSite, browser: TestClient
) -> None:
    token = a_token(site)

    page = browser.get(f"/rt/{token}/")

    data = page.text.partition('id="boot">')[2].partition("</script>")[0]
    boot = json.loads(data)
    assert boot["content"] == f"../../c/{token}/index.html?a=1"
    assert boot["values"]["cmi.core.entry"] == "ab-initio"
    assert not set("<>&") & set(data)
    assert "set-cookie" not in page.headers


def test_an_asset_is_offered_the_api_as_well_for_some_call_it(database: Database, tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    with database.write() as session:
        a_course(session, desk.shelf, standard="scorm2004", kind="asset")
    site = ContentSite(
        database=database, desk=desk, checked=CheckedFiles(desk.shelf), now=lambda: NOON, secret=SECRET, public_url="http://localhost:8000",
        content_url="http://localhost:8001", build=tmp_path, assets={"shim.js": "shim-1.js"},
    )  # fmt: skip

    with TestClient(build_content(site), base_url=f"http://{HOST}") as browser:
        page = browser.get(f"/rt/{a_token(site)}/")

    boot = json.loads(page.text.partition('id="boot">')[2].partition("</script>")[0])
    assert (boot["standard"], boot["asset"]) == ("scorm2004", True)


def test_a_commit_is_kept_before_it_is_acknowledged(site: ContentSite, browser: TestClient) -> None:
    token = a_token(site)

    answer = browser.post(f"/rt/{token}/commit", json=body(1, **{"cmi.core.lesson_location": "page-4"}))

    assert answer.json() == {"sequence": 1, "refused": [], "navigation": None}
    with site.database.read() as session:
        launch = launch_of(session, token, now=NOON)
        kept = boot_values(session, taken(session, site.desk), launch)
    assert kept["cmi.core.lesson_location"] == "page-4"


def test_a_commit_that_cannot_be_whole_leaves_no_trace(site: ContentSite, browser: TestClient) -> None:
    token = a_token(site)
    with site.database.read() as session:
        before = statements(session)

    answer = browser.post(f"/rt/{token}/commit", content=b'{"sequence": 1, "values": [}')

    assert answer.status_code == 422
    with site.database.read() as session:
        assert statements(session) == before
        assert launch_of(session, token, now=NOON).sequence == 0


@pytest.mark.parametrize(
    "refused",
    [
        {f"cmi.interactions.{place}.id": {"code": "405", "length": 1, "value": "i"} for place in range(9)},
        {"c" * 256: {"code": "405", "length": 1, "value": "i"}},
        {"cmi.suspend_data": {"code": "405", "length": 64_001, "value": "x" * 61}},
        {"cmi.suspend_data": {"code": "many", "length": 64_001, "value": "x"}},
        {"cmi.suspend_data": "x"},
    ],
)
def test_what_a_shim_says_it_refused_is_no_way_to_store_more(
    site: ContentSite, browser: TestClient, refused: dict[str, object]
) -> None:
    token = a_token(site)
    right = {"cmi.suspend_data": {"code": "405", "length": 64_001, "value": "x" * 60}}

    wrong = browser.post(f"/rt/{token}/commit", json=body(1) | {"refused": refused})
    taken_so = browser.post(f"/rt/{token}/commit", json=body(1) | {"refused": right})

    assert (wrong.status_code, taken_so.status_code) == (422, 200)


def test_an_old_sequence_is_answered_with_the_last(site: ContentSite, browser: TestClient) -> None:
    token = a_token(site)
    browser.post(f"/rt/{token}/commit", json=body(7))

    answer = browser.post(f"/rt/{token}/commit", json=body(6))

    assert (answer.status_code, answer.json()) == (409, {"error": "stale", "sequence": 7})


def test_a_token_that_was_replaced_neither_reads_nor_writes(site: ContentSite, browser: TestClient) -> None:
    first = a_token(site)
    a_token(site)

    assert browser.post(f"/rt/{first}/commit", json=body(1)).status_code == 410
    assert browser.get(f"/c/{first}/index.html").status_code == 410
    assert "open it again" in browser.get(f"/rt/{first}/").text


def test_a_token_opens_nothing_on_the_host_of_another_course(site: ContentSite, browser: TestClient) -> None:
    token = a_token(site)
    elsewhere = {"host": f"{label_of(SECRET, UUID(int=9))}.localhost:8001"}

    assert browser.get(f"/c/{token}/index.html", headers=elsewhere).status_code == 410
    assert browser.post(f"/rt/{token}/commit", json=body(1), headers=elsewhere).status_code == 410


@pytest.mark.parametrize("host", ["localhost:8001", "127.0.0.1:8001", "evil.example", "k1.evil.example:8001"])
def test_other_names_are_not_answered(site: ContentSite, browser: TestClient, host: str) -> None:
    answer = browser.get(f"/c/{a_token(site)}/index.html", headers={"host": host})

    assert answer.status_code == 421


@pytest.mark.parametrize(
    "path", ["%2e%2e%2foutpost.db", "%2e%2e/outpost.db", "..%5coutpost.db", "/etc/passwd", "secret.txt", ""]
)
def test_only_what_the_manifest_lists_is_served(site: ContentSite, browser: TestClient, path: str) -> None:
    answer = browser.get(f"/c/{a_token(site)}/{path}")

    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["Seite%20%C3%A4.HTML", "seite%20%C3%A4.html", "SEITE%20a%CC%88.html"])
def test_names_of_any_script_are_found_and_case_is_forgiven(
    site: ContentSite, browser: TestClient, path: str
) -> None:
    answer = browser.get(f"/c/{a_token(site)}/{path}")

    assert answer.content == b"<p>Page"
    assert answer.headers["content-type"].startswith("text/html")


def test_a_film_is_served_in_parts(site: ContentSite, browser: TestClient) -> None:
    answer = browser.get(f"/c/{a_token(site)}/film.mp4", headers={"range": "bytes=10-19"})

    assert answer.status_code == 206
    assert answer.content == bytes(range(10, 20))


def test_what_is_not_known_is_a_download(site: ContentSite, browser: TestClient) -> None:
    answer = browser.get(f"/c/{a_token(site)}/setup.exe")

    assert answer.headers["content-disposition"].startswith("attachment")


def test_an_unchanged_file_is_not_sent_again(site: ContentSite, browser: TestClient) -> None:
    token = a_token(site)
    etag = browser.get(f"/c/{token}/index.html").headers["etag"]

    assert browser.get(f"/c/{token}/index.html", headers={"if-none-match": etag}).status_code == 304


def test_every_answer_says_what_content_may_do(site: ContentSite, browser: TestClient) -> None:
    headers = browser.get(f"/c/{a_token(site)}/index.html").headers

    assert "frame-ancestors 'self' http://localhost:8000" in headers["content-security-policy"]
    assert "connect-src 'self'" in headers["content-security-policy"]
    assert "unload=*" in headers["permissions-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"


def test_the_shim_page_may_read_the_blobs_its_worker_signs_with(
    site: ContentSite, browser: TestClient
) -> None:
    headers = browser.get(f"/rt/{a_token(site)}/").headers

    assert "connect-src 'self' blob:;" in headers["content-security-policy"]


def test_no_service_worker_is_served(site: ContentSite, browser: TestClient) -> None:
    answer = browser.get(f"/c/{a_token(site)}/index.html", headers={"service-worker": "script"})

    assert answer.status_code == 403
