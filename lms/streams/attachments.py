"""Attachments of statements: which files a statement has, told beside it, so that it waits for none of them.

A statement counts wherever it comes, at once. That its files were kept where it was made is an entry of its own, which
waits for them, and takes each into the record store as it arrives. A statement cannot say it itself: its attachments
may be named by other digests than files travel by, their length is whatever the writer believed, and where a `fileUrl`
is given there may be no bytes at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Annotated
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from content_packages.shelf import Shelf
from lms.streams.statements import UNKNOWN_SCHEMA, instant_ms
from sync.canonical import canonical_json
from sync.messages import Record
from sync.ports import APPLIED, PRESENT, BlobRef, Change, Changes, Context, Outcome, Verdict
from sync.scopes import UP
from xapi_store import feed, ingest
from xapi_store.attachments import (
    Travelling,
    attachments_of,
    is_of,
    keep_travelled,
    sizes_of,
    travelling,
)
from xapi_store.model.mentions import mentions_of

KIND = "attachment"
SCHEMA = 1

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_PIECE_BYTES = 1024 * 1024


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    sha2: Annotated[str, Field(pattern=r"^[0-9a-f]{56,128}$")]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0, le=2**53)]


class AttachmentBody(BaseModel):
    """The files of one statement.

    Attributes:
        statement: its id.
        files: by which digest the statement names each, by which it travels, and its length.
        about: ids of all people whom the statement names: it is erased with them, and these files are too.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    statement: UUID
    files: Annotated[tuple[_File, ...], Field(max_length=10_000)]
    about: tuple[str, ...] = ()


class AttachmentStream:
    """The files of the record store's statements.

    Args:
        attachments: where files of statements are kept.
        shelf: where files of courses are: what a learner attached may be one of those, and is here then.
    """

    name = "attachments"
    kinds = frozenset({KIND})

    def __init__(self, attachments: Shelf, shelf: Shelf) -> None:
        self._attachments = attachments
        self._shelf = shelf

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Tell the files of statements made on this node; those of others' are stepped over."""
        entries, reached = feed.with_attachments_after(session, position, limit=limit)
        found = [(place, raw, _body(session, raw)) for place, raw in entries]
        changes = [
            Change(
                kind=KIND,
                key=str(body.statement),
                scope=UP,
                schema=SCHEMA,
                body=canonical_json(body.model_dump(mode="json")),
                changed_ms=instant_ms(raw),
                position=place,
            )
            for place, raw, body in found
            if body.files
        ]
        return Changes(changes=changes, position=reached)

    def waiting(self, session: Session, position: int) -> dict[str, int]:  # noqa: ARG002 - the port's
        """Count nothing: what has no number yet waits with its statement, which is counted."""
        return {}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:  # noqa: ARG002 - the port's
        """Take in what is here of the files, and wait for the rest."""
        return [self._apply(session, record) for record in records]

    def files_of(
        self,
        session: Session,  # noqa: ARG002 - the port's
        records: Sequence[Record],
        recipients: Sequence[str],  # noqa: ARG002 - whoever takes the record needs its files
    ) -> Sequence[BlobRef]:
        """Return the files that records name; whoever sends them sees which are here."""
        found = dict[BlobRef, None]()
        for record in records:
            with suppress(ValidationError):
                body = AttachmentBody.model_validate_json(record.body)
                found.update(dict.fromkeys(BlobRef(file.digest, file.size) for file in body.files))
        return list(found)

    def files_beside(self, session: Session, digest: str) -> Sequence[BlobRef]:  # noqa: ARG002 - the port's
        """Return nothing: no attachment names others."""
        return []

    def _apply(self, session: Session, record: Record) -> Outcome:
        if record.schema != SCHEMA:
            return UNKNOWN_SCHEMA
        try:
            body = AttachmentBody.model_validate_json(record.body)
        except ValidationError as error:
            return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=str(error)[:500])
        statement = ingest.statement_of_copy(session, body.statement)
        if statement is None:
            return _NO_STATEMENT
        named = {one["sha2"].lower() for one in attachments_of(statement)} if statement else set()
        wanted = {file.sha2: file for file in body.files if file.sha2 in named}
        kept = sizes_of(session, wanted.keys())
        lacking = [file for sha2, file in wanted.items() if sha2 not in kept]
        here = [file for file in lacking if self._is_here(file)]
        if wrong := [file for file in here if not self._fits(file)]:
            detail = f"The file {wrong[0].digest} is not the one that the statement calls {wrong[0].sha2}."
            return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=detail)
        taken = [Travelling(sha2=one.sha2, sha256=one.digest, size=self._size(one.digest)) for one in here]
        brought = sorted([*kept, *(one.sha2 for one in taken)])
        keep_travelled(session, taken, brought, statement.get("authority"))
        if absent := [file for file in lacking if file not in here]:
            blobs = tuple(BlobRef(file.digest, file.size) for file in absent)
            return Outcome(
                verdict=Verdict.WAITING, reason="files", detail="Its files are on their way.", blobs=blobs
            )
        return APPLIED if taken else PRESENT

    def _is_here(self, file: _File) -> bool:
        """Say whether a file is here, and have it where files of statements are."""
        if not self._attachments.claim([file.digest]):
            return True
        if not self._shelf.has(file.digest):
            return False
        with self._shelf.open(file.digest) as stream:
            self._attachments.put(stream, expected=file.digest)
        return True

    def _size(self, digest: str) -> int:
        return self._attachments.path(digest).stat().st_size  # not what the record says it is

    def _fits(self, file: _File) -> bool:
        if len(file.sha2) == len(file.digest):
            return file.sha2 == file.digest
        return is_of(file.sha2, self._pieces(file.digest))

    def _pieces(self, digest: str) -> Iterator[bytes]:
        with self._attachments.open(digest) as stream:
            while piece := stream.read(_PIECE_BYTES):
                yield piece


_NO_STATEMENT = Outcome(
    verdict=Verdict.WAITING, reason="statement", detail="The statement to which it belongs is not here."
)


def _body(session: Session, raw: bytes) -> AttachmentBody:
    statement = orjson.loads(raw)
    people = {one.lower() for key in mentions_of(statement).agents for one in _ID.findall(key)}
    return AttachmentBody(
        statement=UUID(statement["id"]),
        files=tuple(
            _File(sha2=one.sha2, digest=one.sha256, size=one.size) for one in travelling(session, statement)
        ),
        about=tuple(sorted(people)),
    )
