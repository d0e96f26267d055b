"""A learner in a course, read whole: package, sequencing tree, where she stands, and how to keep it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from content_packages.errors import FileMissingError
from content_packages.package import Activity, Package, activity_tree, load_package
from content_packages.sequencing.carry_over import Aside
from content_packages.sequencing.definition import ActivityNode, RuleAction
from content_packages.sequencing.event import Delivery, Event, Outcome, Request
from content_packages.sequencing.step import step
from content_packages.sequencing.tracking import State, new_state
from content_packages.sequencing.tree import ActivityTree
from content_packages.shelf import Shelf
from lms.courses.iris import course_iri
from lms.courses.moves import Move
from lms.courses.naming import in_language
from lms.courses.queries import find_playable, is_withdrawn
from lms.launch.documents import COURSE_STATE, GLOBALS, profile_key, read, read_bytes, state_key, write
from lms.launch.documents import replace as replace_document
from lms.launch.steps import Step, write_steps

#: A unit of these expects to be told its record store (``lms.cmi5``); the player of SCORM would only mislead it.
NOT_PLAYED: Final = frozenset({"cmi5", "xapi"})
#: What leads from one lesson to another.
_REFUSABLE: Final = frozenset(
    {Request.CONTINUE, Request.PREVIOUS, Request.CHOICE, Request.JUMP, Request.EXIT}
)


class CourseNotReadyError(Exception):
    """The course has no edition that can be launched here."""

    def __init__(self, course: UUID) -> None:
        self.course = course
        super().__init__(f"Course {course} has no edition on this node yet.")


class CourseTakenAwayError(CourseNotReadyError):
    """The edition that learners were given was withdrawn, and none took its place."""


class CourseDamagedError(CourseNotReadyError):
    """A file without which nothing of the edition can be opened was here, and was damaged."""


class CourseNotPlayedError(Exception):
    """The course is of a standard whose units are launched elsewhere: ``lms.cmi5``."""

    def __init__(self, course: UUID) -> None:
        self.course = course
        super().__init__(f"Course {course} is not of a standard that this player plays.")


class CourseWithdrawnError(Exception):
    """The edition a learner is in was withdrawn: nothing of it is launched any more."""

    def __init__(self, course: UUID) -> None:
        self.course = course
        super().__init__(f"Course {course} was withdrawn.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """One edition, ready to play."""

    package: Package
    node: ActivityNode
    tree: ActivityTree
    activities: Mapping[str, Activity]

    def tree_by_the_book(self) -> ActivityTree:
        """Index it anew so that every process runs as the pseudo-code is written: to be watched, not to be quick."""
        to_system = self.package.objectives_global_to_system
        return ActivityTree(self.node, objectives_global_to_system=to_system, takes_shortcuts=False)

    @property
    def is_scorm12(self) -> bool:
        """Whether the edition speaks SCORM 1.2."""
        return self.package.standard == "scorm12"


@dataclass(frozen=True, kw_only=True, slots=True)
class Taking:
    """Who takes which edition under which registration."""

    person: UUID
    registration: UUID
    course: UUID
    edition: UUID
    withdrawn: bool
    title: str  # as the package has it: records speak of it so
    opened: Opened
    kept: bytes | None  # where she stood when this was read
    begun: Mapping[str, Any] | None  # the same, as JSON
    moves: tuple[Move, ...] = ()  # what was decided on those in mid-course
    titles: Mapping[str, str] = field(default_factory=dict)  # as the catalogue has it, by language

    def title_in(self, language: str) -> str:
        """Return what the course is called in a language, or else by its package."""
        return in_language(self.titles, language) or self.title


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A request that sequencing did not follow.

    ``target`` is the activity that was not opened, where one is known; ``code`` the exception, such as ``SB.2.9-5``.
    """

    request: str
    target: str | None
    code: str


@dataclass(kw_only=True, slots=True)
class Standing:
    """Where the learner stands: the sequencing state, and what was decided but not launched yet.

    ``judged`` are the units that have said whether she passed, ``told`` what statements said of the course,
    ``seconds`` how long sessions that are over have lasted, ``learning_seconds`` without the pauses. ``heard`` are
    the moves between editions that were known when her edition was last settled, ``followed`` those that led her
    there; ``aside`` and ``judged_aside`` are what she did in other editions and has no place in this one. ``found`` is
    the state as it was last kept, before her other courses changed what they share with it. ``refused`` is what was
    asked for last, where nothing could follow. ``silent`` are the units that speak, were delivered, and never have.
    """

    attempt: int
    state: State
    found: State
    waiting: Delivery | None = None
    open: bool = False
    seconds: int = 0
    learning_seconds: int = 0
    judged: set[str] = field(default_factory=set)
    told: dict[str, Any] = field(default_factory=dict)
    heard: tuple[UUID, ...] = ()
    followed: tuple[UUID, ...] = ()
    aside: Aside = field(default_factory=Aside)
    judged_aside: set[str] = field(default_factory=set)
    refused: Refused | None = None
    silent: set[str] = field(default_factory=set)
    #: What was decided and is to be kept with it; ``None`` for a standing that is only looked at.
    steps: list[Step] | None = field(default_factory=list)


