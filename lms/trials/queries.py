"""Look at trials: which there are, and what would have been recorded in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from content_packages.cmi5.move_on import UnitState, is_satisfied
from content_packages.cmi5.vocabulary import LAUNCH_DATA
from lms.cmi5.admission import OWN_DOCUMENTS
from lms.cmi5.registrations import Outline, records_of, state_in
from lms.cmi5.tables import Registration, UnitSession
from lms.launch.course import Taking
from lms.launch.tables import Launch
from lms.launch.unit import read_units
from lms.records.sentences import Sentence, plain, sentence_of, shown_json
from lms.trials.databases import TrialDatabases, TrialOverError
from lms.trials.trial import Trial
from lms.web.locale import Language
from lms.web.wording import mark
from xapi_store.documents import list_documents
from xapi_store.model.actor import actor_key
from xapi_store.model.document import DocumentKind, DocumentScope
from xapi_store.query import StatementFilter, definitions, find_statements
from xapi_store.render import activity_ids, exact

LEARNER = mark("The trial learner")
MOST_STATEMENTS = 200
MOST_ELEMENTS = 500
SHOWN_CHARS = 10_000  # of a statement's JSON, and of a value


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """One statement: as a sentence, and the JSON of it or its beginning."""

    sentence: Sentence
    json: str
    is_cut: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitData:
    """What a unit has stored, element by element, and how many elements were left out."""

    title: str
    values: Sequence[tuple[str, str]]
    left_out: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Statements:
    """The first statements of a trial, the oldest first."""

    rows: Sequence[Recorded]
    has_more: bool


def trials_here(databases: TrialDatabases) -> list[Trial]:
    """Return the trials of this node, the newest first."""
    found = []
    for one in databases.ids():
        try:
            with databases.opened(one, is_use=False) as database, database.read() as session:
                found.append(trial_in(session))
        except TrialOverError:  # ended meanwhile
            continue
    return sorted(found, key=lambda trial: trial.opened, reverse=True)


def trial_in(session: Session) -> Trial:
    """Return the trial whose database this is."""
    return session.scalars(select(Trial)).one()


def last_launch(session: Session) -> Launch | None:
    """Return the latest launch of a trial."""
    return session.scalars(select(Launch).order_by(Launch.id.desc()).limit(1)).one_or_none()


def statements_of(session: Session, trial: Trial, spoken: Language) -> Statements:
    """Return the statements that would have been recorded, had this been no trial."""
    found = find_statements(session, StatementFilter(ascending=True), limit=MOST_STATEMENTS)
    known = definitions(session, sorted({iri for one in found.statements for iri in activity_ids(one.raw)}))
    names = {trial.person: spoken.gettext(LEARNER)}
    rows = []
    for one in found.statements:
        text, is_cut = shown_json(exact(one.raw, one.stored), most=SHOWN_CHARS)
        sentence = sentence_of(one, spoken, names=names, definitions=known)
        rows.append(Recorded(sentence=sentence, json=text, is_cut=is_cut))
    return Statements(rows=rows, has_more=found.has_more)


def unit_data(session: Session, taking: Taking) -> Sequence[UnitData]:
    """Return what the units that a player of SCORM plays have stored."""
    kept = read_units(session, taking)
    return [
        _cut(activity.title, list(kept[identifier].values.items()))
        for identifier, activity in taking.opened.activities.items()
        if identifier in kept
    ]


def documents_of(
    session: Session, row: Registration, outline: Outline, spoken: Language
) -> Sequence[UnitData]:
    """Return the documents that units have kept in the record store, and last those about their learner."""
    agent = actor_key(row.actor)
    found = []
    for unit in outline.package.root.units():
        names = {outline.iri(unit), unit.publisher_id or ""} - {""}
        scopes = [
            scope
            for name in sorted(names)
            for scope in (
                DocumentScope(kind=DocumentKind.STATE, activity=name, agent=agent),
                DocumentScope(kind=DocumentKind.ACTIVITY_PROFILE, activity=name),
            )
        ]
        found.append(_cut(unit.title, _documents(session, scopes)))
    about = [DocumentScope(kind=DocumentKind.AGENT_PROFILE, agent=agent)]
    found.append(_cut(spoken.gettext(LEARNER), _documents(session, about)))
    return [one for one in found if one.values]


def _documents(session: Session, scopes: Sequence[DocumentScope]) -> list[tuple[str, str]]:
    return [
        (one.key.name, plain(one.content[: SHOWN_CHARS * 4].decode(errors="replace")))
        for scope in scopes
        for one in list_documents(session, scope)
        if one.key.name != LAUNCH_DATA and not one.key.name.startswith(OWN_DOCUMENTS)
    ]


def _cut(title: str, values: Sequence[tuple[str, str]]) -> UnitData:
    return UnitData(
        title=title,
        values=[(name, value[:SHOWN_CHARS]) for name, value in values[:MOST_ELEMENTS]],
        left_out=max(len(values) - MOST_ELEMENTS, 0),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitStanding:
    """How one unit stands: what counts of it, and what it has to reach."""

    title: str
    state: UnitState
    score: float | None
    criterion: str  # moveOn; empty where the standard knows none
    satisfied: bool
    begun: bool


def standings_of(session: Session, row: Registration, outline: Outline) -> Sequence[UnitStanding]:
    """Return how each unit stands, in the order of the course."""
    kept = {one.identifier: one for one in records_of(session, row)}
    opened = set(session.scalars(select(UnitSession.identifier).where(UnitSession.registration_id == row.id)))
    found = []
    for unit in outline.package.root.units():
        record = kept.get(unit.identifier)
        found.append(
            UnitStanding(
                title=unit.title,
                state=state_in(record),
                score=record.score if record else None,
                criterion=unit.au.move_on if unit.au is not None else "",
                satisfied=is_satisfied(unit, state_in(record)),
                begun=record is not None or unit.identifier in opened,
            )
        )
    return found
