"""Launch units that have a record store of their own, waive them, abandon their sessions: in the caller's transaction.

The order of a launch is the standard's (cmi5 9.3.1, 9.6.1, 10.1): the registration with what is satisfied from the
start, the end of the session that was open, ``LMS.LaunchData``, ``launched``; and then the address is handed out.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import orjson
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from content_packages.cmi5.move_on import newly_satisfied
from content_packages.cmi5.rules import State, unit_after
from content_packages.cmi5.vocabulary import LAUNCH_DATA, LaunchMode, Verb
from content_packages.package import Activity
from lms.cmi5 import statements
from lms.cmi5.elsewhere import EQUIVALENT, earned_elsewhere
from lms.cmi5.registrations import (
    Outline,
    RegistrationUnknownError,
    bare,
    find_record,
    find_registration,
    hold_registrations,
    open_sessions,
    outline_of,
    own_registration,
    state_in,
    states_of,
)
from lms.cmi5.statements import Told
from lms.cmi5.tables import Registration, UnitRecord, UnitSession
from lms.courses.queries import pass_marks_of
from lms.launch.actions import Desk
from lms.launch.course import CourseNotReadyError, CourseWithdrawnError
from lms.launch.queries import digest
from lms.launch.statements import learner
from xapi_store.documents import JSON, put_document
from xapi_store.ingest import store_statements
from xapi_store.model.document import DocumentKey

log = logging.getLogger(__name__)

#: A session of which nothing was heard for so long is abandoned: the unit has crashed, or its window was closed.
IDLE_AFTER = timedelta(hours=12)


class SessionUnknownError(Exception):
    """There is no such session on this node."""

    def __init__(self, session_id: UUID) -> None:
        self.session_id = session_id
        super().__init__(f"There is no session {session_id} here.")


class SessionOverError(Exception):
    """The session has ended already."""

    def __init__(self, session_id: UUID) -> None:
        self.session_id = session_id
        super().__init__(f"Session {session_id} has ended.")


class WaivedAlreadyError(Exception):
    """A unit is waived once in a registration (cmi5 9.3)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hosts:
    """Where browsers find this node, its record store, and how the hosts of its courses are named."""

    public_url: str
    content: Callable[[UUID], str]
    """The origin of an edition's files."""
    store: str = "/xapi/"

    @property
    def endpoint(self) -> str:
        """The address of the record store, as units are told it."""
        return f"{self.public_url}{self.store}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Launched:
    """A session just begun; its address is told this once."""

    session_id: UUID
    registration: UUID
    url: str
    unit: Activity
    mode: LaunchMode


def register(
    session: Session,
    desk: Desk,
    outline: Outline,
    *,
    registration: UUID,
    actor: Mapping[str, Any],
    enrolment: UUID | None,
    person: UUID | None,
    now: datetime,
) -> Registration:
    """Begin a registration, and say what is satisfied from the start (9.6.1)."""
    row = Registration(
        registration=registration,
        enrolment=enrolment,
        person=person,
        course=outline.course,
        edition=outline.edition,
        actor=bare(actor),
        told=[],
        seconds=0,
        heard=[str(move.id) for move in outline.moves],
        followed=[],
        created=now,
    )
    session.add(row)
    session.flush()
    told = told_of(row, desk, session_id=desk.new_id(), outline=outline)
    _store(session, desk, say_satisfied(session, desk, row, outline, told, now=now), now=now)
    return row


def registration_for(
    session: Session, desk: Desk, outline: Outline, *, enrolment: UUID, person: UUID, now: datetime
) -> Registration:
    """Return the registration under which this node writes an enrolment; it begins if there is none.

    The caller holds the person, so that it begins once.
    """
    own = own_registration(enrolment, desk.node)
    found = find_registration(session, own)
    if found is not None:
        return found
    actor = learner(person)
    return register(
        session, desk, outline, registration=own, actor=actor, enrolment=enrolment, person=person, now=now
    )


