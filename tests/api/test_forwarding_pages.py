"""Forwarding by page: set up, looked at, paused, replayed, removed; nothing of it for those without the right."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from lms.database import Database
from lms.forwarding import actions
from lms.forwarding.problems import SENTENCES, Problem
from lms.forwarding.sealing import unseal
from lms.forwarding.tables import DeadLetter, Target, TargetState
from tests.school_builders import School, a_school, token
from tests.xapi_builders import AUTHORITY, NOON, PASSED, a_statement
from xapi_store.ingest import store_statements

pytestmark = pytest.mark.one_database

ENDPOINT = "https://lrs.example.org/xapi"
GIVEN = {"name": "The ministry", "endpoint": ENDPOINT, "key": "k1", "secret": "a secret", "version": "1.0.3"}


@pytest.fixture
def school(database: Database, tmp_path: Path) -> School:
    return a_school(database, tmp_path)


@pytest.fixture
def browser(school: School) -> TestClient:
    return school.client("hub_admin")


def send(browser: TestClient, path: str, **fields: str) -> Any:
    return browser.post(f"/forwarding{path}", data={**token(browser, "/forwarding/add"), **fields})


def add(browser: TestClient, **fields: str) -> Any:
    return send(browser, "/add", **GIVEN | fields)


def only_target(school: School) -> Target:
    with school.database.read() as session:
        return session.scalars(select(Target)).one()


def refuse(school: School, count: int = 1) -> list[UUID]:
    """Keep statements as refused by the only target."""
    ids = [uuid4() for _ in range(count)]
    with school.database.write() as session:
        target = session.scalars(select(Target)).one()
        for position, statement in enumerate(ids, 1):
            session.add(
                DeadLetter(
                    target_id=target.id,
                    position=position,
                    statement_id=statement,
                    status=400,
                    problem="400 <b>No such verb</b>",
                    refused=NOON,
                )
            )
    return ids


def asked(school: School) -> list[UUID]:
    with school.database.read() as session:
        return list(session.scalars(select(DeadLetter.statement_id).where(DeadLetter.replay_asked)))


@pytest.mark.parametrize("role", ["officer", "instructor"])
def test_only_administrators_see_it(school: School, browser: TestClient, role: str) -> None:
    add(browser)
    other = school.client(role)

    answers = [
        other.get("/forwarding").status_code,
        other.get(f"/forwarding/{only_target(school).id}").status_code,
    ]

    assert answers == [403, 403]


def test_an_empty_list_says_what_will_be_here(browser: TestClient) -> None:
    page = browser.get("/forwarding").text

    assert "will be listed here" in page
    assert "/forwarding/add" in page


def test_a_target_is_added_and_shown_without_its_secret(school: School, browser: TestClient) -> None:
    sent = add(browser, verbs=f"{PASSED}  https://example.org/verbs/a", made_here="on", since="2026-11-24")

    target = only_target(school)
    shown = browser.get(sent.headers["location"]).text
    assert sent.status_code == 303
    assert target.verbs == [PASSED, "https://example.org/verbs/a"]
    assert target.made_here
    assert unseal(school.site.secret, target.secret, endpoint=ENDPOINT, key="k1") == "a secret"
    for told in ("The ministry", ENDPOINT, "k1", PASSED, "Made on this node", "Up to date"):
        assert told in shown
    assert "a secret" not in shown + browser.get("/forwarding").text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": " "}, "Fill in a name"),
        ({"endpoint": "http://lrs.example.org/xapi"}, "everybody on the way"),
        ({"endpoint": "javascript:alert(1)"}, "no address of a record store"),
        ({"secret": ""}, "Fill in the secret"),
        ({"key": "a:b"}, "no colon"),
        ({"verbs": "passed"}, "passed is no verb"),
        ({"version": "0.9"}, None),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field_and_what_was_typed_stays(
    school: School, browser: TestClient, fields: dict[str, str], said: str | None
) -> None:
    answer = add(browser, **fields)

    assert answer.status_code == 422
    assert said is None or said in answer.text
    assert 'value="a secret"' not in answer.text
    assert ENDPOINT in answer.text or "endpoint" in fields
    with school.database.read() as session:
        assert session.scalars(select(Target)).all() == []


def test_sending_unprotected_has_to_be_meant(school: School, browser: TestClient) -> None:
    answer = add(browser, endpoint="http://lrs.example.org/xapi", unprotected="on")

    assert answer.status_code == 303
    assert only_target(school).endpoint == "http://lrs.example.org/xapi"


def test_the_list_says_how_far_each_is_and_what_keeps_it(school: School, browser: TestClient) -> None:
    add(browser)
    with school.database.write() as session:
        statements = [a_statement() for _ in range(3)]
        store_statements(session, statements, authority=AUTHORITY, now=NOON)
    with school.database.write() as session:
        target = session.scalars(select(Target)).one()
        actions.stop_at(session, target.id, Problem.LOCKED_OUT, "401 Who are you?")

    overview = browser.get("/forwarding").text
    shown = browser.get(f"/forwarding/{only_target(school).id}").text

    assert "Paused" in overview
    assert SENTENCES[Problem.LOCKED_OUT] in overview
    assert "401 Who are you?" in shown
    assert "3 records" in shown


def test_a_target_is_paused_and_resumed(school: School, browser: TestClient) -> None:
    add(browser)
    target = only_target(school).id

    send(browser, f"/{target}/pause")
    paused = only_target(school).state
    send(browser, f"/{target}/resume")

    assert paused == TargetState.PAUSED
    assert only_target(school).state == TargetState.RUNNING


def test_refused_records_are_shown_as_text_and_sent_again_one_or_all(
    school: School, browser: TestClient
) -> None:
    add(browser)
    target = only_target(school).id
    statements = refuse(school, 30)

    shown = browser.get(f"/forwarding/{target}").text
    second = browser.get(f"/forwarding/{target}?page=2").text
    send(browser, f"/{target}/replay", statement=str(statements[3]))
    one = asked(school)
    send(browser, f"/{target}/replay")

    assert "&lt;b&gt;No such verb" in shown
    assert "Send all 30 refused records again" in shown
    assert str(statements[29]) in second
    assert one == [statements[3]]
    assert sorted(asked(school)) == sorted(statements)


def test_another_key_is_given(school: School, browser: TestClient) -> None:
    add(browser)
    target = only_target(school).id

    wrong = send(browser, f"/{target}/credentials", key="k2", secret="")
    right = send(browser, f"/{target}/credentials", key="k2", secret="another")

    kept = only_target(school)
    assert (wrong.status_code, right.status_code) == (422, 303)
    assert unseal(school.site.secret, kept.secret, endpoint=ENDPOINT, key="k2") == "another"


def test_another_version_is_spoken_and_the_secret_stays(school: School, browser: TestClient) -> None:
    add(browser)
    target = only_target(school).id

    offered = browser.get(f"/forwarding/{target}").text
    changed = send(browser, f"/{target}/version", version="2.0.0")
    wrong = send(browser, f"/{target}/version", version="0.9")

    kept = only_target(school)
    assert '<option value="1.0.3" selected>' in offered
    assert '<option value="2.0.0" selected>' in browser.get(f"/forwarding/{target}").text
    assert (changed.status_code, wrong.status_code, kept.version) == (303, 422, "2.0.0")
    assert "The version is 1.0.3 or 2.0.0." in wrong.text
    assert unseal(school.site.secret, kept.secret, endpoint=ENDPOINT, key="k1") == "a secret"


def test_a_target_is_removed_with_what_it_refused(school: School, browser: TestClient) -> None:
    add(browser)
    target = only_target(school).id
    refuse(school)

    send(browser, f"/{target}/remove")

    with school.database.read() as session:
        assert session.scalars(select(Target)).all() == []
        assert session.scalars(select(DeadLetter)).all() == []
    assert browser.get(f"/forwarding/{target}").status_code == 404


@pytest.mark.parametrize("target", ["999", "-1", "99999999999999999999", "x"])
def test_what_is_not_here_is_said_to_be_not_here(browser: TestClient, target: str) -> None:
    assert browser.get(f"/forwarding/{target}").status_code in {404, 422}


@pytest.mark.parametrize("action", ["pause", "resume", "replay", "remove", "credentials", "version"])
def test_nothing_is_changed_without_the_token(school: School, browser: TestClient, action: str) -> None:
    add(browser)
    before = only_target(school)

    answer = browser.post(
        f"/forwarding/{before.id}/{action}", data={"key": "k2", "secret": "s", "version": "2.0.0"}
    )

    after = only_target(school)
    assert answer.status_code == 403
    assert (after.state, after.key, after.version) == (before.state, before.key, before.version)
