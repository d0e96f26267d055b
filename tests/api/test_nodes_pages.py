"""The sync page: in plain words for everybody, with pairing and "Sync now" for those who look after the node."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from lms.nodes.actions import NobodyPairedError, ask_to_sync, invite, run_job
from lms.nodes.pages import TROUBLES, router
from lms.nodes.queries import JOB, chip, queued_sync
from lms.people.sessions import open_session, recognise
from lms.people.troubles import TROUBLES as PEOPLE_TROUBLES
from lms.web.cookies import SESSION, cookie_name
from lms.web.frame import frame
from lms.web.site import Site
from lms.worker import Worker
from tests.bundle_builders import take, write
from tests.nodes_builders import Place, a_small_node, answering, meet, pair


def client(place: Place, *roles: str) -> TestClient:
    """Return a browser of somebody with these roles on this node."""
    app = FastAPI()
    app.state.sync = place.node
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
    frame(app, site, host_names=["localhost"], troubles=[PEOPLE_TROUBLES, TROUBLES])
    person = place.person(f"P-{uuid4()}", roles=roles)
    with place.database.write() as session:
        cookie = open_session(session, person, now=site.now())
    return TestClient(
        app,
        base_url="http://localhost:8000",
        follow_redirects=False,
        cookies={cookie_name(site, SESSION): cookie},
    )


def send(browser: TestClient, action: str, **fields: str) -> tuple[int, str]:
    found = re.search(r'name="csrf_token" value="(\w+)"', browser.get("/sync-status").text)
    assert found is not None
    answer = browser.post(f"/sync-status/{action}", data={"csrf_token": found[1], **fields})
    return answer.status_code, answer.text


def work(place: Place) -> None:
    """Let the worker do one job."""
    jobs = {JOB: lambda payload: run_job(place.node, payload)}
    Worker(place.database, now=lambda: datetime.now(UTC), jobs=jobs, chores=[]).run_job(JOB)


def test_an_officer_sees_what_waits_and_no_forms(laptop: Place, centre: Place) -> None:
    browser = client(laptop, "officer")
    alone = browser.get("/sync-status").text
    with answering(centre) as address:
        pair(laptop, centre, address)
    waiting = browser.get("/sync-status").text

    assert "has not joined a network yet" in alone
    assert "1 record waiting" in waiting
    assert "/sync-status/join" not in waiting
    assert send(browser, "now")[0] == 403


def test_an_administrator_joins_by_address_and_code_and_the_worker_syncs(
    laptop: Place, centre: Place
) -> None:
    browser = client(laptop, "officer", "hub_admin")
    code, page = send(client(centre, "central_admin"), "invite", role="laptop")
    shown = re.search(r'data-testid="invitation-code">([^<]+)<', page)
    assert code == 200
    assert shown is not None
    with answering(centre) as address:
        joined, _ = send(browser, "join", address=address.removeprefix("http://"), code=shown[1])
        under_way = browser.get("/sync-status").text
        work(laptop)
    after = browser.get("/sync-status").text

    assert joined == 303
    assert "Syncing." in under_way
    assert "All records are delivered." in after
    assert "The central" in after
    assert "Syncing." not in after


def test_a_wrong_code_and_a_silent_address_are_said_beside_their_fields(laptop: Place, centre: Place) -> None:
    browser = client(laptop, "officer", "hub_admin")
    with centre.database.write() as session:
        code = invite(session, centre.node, role="laptop")
    with answering(centre) as address:
        wrong, wrong_page = send(browser, "join", address=address, code="7KQ-2M4-X9T")
    silent, silent_page = send(browser, "join", address=address, code=code)

    assert (wrong, silent) == (422, 422)
    assert 'id="code-error"' in wrong_page
    assert 'id="address-error"' in silent_page


def test_a_try_that_failed_is_told_and_asking_again_hurries_it(laptop: Place, centre: Place) -> None:
    browser = client(laptop, "officer", "hub_admin")
    with answering(centre) as address:
        pair(laptop, centre, address)
    with laptop.database.write() as session:
        ask_to_sync(session, now=datetime.now(UTC))
        job = queued_sync(session)
        assert job is not None
        job.problem = "no answer"
    failed = browser.get("/sync-status").text
    asked, _ = send(browser, "now")

    assert "The last try did not end well" in failed
    assert asked == 303
    with laptop.database.read() as session:
        again = queued_sync(session)
        assert again is not None
        assert again.problem is None


def test_nobody_to_sync_with_is_said_with_what_to_do(laptop: Place) -> None:
    browser = client(laptop, "officer", "hub_admin")

    status, page = send(browser, "now")

    assert status == 409
    assert "There is no node to sync with yet" in page
    with pytest.raises(NobodyPairedError), laptop.database.write() as session:
        ask_to_sync(session, now=datetime.now(UTC))


def test_a_refused_record_is_listed_with_its_reason(laptop: Place, centre: Place) -> None:
    person = centre.person("B-1")
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
        with laptop.database.write() as session:
            laptop.rename(session, person, "Somebody else")
        meet(laptop, address)

    page = client(centre, "officer").get("/sync-status").text

    assert "Refused records" in page
    assert "only there it can be changed" in page
    assert "Somebody else" not in page


def test_the_chip_leads_here_and_not_to_the_protocol(laptop: Place) -> None:
    page = client(laptop, "officer").get("/sync-status").text

    assert 'href="/sync-status"' in page
    assert 'href="/sync"' not in page


# ---------------------------------------------------------------- a node that is no longer trusted


def page_of(browser: TestClient, other: Place) -> str:
    return browser.get(f"/sync-status/nodes/{other.node.id}").text


def decide(browser: TestClient, other: Place, **fields: str) -> tuple[int, str]:
    return send(browser, f"nodes/{other.node.id}", **fields)


def figures(page: str) -> list[int]:
    """Return how many records of the node are trusted, kept aside, and were taken before."""
    return [int(value) for value in re.findall(r"<dd>(\d+)</dd>", page)]


@pytest.fixture
def stolen(laptop: Place, centre: Place) -> TestClient:
    """Give the browser of the centre's administrator, who has withdrawn the laptop; the laptop goes on recording."""
    with answering(centre) as address:
        pair(laptop, centre, address)
        laptop.person("P-early")
        meet(laptop, address)
    browser = client(centre, "central_admin")
    status, _ = decide(browser, laptop, trust="held", reason="Stolen at the market")
    assert status == 303
    laptop.person("P-late")
    take(centre, *write(laptop, [centre], laptop.folder / "late.outpost").paths)
    return browser


