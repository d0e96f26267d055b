"""Train the dictionary that the columns of a segment are compressed with, from what the product itself records.

    python tools/train_dictionary.py sync/columns_2.zdict

Statements of SCORM and cmi5 launches, as this node would write them, of made-up people, courses and titles, go through
a record store and are cut into columns. Whatever is measured with the dictionary has to come from elsewhere. A
dictionary once shipped stays as it is: another one is another encoding.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import zstandard

from content_packages.cmi5 import vocabulary as cmi5
from content_packages.package import Activity, AssignableUnit
from lms.cmi5 import statements as told_of_units
from lms.database import Database
from lms.launch import statements as told_of_launches
from lms.launch.statements import Subject
from lms.streams.statements import StatementStream
from sync import columns
from sync.clock import Stamp
from sync.messages import Record
from xapi_store.ingest import store_statements

SEED = 60_9
NOW = datetime(2025, 6, 1, tzinfo=UTC)
SESSIONS = 1500
BYTES = 16 * 1024
WORDS = """vehicle search customs passenger profile precursor chemical container document rights gender conduct
interview evidence safety first aid laundering parcel concealment scanner border officer unit introduction summary
test check question"""


class Maker:
    """Makes up launches and what is recorded of them; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - not for secrets
        self._now = datetime(2025, 3, 1, 7, tzinfo=UTC)
        self._node = "".join(self._chance.choices("0123456789abcdefghjkmnpqrstvwxyz", k=26))
        self._people = [self.uuid() for _ in range(30)]
        self._courses = [(f"urn:uuid:{self.uuid()}", self._title()) for _ in range(12)]

    def uuid(self) -> UUID:
        """Return a random UUID."""
        return UUID(int=self._chance.getrandbits(128), version=4)

    def session(self) -> list[dict[str, Any]]:
        """Return what one person's sitting at one unit leaves."""
        self._now += timedelta(minutes=self._chance.randrange(1, 90))
        made = self._scorm() if self._chance.random() < 0.5 else self._cmi5()
        return [{"id": str(self.uuid())} | one for one in made]

    def _scorm(self) -> Iterator[dict[str, Any]]:
        chance = self._chance
        course, title = chance.choice(self._courses)
        subject = Subject(
            person=chance.choice(self._people),
            registration=self.uuid(),
            launch=self.uuid(),
            node=self._node,
            course=course,
            course_title=title,
            unit=f"{course}/units/item_{chance.randrange(20)}",
            unit_title=self._title(),
            attempt=chance.randrange(1, 3),
            language=chance.choice(("en", "fr", "und")),
        )
        yield told_of_launches.unit_statement(subject, "initialized", now=self._later())
        for place in range(chance.randrange(6)):
            answered = {
                "id": f"q{place}",
                "type": chance.choice(("choice", "true-false", "fill-in", "numeric")),
                "correct_responses.0.pattern": chance.choice("abcd"),
                "learner_response": chance.choice("abcd"),
                "result": chance.choice(("correct", "incorrect")),
                "latency": f"PT{chance.randrange(90)}S",
                "description": f"{self._title()}?",
            }
            yield told_of_launches.response(subject, place, answered, now=self._later(), scorm12=False)
        scaled = round(chance.random(), 2)
        said = "passed" if scaled > 0.6 else "failed"
        score = {"scaled": scaled, "raw": round(scaled * 100), "min": 0, "max": 100}
        lasted = told_of_launches.lasted(chance.randrange(2000), learning_s=chance.randrange(1500))
        yield told_of_launches.unit_statement(
            subject, "completed", now=self._later(), result={"completion": True, **lasted}
        )
        yield told_of_launches.unit_statement(
            subject, said, now=self._later(), result={"success": said == "passed", "score": score, **lasted}
        )
        yield told_of_launches.unit_statement(subject, "terminated", now=self._later(), result=lasted)
        yield told_of_launches.course_statement(
            subject, "completed", now=self._later(), result={"completion": True}
        )

    def _cmi5(self) -> Iterator[dict[str, Any]]:
        chance = self._chance
        course, _ = chance.choice(self._courses)
        unit = Activity(
            identifier=f"{course}/au/{chance.randrange(20)}",
            title=self._title(),
            kind="au",
            titles={"en": self._title()},
            publisher_id=f"{course}/au/{chance.randrange(20)}",
            au=AssignableUnit(move_on="CompletedOrPassed"),
        )
        person = chance.choice(self._people)
        about = told_of_units.Told(
            actor=told_of_launches.learner(person),
            registration=self.uuid(),
            enrolment=self.uuid(),
            node=self._node,
            session_id=self.uuid(),
        )
        yield told_of_units.launched(
            about,
            unit,
            unit.identifier,
            url=f"http://localhost:8001/{self.uuid()}/index.html",
            mode="Normal",
            mastery=Decimal("0.8"),
            now=self._later(),
            new_id=self.uuid(),
        )
        categories: tuple[tuple[str, tuple[str, ...], dict[str, Any] | None], ...] = (
            ("initialized", (cmi5.CMI5,), None),
            (
                "passed",
                (cmi5.CMI5, cmi5.MOVE_ON),
                {"success": True, "score": {"scaled": 0.9}, "duration": "PT9M"},
            ),
            ("completed", (cmi5.CMI5, cmi5.MOVE_ON), {"completion": True, "duration": "PT9M"}),
            ("terminated", (cmi5.CMI5,), {"duration": "PT9M30S"}),
        )
        template = told_of_units.context_template(about, unit.publisher_id or "")
        for verb, category, result in categories:
            around = dict(template["contextActivities"])
            around["category"] = [{"objectType": "Activity", "id": one} for one in category]
            said = {
                "actor": dict(about.actor),
                "verb": {"id": f"http://adlnet.gov/expapi/verbs/{verb}", "display": {"en-US": verb}},
                "object": {"objectType": "Activity", "id": unit.identifier},
                "context": {**template, "contextActivities": around, "registration": str(about.registration)},
                "timestamp": self._later().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            }
            yield said | ({"result": result} if result else {})

    def _later(self) -> datetime:
        self._now += timedelta(milliseconds=self._chance.randrange(200, 60_000))
        return self._now

    def _title(self) -> str:
        return " ".join(self._chance.choices(WORDS.split(), k=self._chance.randrange(2, 6))).capitalize()


def recorded(seed: int) -> list[Record]:
    """Return what a laptop's log would hold of made-up launches."""
    maker = Maker(seed)
    authority = {"objectType": "Agent", "account": {"homePage": told_of_units.NODES, "name": "node"}}
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{(Path(folder) / 'train.db').as_posix()}")
        database.upgrade()
        with database.write() as session:
            for _ in range(SESSIONS):
                store_statements(session, maker.session(), authority=authority, now=NOW)
        with database.read() as session:
            changes = StatementStream().changes_after(session, 0, 10**6).changes
        database.close()
    return [
        Record(
            seq=place,
            kind=one.kind,
            key=one.key,
            schema=one.schema,
            body=one.body,
            stamp=Stamp(one.changed_ms, 0),
        )
        for place, one in enumerate(changes, 1)
    ]


def main() -> None:
    """Write the dictionary to the file that is named."""
    records = recorded(SEED)
    samples = [columns.encode(records[at : at + 20]) for at in range(0, len(records) - 20, 20)]
    trained = zstandard.train_dictionary(BYTES, samples, level=19, dict_id=2)
    Path(sys.argv[1]).write_bytes(trained.as_bytes())
    print(f"{len(records)} statements, {len(trained.as_bytes())} bytes")


if __name__ == "__main__":
    main()
