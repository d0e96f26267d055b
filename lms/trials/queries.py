"""Look at trials: which there are, and what would have been recorded in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.launch.course import Taking
from lms.launch.tables import Launch
from lms.launch.unit import read_unit
from lms.records.sentences import Sentence, sentence_of, shown_json
from lms.trials.databases import TrialDatabases, TrialOverError
from lms.trials.trial import Trial
from lms.web.locale import Language
from lms.web.wording import mark
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
class Records:
    """What a trial has recorded so far, oldest first."""

    statements: Sequence[Recorded]
    has_more: bool
    units: Sequence[UnitData]


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


def records_of(session: Session, taking: Taking, spoken: Language) -> Records:
    """Return what would have been recorded, had this been no trial."""
    found = find_statements(session, StatementFilter(ascending=True), limit=MOST_STATEMENTS)
    known = definitions(session, sorted({iri for one in found.statements for iri in activity_ids(one.raw)}))
    names = {taking.person: spoken.gettext(LEARNER)}
    statements = []
    for one in found.statements:
        text, is_cut = shown_json(exact(one.raw, one.stored), most=SHOWN_CHARS)
        sentence = sentence_of(one, spoken, names=names, definitions=known)
        statements.append(Recorded(sentence=sentence, json=text, is_cut=is_cut))
    units = [_data(session, taking, identifier) for identifier in taking.opened.activities]
    return Records(
        statements=statements, has_more=found.has_more, units=[unit for unit in units if unit is not None]
    )


def _data(session: Session, taking: Taking, identifier: str) -> UnitData | None:
    unit = taking.units.get(identifier)
    kept = read_unit(session, taking, unit) if unit else None
    if kept is None:
        return None
    values = list(kept.values.items())
    return UnitData(
        title=taking.opened.activities[identifier].title,
        values=[(element, value[:SHOWN_CHARS]) for element, value in values[:MOST_ELEMENTS]],
        left_out=max(len(values) - MOST_ELEMENTS, 0),
    )
