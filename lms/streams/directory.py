"""The directory: people, groups, memberships, enrolments, courses, and which of them go where.

They are proposed below and decided at the root; which courses go where is never proposed.

That an edition is withdrawn is told twice: with its course, and before all else among the revocations, so that nobody
goes on with it while records and files are on their way.

A node that is its own root decides: what it says stands in scopes ``directory`` and ``catalogue``, and others
take it. Everywhere else a change is an offer. The root adopts an offer by making it a change of its own, under
the same public id; so it comes back down, to the node that offered it and to all others.

An offer may make things, and change those its own node proposed; a stolen laptop can alter no others. Of two
versions of one thing the later stands. A correction made while an older version was on its way down is kept:
it is on its way up, and the root decides about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from content_packages.errors import FileMissingError, StoredPackageError
from content_packages.shelf import Shelf
from lms.carrying.actions import apply_assignment
from lms.carrying.queries import describe_assignment, needs_of
from lms.courses.actions import (
    EditionElsewhereError,
    apply_course,
    apply_withdrawal,
    note_manifest_sizes,
)
from lms.courses.queries import describe_course, describe_withdrawal, is_manifest
from lms.enrolment.actions import apply_enrolment
from lms.enrolment.queries import describe_enrolment
from lms.people.changes import Kind, changes_after, count_changed, record_change, was_changed_here
from lms.people.entries import (
    apply_group,
    apply_membership,
    apply_person,
    describe_group,
    describe_membership,
    describe_person,
)
from lms.people.errors import EntryRefusedError
from lms.people.tables import DirectoryChange
from lms.streams.course_files import files_here, files_of_manifest, lacking, manifest_sizes
from lms.streams.course_wishes import CourseWishes
from lms.streams.statements import UNKNOWN_SCHEMA
from lms.streams.tables import Proposal
from sync.canonical import canonical_json
from sync.messages import Record
from sync.node import Standing, standing
from sync.ports import APPLIED, PRESENT, BlobRef, Change, Changes, Context, Outcome, Verdict
from sync.scopes import CATALOGUE, DIRECTORY, OFFERS, REVOCATIONS, scope_for

SCHEMA = 1
KINDS: tuple[Kind, ...] = get_args(Kind)

_DESCRIBE: Mapping[Kind, Callable[[Session, UUID], dict[str, Any] | None]] = {
    "person": describe_person,
    "group": describe_group,
    "membership": describe_membership,
    "enrolment": describe_enrolment,
    "course": describe_course,
    "withdrawal": describe_withdrawal,
    "assignment": describe_assignment,
}
#: Kinds upon which it depends which courses are needed here.
_NEEDS: frozenset[str] = frozenset({"membership", "enrolment", "assignment"})
_NOT_YOURS = Outcome(
    verdict=Verdict.REFUSED,
    reason="not_yours",
    detail="A node below may change what it proposed itself. This was decided here; change it here.",
)
_FILES_UNKNOWN = Outcome(
    verdict=Verdict.WAITING, reason="files", detail="Its files are not here, and their sizes were not told."
)
_MALFORMED = (  # what reading and writing an entry can meet when another node wrote nonsense
    AttributeError,
    EditionElsewhereError,
    FileMissingError,
    KeyError,
    SQLAlchemyError,
    TypeError,
    ValueError,
)


class DirectoryBody(BaseModel):
    """An entry of the directory as it travels.

    Attributes:
        entry: the thing, as its feature describes it.
        proposed_by: the node below whose proposal this was; told by those who decide.
        manifests: sizes of a course's manifests, by digest.
    """

    model_config = ConfigDict(frozen=True)

    entry: dict[str, Any]
    proposed_by: str | None = None
    manifests: dict[str, int] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Speaker:
    """What the origin of a record may do here.

    Attributes:
        standing: ``decided`` by an authority; to be ``adopted`` by this node, which decides; or ``offered`` to
            others, and only passing through.
        grants_roles: it may make more than an officer of somebody: the root, and this node itself.
    """

    node: str
    standing: Literal["decided", "adopted", "offered"]
    grants_roles: bool
    is_me: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Arrival:
    """One record, read; ``ours`` is the thing as it stands here."""

    kind: Kind
    public_id: UUID
    entry: dict[str, Any]
    body: DirectoryBody
    ours: dict[str, Any] | None

    @property
    def is_older(self) -> bool:
        """Say whether what stands here was changed later."""
        return self.ours is not None and _changed(self.entry) < _changed(self.ours)

    @property
    def is_same(self) -> bool:
        """Say whether it says what stands here."""
        return self.ours is not None and {**self.entry, "provisional": None} == {
            **self.ours,
            "provisional": None,
        }


class DirectoryStream:
    """People, groups, memberships, enrolments, courses and their assignments, each at its latest change.

    Attributes:
        wishes: what this node wishes for of the files of courses that were decided.
    """

    name = "directory"
    kinds = frozenset[str](KINDS)

    def __init__(self, shelf: Shelf, *, new_id: Callable[[], UUID], leave_free: int = 0) -> None:
        """Take what is to stay free on the disk, in bytes."""
        self.wishes = CourseWishes(shelf, new_id=new_id, leave_free=leave_free)
        self._shelf = shelf
        self._new_id = new_id

    # ------------------------------------------------------------ out

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Tell what was made, changed or adopted on this node; of each thing the newest version."""
        rows = changes_after(session, position, limit=limit)
        newest = {(row.kind, row.public_id): row for row in rows}
        me = standing(session)
        told = [self._change(session, row, me) for row in rows if newest[row.kind, row.public_id] is row]
        changes = [change for change in told if change is not None]
        return Changes(changes=changes, position=rows[-1].position if rows else position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:
        """Count the things changed here whose latest change has no number yet."""
        return count_changed(session, position)

    def _change(self, session: Session, row: DirectoryChange, me: Standing) -> Change | None:
        kind = _kind(row.kind)
        described = _DESCRIBE[kind](session, row.public_id)
        if described is None:
            return None
        proposal = session.get(Proposal, (kind, row.public_id))
        body = DirectoryBody(
            entry=described,
            proposed_by=proposal.node if proposal and me.decides else None,
            manifests=manifest_sizes(self._shelf, described) if kind == "course" else {},
        )
        return Change(
            kind=kind,
            key=str(row.public_id),
            scope=_scope(kind, me),
            schema=SCHEMA,
            body=canonical_json(body.model_dump()),
            changed_ms=round(_changed(described).timestamp() * 1000),
            position=row.position,
        )

    def files_of(
        self, session: Session, records: Sequence[Record], recipients: Sequence[str]
    ) -> list[BlobRef]:
        """Return the files of the editions that courses tell of, as far as they are here.

        Of a course that was decided only if a recipient is to carry it, or its files would be carried about in vain.
        What somebody takes there, as far as that is not known here, the recipient asks for.
        """
        found: dict[BlobRef, None] = {}
        needs = [needs_of(session, one) for one in recipients]
        decides = standing(session).decides
        for record in records:
            if record.kind != "course" or record.schema != SCHEMA:
                continue
            with suppress(*_MALFORMED):  # another node wrote nonsense: it names nothing
                entry = DirectoryBody.model_validate_json(record.body).entry
                course, languages = UUID(record.key), entry["languages"]
                is_offer = entry.get("provisional") and not decides
                if is_offer or any(one.cover(course, languages) for one in needs):
                    found.update(dict.fromkeys(files_here(self._shelf, entry)))
        return list(found)

    def files_beside(self, session: Session, digest: str) -> list[BlobRef]:
        """Return the files of the edition whose manifest this is."""
        return files_of_manifest(self._shelf, digest) if is_manifest(session, digest) else []

    # ------------------------------------------------------------ in

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Take what was decided, adopt or note what was offered; a bad record hurts no other."""
        speaker = _speaker(standing(session), context)
        outcomes = [self._outcome(session, record, context, speaker) for record in records]
        applied = [one for one, outcome in zip(records, outcomes, strict=True) if outcome is APPLIED]
        if courses := [UUID(one.key) for one in applied if one.kind == "course"]:
            self.wishes.settle(session, courses)
        if any(one.kind in _NEEDS for one in applied):
            self.wishes.settle(session)
        return outcomes

    def _outcome(self, session: Session, record: Record, context: Context, speaker: _Speaker) -> Outcome:
        if record.schema != SCHEMA:
            return UNKNOWN_SCHEMA
        try:
            with session.begin_nested():
                arrival = _read(session, record, context, speaker)
                if speaker.standing == "decided":
                    return self._take_decided(session, arrival, speaker)
                return self._take_offer(session, arrival, speaker)
        except EntryRefusedError:
            return _NOT_YOURS
        except StoredPackageError as error:
            return Outcome(verdict=Verdict.WAITING, reason="schema", detail=str(error))
        except _MALFORMED as error:
            detail = f"{type(error).__name__}: {error}"[:500]
            return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=detail)

    def _take_decided(self, session: Session, arrival: _Arrival, speaker: _Speaker) -> Outcome:
        if arrival.kind == "withdrawal":
            return _take_withdrawal(session, arrival)
        _note_proposal(session, arrival, arrival.body.proposed_by)
        if arrival.ours is not None and arrival.is_older and _keeps_ours(session, arrival, speaker):
            if arrival.ours.get("provisional"):
                self._write(session, arrival, {**arrival.ours, "provisional": False}, grants_roles=True)
            return PRESENT
        self._write(session, arrival, arrival.entry, grants_roles=speaker.grants_roles)
        if arrival.kind != "course":
            return APPLIED
        note_manifest_sizes(session, arrival.body.manifests)
        return APPLIED if self._can_be_asked_for(arrival) else _FILES_UNKNOWN

    def _take_offer(self, session: Session, arrival: _Arrival, speaker: _Speaker) -> Outcome:
        if arrival.is_same or arrival.kind == "withdrawal":  # the course that is offered says it, too
            return PRESENT
        if arrival.kind == "assignment" or (
            arrival.ours is not None and not _proposed(session, arrival, speaker)
        ):
            return _NOT_YOURS
        if arrival.is_older:
            return PRESENT
        if (wait := self._lacking(arrival)) is not None:
            return wait
        if not speaker.is_me:
            _note_proposal(session, arrival, speaker.node)
        self._write(session, arrival, arrival.entry, grants_roles=speaker.grants_roles)
        if speaker.standing == "adopted":
            record_change(session, arrival.kind, arrival.public_id)
        return APPLIED

    def _can_be_asked_for(self, arrival: _Arrival) -> bool:
        """Say whether the manifest of the edition that is given is here, or its size was told."""
        given = arrival.entry["current_edition"]
        return all(
            self._shelf.has(one["manifest"]) or one["manifest"] in arrival.body.manifests
            for one in arrival.entry["editions"]
            if one["public_id"] == given and one["withdrawn"] is None
        )

    def _lacking(self, arrival: _Arrival) -> Outcome | None:
        if arrival.kind != "course":
            return None
        blobs = lacking(self._shelf, arrival.entry, arrival.body.manifests)
        if blobs is None:
            return _FILES_UNKNOWN
        return Outcome(verdict=Verdict.WAITING, reason="files", detail="", blobs=blobs) if blobs else None

    def _write(
        self, session: Session, arrival: _Arrival, entry: Mapping[str, Any], *, grants_roles: bool
    ) -> None:
        match arrival.kind:
            case "person":
                apply_person(session, arrival.public_id, entry, grants_roles=grants_roles)
            case "group":
                apply_group(session, arrival.public_id, entry)
            case "membership":
                apply_membership(session, arrival.public_id, entry)
            case "enrolment":
                apply_enrolment(session, arrival.public_id, entry)
            case "assignment":
                apply_assignment(session, arrival.public_id, entry)
            case "course":
                apply_course(session, self._shelf, arrival.public_id, entry, new_id=self._new_id)


def _take_withdrawal(session: Session, arrival: _Arrival) -> Outcome:
    if arrival.ours is not None and arrival.is_older:
        return PRESENT  # the catalogue has come farther
    apply_withdrawal(session, arrival.public_id, arrival.entry)
    return APPLIED


# ---------------------------------------------------------------- who decides


#: Where what is decided belongs that does not belong in the directory.
_SCOPES: Mapping[Kind, str] = {"course": CATALOGUE, "withdrawal": REVOCATIONS}


def _scope(kind: Kind, me: Standing) -> str:
    """Return the log a change belongs in. A hub decides for its own nodes only, so its scopes name it."""
    if not me.decides:
        return OFFERS
    unit = None if me.certificate.role == "central" else me.certificate.node
    return scope_for(_SCOPES.get(kind, DIRECTORY), unit)


def _speaker(me: Standing, context: Context) -> _Speaker:
    """Say what the origin may do here. Our own decisions come back to us after a restore, as decisions."""
    is_me = context.origin == me.certificate.node
    decided = context.is_authority and (is_me or not me.decides)
    offer: Literal["adopted", "offered"] = "adopted" if me.decides else "offered"
    return _Speaker(
        node=context.origin,
        standing="decided" if decided else offer,
        grants_roles=is_me or (decided and context.origin == me.root),
        is_me=is_me,
    )


def _keeps_ours(session: Session, arrival: _Arrival, speaker: _Speaker) -> bool:
    """Say whether the later version here stands: it came from whoever decides, or is on its way there.

    A change that was made here to what others decided is no such version; it would be refused there.
    """
    if speaker.is_me or arrival.body.proposed_by == standing(session).certificate.node:
        return True
    return not was_changed_here(session, arrival.kind, arrival.public_id)


def _proposed(session: Session, arrival: _Arrival, speaker: _Speaker) -> bool:
    row = session.get(Proposal, (arrival.kind, arrival.public_id))
    return speaker.is_me if row is None else row.node == speaker.node


def _note_proposal(session: Session, arrival: _Arrival, node: str | None) -> None:
    if node is not None and session.get(Proposal, (arrival.kind, arrival.public_id)) is None:
        session.add(Proposal(kind=arrival.kind, public_id=arrival.public_id, node=node))


# ---------------------------------------------------------------- reading


def _read(session: Session, record: Record, context: Context, speaker: _Speaker) -> _Arrival:
    """Read a record; an offer from a clock that runs ahead counts as made now, or no correction could follow."""
    kind, public_id = _kind(record.kind), UUID(record.key)
    body = DirectoryBody.model_validate_json(record.body)
    entry = {**body.entry, "provisional": speaker.standing == "offered"}
    if speaker.standing != "decided":
        now = datetime.fromtimestamp(context.now_ms / 1000, UTC)
        entry["changed"] = min(_changed(entry), now).isoformat()
    ours = _DESCRIBE[kind](session, public_id)
    if not (speaker.standing == "decided" or speaker.is_me):
        # A fence is opened by whoever decides, never by an offer: the laptop it comes from may be stolen.
        entry.pop("allowances", None)
        entry |= {"allowances": ours["allowances"]} if ours and "allowances" in ours else {}
    return _Arrival(kind=kind, public_id=public_id, entry=entry, body=body, ours=ours)


def _changed(described: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(described["changed"])


def _kind(name: str) -> Kind:
    return next(kind for kind in KINDS if kind == name)