def open_course(session: Session, shelf: Shelf, *, person: UUID, registration: UUID, course: UUID) -> Taking:
    """Read the edition a registration holds: the one it began with, or the current one.

    Raises:
        CourseNotReadyError: neither is here, or it was damaged.
        CourseNotPlayedError: its units speak to the record store, and not to this player.
    """
    kept = read_bytes(session, state_key(course_iri(course), person, registration, COURSE_STATE))
    begun = None if kept is None else orjson.loads(kept)
    edition = find_playable(session, course, held=UUID(begun["edition"]) if begun else None)
    if edition is None:
        raise nothing_given(session, course)
    opened = open_edition(shelf, edition.manifest, course)
    if opened.package.standard in NOT_PLAYED:
        raise CourseNotPlayedError(course)
    return Taking(
        person=person,
        registration=registration,
        course=course,
        edition=edition.public_id,
        withdrawn=edition.is_withdrawn,
        title=edition.title,
        opened=opened,
        kept=kept,
        begun=begun,
        moves=edition.moves,
        titles=edition.titles,
    )


def edition_begun(session: Session, *, person: UUID, registration: UUID, course: UUID) -> UUID | None:
    """Return the edition a registration holds; ``None`` where nobody has begun."""
    begun = read(session, state_key(course_iri(course), person, registration, COURSE_STATE))
    return UUID(begun["edition"]) if begun else None


def read_standing(session: Session, taking: Taking, *, seed: Callable[[], int] | None = None) -> Standing:
    """Return where the learner stood when *taking* was read; nobody has begun where there is no document."""
    shared = read(session, profile_key(taking.person, GLOBALS)) or {}
    if taking.begun is None:
        fresh = new_state(seed=seed() if seed else 0, global_objectives=shared)
        return Standing(attempt=1, state=fresh, found=fresh, heard=tuple(move.id for move in taking.moves))
    standing = standing_from(taking.begun)
    if taking.opened.package.objectives_global_to_system:
        standing.state = {**standing.state, "globals": {**standing.state["globals"], **shared}}
    return standing


def standing_from(kept: Mapping[str, Any]) -> Standing:
    """Read a document that :func:`keep_standing` wrote."""
    return Standing(
        attempt=kept["attempt"],
        state=kept["state"],
        found=kept["state"],
        waiting=Delivery(**kept["waiting"]) if kept["waiting"] else None,
        open=kept["open"],
        seconds=kept.get("seconds", 0),  # these three came later than the first nodes
        learning_seconds=kept.get("learning_seconds", kept.get("seconds", 0)),
        judged=set(kept.get("judged", ())),
        told=dict(kept["told"]),
        refused=Refused(**kept["refused"]) if kept.get("refused") else None,
        silent=set(kept.get("silent", ())),
        **_read_moves(kept.get("moves", {})),
    )


def keep_standing(session: Session, taking: Taking, standing: Standing, *, now: datetime) -> None:
    """Write where the learner stands, and what other courses may learn from it."""
    waiting = standing.waiting
    content: dict[str, Any] = {
        "format": 1,
        "edition": str(taking.edition),
        "attempt": standing.attempt,
        "state": standing.state,
        "open": standing.open,
        "seconds": standing.seconds,
        "learning_seconds": standing.learning_seconds,
        "judged": sorted(standing.judged),
        "told": standing.told,
        "waiting": {"activity": waiting.activity, "resumed": waiting.resumed, "attempt": waiting.attempt}
        if waiting
        else None,
        **({"refused": asdict(standing.refused)} if standing.refused else {}),
        **({"silent": sorted(standing.silent)} if standing.silent else {}),
        **_written_moves(standing),
    }
    replace_document(session, _key(taking), content, was=taking.kept, now=now)
    if standing.steps:
        write_steps(session, taking.registration, standing.steps, attempt=standing.attempt, now=now)
        standing.steps.clear()
    if taking.opened.package.objectives_global_to_system and standing.state["globals"]:
        write(session, profile_key(taking.person, GLOBALS), dict(standing.state["globals"]), now=now)