def test_before_a_node_is_withdrawn_it_is_asked_what_of_it_is_trusted(laptop: Place, centre: Place) -> None:
    with answering(centre) as address:
        pair(laptop, centre, address)
        laptop.person("P-early")
        meet(laptop, address)

    page = page_of(client(centre, "central_admin"), laptop)

    assert "Which of its records do you trust?" in page
    assert figures(page) == [1]


def test_what_came_after_a_node_was_withdrawn_is_listed_with_its_reason(
    laptop: Place, stolen: TestClient
) -> None:
    page = page_of(stolen, laptop)

    assert figures(page) == [1, 1, 0]
    assert "Stolen at the market" in page
    assert "Kept aside" in page
    assert "written after the last record that is" in stolen.get("/sync-status").text


def test_what_was_kept_aside_is_taken_once_an_administrator_trusts_it(
    laptop: Place, stolen: TestClient
) -> None:
    status, _ = decide(stolen, laptop, trust="held")

    assert status == 303
    assert figures(page_of(stolen, laptop)) == [2, 0, 0]
    assert "written after the last record that is" not in stolen.get("/sync-status").text


def test_what_was_taken_and_is_not_trusted_since_stays_and_is_listed(
    laptop: Place, stolen: TestClient
) -> None:
    status, _ = decide(stolen, laptop, trust="before", before="2020-01-01T09:30")

    page = page_of(stolen, laptop)
    assert status == 303
    assert figures(page) == [0, 1, 1]
    assert "Taken before" in page


def test_a_moment_that_is_none_is_said_beside_its_field(laptop: Place, stolen: TestClient) -> None:
    status, page = decide(stolen, laptop, trust="before", before="yesterday", reason="Lost")

    assert status == 422
    assert 'id="before-error"' in page
    assert 'value="Lost"' in page


def test_a_laptop_shows_whom_it_knows_and_does_not_decide(laptop: Place, centre: Place) -> None:
    with answering(centre) as address:
        pair(laptop, centre, address)
    browser = client(laptop, "officer", "hub_admin")

    page = page_of(browser, centre)
    status, _ = decide(browser, centre, trust="held")

    assert "Which of its records do you trust?" not in page
    assert status == 409


def test_a_node_that_joined_elsewhere_is_found_among_those_known_through_others(
    laptop: Place, centre: Place, tmp_path: Path
) -> None:
    with a_small_node(tmp_path, "hub", "hub") as hub, answering(centre) as above, answering(hub) as address:
        pair(hub, centre, above, role="hub")
        pair(laptop, hub, address)
        laptop.person("P-early")
        meet(laptop, address)
        meet(hub, above)
    browser = client(centre, "central_admin")

    page = browser.get("/sync-status").text

    assert "Known through others" in page
    assert f"/sync-status/nodes/{laptop.node.id}" in page
    assert figures(page_of(browser, laptop)) == [1]


def test_a_node_that_nobody_knows_is_not_found(centre: Place) -> None:
    assert client(centre, "central_admin").get("/sync-status/nodes/nobody").status_code == 404
