"""The Statement resource (xAPI 1.0.3 Communication §2.1; xAPI 2.0 §4.1.6.1)."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import orjson
from sqlalchemy.orm import Session
from starlette.responses import Response

from xapi_store.attachments import Part, attachments_of, find_parts, sizes_of
from xapi_store.errors import ForbiddenError, NotFoundError, RequestError
from xapi_store.http.changes import NewStatements
from xapi_store.http.lrs import Lrs
from xapi_store.http.multipart import read_parts, write_parts
from xapi_store.http.request import LrsRequest
from xapi_store.http.resource import Resource
from xapi_store.http.responses import add_header, http_date, json_answer
from xapi_store.ingest import Submission, check_submission
from xapi_store.model.actor import actor_key
from xapi_store.model.strict_json import load
from xapi_store.query import (
    StatementFilter,
    StatementPage,
    StoredStatement,
    definitions,
    find_statement,
    find_statements,
)
from xapi_store.render import Format, activity_ids, canonical, exact, ids, preferred_languages

MAX_PAGE = 500
MAX_FILE_BYTES = 16 * 1024 * 1024  # in a page with attachments
_SINGLE = {"statementId", "voidedStatementId"}
_HOW = {"format", "attachments"}
_FILTERS = {
    "agent", "verb", "activity", "registration", "related_activities", "related_agents", "since", "until",
    "limit", "ascending", "cursor",
}  # fmt: skip


def _post(_lrs: Lrs, request: LrsRequest) -> NewStatements:
    """Store one statement or many; answer with their ids."""
    request.allow(())
    sent, parts = _sent(request)
    submission = _checked(request, sent if isinstance(sent, list) else [sent], parts)
    answer = json_answer([str(statement_id) for statement_id in submission.ids])
    return NewStatements(submission=submission, credentials=request.credentials, answer=answer)


def _put(_lrs: Lrs, request: LrsRequest) -> NewStatements:
    """Store one statement under the id of the request."""
    request.allow({"statementId"})
    statement_id = request.uuid("statementId")
    if statement_id is None:
        raise RequestError("The parameter statementId is missing.")
    statement, parts = _sent(request)
    if not isinstance(statement, dict):
        raise RequestError("PUT takes one statement, as a JSON object.")
    inner = statement.get("id", str(statement_id))
    if not isinstance(inner, str) or inner.lower() != str(statement_id):
        raise RequestError("The id of the statement is not the statementId of the request.")
    submission = _checked(request, [statement | {"id": str(statement_id)}], parts)
    return NewStatements(
        submission=submission, credentials=request.credentials, answer=Response(status_code=204)
    )


def _get(lrs: Lrs, session: Session, request: LrsRequest) -> Response:
    """Return one statement by its id, or those that match."""
    authority = _readable_authority(request)
    request.allow(_SINGLE | _HOW | _FILTERS)
    wanted_format = _format(request)
    if not _SINGLE.isdisjoint(request.incoming.parameters):
        return _one(lrs, session, request, wanted_format, authority)
    return _many(lrs, session, request, wanted_format, authority)


def _is_one_row(request: LrsRequest) -> bool:
    asked = request.incoming.parameters
    return not _SINGLE.isdisjoint(asked) and _HOW.isdisjoint(asked)


STATEMENTS = Resource(read=_get, is_one_row=_is_one_row, changes={"PUT": _put, "POST": _post})


def _sent(request: LrsRequest) -> tuple[Any, list[Part]]:
    content_type = request.header("content-type") or ""
    match content_type.partition(";")[0].strip().lower():
        case "application/json":
            return load(request.incoming.body), []
        case "multipart/mixed":
            text, parts = read_parts(content_type, request.incoming.body)
            return load(text), parts
        case _:
            raise RequestError("Statements come as application/json or multipart/mixed.")


def _checked(request: LrsRequest, statements: list[Any], parts: list[Part]) -> Submission:
    credentials = request.credentials
    credentials.require("statements/write")
    return check_submission(
        statements,
        authority=credentials.authority,
        version=request.version,
        parts=parts,
        define=not credentials.scopes.isdisjoint({"define", "all"}),
    )


def _readable_authority(request: LrsRequest) -> str | None:
    """Return the only authority whose statements may be read; `None` for all."""
    credentials = request.credentials
    if not credentials.scopes.isdisjoint({"all", "all/read", "statements/read"}):
        return None
    credentials.require("statements/read", "all/read", "statements/read/mine")
    key = actor_key(credentials.authority)
    if key is None:
        raise ForbiddenError("These credentials have no identifier, so none of the statements are theirs.")
    return key


def _format(request: LrsRequest) -> Format:
    try:
        return Format(request.incoming.parameters.get("format", "exact"))
    except ValueError:
        raise RequestError("The parameter format must be exact, ids or canonical.") from None


def _one(lrs: Lrs, session: Session, request: LrsRequest, wanted: Format, authority: str | None) -> Response:
    asked = _SINGLE & request.incoming.parameters.keys()
    if len(asked) == 2 or _FILTERS & request.incoming.parameters.keys():
        raise RequestError(
            "A statement asked for by its id takes no other parameter than format and attachments."
        )
    name = next(iter(asked))
    statement_id = request.uuid(name)
    assert statement_id is not None  # noqa: S101 - the parameter is there
    found = find_statement(session, statement_id, voided=name == "voidedStatementId", authority=authority)
    if found is None:
        raise NotFoundError(f"There is no statement {statement_id} here, or it is voided.")
    (text,) = _rendered(session, request, [found], wanted)
    answer = _with_files(lrs, session, request, text, [found])
    add_header(answer, b"last-modified", http_date(found.stored))
    return answer


def _many(
    lrs: Lrs, session: Session, request: LrsRequest, wanted_format: Format, authority: str | None
) -> Response:
    limit = min(request.number("limit") or MAX_PAGE, MAX_PAGE)
    ascending = request.flag("ascending")
    wanted = StatementFilter(
        agent=request.actor("agent", group=True),
        related_agents=request.flag("related_agents"),
        verb=request.iri("verb"),
        activity=request.iri("activity"),
        related_activities=request.flag("related_activities"),
        registration=request.uuid("registration"),
        authority=authority,
        since=request.instant("since"),
        until=request.instant("until"),
        ascending=ascending,
    )
    cursor = request.number("cursor")
    wanted = replace(wanted, after=cursor) if ascending else replace(wanted, before=cursor)
    page = find_statements(session, wanted, limit=limit)
    if request.flag("attachments"):
        page = _within_bounds(session, page)
    more = ""
    if page.has_more:
        # The query itself and where it stopped: nothing to keep here, so it holds across restarts.
        again = {**request.incoming.parameters, "cursor": str(page.statements[-1].position)}
        more = f"{request.incoming.root}/statements?{urlencode(again)}"
    texts = b",".join(_rendered(session, request, page.statements, wanted_format))
    body = b'{"statements":[%s],"more":%s}' % (texts, orjson.dumps(more))
    answer = _with_files(lrs, session, request, body, page.statements)
    if page.statements:
        add_header(answer, b"last-modified", http_date(max(one.stored for one in page.statements)))
    return answer


def _within_bounds(session: Session, page: StatementPage) -> StatementPage:
    """Return as many of the statements as have no more than `MAX_FILE_BYTES` of files, at least one."""
    named = [
        {attachment["sha2"].lower() for attachment in attachments_of(orjson.loads(one.raw))}
        for one in page.statements
    ]
    sizes = sizes_of(session, set().union(*named))
    sent: set[str] = set()
    for place, digests in enumerate(named):
        sent |= digests
        if place and sum(sizes.get(digest, 0) for digest in sent) > MAX_FILE_BYTES:
            return StatementPage(statements=page.statements[:place], has_more=True)
    return page


def _rendered(session: Session, request: LrsRequest, found: Any, wanted: Format) -> list[bytes]:
    if wanted is Format.EXACT:
        return [exact(one.raw, one.stored) for one in found]
    if wanted is Format.IDS:
        return [ids(one.raw, one.stored) for one in found]
    told = definitions(session, {iri for one in found for iri in activity_ids(one.raw)})
    languages = preferred_languages(request.header("accept-language"))
    return [canonical(one.raw, one.stored, definitions=told, languages=languages) for one in found]


def _with_files(lrs: Lrs, session: Session, request: LrsRequest, body: bytes, found: Any) -> Response:
    if not request.flag("attachments"):
        return Response(body, media_type="application/json")
    statements: list[StoredStatement] = list(found)
    read = (orjson.loads(one.raw) for one in statements)
    parts = find_parts(session, lrs.files, read, authority=_readable_authority(request))
    boundary = uuid4().hex
    return Response(
        write_parts(boundary, body, parts),
        headers={"Content-Type": f'multipart/mixed; boundary="{boundary}"'},
    )
