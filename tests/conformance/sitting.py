"""A learner at the player page, without a browser: what its routes do, in their order, over the shim itself.

It shows what the page would show and lets nothing be pressed that is not offered.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from content_packages.cmi.data_model import DataModel
from content_packages.cmi.tables import Standard
from content_packages.package import Activity
from content_packages.sequencing.event import Request
from lms.content.app import CommitBody
from lms.courses.importing import Importer
from lms.database import Database
from lms.enrolment.tables import Enrolment
from lms.launch.actions import Desk, apply_commit, boot_values, carry_out, deliver, taking_of
from lms.launch.course import Taking, open_course, read_standing
from lms.launch.pages import REQUESTS, Bar, bar_of
from lms.launch.queries import LaunchOverError, launch_of, launch_to_write
from lms.people.queries import hold_person
from tests.conformance.shim import Answer, Shim
from tests.launch_builders import a_desk

Last = Sequence[Sequence[str]]  # the calls of an unload handler
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Node:
    """Where courses are taken."""

    database: Database
    desk: Desk
    importer: Importer

    def import_package(self, package: Path) -> UUID:
        """Import and publish; return the id of the course."""
        done = self.importer.import_file(package, by=None, publish_it=True)
        assert done.course is not None, done.report
        return done.course

    def enrol(self, person: UUID, course: UUID) -> UUID:
        """Let somebody take a course; return the registration."""
        made = Enrolment(
            public_id=uuid.uuid4(), person=person, course=course, registration=uuid.uuid4(), made=NOON
        )
        with self.database.write() as session:
            session.add(made)
            return made.registration


def a_node(database: Database, folder: Path) -> Node:
    """Return a node with nothing on it."""
    desk = a_desk(folder)
    importer = Importer(
        database=database, shelf=desk.shelf, uploads=folder, now=lambda: NOON, new_id=uuid.uuid4,
        keeps_originals=False,
    )  # fmt: skip
    return Node(database=database, desk=desk, importer=importer)


class Sitting:
    """One learner in one course.

    Attributes:
        unit: what the page frames; nothing where it shows the result, or the outline alone.
        bar: what the page offers.
    """

    def __init__(self, node: Node, shim: Shim, person: UUID, course: UUID) -> None:
        self._node, self._shim = node, shim
        self._person, self._course = person, course
        self._registration = node.enrol(person, course)
        self._token = ""
        self._judge = DataModel(Standard.SCORM_2004, {})
        self._running = False
        self.unit: Activity | None = None
        self.bar: Bar

    def open(self) -> None:
        """Open the player page (``GET /learn/{course}``)."""
        with self._node.database.write() as session:
            hold_person(session, self._person)
            delivered = deliver(session, self._node.desk, self._taking(session), now=NOON)
            taking = delivered.taking if delivered else self._taking(session)
            standing = delivered.standing if delivered else read_standing(session, taking)
            self.bar = bar_of(taking, standing, buttons=REQUESTS.values())
        self.unit = None
        if delivered is not None:
            self._token = delivered.token
            self.unit = taking.opened.activities[delivered.launch.identifier]
            self._show_unit(self.unit)

    def look_at_result(self) -> None:
        """See what was reached, or go on to what is next (``GET /learn/{course}/after``)."""
        with self._node.database.read() as session:
            taking = self._taking(session)
            standing = read_standing(session, taking)
        if standing.waiting is not None:
            self.open()
        else:
            self.unit, self.bar = None, bar_of(taking, standing, buttons=())

    def press(self, wanted: Request, target: str | None = None, *, last_words: Last = ()) -> None:
        """Use a control, or a line of the outline (``POST /learn/{course}/go``)."""
        assert self._is_offered(wanted, target), f"{wanted} {target or ''} is not offered"
        if self.unit is not None:
            self._shim.leave(overrules=True, last_words=last_words)
        with self._node.database.write() as session:
            hold_person(session, self._person)
            carry_out(session, self._node.desk, self._taking(session), wanted, target, now=NOON)
        self.look_at_result()

    def call(self, name: str, *arguments: str) -> Answer:
        """Let the unit call the API; the server's judge must say the same of reading and writing."""
        answer = self._shim.call(name, *arguments)
        if self._running and name in {"GetValue", "SetValue"}:
            judged = self._judge.get(*arguments) if name == "GetValue" else self._judge.set(*arguments)
            assert answer == (judged.value, judged.code), f"{name}{arguments}: {answer}, server {judged}"
        self._running = (self._running or (name, answer.code) == ("Initialize", "0")) and name != "Terminate"
        if "controls" in self._shim.told:
            self._renew_bar()
        if "navigate" in self._shim.told:  # the page takes the unit away and goes on
            self._shim.leave(overrules=False)
            self.look_at_result()
        return answer

    def _renew_bar(self) -> None:
        """Take over what may be asked for by now (``GET /learn/{course}/bar``)."""
        self._shim.told.remove("controls")
        with self._node.database.read() as session:
            taking = self._taking(session)
            self.bar = bar_of(taking, read_standing(session, taking), buttons=REQUESTS.values())

    def _show_unit(self, unit: Activity) -> None:
        """Load the shim page and the unit in it (``GET /rt/{token}/``)."""
        with self._node.database.read() as session:
            launch = launch_of(session, self._token, now=NOON)
            taking = taking_of(session, self._node.desk, launch)
            values = boot_values(session, taking, launch)
            boot = {
                "standard": taking.opened.package.data_model,
                "asset": unit.kind == "asset",
                "values": values,
                "sequence": launch.sequence,
            }
        self._judge, self._running = DataModel(Standard(boot["standard"]), values), False
        self._shim.open(boot, self._commit)

    def _commit(self, body: bytes) -> tuple[int, Mapping[str, Any]]:
        """Take a commit (``POST /rt/{token}/commit``)."""
        wanted = CommitBody.model_validate_json(body).commit()

        def take(session: Session) -> dict[str, Any]:
            launch = launch_to_write(session, self._token)
            return apply_commit(session, self._node.desk, launch, wanted, body, now=NOON)

        try:
            answer = orjson.loads(orjson.dumps(self._node.database.change(take)))
        except LaunchOverError:
            return 410, {}
        assert not answer["refused"], f"the server refuses what the player took: {answer['refused']}"
        self._judge = DataModel(Standard.SCORM_2004, {**self._judge.values, **answer.get("values", {})})
        return 200, answer

    def _is_offered(self, wanted: Request, target: str | None) -> bool:
        if wanted is Request.CHOICE:
            return any(line.identifier == target and line.choosable for line in self.bar.outline)
        return bool(getattr(self.bar, _BUTTONS[wanted]))

    def _taking(self, session: Session) -> Taking:
        return open_course(
            session,
            self._node.desk.shelf,
            person=self._person,
            registration=self._registration,
            course=self._course,
        )


_BUTTONS = {
    Request.CONTINUE: "can_continue",
    Request.PREVIOUS: "can_go_back",
    Request.SUSPEND_ALL: "can_suspend",
    Request.EXIT_ALL: "can_exit",
}
