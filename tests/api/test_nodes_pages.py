"""The sync page: in plain words for everybody, with pairing and "Sync now" for those who look after the node."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from lms.nodes.actions import NobodyPairedError, PeerNotFoundError, ask_to_sync, invite
from lms.nodes.admission import admit_again
from lms.nodes.link_pages import router as link_router
from lms.nodes.links import link_to, set_terms
from lms.nodes.local import now_ms
from lms.nodes.pace import Quiet, Terms
from lms.nodes.pages import TROUBLES, router
from lms.nodes.queries import chip, last_meetings, overview
from lms.nodes.rounds import Rounds
from lms.nodes.tables import Ending, Meeting
from lms.people.sessions import open_session, recognise
from lms.people.troubles import TROUBLES as PEOPLE_TROUBLES
from lms.streams.blobs import ShelfBlobs
from lms.web.cookies import SESSION, cookie_name
from lms.web.frame import frame
from lms.web.site import Site
from sync.tables import QuarantineRow, WantedBlobRow
from tests.bundle_builders import take, write
from tests.nodes_builders import Place, a_small_node, answering, long_ago, meet, pair


def client(place: Place, *roles: str) -> TestClient:
    """Return a browser of somebody with these roles on this node."""
    app = FastAPI()
    app.state.sync = place.node
    app.routes.extend([*router.routes, *link_router.routes])
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
    """Let the worker meet whom it is time to meet."""
    rounds = Rounds(place.node, addresses_here=list, dice=lambda: 0.0)
    rounds.look_after()
    assert rounds.join(within_s=20)


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
            laptop_link = link_to(session, centre.node.id)
            laptop_link.due = datetime.now(UTC) + timedelta(minutes=20)
            session.add(a_meeting(centre, ending=Ending.INTERRUPTED, detail="Nobody answers"))
        failed = browser.get("/sync-status").text
        asked, _ = send(browser, "now")
        work(laptop)

    assert "The last try did not end well" in failed
    assert "Nobody answers" in failed
    assert asked == 303
    assert "The last try did not end well" not in browser.get("/sync-status").text


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


def test_the_chip_says_since_when_nobody_was_met_once_it_is_a_week(laptop: Place, paired: TestClient) -> None:
    send(paired, "now")
    work(laptop)
    laptop.person("P-1")
    before = paired.get("/sync-status").text
    laptop.node = replace(laptop.node, clock=lambda: now_ms() + 9 * 24 * 3_600_000)
    page = client(laptop, "officer").get("/sync-status").text

    assert "alone for" not in before
    assert "alone for 9 days" in page


def test_the_chip_leads_here_and_not_to_the_protocol(laptop: Place) -> None:
    page = client(laptop, "officer").get("/sync-status").text

    assert 'href="/sync-status"' in page
    assert 'href="/sync"' not in page


# ---------------------------------------------------------------- when others are met, and how much may pass


def a_meeting(other: Place, **facts: Any) -> Meeting:
    """Return a meeting with a node that somebody asked for and that is over, unless told otherwise."""
    now = datetime.now(UTC)
    told = {"by_hand": True, "started": now, "heard": now, "finished": now, "ending": Ending.DONE}
    return Meeting(peer=other.node.id, **{**told, **facts})


@pytest.fixture
def paired(laptop: Place, centre: Place) -> Iterator[TestClient]:
    """Give the browser of a laptop's administrator; the centre it has joined answers."""
    with answering(centre) as address:
        pair(laptop, centre, address)
        yield client(laptop, "officer", "hub_admin")


def put(place: Place, other: Place, terms: Terms) -> None:
    with place.database.write() as session:
        set_terms(link_to(session, other.node.id), terms, now=datetime.now(UTC))


def quiet_now() -> Quiet:
    now = datetime.now().astimezone()
    minute = now.hour * 60 + now.minute
    return Quiet((minute - 60) % 1440, (minute + 60) % 1440)


def states(place: Place) -> list[Ending | None]:
    with place.database.read() as session:
        return [one.ending for one in last_meetings(session, limit=10)]


