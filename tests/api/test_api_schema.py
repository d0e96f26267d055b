"""Whatever is sent to `/api/v1`: it answers by its own description, and never fails.

Requests are made by Schemathesis from the OpenAPI document the node serves: some fit it, some break it.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import httpx2
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from starlette.testclient import TestClient

from lms.app import ServingNode, build_pages
from lms.database import Database
from lms.node import utc_now
from lms.nodes.local import make_identity
from lms.people.actions import create_person
from lms.people.sessions import open_session
from lms.settings import Settings
from lms.web.cookies import SESSION, cookie_name
from tests.course_builders import a_scorm_file

pytestmark = pytest.mark.one_database

API = "/api/v1"
REQUESTS, REQUESTS_OF_A_SOAK = 200, 10_000
_MANY = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def client(lasting_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of the whole node, signed in as somebody who may use all of the interface."""
    data = tmp_path_factory.mktemp("node")
    url = lasting_database.url.render_as_string(hide_password=False)
    node = ServingNode(Settings(data=data, database_url=url))
    with lasting_database.write() as session:
        make_identity(session, data, name="Post 4", role="laptop")
        person = create_person(
            session,
            public_id=uuid4(),
            personnel_number="1",
            name="An administrator",
            roles=["hub_admin"],
            password_hash=None,
            now=utc_now(),
            grants_travel=True,
        )
        cookie = open_session(session, person.public_id, now=utc_now())
    yield TestClient(
        build_pages(node),
        base_url="http://localhost:8000",
        follow_redirects=False,
        cookies={cookie_name(node.site, SESSION): cookie},
    )
    node.close()


@pytest.fixture(scope="module")
def cases(client: TestClient) -> st.SearchStrategy[schemathesis.Case]:
    """Requests that the node's own description leads to; in half of them something does not fit it."""
    document = client.get(f"{API}/openapi.json").json()
    described = schemathesis.openapi.from_dict(document).include(path_regex=f"^{API}/")
    described = described.exclude(
        path_regex="/events$"
    )  # such an answer has no end; see test_statement_events
    operations = [operation.ok() for operation in described.get_all_operations()]
    assert operations
    return st.one_of(
        operation.as_strategy(generation_mode=mode) for operation in operations for mode in GenerationMode
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return a_scorm_file(tmp_path_factory.mktemp("package")).read_bytes()


def send(client: TestClient, case: schemathesis.Case, body: bytes) -> httpx2.Response:
    """Send a request as it was made, on the node's own client."""
    made = requests.Request(**case.as_transport_kwargs(base_url=str(client.base_url))).prepare()
    return client.request(made.method, made.url, headers=dict(made.headers), content=made.body or body)


def check(
    client: TestClient, cases: st.SearchStrategy[schemathesis.Case], package: bytes, data: st.DataObject
) -> None:
    case = data.draw(cases)
    if case.path_parameters and data.draw(st.booleans()):  # no generator guesses the id of a course
        courses = client.get(f"{API}/courses").json()["courses"]
        case.path_parameters["course"] = courses[0]["id"] if courses else "none"
    body = data.draw(st.sampled_from([b"", b"PK", package[:-1], package])) if case.method == "POST" else b""

    answer = send(client, case, body)

    event(f"{case.method} {answer.status_code}")
    assert answer.status_code < 500
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["title"]


@settings(_MANY, max_examples=REQUESTS)
@given(st.data())
def test_no_request_makes_the_interface_fail(
    client: TestClient, cases: st.SearchStrategy[schemathesis.Case], package: bytes, data: st.DataObject
) -> None:
    check(client, cases, package, data)


@pytest.mark.soak
@settings(_MANY, max_examples=REQUESTS_OF_A_SOAK)
@given(st.data())
def test_no_request_of_many_makes_the_interface_fail(
    client: TestClient, cases: st.SearchStrategy[schemathesis.Case], package: bytes, data: st.DataObject
) -> None:
    check(client, cases, package, data)