def launch(
    session: Session,
    desk: Desk,
    hosts: Hosts,
    registration: UUID,
    unit: Activity,
    *,
    mode: LaunchMode = "Normal",
    now: datetime,
) -> Launched:
    """Begin a session of a unit; the one still open in the registration is abandoned (9.3.6).

    Raises:
        CourseWithdrawnError: the edition of the registration was withdrawn. What is open may go on.
    """
    row, outline = _held(session, desk, registration)
    if outline.withdrawn:
        raise CourseWithdrawnError(outline.course)
    abandon_open(session, desk, row, outline, now=now)
    _take_over(session, desk, row, outline, now=now)
    session_id, content_token, fetch_token = desk.new_id(), desk.new_token(), desk.new_token()
    mastery = _mastery_wanted(session, outline, unit)
    iri = outline.iri(unit)
    begun = UnitSession(
        public_id=session_id,
        registration_id=row.id,
        standard=outline.package.standard,
        identifier=unit.identifier,
        # An xAPI package knows its activities by its own names only.
        activity=unit.publisher_id if not outline.is_cmi5 and statements.is_iri(unit.publisher_id) else iri,
        publisher_id=unit.publisher_id or "",
        launch_mode=mode,
        mastery_score=None if mastery is None else str(mastery),
        content_digest=digest(content_token),
        fetch_digest=digest(fetch_token) if outline.is_cmi5 else None,
        state=State.LAUNCHED,
        said=[],
        preferences_read=not outline.is_cmi5,
        created=now,
        last_seen=now,
        latest=now,
    )
    session.add(begun)
    session.flush()
    told = told_of(row, desk, session_id=session_id, outline=outline)
    content = f"{hosts.content(outline.edition)}/au/{content_token}"
    if outline.is_cmi5:
        data = statements.launch_data(
            told, unit, mode=mode, mastery=mastery, return_url=f"{content}/-/return"
        )
        key = DocumentKey.state(activity=iri, agent=row.actor, name=LAUNCH_DATA, registration=registration)
        put_document(session, key, orjson.dumps(data), JSON, now=now)
        parameters = {
            "endpoint": hosts.endpoint,
            "fetch": f"{hosts.public_url}/fetch/{fetch_token}",
            "actor": orjson.dumps(row.actor).decode(),
            "registration": str(registration),
            "activityId": iri,
        }
    else:
        parameters = {
            "endpoint": hosts.endpoint,
            "auth": f"Basic {_credential(begun, desk)}",
            "actor": orjson.dumps(row.actor).decode(),
            "registration": str(registration),
            "activity_id": begun.activity,
        }
    made = statements.launched(
        told,
        unit,
        iri,
        url=_address(unit, content, {}),
        mode=mode,
        mastery=mastery,
        now=now,
        new_id=desk.new_id(),
    )
    _store(session, desk, [made], now=now)
    session.flush()
    return Launched(
        session_id=session_id,
        registration=registration,
        url=_address(unit, content, parameters),
        unit=unit,
        mode=mode,
    )


def fetch(session: Session, desk: Desk, token: str, *, now: datetime) -> dict[str, str]:
    """Answer the fetch URL (8.2): the credential once, afterwards an error."""
    found = session.scalars(_BY_FETCH, {"digest": digest(token)}).one_or_none()
    if found is None:
        return {"error-code": "2", "error-text": "This is not the fetch URL of any session."}
    if found.secret_digest is not None or found.ended is not None or found.last_seen + IDLE_AFTER < now:
        text = "The authorization token was returned before, or the session has ended."
        return {"error-code": "1", "error-text": text}
    found.last_seen = now
    credential = _credential(found, desk)
    session.flush()
    return {"auth-token": credential}


def waive(
    session: Session, desk: Desk, registration: UUID, index: int, *, reason: str, now: datetime
) -> None:
    """Say that a unit need not be taken, and what is satisfied thereby (9.3.7).

    Raises:
        RegistrationUnknownError: this node does not write it.
        UnitUnknownError: it has no such unit.
        WaivedAlreadyError: that was said before.
    """
    row, outline = _held(session, desk, registration)
    unit = outline.unit_at(index)
    record = record_for(session, row, unit.identifier)
    if record.waived:
        raise WaivedAlreadyError
    keep_unit(record, Verb.WAIVED)
    session.flush()
    told = told_of(row, desk, session_id=desk.new_id(), outline=outline)
    made = [
        statements.waived(told, unit, outline.iri(unit), reason=reason, now=now, new_id=desk.new_id()),
        *say_satisfied(session, desk, row, outline, told, now=now),
    ]
    _store(session, desk, made, now=now)


