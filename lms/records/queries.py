"""Look at stored statements, one or a page of them, and at exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.people.queries import names_of
from lms.records.sentences import Sentence, people_in, said_in, seen, sentence_of, shown_json
from lms.records.tables import RecordExport
from lms.web.locale import Language
from lms.web.paging import ROWS
from xapi_store.attachments import Files, attachments_of, find_content, sizes_of
from xapi_store.query import (
    StatementFilter,
    StatementPage,
    StoredStatement,
    definitions,
    find_statement,
    find_statements,
)
from xapi_store.render import activity_ids, exact
from xapi_store.voiding import voided_by

SHOWN_CHARS = 40_000  # of JSON; the whole of it can be downloaded
SHOWN_ATTACHMENTS = 20
MOST_CHARS_OF_A_DESCRIPTION = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One statement in a list."""

    id: UUID
    sentence: Sentence


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines:
    """Some statements, newest first; the positions beside which older and newer ones stand, if there are any."""

    rows: Sequence[Line]
    older: int | None
    newer: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """An attachment as its statement names it; *kept* is the size of its bytes, none where they are not here."""

    name: str
    description: str
    sha2: str
    content_type: str
    usage: str
    length: int
    address: str | None
    kept: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One statement, with what is known around it."""

    id: UUID
    stored: StoredStatement
    sentence: Sentence
    json: str
    is_cut: bool
    voided: bool
    voided_by: UUID | None
    refers_to: UUID | None
    registration: str | None
    actor: dict[str, Any]
    activity: str | None
    files: Sequence[File]
    files_left_out: int


def records_page(
    session: Session,
    wanted: StatementFilter,
    spoken: Language,
    *,
    before: int | None = None,
    after: int | None = None,
) -> Lines:
    """Return statements that match, newest first: those before a position, those after it, or the newest."""
    if after is not None:
        found = find_statements(session, replace(wanted, ascending=True, after=after), limit=ROWS)
        if found.has_more:
            rows = found.statements[::-1]
            return Lines(rows=_lines(session, rows, spoken), older=rows[-1].position, newer=rows[0].position)
        before = None  # the newest are fewer than a page: show them with what comes before
    found = find_statements(session, replace(wanted, before=before), limit=ROWS)
    return _newest_first(session, found, spoken, is_newest=before is None)


def _newest_first(session: Session, found: StatementPage, spoken: Language, *, is_newest: bool) -> Lines:
    rows = found.statements
    return Lines(
        rows=_lines(session, rows, spoken),
        older=rows[-1].position if found.has_more else None,
        newer=None if is_newest or not rows else rows[0].position,
    )


def record(session: Session, statement_id: UUID, spoken: Language) -> Record | None:
    """Return one statement, voided or not, with what is known around it."""
    found = find_statement(session, statement_id)
    voided = found is None
    if found is None:
        found = find_statement(session, statement_id, voided=True)
    if found is None:
        return None
    statement = orjson.loads(found.raw)
    thing, named = statement["object"], attachments_of(statement)
    text, is_cut = shown_json(exact(found.raw, found.stored), most=SHOWN_CHARS)
    kind = thing.get("objectType", "Activity")
    return Record(
        id=found.id,
        stored=found,
        sentence=_lines(session, [found], spoken)[0].sentence,
        json=text,
        is_cut=is_cut,
        voided=voided,
        voided_by=voided_by(session, found.id) if voided else None,
        refers_to=UUID(thing["id"]) if kind == "StatementRef" else None,
        registration=statement.get("context", {}).get("registration"),
        actor=statement["actor"],
        activity=thing["id"] if kind == "Activity" else None,
        files=_files(session, named[:SHOWN_ATTACHMENTS], spoken),
        files_left_out=max(len(named) - SHOWN_ATTACHMENTS, 0),
    )


def stored_text(session: Session, statement_id: UUID) -> bytes | None:
    """Return the whole JSON of a statement, voided or not."""
    found = find_statement(session, statement_id) or find_statement(session, statement_id, voided=True)
    return exact(found.raw, found.stored) if found else None


def attachment(session: Session, files: Files, statement_id: UUID, sha2: str) -> bytes | None:
    """Return the bytes of an attachment that a statement names."""
    found = find_statement(session, statement_id) or find_statement(session, statement_id, voided=True)
    if found is None:
        return None
    named = {one["sha2"].lower() for one in attachments_of(orjson.loads(found.raw))}
    return find_content(session, files, sha2) if sha2 in named else None


def _lines(session: Session, rows: Sequence[StoredStatement], spoken: Language) -> Sequence[Line]:
    names = names_of(session, people_in(orjson.loads(row.raw) for row in rows))
    known = definitions(session, sorted({iri for row in rows for iri in activity_ids(row.raw)}))
    return [
        Line(id=row.id, sentence=sentence_of(row, spoken, names=names, definitions=known)) for row in rows
    ]


def _files(session: Session, named: Sequence[dict[str, Any]], spoken: Language) -> Sequence[File]:
    kept = sizes_of(session, {one["sha2"].lower() for one in named}) if named else {}
    return [
        File(
            name=said_in(one["display"], spoken) or seen(one["contentType"]),
            description=said_in(one.get("description") or {}, spoken, MOST_CHARS_OF_A_DESCRIPTION),
            sha2=one["sha2"].lower(),
            content_type=one["contentType"],
            usage=one["usageType"],
            length=one["length"],
            address=one.get("fileUrl"),
            kept=kept.get(one["sha2"].lower()),
        )
        for one in named
    ]


# ---------------------------------------------------------------------- exports


def find_export(session: Session, public_id: UUID) -> RecordExport | None:
    """Return an export, under way or past."""
    return session.scalars(select(RecordExport).where(RecordExport.public_id == public_id)).one_or_none()


def recent_exports(session: Session, *, limit: int) -> Sequence[RecordExport]:
    """Return the exports asked for last."""
    query = select(RecordExport).order_by(RecordExport.started.desc(), RecordExport.id.desc())
    return session.scalars(query.limit(limit)).all()
