"""What a unit may do at the record store: prove its session, read and write what is its own, say what the rules allow.

The record store asks at three moments (``xapi_store.http.lrs.Lrs``). ``look`` sees each request and knows only what
``authenticate`` read; ``hold`` locks the registration; ``admit`` judges statements inside the transaction that stores
them, and adds what the LMS has to say because of them.
"""

from __future__ import annotations

import base64
import hmac
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

import orjson
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from content_packages.cmi.durations import hundredths_of_duration
from content_packages.cmi5 import rules
from content_packages.cmi5.preferences import preferences_fault
from content_packages.cmi5.rules import RuleBrokenError, State, accept
from content_packages.cmi5.vocabulary import LAUNCH_DATA, PREFERENCES, VOIDED, LaunchMode, Verb
from lms.cmi5.actions import IDLE_AFTER, keep_unit, mastery_of, record_for, say_satisfied, told_of
from lms.cmi5.registrations import find_record, hold_registrations, outline_of, state_in
from lms.cmi5.statements import REGISTRATIONS
from lms.cmi5.tables import Registration, UnitSession
from lms.courses.iris import COURSES
from lms.launch.actions import Desk
from lms.launch.queries import digest
from xapi_store.errors import ForbiddenError
from xapi_store.http import Asked, Credentials
from xapi_store.ingest import Arriving, Following
from xapi_store.model.actor import actor_key
from xapi_store.model.timestamps import parse_timestamp

log = logging.getLogger(__name__)

#: How long a unit is still known after its session: one of cmi5 to be told so, and to send its end again, which is all
#: it may do (9.3.8); an xAPI package for what it had under way when its learner left.
AFTERWARDS = timedelta(minutes=10)
#: How exactly it is known when a session was heard of last; reading alone costs a write no more often.
SEEN_EVERY = timedelta(minutes=5)