def abandon(session: Session, desk: Desk, session_id: UUID, *, now: datetime) -> None:
    """End a session that its unit has not ended (9.3.6); its credential opens nothing any more.

    Raises:
        SessionUnknownError: there is none.
        SessionOverError: it has ended.
    """
    whose = session.connection().scalar(_WHOSE, {"public_id": session_id})
    if whose is None:
        raise SessionUnknownError(session_id)
    row, outline = _held(session, desk, whose)
    found = next((one for one in open_sessions(session, row) if one.public_id == session_id), None)
    if found is None:
        raise SessionOverError(session_id)
    _abandon(session, desk, row, outline, found, now=now)
    session.flush()


def abandon_open(session: Session, desk: Desk, row: Registration, outline: Outline, *, now: datetime) -> None:
    """End what is open in a registration that the caller holds, because something else begins (9.3.6)."""
    for older in open_sessions(session, row):
        _abandon(session, desk, row, outline, older, now=now)


def leave(session: Session, registration: UUID, *, now: datetime) -> None:
    """End what is open of an xAPI package, because its learner has left it by the player's bar.

    Such a package has no word for its end. What its page has under way or sends as it goes is taken for a while yet
    (``lms.cmi5.admission.AFTERWARDS``). A unit of cmi5 says ``terminated`` itself, and may do so after she has gone.
    """
    hold_registrations(session, [registration])
    row = find_registration(session, registration)
    if row is None:
        return
    for one in open_sessions(session, row):
        if one.standard != "cmi5":
            one.state, one.ended = State.TERMINATED, now
            row.seconds += round(_lasted(one).total_seconds())
    session.flush()


def go_over(
    session: Session, desk: Desk, row: Registration, old: Outline, new: Outline, *, now: datetime
) -> None:
    """Let a registration that the caller holds go on in another edition, and say what is satisfied there.

    What is open ends first, in the words of the edition it was launched from.
    """
    abandon_open(session, desk, row, old, now=now)
    row.edition = new.edition
    told = told_of(row, desk, session_id=desk.new_id(), outline=new)
    _store(session, desk, say_satisfied(session, desk, row, new, told, now=now), now=now)
    session.flush()


def abandon_idle(session: Session, desk: Desk, *, now: datetime) -> bool:
    """Abandon one session of which nothing was heard for too long; return whether there was one."""
    found = session.connection().scalar(_IDLE, {"before": now - IDLE_AFTER})
    if found is None:
        return False
    try:
        abandon(session, desk, found, now=now)
    except (
        CourseNotReadyError
    ):  # its files are gone: it ends without a word, or it would be found again for ever
        row = session.scalars(_SESSION, {"public_id": found}).one()
        row.state, row.ended = State.ABANDONED, now
        session.flush()
        log.warning("session_ended_untold", extra={"session": str(found)})
    return True


# ---------------------------------------------------------------------- what a statement changes


def told_of(row: Registration, desk: Desk, *, session_id: UUID, outline: Outline) -> Told:
    """Return what the LMS's statements about a registration have in common."""
    return Told(
        actor=row.actor,
        registration=row.registration,
        enrolment=row.enrolment,
        node=desk.node,
        session_id=session_id,
        is_cmi5=outline.is_cmi5,
    )


def say_satisfied(
    session: Session, desk: Desk, row: Registration, outline: Outline, told: Told, *, now: datetime
) -> list[dict[str, Any]]:
    """Return what is satisfied and was not said before, block before parent before course, and note that it is said."""
    root = outline.package.root
    new = newly_satisfied(root, states_of(session, row), row.told)
    row.told = [*row.told, *(one.identifier for one in new)]
    return [
        statements.satisfied(
            told, one, outline.iri(one), is_course=one is root, now=now, new_id=desk.new_id()
        )
        for one in new
    ]


def record_for(session: Session, row: Registration, identifier: str) -> UnitRecord:
    """Return what is kept of a unit, which begins if there is nothing."""
    found = find_record(session, row.id, identifier)
    if found is None:
        found = UnitRecord(
            registration_id=row.id,
            identifier=identifier,
            completed=False,
            passed=False,
            failed=False,
            waived=False,
        )
        session.add(found)
    return found


def keep_unit(record: UnitRecord, verb: str, *, scaled: float | None = None) -> None:
    """Note a statement that counts."""
    after = unit_after(state_in(record), verb)
    record.completed, record.passed = after.completed, after.passed
    record.failed, record.waived = after.failed, after.waived
    if scaled is not None:
        record.score = scaled if record.score is None else max(record.score, scaled)


