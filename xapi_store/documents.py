"""State and profile documents (1.0.3 Communication §2.2, §2.3, §2.6, §2.7, §3.1; 2.0 §4.1.4, §4.1.5).

Every function works inside the caller's transaction, so that a document and the statements that belong to
it become durable together. A change locks its row first; two writers of one *new* document on PostgreSQL
make the flush of the second fail with `IntegrityError`: run that transaction again.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, Select, bindparam, select, update
from sqlalchemy.orm import Session

from xapi_store.errors import DocumentConflictError, MalformedJsonError, PreconditionFailedError, RequestError
from xapi_store.model.document import DocumentKey, DocumentKind, DocumentScope
from xapi_store.model.strict_json import load_object
from xapi_store.tables import DocumentRow, Prepared, digest, insert_all, next_positions, transaction_number

JSON = "application/json"
_NO_REGISTRATION = UUID(int=0)
_ETAG = re.compile(r'(?:W/)?("[^"]*"|[^\s",]+)')


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A document as it is now; `position` is where the feed has it."""

    key: DocumentKey
    content: bytes
    content_type: str
    updated: datetime
    position: int

    @property
    def etag(self) -> str:
        """The entity tag of the content, in quotes."""
        return etag(self.content)


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """What a writer says of the document it read: the headers If-Match and If-None-Match, as they came."""

    if_match: str | None = None
    if_none_match: str | None = None

    def check(self, current: Document | None, *, required: bool = False) -> None:
        """Check the document that is there.

        Args:
            current: the document, if there is one.
            required: whether a writer must say something before it may overwrite.

        Raises:
            PreconditionFailedError: it is not the one the writer read.
            DocumentConflictError: the writer said nothing and had to.
        """
        if self.if_match is not None and (current is None or not names_document(self.if_match, current)):
            raise PreconditionFailedError("The document is not, or no longer, the one named in If-Match.")
        if (
            self.if_none_match is not None
            and current is not None
            and names_document(self.if_none_match, current)
        ):
            raise PreconditionFailedError("The document named in If-None-Match is there already.")
        if required and current is not None and self.if_match is None and self.if_none_match is None:
            raise DocumentConflictError(
                "A document is there already. Read it, then send its ETag in If-Match to overwrite it."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Arriving:
    """A document as it was on another node; `content` is `None` where it was deleted there."""

    content: bytes | None
    content_type: str
    updated: datetime


UNCONDITIONAL = Conditions()


def etag(content: bytes) -> str:
    """Return the entity tag of some content: its SHA-1, in quotes (1.0.3 Communication §3.1)."""
    return f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"'


def get_document(session: Session, key: DocumentKey) -> Document | None:
    """Return a document, or `None` where there is none or it was deleted."""
    row = _AT_KEY.first(session.connection(), **_places(key))
    return None if row is None else _document(key, _Kept(*row))


def get_documents(session: Session, keys: Collection[DocumentKey]) -> dict[DocumentKey, Document]:
    """Return those documents of some hundred keys that there are, by one query."""
    places = [_places(key) for key in keys]
    query = _living().where(
        DocumentRow.scope.in_({place["scope"] for place in places}),
        DocumentRow.name_digest.in_({place["name_digest"] for place in places}),
    )
    found = {row.key: _living_document(row) for row in session.scalars(query)}
    return {key: found[key] for key in keys if key in found}


def names_document(header: str, document: Document) -> bool:
    """Say whether an If-Match or If-None-Match header names a document as it is."""
    if header.strip() == "*":
        return True
    tags = (tag if tag.startswith('"') else f'"{tag}"' for tag in _ETAG.findall(header))
    return document.etag in tags


def list_documents(
    session: Session, scope: DocumentScope, *, since: datetime | None = None
) -> Sequence[Document]:
    """Return the documents of a scope, by name; with `since`, those changed after it."""
    query = _in_scope(scope)
    if since is not None:
        query = query.where(DocumentRow.updated > since)
    return [_living_document(row) for row in session.scalars(query.order_by(DocumentRow.name))]


def put_document(
    session: Session,
    key: DocumentKey,
    content: bytes,
    content_type: str,
    *,
    now: datetime,
    conditions: Conditions = UNCONDITIONAL,
    condition_required: bool = False,
) -> Document:
    """Write a document, whatever was there before.

    Raises:
        PreconditionFailedError, DocumentConflictError: see `Conditions.check`.
        RequestError: the name cannot be kept.
    """
    connection = session.connection()
    kept = _locked(connection, key)
    conditions.check(_document(key, kept), required=condition_required)
    return _write(connection, key, kept, Arriving(content=content, content_type=content_type, updated=now))


def merge_document(
    session: Session,
    key: DocumentKey,
    content: bytes,
    content_type: str,
    *,
    now: datetime,
    conditions: Conditions = UNCONDITIONAL,
) -> Document:
    """Write a JSON object over another, property by property at the top level; write any new document.

    Raises:
        RequestError: one of the two is not a JSON object sent as application/json.
        PreconditionFailedError: see `Conditions.check`.
    """
    connection = session.connection()
    kept = _locked(connection, key)
    current = _document(key, kept)
    conditions.check(current)
    added = _json_object(content, content_type) if current or _is_json(content_type) else None
    if current is not None and added is not None:
        content = orjson.dumps(_json_object(current.content, current.content_type) | added)
    return _write(connection, key, kept, Arriving(content=content, content_type=content_type, updated=now))


def delete_document(
    session: Session, key: DocumentKey, *, now: datetime, conditions: Conditions = UNCONDITIONAL
) -> None:
    """Delete a document; where there is none, nothing changes.

    Raises:
        PreconditionFailedError: see `Conditions.check`.
    """
    connection = session.connection()
    kept = _locked(connection, key)
    current = _document(key, kept)
    conditions.check(current)
    if current is not None:
        deleted = Arriving(content=None, content_type=current.content_type, updated=now)
        _write_row(connection, key, kept, deleted)


def delete_documents(session: Session, scope: DocumentScope, *, now: datetime) -> None:
    """Delete every document of a scope."""
    keys = [row.key for row in session.scalars(_in_scope(scope).order_by(DocumentRow.id))]
    for key in keys:
        delete_document(session, key, now=now)


def take_document(
    session: Session, key: DocumentKey, arriving: Arriving, *, take: Callable[[Arriving | None], bool]
) -> int | None:
    """Decide between a document that came from another node and ours; write it if it wins.

    Args:
        session: a writing transaction.
        key: which document.
        arriving: how it was on the other node; its `updated` is kept.
        take: sees ours (deleted ones too, `None` where there never was one) and says whether theirs wins.

    Returns:
        The position of the written document in the feed, where it is marked as copied; `None` if ours stays.
    """
    connection = session.connection()
    kept = _locked(connection, key)
    ours = None
    if kept is not None:
        ours = Arriving(content=kept.content, content_type=kept.content_type, updated=kept.updated)
    if not take(ours):
        return None
    return _write_row(connection, key, kept, arriving, copied=True)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A row of the table as it is, deleted documents included."""

    content: bytes | None
    content_type: str
    updated: datetime
    position: int
    id: int


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == JSON


def _json_object(content: bytes, content_type: str) -> dict[str, Any]:
    if not _is_json(content_type):
        raise RequestError("Only documents of type application/json can be merged; use PUT to replace one.")
    try:
        return load_object(content)
    except MalformedJsonError as error:
        raise RequestError(f"Only JSON objects can be merged. {error}") from None


def _scope_digest(kind: DocumentKind, activity: str | None, agent: str | None) -> bytes:
    return digest(kind, activity or "", agent or "")


def _places(key: DocumentKey) -> dict[str, bytes | UUID]:
    """Return where a document is kept, as the columns say it."""
    return {
        "scope": _scope_digest(key.kind, key.activity, key.agent),
        "registration": key.registration or _NO_REGISTRATION,
        "name_digest": digest(key.name),
    }


_BY_KEY = select(
    DocumentRow.content,
    DocumentRow.content_type,
    DocumentRow.updated,
    DocumentRow.position,
    DocumentRow.id,
).where(
    DocumentRow.scope == bindparam("scope"),
    DocumentRow.registration == bindparam("registration"),
    DocumentRow.name_digest == bindparam("name_digest"),
)
_AT_KEY = Prepared(_BY_KEY)
_LOCKED = Prepared(_BY_KEY.with_for_update())
_STATE = ("content", "content_type", "updated", "copied", "transaction")
_NAME = ("scope", "registration", "name_digest", "agent_digest", "kind", "activity", "agent", "name")
_ADDED = insert_all(DocumentRow, columns=["id", "position", *_NAME, *_STATE])
_CHANGED = Prepared(
    update(DocumentRow).where(DocumentRow.id == bindparam("row_id")).inline(),
    columns=["position", *_STATE, "row_id"],
)


def _in_scope(scope: DocumentScope) -> Select[DocumentRow]:
    """Return the query for the living documents of a scope."""
    query = _living().where(DocumentRow.scope == _scope_digest(scope.kind, scope.activity, scope.agent))
    return (
        query if scope.registration is None else query.where(DocumentRow.registration == scope.registration)
    )


def _living() -> Select[DocumentRow]:
    query = select(DocumentRow).where(DocumentRow.content.is_not(None))
    return query.execution_options(populate_existing=True)


def _living_document(row: DocumentRow) -> Document:
    assert row.content is not None  # noqa: S101 - only a deleted one has none
    return Document(
        key=row.key,
        content=row.content,
        content_type=row.content_type,
        updated=row.updated,
        position=row.position,
    )


def _locked(connection: Connection, key: DocumentKey) -> _Kept | None:
    row = _LOCKED.first(connection, **_places(key))
    return None if row is None else _Kept(*row)


def _document(key: DocumentKey, kept: _Kept | None) -> Document | None:
    if kept is None or kept.content is None:
        return None
    return Document(
        key=key,
        content=kept.content,
        content_type=kept.content_type,
        updated=kept.updated,
        position=kept.position,
    )


def _write(connection: Connection, key: DocumentKey, kept: _Kept | None, state: Arriving) -> Document:
    assert state.content is not None  # noqa: S101 - only a deletion has none
    return Document(
        key=key,
        content=state.content,
        content_type=state.content_type,
        updated=state.updated,
        position=_write_row(connection, key, kept, state),
    )


def _write_row(
    connection: Connection, key: DocumentKey, kept: _Kept | None, state: Arriving, *, copied: bool = False
) -> int:
    (position,) = next_positions(connection, DocumentRow, 1)
    transaction = transaction_number(connection)
    content = (state.content, state.content_type, state.updated, copied, transaction)
    if kept is not None:
        _CHANGED.change(connection, [(position, *content, kept.id)])
        return position
    if "\0" in key.name:
        raise RequestError("The name of a document must not contain the character NUL.")
    whose = None if key.agent is None else digest(key.agent)
    named = (*_places(key).values(), whose, key.kind, key.activity, key.agent, key.name)
    _ADDED.change(connection, [(position, position, *named, *content)])
    return position