#: What a unit may do: its own records only, wherever they could be told apart.
SCOPES: Final = frozenset({"statements/write", "statements/read/mine", "state", "profile"})
#: Documents of ours, which no course may touch: what other courses' progress is made of.
OWN_DOCUMENTS: Final = "https://outpost.invalid/"


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitCredentials(Credentials):
    """A session that has shown its secret."""

    session: int
    registration: UUID  # always
    agent: str | None  # key of the actor
    activities: frozenset[str]  # by which its unit is called
    standard: str
    preferences_read: bool
    last_seen: datetime
    state: str

    @property
    def is_over(self) -> bool:
        """Whether the session has ended."""
        return self.state in {State.TERMINATED, State.ABANDONED}

    def owns(self, activity: str) -> bool:
        """Say whether an activity is the unit's, by one of its names or beneath one."""
        return any(_is_within(activity, own) for own in self.activities)


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """The ports of the record store, as units meet them."""

    desk: Desk
    now: Callable[[], datetime]

    def authenticate(self, session: Session, header: str | None) -> UnitCredentials | None:
        """Return the session that a Basic header proves: open, or over for no longer than ``AFTERWARDS``."""
        public_id, secret = _shown(header)
        if public_id is None:
            return None
        row = session.connection().execute(_SESSION, {"public_id": public_id}).one_or_none()
        if (
            row is None
            or row.secret_digest is None
            or not hmac.compare_digest(row.secret_digest, digest(secret))
        ):
            return None
        now = self.now()
        if row.last_seen + IDLE_AFTER < now or (row.ended is not None and row.ended + AFTERWARDS < now):
            return None
        account = {"homePage": REGISTRATIONS, "name": str(row.registration)}
        return UnitCredentials(
            authority={"objectType": "Agent", "account": account},
            scopes=SCOPES,
            session=row.id,
            registration=row.registration,
            agent=actor_key(row.actor),
            activities=frozenset({row.activity, row.publisher_id}) - {""},
            standard=row.standard,
            preferences_read=row.preferences_read,
            last_seen=row.last_seen,
            state=row.state,
        )

    def look(
        self, _session: Session, credentials: Credentials, asked: Asked
    ) -> Callable[[Session], object] | None:
        """Refuse what is not the unit's own; return how to note that the learner's preferences were read.

        Raises:
            ForbiddenError: the request reaches beyond the session, or the session is over.
        """
        if not isinstance(credentials, UnitCredentials):
            return None
        if credentials.is_over and not _is_the_rest(credentials, asked):
            raise ForbiddenError("The session of this unit has ended.")
        _CHECKS[asked.resource](credentials, asked)
        reads = asked.method == "GET"
        now = self.now()
        changes: dict[str, Any] = {"last_seen": now}
        if reads and asked.parameters.get("profileId") == PREFERENCES and not credentials.preferences_read:
            changes["preferences_read"] = True
        elif reads and credentials.last_seen + SEEN_EVERY > now:
            return None
        return lambda session: session.connection().execute(
            update(UnitSession).where(UnitSession.id == credentials.session).values(**changes)
        )

    @staticmethod
    def hold(session: Session, credentials: Sequence[Credentials]) -> None:
        """Lock the registrations of units that bring statements: of two at once, the second sees what the first did."""
        hold_registrations(
            session, [one.registration for one in credentials if isinstance(one, UnitCredentials)]
        )

    def admit(
        self, session: Session, credentials: Credentials, arriving: Sequence[Arriving]
    ) -> Sequence[Following] | None:
        """Hold a batch of statements to the rules, keep what counts of them, and say what is satisfied.

        Raises:
            ForbiddenError: one of them breaks a rule; nothing of the batch counts.
        """
        if not isinstance(credentials, UnitCredentials):
            return None
        open_session = session.get(UnitSession, credentials.session, populate_existing=True)
        assert open_session is not None  # noqa: S101 - its credentials were just found
        if open_session.ended is not None and not _was_left(open_session):
            raise ForbiddenError("The session of this unit has ended.")
        row = session.get(Registration, open_session.registration_id, populate_existing=True)
        assert row is not None  # noqa: S101 - a foreign key leads there
        counted = _judged(session, row, open_session, arriving)
        return self._kept(session, row, open_session, arriving, counted)

    def _kept(
        self,
        session: Session,
        row: Registration,
        open_session: UnitSession,
        arriving: Sequence[Arriving],
        counted: Mapping[int, str],
    ) -> list[Following]:
        """Keep what a batch means for session and unit; return what the LMS has to say behind which statement."""
        now = self.now()
        following: list[Following] = []
        for place, one in enumerate(arriving):
            _keep_time(open_session, one.statement)
            if place not in counted:
                continue
            scaled = one.statement.get("result", {}).get("score", {}).get("scaled")
            record = record_for(session, row, open_session.identifier)
            keep_unit(record, counted[place], scaled=scaled)
            session.flush()
            outline = outline_of(session, self.desk.shelf, row)
            told = told_of(row, self.desk, session_id=open_session.public_id, outline=outline)
            made = say_satisfied(session, self.desk, row, outline, told, now=max(now, open_session.latest))
            following += [
                Following(place=place, statement=statement, authority=self.desk.authority)
                for statement in made
            ]
        open_session.last_seen = now
        if open_session.state == State.TERMINATED and open_session.ended is None:
            open_session.ended = now
            row.seconds += _seconds(arriving)
        session.flush()
        return following


def _judged(
    session: Session, row: Registration, open_session: UnitSession, arriving: Sequence[Arriving]
) -> dict[int, str]:
    """Judge a batch to its end before anything is kept; return which statements count for the unit, and as what."""
    for one in arriving:
        _require_no_activity_of_ours(open_session, one.statement)
    if open_session.standard != "cmi5":
        return _judged_freely(row, open_session, arriving)
    facts = facts_of(session, row, open_session)
    counted: dict[int, str] = {}
    for place, one in enumerate(arriving):
        try:
            after = accept(facts, one.statement, added=one.added)
        except RuleBrokenError as broken:
            raise ForbiddenError(str(broken)) from None
        if (after.said - facts.said) & _COUNTING:
            counted[place] = one.statement["verb"]["id"]
        facts = after
    open_session.state = facts.state
    open_session.said = sorted(facts.said)
    return counted


