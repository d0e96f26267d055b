"""A client that nobody here wrote speaks to a real server."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from tincan import Activity, Agent, RemoteLRS, StateDocument, Statement, Verb

from lms.database import Database
from tests.xapi_builders import COURSE, LEARNER, PASSED, an_lrs
from xapi_store.http import create_lrs_app


@pytest.fixture
def remote(database: Database) -> Iterator[RemoteLRS]:
    socket.setdefaulttimeout(10)  # tincan has no time-outs of its own
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(create_lrs_app(an_lrs(database)), port=port, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield RemoteLRS(version="1.0.3", endpoint=f"http://127.0.0.1:{port}/", username="user", password="secret")
    server.should_exit = True
    thread.join()
    socket.setdefaulttimeout(None)


def test_tincan_writes_and_reads_statements(remote: RemoteLRS) -> None:
    statement = Statement(actor=Agent(**LEARNER), verb=Verb(id=PASSED), object=Activity(id=COURSE))

    saved = remote.save_statement(statement)
    found = remote.retrieve_statement(str(saved.content.id))
    queried = remote.query_statements({"agent": Agent(**LEARNER), "verb": Verb(id=PASSED), "limit": 5})

    assert saved.success
    assert found.content.object.id == COURSE
    assert [one.id for one in queried.content.statements] == [saved.content.id]


def test_tincan_writes_and_reads_state(remote: RemoteLRS) -> None:
    agent, activity = Agent(**LEARNER), Activity(id=COURSE)

    saved = remote.save_state(StateDocument(agent=agent, activity=activity, id="s", content="page 3"))
    found = remote.retrieve_state(activity=activity, agent=agent, state_id="s")

    assert saved.success
    assert bytes(found.content.content) == b"page 3"
