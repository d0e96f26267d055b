"""Accept statements that arrive here (xAPI 1.0.3 Data §2.3, Communication §2.1; xAPI 2.0 §4.1.6.1, §4.2.4).

All of a request or nothing: one statement that breaks a rule, or differs from the one stored under its id,
and none is stored. Sending the same again is accepted and changes nothing, so a writer that lost the answer
may repeat.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy.orm import Session

from xapi_store.attachments import SIGNATURE, Part, check_parts, keep_parts
from xapi_store.equality import differing
from xapi_store.errors import InvalidStatementError, RequestError, StatementConflictError
from xapi_store.ingest.writing import Entry, find_stored, stored_instant, write
from xapi_store.model.signature import signed_statement
from xapi_store.model.statement import check_statement
from xapi_store.model.strict_json import load_object
from xapi_store.model.timestamps import format_timestamp
from xapi_store.model.version import Version

#: Called with the statements about to be stored; raises `ForbiddenError` to refuse them all.
Admit = Callable[[Sequence[dict[str, Any]]], None]


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
    """Store statements and return their ids, in the order given.

    The store sets `authority` and `stored`, and `id`, `timestamp` and `version` where they are missing. On
    PostgreSQL a writer that brings the same id at the same moment makes the flush fail with `IntegrityError`:
    run the transaction again, and the statement is found as present.

    Args:
        session: a writing transaction.
        statements: parsed, or as JSON text. Not changed.
        authority: the Agent (or two-member Group) who vouches for them.
        now: aware; becomes `stored` unless the clock ran backwards.
        version: whose rules apply.
        parts: files of attachments and signatures that came along.
        define: whether activities and agents may be told anew (scope `define`).
        admit: sees the statements that are new, complete, before they are written.
        new_id: makes the ids of statements that come without.

    Raises:
        InvalidStatementError: a statement breaks a rule; the path starts with its place in the request.
        RequestError: an id stands twice, or files and statements do not belong together.
        StatementConflictError: an id is taken by a different statement.
    """
    parsed = [load_object(one) if isinstance(one, bytes) else one for one in statements]
    for place, statement in enumerate(parsed):
        try:
            check_statement(statement, version)
        except InvalidStatementError as error:
            raise (error.at(f"$[{place}]") if len(parsed) > 1 else error) from None
    _check_files(parsed, parts)
    identified = [
        (UUID(statement["id"]) if "id" in statement else new_id(), statement) for statement in parsed
    ]
    ids = [statement_id for statement_id, _ in identified]
    if len(set(ids)) != len(ids):
        raise RequestError("An id stands twice among the statements of this request.")

    present = find_stored(session, ids)
    stored = stored_instant(session, now)
    entries = []
    for statement_id, statement in identified:
        known = present.get(statement_id)
        if known is None:
            entries.append(
                _complete(statement, statement_id, authority=authority, stored=stored, version=version)
            )
            continue
        different = differing(orjson.loads(known.raw), statement, timestamp_given="timestamp" in statement)
        if different:
            raise StatementConflictError(statement_id, different)
    if admit is not None and entries:
        admit([entry.statement for entry in entries])
    write(session, entries, stored=stored, define=define, copied=False)
    keep_parts(session, parts)
    return ids


def _complete(
    statement: dict[str, Any],
    statement_id: UUID,
    *,
    authority: dict[str, Any],
    stored: datetime,
    version: Version,
) -> Entry:
    complete = statement | {"id": str(statement_id), "authority": authority}
    complete.pop("stored", None)
    complete.setdefault("timestamp", format_timestamp(stored))
    complete.setdefault("version", version.of_statements)
    _list_context_activities(complete)
    return Entry(id=statement_id, statement=complete, raw=orjson.dumps(complete))


def _list_context_activities(statement: dict[str, Any]) -> None:
    """Make lists of context activities that came alone; answers always have lists (Data §2.4.6.2)."""
    around = statement.get("context", {}).get("contextActivities", {})
    if any(isinstance(activities, dict) for activities in around.values()):
        listed = {name: [some] if isinstance(some, dict) else some for name, some in around.items()}
        statement["context"] = statement["context"] | {"contextActivities": listed}
    if statement["object"].get("objectType") == "SubStatement":
        statement["object"] = dict(statement["object"])
        _list_context_activities(statement["object"])


def _check_files(statements: Iterable[dict[str, Any]], parts: Collection[Part]) -> None:
    with_files = [
        statement for statement in statements if "attachments" in statement or _inner_files(statement)
    ]
    if not with_files and not parts:
        return
    check_parts(with_files, parts)
    contents = {part.sha2: part.content for part in parts}
    for statement in with_files:
        for attachment in statement.get("attachments", ()):
            if attachment["usageType"] == SIGNATURE:
                _check_signature(statement, attachment, contents.get(attachment["sha2"].lower()))


def _inner_files(statement: dict[str, Any]) -> bool:
    return statement["object"].get("objectType") == "SubStatement" and "attachments" in statement["object"]


def _check_signature(statement: dict[str, Any], attachment: dict[str, Any], jws: bytes | None) -> None:
    if attachment["contentType"] != "application/octet-stream":
        raise RequestError("A signature must have the contentType 'application/octet-stream'.")
    if jws is None:
        raise RequestError("The bytes of a signature must come with its statement.")
    signed = signed_statement(jws)
    check_statement(signed, Version.V2)
    unsigned = {name: value for name, value in statement.items() if name != "attachments"}
    signed.pop("attachments", None)
    different = differing(signed, unsigned, timestamp_given="timestamp" in signed)
    if different:
        raise RequestError(f"The signed statement has a different {', '.join(different)} than the one sent.")