# ---------------------------------------------------------------------- below


def _take_over(session: Session, desk: Desk, row: Registration, outline: Outline, *, now: datetime) -> None:
    """Waive what she has earned on other nodes, so that she need not begin the course anew on this one."""
    for unit in list(earned_elsewhere(session, row, outline)):
        keep_unit(record_for(session, row, unit.identifier), Verb.WAIVED)
        session.flush()
        told = told_of(row, desk, session_id=desk.new_id(), outline=outline)
        iri = outline.iri(unit)
        made = [
            statements.waived(told, unit, iri, reason=EQUIVALENT, now=now, new_id=desk.new_id()),
            *say_satisfied(session, desk, row, outline, told, now=now),
        ]
        _store(session, desk, made, now=now)


def _mastery_wanted(session: Session, outline: Outline, unit: Activity) -> Decimal | None:
    """Return the masteryScore to launch a unit with: the instructors', or else the package's (10.2.4)."""
    if unit.au is None or unit.au.mastery_score is None:
        return None  # it does not judge by a score, whatever one would like
    return pass_marks_of(session, outline.course).get(outline.units[unit.identifier], unit.au.mastery_score)


def _held(session: Session, desk: Desk, registration: UUID) -> tuple[Registration, Outline]:
    hold_registrations(session, [registration])
    row = find_registration(session, registration)
    if row is None:
        raise RegistrationUnknownError(registration)
    return row, outline_of(session, desk.shelf, row)


def _abandon(
    session: Session, desk: Desk, row: Registration, outline: Outline, older: UnitSession, *, now: datetime
) -> None:
    unit = outline.unit(older.identifier)
    older.state, older.ended = State.ABANDONED, now
    lasted = _lasted(older)
    row.seconds += round(lasted.total_seconds())
    session.flush()
    if unit is None or older.standard != "cmi5":
        return
    told = told_of(row, desk, session_id=older.public_id, outline=outline)
    when = max(now, older.latest)  # the order of timestamps is the order in which things were stored
    made = statements.abandoned(told, unit, outline.iri(unit), lasted=lasted, now=when, new_id=desk.new_id())
    _store(session, desk, [made], now=now)


def _lasted(one: UnitSession) -> timedelta:
    """From the launch to the last that the unit said (9.5.4.2); what it left idle is nobody's work."""
    return max(one.last_seen - one.created, timedelta())


def _credential(begun: UnitSession, desk: Desk) -> str:
    """Make the secret of a session, and return what stands behind "Basic " (8.2.2)."""
    secret = desk.new_token()
    begun.secret_digest = digest(secret)
    return base64.b64encode(f"{begun.public_id.hex}:{secret}".encode()).decode()


def _address(unit: Activity, content: str, parameters: Mapping[str, str]) -> str:
    """Return where a unit starts: its own query is kept, the fragment stays last (8.1)."""
    target = unit.launch
    assert target is not None  # noqa: S101 - it is a unit
    base = target.address or f"{content}/{quote(target.path)}"
    query = "&".join(filter(None, (target.query, urlencode(parameters, quote_via=quote))))
    return base + f"?{query}" * bool(query) + f"#{target.fragment}" * bool(target.fragment)


def _store(session: Session, desk: Desk, made: Collection[dict[str, Any]], *, now: datetime) -> None:
    if made:
        store_statements(session, list(made), authority=desk.authority, now=now, new_id=desk.new_id)


def mastery_of(begun: UnitSession) -> Decimal | None:
    """Return the mastery score that a session was launched with."""
    return None if begun.mastery_score is None else Decimal(begun.mastery_score)


_BY_FETCH = select(UnitSession).where(UnitSession.fetch_digest == bindparam("digest")).with_for_update()
_SESSION = select(UnitSession).where(UnitSession.public_id == bindparam("public_id"))
_WHOSE = (
    select(Registration.registration)
    .join(UnitSession, UnitSession.registration_id == Registration.id)
    .where(UnitSession.public_id == bindparam("public_id"))
)
_IDLE = (
    select(UnitSession.public_id)
    .where(
        UnitSession.ended.is_(None),
        UnitSession.last_seen < bindparam("before", type_=UnitSession.last_seen.type),
    )
    .order_by(UnitSession.last_seen)
    .limit(1)
)