def test_terms_are_set_and_shown_again(laptop: Place, centre: Place, paired: TestClient) -> None:
    status, _ = send(
        paired,
        f"links/{centre.node.id}",
        how="hand",
        quiet_from="22:00",
        quiet_to="06:30",
        megabytes="2,5",
    )

    page = paired.get(f"/sync-status/links/{centre.node.id}").text
    assert status == 303
    assert re.search(r'value="hand" checked', page)
    assert 'value="22:00"' in page
    assert 'value="06:30"' in page
    assert 'value="2.5"' in page
    assert "By hand only" in paired.get("/sync-status").text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"quiet_from": "22:00"}, "quiet_to"),
        ({"quiet_from": "22:00", "quiet_to": "22:00"}, "quiet_to"),
        ({"quiet_from": "late", "quiet_to": "06:00"}, "quiet_to"),
        ({"megabytes": "a lot"}, "megabytes"),
        ({"megabytes": "0.001"}, "megabytes"),
        ({"megabytes": "-1"}, "megabytes"),
    ],
)
def test_terms_that_cannot_be_are_said_beside_their_field(
    centre: Place, paired: TestClient, typed: dict[str, str], field: str
) -> None:
    status, page = send(paired, f"links/{centre.node.id}", how="itself", **typed)

    assert status == 422
    assert f'id="{field}-error"' in page
    assert all(f'value="{value}"' in page for value in typed.values())


def test_only_who_manages_nodes_sets_terms_asks_and_cancels(
    laptop: Place, centre: Place, paired: TestClient
) -> None:
    officer = client(laptop, "officer")

    refused = [
        send(officer, f"links/{centre.node.id}", how="hand")[0],
        send(officer, "now", all_the_same="true")[0],
        send(officer, "cancel")[0],
        officer.get(f"/sync-status/links/{centre.node.id}").status_code,
    ]

    assert refused == [403] * 4
    assert "/sync-status/links/" not in officer.get("/sync-status").text


def test_a_link_to_nobody_is_not_found(paired: TestClient) -> None:
    assert paired.get("/sync-status/links/nobody").status_code == 404
    assert send(paired, "links/nobody", how="hand")[0] == 404


def test_in_quiet_hours_nothing_is_met_before_somebody_says_all_the_same(
    laptop: Place, centre: Place, paired: TestClient
) -> None:
    put(laptop, centre, Terms(quiet=quiet_now()))
    work(laptop)
    status, page = send(paired, "now")
    work(laptop)
    before = states(laptop)

    again, _ = send(paired, "now", all_the_same="true")
    work(laptop)

    assert status == 409
    assert "Meet now all the same" in page
    assert "Quiet hours; goes on at" in page
    assert before == []
    assert again == 303
    assert states(laptop) == [Ending.DONE]
    assert "All records are delivered." in paired.get("/sync-status").text


def test_what_passes_beyond_the_bytes_of_a_day_is_counted_too(
    laptop: Place, centre: Place, paired: TestClient
) -> None:
    put(laptop, centre, Terms(bytes_per_day=10_000))
    with laptop.database.write() as session:
        link = link_to(session, centre.node.id)
        link.day, link.spent = datetime.now().astimezone().date(), 9_000
    status, page = send(paired, "now")
    send(paired, "now", all_the_same="true")

    work(laptop)

    assert status == 409
    assert "The bytes of today are used" in page
    with laptop.database.read() as session:
        assert link_to(session, centre.node.id).spent > 9_000
    assert states(laptop) == [Ending.DONE]


def test_what_is_under_way_shows_bytes_and_records_and_can_be_cancelled(
    laptop: Place, centre: Place, paired: TestClient
) -> None:
    going_on = a_meeting(
        centre,
        finished=None,
        ending=None,
        bytes_up=34_000,
        bytes_down=12_000,
        sent=120,
        to_send=180,
        bytes_left=2_000_000,
    )
    with laptop.database.write() as session:
        session.add(going_on)

    page = paired.get("/sync-status").text
    status, _ = send(paired, "cancel")

    assert "data-follow" in page
    assert "120 of 300 records, 2 MB left" in page
    assert "34 kB" in page
    assert "Syncing: 120 of 300" in paired.get("/sync-status").text
    assert "Sync now" not in page
    assert status == 303
    with laptop.database.read() as session:
        assert session.get_one(Meeting, going_on.id).cancelled


