"""A course on the shelf and in the tables, and a desk to launch it from."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from content_packages.package import (
    Activity,
    Kind,
    LaunchTarget,
    Package,
    SharedDataMap,
    Standard,
    Viewer,
)
from content_packages.sequencing.definition import (
    Condition,
    ControlModes,
    RuleAction,
    RuleCondition,
    SequencingDefinition,
    SequencingRule,
)
from content_packages.shelf import FileRef, Shelf
from lms.courses.tables import Course, Edition, OutlineItem, Unit
from lms.launch.actions import Commit, Desk, Phase
from lms.launch.course import Taking, open_course
from xapi_store.packing import unpack
from xapi_store.tables import StatementRow

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PERSON = UUID(int=1001, version=4)
REGISTRATION = UUID(int=1002, version=4)
COURSE = UUID(int=1003, version=4)
EDITION = UUID(int=1004, version=4)
NEVER = SequencingDefinition(  # of a lesson that no way leads to
    pre_condition_rules=(
        SequencingRule(action=RuleAction.DISABLED, conditions=(RuleCondition(condition=Condition.ALWAYS),)),
    )
)


@dataclass
class Counter:
    """Ids that differ and are the same in every run."""

    numbers: Any

    def __call__(self) -> UUID:
        return UUID(int=next(self.numbers), version=4)


def a_desk(folder: Path) -> Desk:
    tokens = itertools.count(1)
    return Desk(
        shelf=Shelf(folder / "shelf"),
        node="laptop-7",
        new_id=Counter(itertools.count(5000)),
        new_token=lambda: f"token-{next(tokens)}",
        new_seed=lambda: 7,
    )


def a_course(
    session: Session,
    shelf: Shelf,
    *,
    standard: Standard = "scorm12",
    units: int = 2,
    files: dict[str, bytes] | None = None,
    mastery_score: str | None = None,
    shared_data: Sequence[tuple[SharedDataMap, ...]] = (),
    shared_data_global: bool = True,
    kind: Kind = "sco",
    definitions: Sequence[SequencingDefinition] = (),
    definition: SequencingDefinition | None = None,
    viewer: Viewer | None = None,
    unlisted: int = 0,
) -> None:
    """Put a course of *units* lessons on the shelf and publish it.

    *shared_data* and *definitions*, which say how a lesson is sequenced, are per lesson; *definition* is the course's;
    *unlisted* is the number of a lesson that the package keeps out of the outline.
    """
    contents = {"index.html": b"<p>Lesson", **(files or {})}
    refs: dict[str, FileRef] = {name: shelf.put(BytesIO(data)) for name, data in contents.items()}
    flowing = definition or SequencingDefinition(control=ControlModes(flow=True))
    flow = flowing if standard in {"scorm2004", "file"} else None
    lessons = tuple(
        Activity(
            identifier=f"lesson-{n}",
            title=f"Lesson {n}",
            kind=kind,
            launch=LaunchTarget(path="index.html", query="a=1"),
            mastery_score=mastery_score,
            shared_data=shared_data[n - 1] if shared_data else (),
            sequencing=None
            if standard == "scorm12"
            else definitions[n - 1]
            if definitions
            else SequencingDefinition(),
            viewer=viewer,
            visible=n != unlisted,
        )
        for n in range(1, units + 1)
    )
    root = Activity(identifier="course", title="Border posts", children=lessons, sequencing=flow)
    package = Package(
        standard=standard, edition="any", identifier="border", title="Border posts", root=root, files=refs,
        shared_data_global_to_system=shared_data_global,
    )  # fmt: skip
    manifest = shelf.put(BytesIO(package.to_json())).digest
    course = Course(
        public_id=COURSE, identifier="border", title="Border posts", languages=[], created=NOON,
        current_edition=EDITION,
    )  # fmt: skip
    session.add(course)
    session.flush()
    edition = Edition(
        public_id=EDITION, course_id=course.id, number=1, manifest=manifest, standard=standard,
        standard_edition="any", title="Border posts", size=1, files=len(refs), imported=NOON, published=NOON,
    )  # fmt: skip
    session.add(edition)
    session.flush()
    for position, activity in enumerate(root.walk()):
        unit = Unit(
            public_id=UUID(int=2000 + position, version=4),
            course_id=course.id,
            identifier=activity.identifier,
        )
        session.add(unit)
        session.flush()
        session.add(
            OutlineItem(
                edition_id=edition.id,
                position=position,
                unit_id=unit.id,
                parent=None if position == 0 else 0,
                depth=min(position, 1),
                title=activity.title,
                launchable=position > 0,
                visible=True,
            )
        )
    session.flush()


def taken(session: Session, desk: Desk) -> Taking:
    return open_course(session, desk.shelf, person=PERSON, registration=REGISTRATION, course=COURSE)


def a_commit(
    sequence: int,
    values: dict[str, str] | None = None,
    *,
    phase: Phase = "running",
    reason: str = "commit",
    learning_time_s: int | None = None,
) -> tuple[Commit, bytes]:
    commit = Commit(
        sequence=sequence,
        values=values or {},
        reason=reason,
        phase=phase,
        session_time_s=10 * sequence,
        learning_time_s=learning_time_s,
    )
    return commit, orjson.dumps([sequence, values, reason, phase])


def statements(session: Session) -> list[dict[str, Any]]:
    kept = session.scalars(select(StatementRow.raw).order_by(StatementRow.position))
    return [orjson.loads(unpack(session.connection(), raw)) for raw in kept]


def said(session: Session) -> list[str]:
    """Return the verbs recorded so far, each with the last part of what it is about."""
    return [
        f"{one['verb']['display']['en']} {'course' if one['object']['id'].endswith(str(COURSE)) else 'unit'}"
        for one in statements(session)
    ]
