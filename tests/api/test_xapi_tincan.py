"""A client that nobody here wrote speaks to a real server."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tincan import (
    Activity,
    ActivityDefinition,
    Agent,
    Attachment,
    Context,
    ContextActivities,
    Group,
    LanguageMap,
    RemoteLRS,
    Result,
    Score,
    StateDocument,
    Statement,
    StatementRef,
    SubStatement,
    Verb,
)

from lms.database import Database
from tests.serving import serving
from tests.xapi_builders import BASIC, COURSE, LEARNER, PASSED, V1, VERSION, VOIDED, an_lrs, key
from xapi_store.http import create_lrs_app

AGENT, ACTIVITY = Agent(**LEARNER), Activity(id=COURSE)


@pytest.fixture
def remote(database: Database) -> Iterator[RemoteLRS]:
    socket.setdefaulttimeout(10)  # tincan has no time-outs of its own
    with serving(create_lrs_app(an_lrs(database))) as url:
        yield RemoteLRS(version="1.0.3", endpoint=f"{url}/", username="user", password="secret")
    socket.setdefaulttimeout(None)


def a_rich_statement() -> Statement:
    return Statement(
        id=str(uuid4()),
        actor=Group(mbox="mailto:team@example.org", member=[AGENT]),
        verb=Verb(id=PASSED, display=LanguageMap({"en-US": "passed"})),
        object=Activity(id=COURSE, definition=ActivityDefinition(name=LanguageMap({"en-US": "A course"}))),
        result=Result(score=Score(scaled=0.5, raw=5, min=0, max=10), success=True, duration="PT1H30M"),
        context=Context(
            registration=uuid4(),
            instructor=AGENT,
            context_activities=ContextActivities(parent=[Activity(id="https://example.org/parent")]),
        ),
    )


def test_statements_are_written_and_read(remote: RemoteLRS) -> None:
    statement = Statement(actor=AGENT, verb=Verb(id=PASSED), object=ACTIVITY)

    saved = remote.save_statement(statement)
    found = remote.retrieve_statement(str(saved.content.id))
    queried = remote.query_statements({"agent": AGENT, "verb": Verb(id=PASSED), "limit": 5})

    assert saved.success
    assert found.content.object.id == COURSE
    assert [one.id for one in queried.content.statements] == [saved.content.id]


def test_a_statement_with_everything_reads_back_as_it_was(remote: RemoteLRS) -> None:
    statement = a_rich_statement()

    saved = remote.save_statement(statement)
    kept = remote.retrieve_statement(str(statement.id)).content

    assert saved.success
    for name in ("actor", "verb", "result", "context"):
        assert getattr(kept, name).to_json() == getattr(statement, name).to_json(), name
    assert kept.object.definition.name == {"en-US": "A course"}
    assert kept.stored is not None
    assert kept.authority is not None


def test_a_batch_is_written_and_led_through_by_more(remote: RemoteLRS) -> None:
    batch = [Statement(actor=AGENT, verb=Verb(id=PASSED), object=ACTIVITY) for _ in range(5)]

    saved = remote.save_statements(batch)
    page = remote.query_statements({"activity": ACTIVITY, "limit": 2})
    found = list(page.content.statements)
    while page.content.more:
        page = remote.more_statements(page.content.more)
        assert page.success
        found += page.content.statements

    assert [one.id for one in found] == [one.id for one in saved.content][::-1]


def test_a_statement_is_voided_and_read_as_such(remote: RemoteLRS) -> None:
    target = remote.save_statement(a_rich_statement()).content

    voiding = remote.save_statement(
        Statement(actor=AGENT, verb=Verb(id=VOIDED), object=StatementRef(id=target.id))
    )

    assert voiding.success
    assert not remote.retrieve_statement(str(target.id)).success
    assert remote.retrieve_voided_statement(str(target.id)).content.id == target.id


def test_a_plan_and_a_file_elsewhere_are_written_and_read(remote: RemoteLRS) -> None:
    content = b"a certificate"
    statement = Statement(
        actor=AGENT,
        verb=Verb(id="https://example.org/planned"),
        object=SubStatement(actor=AGENT, verb=Verb(id=PASSED), object=ACTIVITY),
        attachments=[
            Attachment(
                usage_type="https://example.org/certificate",
                display=LanguageMap({"en-US": "Certificate"}),
                content_type="text/plain",
                length=len(content),
                sha2=hashlib.sha256(content).hexdigest(),
                fileurl="https://example.org/file",
            )
        ],
    )

    saved = remote.save_statement(statement)
    kept = remote.retrieve_statement(str(saved.content.id)).content

    assert saved.success
    assert kept.object.object.id == COURSE
    assert kept.attachments[0].sha2 == hashlib.sha256(content).hexdigest()


def test_state_is_written_listed_and_cleared(remote: RemoteLRS) -> None:
    for name in ("bookmark", "notes"):
        saved = remote.save_state(StateDocument(agent=AGENT, activity=ACTIVITY, id=name, content="page 3"))
        assert saved.success
    found = remote.retrieve_state(activity=ACTIVITY, agent=AGENT, state_id="notes")
    names = remote.retrieve_state_ids(activity=ACTIVITY, agent=AGENT)
    deleted = remote.delete_state(found.content)
    left = remote.retrieve_state_ids(activity=ACTIVITY, agent=AGENT)
    cleared = remote.clear_state(activity=ACTIVITY, agent=AGENT)

    assert bytes(found.content.content) == b"page 3"
    assert names.content == ["bookmark", "notes"]
    assert (deleted.success, left.content) == (True, ["bookmark"])
    assert cleared.success
    assert remote.retrieve_state_ids(activity=ACTIVITY, agent=AGENT).content == []


@pytest.fixture
def profiles(remote: RemoteLRS) -> RemoteLRS:
    """A store with two profiles, made by another client: tincan knows no If-None-Match, without which none is new."""
    headers = {"Authorization": BASIC, VERSION: V1, "If-None-Match": "*", "Content-Type": "text/plain"}
    for path, owner in (("activities", {"activityId": COURSE}), ("agents", {"agent": key(LEARNER)})):
        made = httpx.put(
            f"{remote.endpoint}{path}/profile",
            params=owner | {"profileId": "p"},
            content=b"first",
            headers=headers,
        )
        assert made.status_code == 204
    return remote


def read(answer: Any) -> Any:
    """The document of an answer with its ETag, which tincan means to take and does not find."""
    answer.content.etag = answer.response.getheader("ETag")
    return answer.content


def test_an_activity_profile_is_read_changed_by_its_etag_and_deleted(profiles: RemoteLRS) -> None:
    found = read(profiles.retrieve_activity_profile(ACTIVITY, "p"))
    kept = bytes(found.content)
    found.content = "second"

    changed = profiles.save_activity_profile(found)
    stale = profiles.save_activity_profile(found)

    current = read(profiles.retrieve_activity_profile(ACTIVITY, "p"))
    assert (kept, bytes(current.content)) == (b"first", b"second")
    assert (changed.success, stale.success) == (True, False)
    assert profiles.retrieve_activity_profile_ids(ACTIVITY).content == ["p"]
    assert profiles.delete_activity_profile(current).success
    assert profiles.retrieve_activity_profile_ids(ACTIVITY).content == []


def test_an_agent_profile_is_read_changed_by_its_etag_and_deleted(profiles: RemoteLRS) -> None:
    found = read(profiles.retrieve_agent_profile(AGENT, "p"))
    kept = bytes(found.content)
    found.content = "second"

    changed = profiles.save_agent_profile(found)
    stale = profiles.save_agent_profile(found)

    current = read(profiles.retrieve_agent_profile(AGENT, "p"))
    assert (kept, bytes(current.content)) == (b"first", b"second")
    assert (changed.success, stale.success) == (True, False)
    assert profiles.retrieve_agent_profile_ids(AGENT).content == ["p"]
    assert profiles.delete_agent_profile(current).success
    assert profiles.retrieve_agent_profile_ids(AGENT).content == []
