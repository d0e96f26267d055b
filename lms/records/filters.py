"""What somebody asks of the record store: fields of a form in, a filter of the store out.

Statements know people by account ids alone. A number or a name is looked up in the directory here, and what
goes on (in links, in exports) is the id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from lms.launch.statements import learner
from lms.people.queries import find_person, people_page, person_signing_in
from lms.people.tables import Person
from lms.records.verbs import VERBS
from lms.web.wording import FieldError, mark
from xapi_store.errors import LrsError
from xapi_store.model.actor import actor_key
from xapi_store.model.iri import Iri, Mailto
from xapi_store.model.statement import check_actor
from xapi_store.model.strict_json import load_object
from xapi_store.model.timestamps import format_timestamp, parse_timestamp
from xapi_store.query import StatementFilter

_IRI: TypeAdapter[str] = TypeAdapter(Iri)
_MAILTO: TypeAdapter[str] = TypeAdapter(Mailto)
_MOMENT = timedelta(microseconds=1)


class PersonUnknownError(FieldError):
    """Nobody in the directory has this number or name."""

    field = "who"
    sentence = mark("Nobody on this node has this number or name.")


class AgentError(FieldError):
    """The agent is neither a mail address nor an Agent as JSON."""

    field = "agent"
    sentence = mark(
        "Write a mail address, or an agent as JSON with an account, mbox, mbox_sha1sum or openid."
    )


class VerbError(FieldError):
    """The verb is neither known by name nor an IRI."""

    field = "verb"
    sentence = mark("Write a verb as its IRI, such as http://adlnet.gov/expapi/verbs/passed, or as passed.")


class ActivityError(FieldError):
    """The activity is not an IRI."""

    field = "activity"
    sentence = mark("Write an activity as its IRI, such as https://example.org/course.")


class RegistrationError(FieldError):
    """The registration is not a UUID."""

    field = "registration"
    sentence = mark("Write a registration as its UUID, 32 digits with dashes.")


class SinceError(FieldError):
    """The beginning is not a date."""

    field = "since"
    sentence = mark("Write a day as 2026-05-12.")


class UntilError(FieldError):
    """The end is not a date."""

    field = "until"
    sentence = SinceError.sentence


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A form as it was filled in. *person* is a public id, *who* a number or a name that may mean several."""

    person: str = ""
    who: str = ""
    agent: str = ""
    verb: str = ""
    activity: str = ""
    registration: str = ""
    since: str = ""
    until: str = ""
    related: str = ""

    def query(self) -> dict[str, str]:
        """Return what was filled in, as the query of a link."""
        return {one.name: text for one in fields(self) if (text := getattr(self, one.name))}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What was made of a form.

    Attributes:
        filter: for the store; sound only where *errors* and *people* are empty.
        asked: the same as text, with the person by her id.
        person: whom the filter means, if she is in the directory.
        people: those *who* may mean, where they are several.
        errors: by the field at fault.
    """

    filter: StatementFilter
    asked: Asked
    person: Person | None = None
    people: Sequence[Person] = ()
    errors: Mapping[str, FieldError] = field(default_factory=dict)

    @property
    def is_clear(self) -> bool:
        """Whether it names one set of statements."""
        return not self.errors and not self.people


def read_filter(session: Session, asked: Asked) -> Wanted:
    """Make a filter of a form; looks people up and changes nothing."""
    errors: dict[str, FieldError] = {}
    found: dict[str, Any] = {}
    for name, read in (
        ("agent", read_agent),
        ("verb", read_verb),
        ("activity", read_activity),
        ("registration", read_registration),
        ("since", read_since),
        ("until", read_until),
    ):
        text = getattr(asked, name).strip()
        try:
            found[name] = read(text) if text else None
        except FieldError as error:
            errors[name] = error
    person, people = None, _people(session, asked)
    if asked.who.strip() and not people:
        errors["who"] = PersonUnknownError()
    if len(people) == 1:
        (person,), people = people, ()
    if person is not None:
        found["agent"] = person_key(person.public_id)
        asked = replace(asked, who="", person=str(person.public_id))
    elif asked.person and not asked.who:  # of an officer who never came to this node's directory
        try:
            found["agent"] = person_key(UUID(asked.person))
        except ValueError:
            errors["who"] = PersonUnknownError()
    related = bool(asked.related)
    return Wanted(
        filter=StatementFilter(related_agents=related, related_activities=related, **found),
        asked=asked,
        person=person,
        people=people,
        errors=errors,
    )


def person_key(person: UUID) -> str:
    """Return by which agent the record store knows a person."""
    key = actor_key(learner(person))
    assert key is not None  # noqa: S101 - a learner has an account
    return key


def _people(session: Session, asked: Asked) -> Sequence[Person]:
    if asked.who.strip():
        numbered = person_signing_in(session, asked.who)
        return [numbered] if numbered else people_page(session, search=asked.who).rows
    try:
        known = find_person(session, UUID(asked.person)) if asked.person else None
    except ValueError:
        known = None
    return [known] if known else ()


# ---------------------------------------------------------------- one field each


def read_agent(text: str) -> str:
    """Return the key of an agent: a mail address, or an Agent as JSON.

    Raises:
        AgentError: it is neither.
    """
    try:
        if not text.startswith("{"):
            return str(actor_key({"mbox": _MAILTO.validate_python(f"mailto:{text.removeprefix('mailto:')}")}))
        agent = load_object(text.encode())
        check_actor(agent)
    except (LrsError, ValueError) as error:
        raise AgentError from error
    key = actor_key(agent)
    if key is None:
        raise AgentError
    return key


def read_verb(text: str) -> str:
    """Return a verb's IRI, from the IRI or, of the usual ones, from its last word.

    Raises:
        VerbError: it is neither.
    """
    known = next((iri for iri in VERBS if iri.rpartition("/")[2] == text.lower()), None)
    return known or _iri(text, VerbError)


def read_activity(text: str) -> str:
    """Return an activity's IRI.

    Raises:
        ActivityError: it is none.
    """
    return _iri(text, ActivityError)


def read_registration(text: str) -> UUID:
    """Return a registration.

    Raises:
        RegistrationError: it is no UUID.
    """
    try:
        return UUID(text)
    except ValueError as error:
        raise RegistrationError from error


def read_since(text: str) -> datetime:
    """Return the instant after which statements are meant: a day begins at midnight in the node's own zone.

    Raises:
        SinceError: neither a day nor a timestamp.
    """
    return _instant(text, SinceError, days=0)


def read_until(text: str) -> datetime:
    """Return the last instant that is meant: a day is meant to its end.

    Raises:
        UntilError: neither a day nor a timestamp.
    """
    return _instant(text, UntilError, days=1)


def _iri(text: str, error: type[FieldError]) -> str:
    try:
        return _IRI.validate_python(text)
    except ValidationError:
        raise error from None


def _instant(text: str, error: type[FieldError], *, days: int) -> datetime:
    try:
        if len(text) > len("2026-05-12"):
            return parse_timestamp(text)
        begin = datetime.combine(date.fromisoformat(text) + timedelta(days=days), time()).astimezone()
        return begin - _MOMENT  # the store's `since` does not include the instant itself, its `until` does
    except (ValueError, OverflowError):
        raise error from None


# ---------------------------------------------------------------- kept with an export


def to_json(wanted: StatementFilter) -> dict[str, Any]:
    """Return a filter as it is kept beside an export."""
    kept: dict[str, Any] = {}
    for one in fields(wanted):
        match getattr(wanted, one.name):
            case None | False:
                continue
            case datetime() as instant:
                kept[one.name] = format_timestamp(instant)
            case UUID() as registration:
                kept[one.name] = str(registration)
            case value:
                kept[one.name] = value
    return kept


def from_json(kept: Mapping[str, Any]) -> StatementFilter:
    """Return the filter that was kept."""
    found = dict(kept)
    if "registration" in found:
        found["registration"] = UUID(found["registration"])
    for name in ("since", "until"):
        if name in found:
            found[name] = parse_timestamp(found[name])
    return StatementFilter(**found)