def _require_no_activity_of_ours(open_session: UnitSession, statement: Mapping[str, Any]) -> None:
    """Refuse what is said of another unit, of a block or a course by the name it has here: the LMS says that itself."""
    about = statement["object"].get("id", "")
    if about.startswith(COURSES) and not _is_within(about, open_session.activity):
        raise ForbiddenError("The LMS alone speaks of this activity; a unit speaks of its own.")


def _judged_freely(
    row: Registration, open_session: UnitSession, arriving: Sequence[Arriving]
) -> dict[int, str]:
    """Hold statements of an xAPI package to its launch: there are no rules but whose they are."""
    own = actor_key(row.actor)
    for one in arriving:
        statement = one.statement
        if statement["verb"]["id"] == VOIDED:
            raise ForbiddenError("A unit may not void statements.")
        if statement["verb"]["id"] in _OF_THE_LMS:
            raise ForbiddenError("The LMS alone says this of a unit (cmi5 9.3).")
        if actor_key(statement["actor"]) != own:
            raise ForbiddenError("The actor is not the one of the launch.")
        registration = statement.get("context", {}).get("registration", str(row.registration))
        if registration.lower() != str(row.registration):
            raise ForbiddenError("The registration is not the one of the launch.")
    if open_session.ended is None:
        open_session.state = State.INITIALIZED
    return {
        place: one.statement["verb"]["id"]
        for place, one in enumerate(arriving)
        if one.statement["verb"]["id"] in _COUNTING
        and one.statement["object"].get("id") == open_session.activity
    }


def facts_of(session: Session, row: Registration, open_session: UnitSession) -> rules.Session:
    """Return what the rules need to know of a session."""
    account = row.actor["account"]
    return rules.Session(
        session_id=str(open_session.public_id),
        registration=str(row.registration),
        account=(account["homePage"], account["name"]),
        activity_id=open_session.activity,
        publisher_id=open_session.publisher_id,
        launch_mode=cast("LaunchMode", open_session.launch_mode),
        mastery_score=mastery_of(open_session),
        state=State(open_session.state),
        said=frozenset(open_session.said),
        preferences_read=open_session.preferences_read,
        unit=state_in(find_record(session, row.id, open_session.identifier)),
    )


_COUNTING: Final = frozenset({Verb.COMPLETED, Verb.PASSED, Verb.FAILED})
#: What is read as the word of the LMS, whoever says it; "launched" is no word of cmi5 alone, and packages say it.
_OF_THE_LMS: Final = frozenset({Verb.ABANDONED, Verb.WAIVED, Verb.SATISFIED})


def _keep_time(open_session: UnitSession, statement: Mapping[str, Any]) -> None:
    """Note when a session was last said to be at; what comes is in the order of arrival, whatever the clock says.

    A statement keeps the time its unit gave it. What the LMS adds is never dated before it.
    """
    when = parse_timestamp(statement["timestamp"])
    if when >= open_session.latest:
        open_session.latest = when
    elif not open_session.clock_went_back:
        open_session.clock_went_back = True
        log.warning("session_clock_went_back", extra={"session": str(open_session.public_id)})


def _seconds(arriving: Sequence[Arriving]) -> int:
    said = (
        one.statement.get("result", {}).get("duration", "PT0S")
        for one in arriving
        if one.statement["verb"]["id"] == Verb.TERMINATED
    )
    return sum(hundredths_of_duration(one) for one in said) // 100


# ---------------------------------------------------------------------- look


def _check_statements(_credentials: UnitCredentials, _asked: Asked) -> None:
    """Reading gives what was sent in this registration (scope ``statements/read/mine``); writing is judged later."""


def _check_state(credentials: UnitCredentials, asked: Asked) -> None:
    _require_agent(credentials, asked)
    _require_own_activity(credentials, asked)
    registration = asked.parameters.get("registration")
    if credentials.standard == "cmi5" and registration is None:
        raise ForbiddenError("State is kept with the registration of the launch (cmi5 8.1.4).")
    if registration is not None and registration.lower() != str(credentials.registration):
        raise ForbiddenError("The registration is not the one of the launch.")
    name = asked.parameters.get("stateId", "")
    _require_foreign(name)
    if credentials.standard == "cmi5" and asked.method != "GET" and name in {LAUNCH_DATA, ""}:
        raise ForbiddenError("LMS.LaunchData is read only (cmi5 10.2.1).")