def advance(taking: Taking, standing: Standing, event: Event) -> Outcome:
    """Let sequencing decide, and take over what it decided."""
    before = standing.state
    standing.state, outcome = step(taking.opened.tree, before, event)
    if standing.steps is not None:
        standing.steps.append(
            Step(edition=taking.edition, event=event, outcome=outcome, before=before, after=standing.state)
        )
    if outcome.unload:
        standing.waiting = outcome.delivery
        standing.open = not outcome.session_ended
    if outcome.delivery is not None or event.kind is Request.EXIT_ALL:
        standing.refused = None
    elif outcome.exception is not None:
        standing.refused = _refused(event, outcome, outcome.exception) or standing.refused
    return outcome


def nothing_given(session: Session, course: UUID) -> CourseNotReadyError:
    """Return the error of a course of which learners are given no edition here: taken away, or not here yet."""
    return (CourseTakenAwayError if is_withdrawn(session, course) else CourseNotReadyError)(course)


def lacking(shelf: Shelf, course: UUID, missing: Collection[str]) -> CourseNotReadyError:
    """Return the error of a course of which files are missing: damaged, or on their way here."""
    is_damaged = any(ref.digest in missing for ref in shelf.lost())
    return (CourseDamagedError if is_damaged else CourseNotReadyError)(course)


def open_edition(shelf: Shelf, manifest: str, course: UUID) -> Opened:
    """Read an edition's manifest, as :func:`open_package` does.

    Raises:
        CourseNotReadyError: it has not come to this node.
        CourseDamagedError: it has, and was damaged.
    """
    if shelf.has(manifest):
        with suppress(FileMissingError):  # found damaged only now
            return open_package(shelf, manifest)
    raise lacking(shelf, course, {manifest})


@lru_cache(maxsize=16)  # a manifest never changes: its digest is its name
def open_package(shelf: Shelf, manifest: str) -> Opened:
    """Read an edition's manifest from the shelf and index it for playing."""
    package = load_package(shelf, manifest)
    node = activity_tree(package.root)
    activities = {one.identifier: one for one in package.root.walk()}
    if package.standard == "scorm12":
        node = _flowing(node, activities)
    tree = ActivityTree(node, objectives_global_to_system=package.objectives_global_to_system)
    return Opened(package=package, node=node, tree=tree, activities=activities)


def _refused(event: Event, outcome: Outcome, code: str) -> Refused | None:
    """Return what was asked for in vain, by the learner or by her lesson; opening and leaving a course is neither."""
    request: str | None = event.kind
    target = event.target
    if event.kind not in Request:
        request, target = (
            (event.result.request, event.result.request_target) if event.result else (None, None)
        )
    if request not in _REFUSABLE:
        return None
    barred = [one.activity for one in outcome.decisions if one.decided == RuleAction.DISABLED]
    return Refused(request=request, target=target or next(reversed(barred), None), code=code)


def _flowing(node: ActivityNode, activities: Mapping[str, Activity]) -> ActivityNode:
    """SCORM 1.2 has no sequencing: its outline is read from front to back, or by choice.

    Nor does an end without a word make success there, or complete what speaks, as it does in SCORM 2004 (SN UP.4):
    it is LMSFinish that completes a SCO which has set no status (RTE 3.4.4), and one that never began has none.
    """
    controls = replace(node.definition.control, flow=True)
    delivery = replace(
        node.definition.delivery,
        objective_set_by_content=True,
        completion_set_by_content=activities[node.identifier].kind == "sco",
    )
    return replace(
        node,
        definition=replace(node.definition, control=controls, delivery=delivery),
        children=tuple(_flowing(child, activities) for child in node.children),
    )


def _read_moves(kept: Mapping[str, Any]) -> dict[str, Any]:
    aside = kept.get("aside", {})
    return {
        "heard": tuple(UUID(one) for one in kept.get("heard", ())),
        "followed": tuple(UUID(one) for one in kept.get("followed", ())),
        "aside": Aside(leaves=aside.get("leaves", {}), clusters=aside.get("clusters", {})),
        "judged_aside": set(aside.get("judged", ())),
    }


def _written_moves(standing: Standing) -> dict[str, Any]:
    """Return what is kept of moves; nothing for those, nearly all, who never met one."""
    if not standing.heard:
        return {}
    aside = {
        "leaves": standing.aside.leaves,
        "clusters": standing.aside.clusters,
        "judged": sorted(standing.judged_aside),
    }
    heard, followed = map(str, standing.heard), map(str, standing.followed)
    return {"moves": {"heard": list(heard), "followed": list(followed), "aside": aside}}


def _key(taking: Taking) -> Any:
    return state_key(course_iri(taking.course), taking.person, taking.registration, COURSE_STATE)