def test_the_history_tells_how_each_meeting_ended(laptop: Place, centre: Place, paired: TestClient) -> None:
    laptop.person("P-1")
    send(paired, "now")
    work(laptop)
    with laptop.database.write() as session:
        session.add(a_meeting(centre, ending=Ending.BUDGET, by_hand=False))

    page = paired.get("/sync-status").text
    alone = paired.get(f"/sync-status/links/{centre.node.id}").text

    for shown in (page, alone):
        assert "The bytes of the day were used" in shown
        assert "Complete" in shown
    with laptop.database.read() as session:
        done = last_meetings(session, limit=10)[1]
    assert (done.sent, done.received, done.to_send, done.receipts) == (3, 0, 0, 1)


def test_the_page_tells_since_when_the_oldest_of_a_kind_waits(laptop: Place, paired: TestClient) -> None:
    laptop.person("P-1")

    page = paired.get("/sync-status").text

    assert re.search(r'data-label="Oldest waiting">[^<]*20\d\d', page)


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


# ---------------------------------------------------------------- admission


def test_who_was_away_too_long_is_told_so_and_admitted_again_by_the_administrator(
    laptop: Place, centre: Place
) -> None:
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
    long_ago(centre, laptop, node=laptop.node.id, admitted_by=centre)
    there, here = client(centre, "central_admin"), client(laptop, "officer")
    page = f"/sync-status/nodes/{laptop.node.id}"

    assert "admission to the network ended on" in here.get("/sync-status").text
    assert "Admission ended" in there.get("/sync-status").text
    assert "Its admission to the network has ended." in there.get(page).text
    with answering(centre) as address:
        meet(laptop, address)
    assert "admission to the network ended on" in here.get("/sync-status").text

    status, _ = send(there, f"nodes/{laptop.node.id}/admit")
    assert status == 303
    assert "Admission ended" not in there.get("/sync-status").text
    assert "Its admission" not in there.get(page).text
    assert "Admitted until" in there.get(page).text
    with answering(centre) as address:
        meet(laptop, address)
    assert "admission to the network ended on" not in here.get("/sync-status").text


def test_only_who_admitted_a_node_is_offered_to_do_so_again(laptop: Place, centre: Place) -> None:
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)
    browser = client(laptop, "officer", "hub_admin")

    assert "Admit it again" not in browser.get(f"/sync-status/nodes/{centre.node.id}").text
    status, told = send(browser, f"nodes/{centre.node.id}/admit")
    assert status == 409
    assert "This node cannot admit that one again" in told


def test_an_officer_admits_nobody(laptop: Place, centre: Place) -> None:
    with answering(centre) as address:
        pair(laptop, centre, address)
        meet(laptop, address)

    status, _ = send(client(centre, "officer"), f"nodes/{laptop.node.id}/admit")

    assert status == 403


def test_it_is_said_that_courses_find_no_room_and_how_much_is_lacking(laptop: Place, centre: Place) -> None:
    full = replace(laptop.node, blobs=ShelfBlobs(laptop.shelf, leave_free=laptop.shelf.free()))
    with laptop.database.write() as session:
        waits = QuarantineRow(
            origin=centre.node.id,
            epoch="e" * 13,
            scope="catalogue",
            seq=1,
            kind="course",
            key="c",
            schema=1,
            wall_ms=0,
            counter=0,
            body=b"{}",
            verdict="waiting",
            reason="files",
            detail="",
            since_ms=0,
        )
        waits.blobs = [WantedBlobRow(digest="0" * 64, size=3_000_000)]
        session.add(waits)

    roomy, crowded = (client(replace(laptop, node=node), "officer") for node in (laptop.node, full))

    assert "too little room" not in roomy.get("/sync-status").text
    page = crowded.get("/sync-status").text
    assert "There is too little room on this computer for all courses." in page
    assert "3 MB more must be free" in page


def test_a_name_that_two_nodes_have_admits_neither_again(
    laptop: Place, centre: Place, tmp_path: Path
) -> None:
    (elsewhere := tmp_path / "elsewhere").mkdir()
    with answering(centre) as address, a_small_node(elsewhere, "laptop", "laptop") as twin:
        for one in (laptop, twin):
            pair(one, centre, address)
    with centre.database.read() as session:
        names = {one.name for one in overview(session, centre.node).peers}
    assert len(names) == 1
    (shared,) = names

    with centre.database.write() as session, pytest.raises(PeerNotFoundError):
        admit_again(session, centre.node, shared)
    with centre.database.write() as session:
        assert admit_again(session, centre.node, twin.node.id).node == twin.node.id
