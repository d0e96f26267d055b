"""Accept statements that arrive here (xAPI 1.0.3 Data §2.3, Communication §2.1; xAPI 2.0 §4.1.6.1, §4.2.4).

All of a request or nothing: one statement that breaks a rule, or differs from the one stored under its id,
and none is stored. Sending the same again is accepted and changes nothing, so a writer that lost the answer
may repeat.

It goes in two steps. `check_submission` needs no database: it finds all that is wrong with a request by itself.
`store_submissions` writes those of many requests at once, for the price of one, and refuses each for itself.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from xapi_store.attachments import SIGNATURE, Files, Part, check_parts, keep_parts
from xapi_store.equality import differing
from xapi_store.errors import (
    ArchivedStatementError,
    InvalidStatementError,
    LrsError,
    RequestError,
    StatementConflictError,
    TakenMeanwhileError,
    json_path,
)
from xapi_store.ingest.ids import Entry, find_stored, release_ids, take_ids
from xapi_store.ingest.writing import stored_instant, write
from xapi_store.model.sections import SIGNED, cite
from xapi_store.model.signature import signed_statement
from xapi_store.model.statement import check_ids, check_statement
from xapi_store.model.strict_json import load_object
from xapi_store.model.timestamps import format_timestamp
from xapi_store.model.version import Version


@dataclass(frozen=True, kw_only=True, slots=True)
class Arriving:
    """A statement about to be stored, complete, and as it was sent."""

    statement: dict[str, Any]
    sent: dict[str, Any]

    @property
    def added(self) -> frozenset[str]:
        """The names of properties that its sender had left out."""
        return frozenset(self.statement.keys() - self.sent.keys())


@dataclass(frozen=True, kw_only=True, slots=True)
class Following:
    """A statement of the host's own, vouched for by `authority`, which follows from an arriving one.

    It is stored right behind the one that arrived at `place`. It has an id that nobody else can have.
    """

    place: int
    statement: dict[str, Any]
    authority: dict[str, Any]


#: Called with the statements about to be stored; raises `ForbiddenError` to refuse them all. It returns what follows
#: from them, or `None` where it has changed nothing and may be called again.
Admit = Callable[[Sequence[Arriving]], Sequence[Following] | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """The statements of one request, which by themselves break no rule.

    `authority` vouches for them; `define` says whether activities and agents may be told anew.
    """

    statements: Sequence[tuple[UUID, dict[str, Any]]]
    authority: dict[str, Any]
    version: Version
    parts: Collection[Part]
    define: bool

    @property
    def ids(self) -> list[UUID]:
        """The ids of the statements, in the order given."""
        return [statement_id for statement_id, _ in self.statements]


def check_submission(
    statements: Sequence[dict[str, Any] | bytes],
    *,
    authority: dict[str, Any],
    version: Version = Version.V1,
    parts: Collection[Part] = (),
    define: bool = True,
    new_id: Callable[[], UUID] = uuid4,
) -> Submission:
    """Check the statements of one request.

    Args:
        statements: parsed, or as JSON text. Not changed.
        authority: the Agent (or two-member Group) who vouches for them.
        version: whose rules apply.
        parts: files of attachments and signatures that came along.
        define: whether activities and agents may be told anew (scope `define`).
        new_id: makes the ids of statements that come without.

    Raises:
        InvalidStatementError: a statement breaks a rule; the path starts with its place in the request.
        RequestError: files and statements do not belong together.
    """
    parsed = [load_object(one) if isinstance(one, bytes) else one for one in statements]
    for place, statement in enumerate(parsed):
        try:
            check_statement(statement, version)
        except InvalidStatementError as error:
            raise (error.at(f"$[{place}]") if len(parsed) > 1 else error) from None
    _check_files(parsed, parts, version)
    check_ids(parsed, version)
    identified = [
        (UUID(statement["id"]) if "id" in statement else new_id(), statement) for statement in parsed
    ]
    return Submission(statements=identified, authority=authority, version=version, parts=parts, define=define)


def store_submissions(
    session: Session,
    submissions: Sequence[tuple[Submission, Admit | None]],
    *,
    now: datetime,
    files: Files | None = None,
) -> list[LrsError | None]:
    """Store the statements of several requests, each whole or not at all; say what was wrong with which.

    The store sets `authority` and `stored`, and `id`, `timestamp` and `version` where they are missing.

    Args:
        session: a writing transaction.
        submissions: in the order in which they came; a later one finds what an earlier one stored. With each,
            what sees its new statements, complete, before they are written.
        now: aware; becomes `stored` unless the clock ran backwards.
        files: where large attachments are kept; without it, in their rows.

    Raises:
        TakenMeanwhileError: run the transaction again.
    """
    connection = session.connection()
    stored = stored_instant(session, now)
    present = _contents(connection, [one for submission, _ in submissions for one in submission.ids])
    positions: dict[UUID, int] = {}
    while True:
        outcomes, entries, has_effects = _judge(submissions, dict(present), stored)
        positions |= take_ids(connection, [entry for entry in entries if entry.id not in positions])
        missed = [entry.id for entry in entries if entry.id not in positions]
        if not missed:
            break
        if has_effects:  # what was admitted must not be admitted twice
            raise TakenMeanwhileError
        present |= _contents(connection, missed)
    release_ids(connection, positions.keys() - {entry.id for entry in entries})
    for (submission, _), refusal in zip(submissions, outcomes, strict=True):
        if refusal is None:
            keep_parts(session, files, submission.parts, submission.authority)
    write(connection, entries, positions, stored=stored, copied=False)
    return outcomes


def store_statements(
    session: Session,
    statements: Sequence[dict[str, Any] | bytes],
    *,
    authority: dict[str, Any],
    now: datetime,
    version: Version = Version.V1,
    parts: Collection[Part] = (),
    define: bool = True,
    admit: Admit | None = None,
    new_id: Callable[[], UUID] = uuid4,
) -> list[UUID]:
    """Check and store the statements of one request; return their ids, in the order given.

    The arguments are those of `check_submission` and `store_submissions`.

    Raises:
        InvalidStatementError, RequestError: see `check_submission`.
        StatementConflictError: an id is taken by a different statement.
    """
    submission = check_submission(
        statements, authority=authority, version=version, parts=parts, define=define, new_id=new_id
    )
    (refusal,) = store_submissions(session, [(submission, admit)], now=now)
    if refusal is not None:
        raise refusal
    return submission.ids


def _contents(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, bytes | None]:
    return {statement_id: raw for statement_id, _, raw in find_stored(connection, ids)}


def _judge(
    submissions: Sequence[tuple[Submission, Admit | None]],
    present: dict[UUID, bytes | None],
    stored: datetime,
) -> tuple[list[LrsError | None], list[Entry], bool]:
    """Return what is wrong with each submission, and the new statements of those with which nothing is.

    Last in the answer: whether the host has changed something because of them.

    *present* is what is stored already; the new statements are added to it.
    """
    outcomes: list[LrsError | None] = []
    entries: list[Entry] = []
    has_effects = False
    for submission, admit in submissions:
        try:
            new = _new_entries(submission, present, stored)
            if admit is not None and new:
                sent = dict(submission.statements)
                following = admit([Arriving(statement=one.statement, sent=sent[one.id]) for one in new])
                has_effects |= following is not None
                new = _woven(submission, new, following or (), stored)
        except LrsError as error:
            outcomes.append(error)
            continue
        outcomes.append(None)
        entries += new
        present |= {entry.id: entry.raw for entry in new}
    return outcomes, entries, has_effects


def _woven(
    submission: Submission, new: Sequence[Entry], following: Sequence[Following], stored: datetime
) -> list[Entry]:
    """Return the new statements, each with what follows from it behind it."""
    if not following:
        return list(new)
    behind: dict[int, list[Entry]] = {}
    for one in following:
        check_statement(one.statement, Version.V1)
        own = replace(submission, authority=one.authority, version=Version.V1, define=True)
        made = _complete(own, one.statement, UUID(one.statement["id"]), stored)
        behind.setdefault(one.place, []).append(made)
    return [entry for place, one in enumerate(new) for entry in (one, *behind.get(place, ()))]


def _new_entries(submission: Submission, present: dict[UUID, bytes | None], stored: datetime) -> list[Entry]:
    entries = []
    for statement_id, statement in submission.statements:
        if statement_id not in present:
            entries.append(_complete(submission, statement, statement_id, stored))
            continue
        known = present[statement_id]
        if known is None:
            raise ArchivedStatementError(statement_id)
        if not known:
            continue  # it was erased, and stays so: to whoever sends it again it is stored
        different = differing(orjson.loads(known), statement, timestamp_given="timestamp" in statement)
        if different:
            raise StatementConflictError(statement_id, different)
    return entries


def _complete(
    submission: Submission, statement: dict[str, Any], statement_id: UUID, stored: datetime
) -> Entry:
    complete = statement | {"id": str(statement_id), "authority": submission.authority}
    complete.pop("stored", None)
    complete.setdefault("timestamp", format_timestamp(stored))
    complete.setdefault("version", submission.version.of_statements)
    _list_context_activities(complete)
    return Entry(id=statement_id, statement=complete, raw=orjson.dumps(complete), define=submission.define)


def _list_context_activities(statement: dict[str, Any]) -> None:
    """Make lists of context activities that came alone; answers always have lists (Data §2.4.6.2)."""
    around = statement.get("context", {}).get("contextActivities", {})
    if any(isinstance(activities, dict) for activities in around.values()):
        listed = {name: [some] if isinstance(some, dict) else some for name, some in around.items()}
        statement["context"] = statement["context"] | {"contextActivities": listed}
    if statement["object"].get("objectType") == "SubStatement":
        statement["object"] = dict(statement["object"])
        _list_context_activities(statement["object"])


def _check_files(statements: Sequence[dict[str, Any]], parts: Collection[Part], version: Version) -> None:
    if not parts and not any("attachments" in one or _inner_files(one) for one in statements):
        return
    check_parts(statements, parts, version)
    contents = {part.sha2: part.content for part in parts}
    for number, statement in enumerate(statements):
        for place, attachment in enumerate(statement.get("attachments", ())):
            if attachment["usageType"] == SIGNATURE:
                try:
                    _check_signature(statement, attachment, contents.get(attachment["sha2"].lower()))
                except RequestError as error:
                    way = [number] if len(statements) > 1 else []
                    path = json_path([*way, "attachments", place])
                    raise InvalidStatementError(path, str(error), cite(SIGNED, version)) from None


def _inner_files(statement: dict[str, Any]) -> bool:
    return statement["object"].get("objectType") == "SubStatement" and "attachments" in statement["object"]


def _check_signature(statement: dict[str, Any], attachment: dict[str, Any], jws: bytes | None) -> None:
    if attachment["contentType"] != "application/octet-stream":
        raise RequestError("A signature must have the contentType 'application/octet-stream'.")
    if jws is None:
        raise RequestError("The bytes of a signature must come with its statement.")
    signed = signed_statement(jws)
    check_statement(signed, Version.V2)
    # What was signed is the statement as it was before the signature was attached to it (Data §2.6).
    unsigned = {name: value for name, value in statement.items() if name != "attachments"}
    others = [one for one in statement["attachments"] if one["usageType"] != SIGNATURE]
    if others:
        unsigned["attachments"] = others
    different = differing(signed, unsigned, timestamp_given="timestamp" in signed)
    if "id" in signed and signed["id"].lower() != str(statement.get("id")).lower():
        different = ("id", *different)
    if different:
        raise RequestError(f"The signed statement has a different {', '.join(different)} than the one sent.")
