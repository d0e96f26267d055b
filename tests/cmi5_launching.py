"""A node with its two hosts, and a unit of cmi5 as a client of it: it knows what its launch URL says, and no more."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import UUID, uuid4

import httpx
import orjson
from sqlalchemy import select
from starlette.testclient import TestClient

from content_packages.cmi5.vocabulary import CMI5, MASTERY_SCORE, MOVE_ON, SESSION_ID, Verb
from lms.app import ServingNode, build_front
from lms.database import Database
from lms.enrolment.actions import enrol
from lms.keys.actions import create_key
from lms.node import utc_now
from lms.nodes.local import make_identity
from lms.people.actions import create_person
from lms.people.sessions import open_session
from lms.people.tables import PasswordCost
from lms.progress.actions import advance
from lms.progress.queries import Known, progress_of_person
from lms.settings import Settings
from lms.web.cookies import SESSION, cookie_name
from tests.package_builders import zipped
from xapi_store.packing import unpack
from xapi_store.tables import StatementRow

LMS = "http://localhost:8000"
ACTOR = {"objectType": "Agent", "account": {"homePage": "https://example.org/school", "name": "p-1"}}
V1 = {"X-Experience-API-Version": "1.0.3"}


@dataclass
class School:
    """A node, and a program that may do everything at its API."""

    node: ServingNode
    browser: TestClient
    token: str

    @property
    def known(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def course(self, files: dict[str, bytes], *, into: str = "") -> str:
        """Import a package, as a new edition of a course or as a new one, and return the course's public id."""
        answer = self.browser.post(
            f"{LMS}/api/v1/courses?filename=course.zip" + f"&as={into}" * bool(into),
            content=zipped(files),
            headers={**self.known, "Content-Type": "application/zip"},
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def ask_launch(
        self,
        course: str,
        index: int = 0,
        *,
        registration: str | None = None,
        mode: str = "Normal",
        actor: Any = None,
    ) -> httpx.Response:
        body = {"actor": actor or ACTOR, "registration": registration, "launch_mode": mode}
        path = f"{LMS}/api/v1/courses/{course}/units/{index}/launches"
        return self.browser.post(path, json=body, headers=self.known)

    def launch(self, course: str, index: int = 0, **more: Any) -> Unit:
        answer = self.ask_launch(course, index, **more)
        assert answer.status_code == 201, answer.text
        return Unit(browser=self.browser, **answer.json())

    def running(self, course: str, index: int = 0, **more: Any) -> Unit:
        """Launch a unit and bring it as far as ``initialized``."""
        unit = self.launch(course, index, **more)
        unit.start()
        assert unit.say(Verb.INITIALIZED).status_code == 200
        return unit

    def officer(self, course: str, number: str = "4711") -> Officer:
        """Make an officer who takes the course, in front of her own browser."""
        person, browser = self.signed_in(number, name="Ann Example", role="officer")
        with self.node.database.write() as session:
            enrol(session, UUID(course), [person], by=None, now=utc_now(), new_id=uuid4)
        return Officer(school=self, browser=browser, person=person, course=course)

    def signed_in(self, number: str, *, name: str, role: str) -> tuple[UUID, TestClient]:
        """Make somebody, and give her a browser in which she is signed in."""
        person, now = uuid4(), utc_now()
        with self.node.database.write() as session:
            create_person(
                session,
                public_id=person,
                personnel_number=number,
                name=name,
                roles=(role,),
                password_hash=None,
                now=now,
                grants_travel=False,
            )
            token = open_session(session, person, now=now)
        browser = TestClient(self.browser.app, base_url=LMS)
        browser.cookies.set(cookie_name(self.node.site, SESSION), token)
        return person, browser

    def progress(self) -> None:
        """Let the worker read all statements."""
        with self.node.database.write() as session:
            while advance(session):
                pass

    def do(self, path: str, **body: Any) -> httpx.Response:
        return self.browser.post(f"{LMS}/api/v1/{path}", json=body, headers=self.known)

    def statements(self, registration: str = "") -> list[dict[str, Any]]:
        """Return what is stored, in order."""
        with self.node.database.read() as session:
            kept = session.scalars(select(StatementRow.raw).order_by(StatementRow.position))
            found = [orjson.loads(unpack(session.connection(), raw)) for raw in kept]
        return [one for one in found if registration in {"", one["context"].get("registration")}]

    def verbs(self, registration: str = "") -> list[str]:
        return [one["verb"]["id"].rpartition("/")[2] for one in self.statements(registration)]


@dataclass
class Officer:
    """Somebody who takes a course by its pages."""

    school: School
    browser: TestClient
    person: UUID
    course: str

    def get(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def open(self, unit: str = "") -> Unit:
        """Open the player, or a unit in it, and return the unit it shows."""
        page = self.get(f"/learn/{self.course}/units" + f"?unit={quote(unit, safe='')}" * bool(unit))
        found = re.search(r'http://k[0-9a-f]{20}[.]localhost:8001/au/[^"]+', page)
        assert found is not None, page
        url = html.unescape(found[0])
        query = parse_qs(urlsplit(url).query)
        launched = [one for one in self.school.statements() if one["verb"]["id"] == Verb.LAUNCHED][-1]
        session_id = launched["context"]["extensions"][SESSION_ID]
        return Unit(
            browser=self.browser, url=url, session_id=session_id, registration=query["registration"][0]
        )

    def press(self, page: str, **fields: str) -> httpx.Response:
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token is not None
        answer: httpx.Response = self.browser.post(
            f"/learn/{self.course}/units/go",
            data={"csrf_token": token[1], **fields},
            follow_redirects=False,
        )
        return answer

    def known(self) -> dict[str, Known]:
        """Return what the read model knows of her, by activity."""
        self.school.progress()
        with self.school.node.database.read() as session:
            found = progress_of_person(session, self.person)
        return dict(next(iter(found.values()), {}))


@dataclass
class Unit:
    """A unit just launched."""

    browser: httpx.Client
    url: str
    session_id: str
    registration: str
    edition: str = ""
    auth: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, parameter: str) -> str:
        return parse_qs(urlsplit(self.url).query)[parameter][0]

    @property
    def known(self) -> dict[str, str]:
        return {**V1, "Authorization": f"Basic {self.auth}"}

    @property
    def state(self) -> dict[str, str]:
        return {
            "activityId": self["activityId"],
            "agent": self["actor"],
            "registration": self["registration"],
            "stateId": "LMS.LaunchData",
        }

    def fetch(self) -> httpx.Response:
        answer = self.browser.post(self["fetch"])
        self.auth = answer.json().get("auth-token", self.auth)
        return answer

    def ask(self, method: str, resource: str, *, body: Any = None, **parameters: str) -> httpx.Response:
        given = {} if body is None else {"json": body}
        return self.browser.request(
            method, self["endpoint"] + resource, params=parameters, headers=self.known, **given
        )

    def start(self) -> None:
        """Fetch the credential, the launch data and the learner's preferences."""
        self.fetch()
        answer = self.ask("GET", "activities/state", **self.state)
        assert answer.status_code == 200, answer.text
        self.data = answer.json()
        assert self.preferences().status_code in {200, 404}

    def preferences(self) -> httpx.Response:
        return self.ask("GET", "agents/profile", profileId="cmi5LearnerPreferences", agent=self["actor"])

    def statement(self, verb: str, *, defined: bool = True, **more: Any) -> dict[str, Any]:
        """Return a good statement, made of the context template."""
        context = orjson.loads(orjson.dumps(self.data["contextTemplate"]))
        context["registration"] = self.registration
        result: dict[str, Any] = {}
        if defined:
            counts = verb in {Verb.COMPLETED, Verb.PASSED, Verb.FAILED}
            context["contextActivities"]["category"] = [{"id": CMI5}] + [{"id": MOVE_ON}] * counts
            if verb == Verb.COMPLETED:
                result["completion"] = True
            elif counts:
                result["success"] = verb == Verb.PASSED
                if "masteryScore" in self.data:
                    context["extensions"][MASTERY_SCORE] = self.data["masteryScore"]
            if verb != Verb.INITIALIZED:
                result["duration"] = "PT90S"
        return {
            "id": str(uuid4()),
            "timestamp": utc_now().isoformat().replace("+00:00", "Z"),
            "actor": orjson.loads(self["actor"]),
            "verb": {"id": verb},
            "object": {"objectType": "Activity", "id": self["activityId"]},
            "context": context,
            **({"result": result} if result else {}),
            **more,
        }

    def send(self, *statements: dict[str, Any]) -> httpx.Response:
        return self.ask("POST", "statements", body=list(statements))

    def say(self, verb: str, *, scaled: float | None = None, **more: Any) -> httpx.Response:
        statement = self.statement(verb, **more)
        if scaled is not None:
            statement["result"]["score"] = {"scaled": scaled}
        return self.send(statement)


@contextmanager
def a_school(database: Database, folder: Path) -> Iterator[School]:
    url = database.url.render_as_string(hide_password=False)
    node = ServingNode(Settings(data=folder / "node", database_url=url))
    with database.write() as session:
        make_identity(session, folder / "node", name="Post 4", role="laptop")
        session.add(PasswordCost(id=1, memory_kib=8, time=1))  # nobody signs in by a password here
        key = create_key(session, "token", "A program", ["all"], now=utc_now())
    browser = TestClient(build_front(node), base_url=LMS)
    yield School(node=node, browser=browser, token=f"{key.key}.{key.secret}")
    node.close()


def the_iri(course: str, unit: UUID | str = "") -> str:
    return f"https://outpost.invalid/courses/{course}" + f"/units/{unit}" * bool(unit)