def _check_agent_profile(credentials: UnitCredentials, asked: Asked) -> None:
    _require_agent(credentials, asked)
    name = asked.parameters.get("profileId", "")
    if name != PREFERENCES:
        raise ForbiddenError("Of a learner's profile a unit has her preferences alone: courses share it.")
    if asked.method == "GET" or "agent" not in asked.parameters:
        return
    if asked.method == "DELETE":
        raise ForbiddenError("The learner preferences are changed, not deleted.")
    if asked.content_type.partition(";")[0].strip().lower() != "application/json":
        raise ForbiddenError("The learner preferences are sent as application/json (cmi5 11).")
    fault = preferences_fault(_json(asked.body))
    if fault is not None:
        raise ForbiddenError(f"{fault} (cmi5 11)")


def _check_activity(credentials: UnitCredentials, asked: Asked) -> None:
    _require_own_activity(credentials, asked)
    _require_foreign(asked.parameters.get("profileId", ""))


def _require_agent(credentials: UnitCredentials, asked: Asked) -> None:
    """Refuse another agent; one that is missing or no agent is refused by the record store itself."""
    written = asked.parameters.get("agent")
    if written is None:
        return
    agent = _json(written.encode())
    try:
        key = actor_key(agent) if isinstance(agent, dict) else None
    except (KeyError, TypeError, AttributeError):
        return
    if key != credentials.agent:
        raise ForbiddenError("The agent is not the one of the launch.")


def _require_own_activity(credentials: UnitCredentials, asked: Asked) -> None:
    """Refuse documents of another activity; one that is missing is refused by the record store itself."""
    activity = asked.parameters.get("activityId")
    if activity is not None and not credentials.owns(activity):
        raise ForbiddenError("The activity is not the one of the launch.")


def _is_within(activity: str, whole: str) -> bool:
    return activity == whole or activity.startswith((f"{whole}/", f"{whole}#"))


def _require_foreign(name: str) -> None:
    if name.startswith(OWN_DOCUMENTS):
        raise ForbiddenError("This document is the LMS's own.")


_CHECKS: Final[Mapping[str, Callable[[UnitCredentials, Asked], None]]] = {
    "statements": _check_statements,
    "activities/state": _check_state,
    "agents/profile": _check_agent_profile,
    "activities/profile": _check_activity,
    "activities": _check_activity,
    "agents": _require_agent,
}


def _was_left(one: UnitSession | UnitCredentials) -> bool:
    """Say whether a session ended because its learner left an xAPI package, which has no word for its end."""
    return one.standard != "cmi5" and one.state == State.TERMINATED


def _is_the_rest(credentials: UnitCredentials, asked: Asked) -> bool:
    """Say whether a request of a session that is over belongs to what was under way as it ended."""
    return _was_left(credentials) or (credentials.state == State.TERMINATED and _says_the_end(asked))


def _says_the_end(asked: Asked) -> bool:
    """Say whether a request sends ``terminated`` and nothing else: its answer may have been lost on the way."""
    if asked.resource != "statements" or asked.method == "GET":
        return False
    sent = _json(asked.body)
    one = sent[0] if isinstance(sent, list) and len(sent) == 1 else sent
    verb = one.get("verb") if isinstance(one, dict) else None
    return isinstance(verb, dict) and verb.get("id") == Verb.TERMINATED


def _json(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _shown(header: str | None) -> tuple[UUID | None, str]:
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None, ""
    try:
        user, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        return (UUID(hex=user), secret) if len(user) == 32 else (None, "")
    except ValueError:  # not Base64, not UTF-8, not a UUID
        return None, ""


_SESSION = (
    select(
        UnitSession.id,
        UnitSession.secret_digest,
        UnitSession.activity,
        UnitSession.publisher_id,
        UnitSession.standard,
        UnitSession.state,
        UnitSession.preferences_read,
        UnitSession.last_seen,
        UnitSession.ended,
        Registration.registration,
        Registration.actor,
    )
    .join(Registration, Registration.id == UnitSession.registration_id)
    .where(UnitSession.public_id == bindparam("public_id"))
)
