"""State and profile documents: the later version stands, whole; opaque state is never merged.

A registration has one writing node, so two versions of one state rarely meet. Where they do, all nodes
decide alike, by time and then by content.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.orm import Session

from lms.following.actions import tell_documents
from lms.streams.statements import UNKNOWN_SCHEMA
from sync.canonical import canonical_json
from sync.messages import Record
from sync.ports import APPLIED, PRESENT, Change, Changes, Context, Outcome, Verdict
from sync.scopes import UP
from xapi_store import documents, feed
from xapi_store.documents import Arriving
from xapi_store.feed import DocumentEntry
from xapi_store.model.document import DocumentKey, DocumentKind

KIND = "document"
SCHEMA = 1


class DocumentBody(BaseModel):
    """A document as it travels; ``text`` or ``base64`` holds it, neither if it was deleted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    resource: DocumentKind
    name: str
    activity: str | None = None
    agent: str | None = None
    registration: UUID | None = None
    content_type: str
    updated: datetime
    text: str | None = None
    base64: str | None = None

    @property
    def key(self) -> DocumentKey:
        """Return which document it is."""
        return DocumentKey(
            kind=self.resource,
            name=self.name,
            activity=self.activity,
            agent=self.agent,
            registration=self.registration,
        )

    @property
    def content(self) -> bytes | None:
        """Return the bytes of the document; ``None`` if it was deleted."""
        if self.text is not None:
            return self.text.encode()
        return b64decode(self.base64) if self.base64 is not None else None


class DocumentStream:
    """The record store's documents, each at its latest change."""

    name = "documents"
    kinds = frozenset({KIND})

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Tell the documents written on this node; what came from elsewhere is stepped over."""
        entries = feed.documents_after(session, position, limit=limit)
        changes = [
            change_of(entry, scope=UP, position=entry.position) for entry in entries if not entry.copied
        ]
        return Changes(changes=changes, position=entries[-1].position if entries else position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:
        """Count the documents written here whose latest change has no number yet."""
        count = feed.documents_made_here(session, position)
        return {KIND: count} if count else {}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Write each document that is later than ours."""
        new: dict[int, str | None] = {}
        outcomes = [_apply(session, record, new) for record in records]
        tell_documents(session, new, origin=context.origin)
        return outcomes


def change_of(entry: DocumentEntry, *, scope: str, position: int) -> Change:
    """Return a document as it travels."""
    return Change(
        kind=KIND,
        key=_name(entry.key),
        scope=scope,
        schema=SCHEMA,
        body=_body(entry),
        changed_ms=round(entry.updated.timestamp() * 1000),
        position=position,
    )


def _apply(session: Session, record: Record, new: dict[int, str | None]) -> Outcome:
    """Write one document if it is later than ours, and note at which position and whose it is."""
    if record.schema != SCHEMA:
        return UNKNOWN_SCHEMA
    try:
        body = DocumentBody.model_validate_json(record.body)
        theirs = Arriving(content=body.content, content_type=body.content_type, updated=body.updated)
    except (ValidationError, ValueError) as error:
        return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=str(error))
    written = documents.take_document(
        session, body.key, theirs, take=lambda ours: ours is None or _rank(theirs) > _rank(ours)
    )
    if written is None:
        return PRESENT
    new[written] = body.key.agent
    return APPLIED


def _rank(version: Arriving) -> tuple[datetime, bytes]:
    return version.updated, version.content or b""


def _name(key: DocumentKey) -> str:
    parts = [key.kind, key.activity, key.agent, str(key.registration or ""), key.name]
    return orjson.dumps(parts).decode()


def _body(entry: DocumentEntry) -> bytes:
    told: dict[str, str] = {
        "resource": entry.key.kind,
        "name": entry.key.name,
        "content_type": entry.content_type,
        "updated": entry.updated.astimezone(UTC).isoformat(),
    }
    for name in ("activity", "agent"):
        if (value := getattr(entry.key, name)) is not None:
            told[name] = value
    if entry.key.registration is not None:
        told["registration"] = str(entry.key.registration)
    if entry.content is not None:
        try:
            told["text"] = entry.content.decode()
        except UnicodeDecodeError:
            told["base64"] = b64encode(entry.content).decode()
    return canonical_json(told)
