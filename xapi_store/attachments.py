"""The bytes of attachments, kept once per SHA-2 digest (xAPI 1.0.3 Data §2.4.11; xAPI 2.0 §4.2.2.6).

Small ones, such as signatures, lie in their row, and become durable with the commit of their statement. Large ones
lie in files that the host keeps, whole and durable before that commit; a crash between the two leaves a file that no
row names, and which is found there when the request is sent again.
"""

import hashlib
import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from xapi_store.errors import InvalidStatementError, RequestError, json_path
from xapi_store.model.actor import actor_key
from xapi_store.model.sections import ATTACHMENTS, cite
from xapi_store.model.version import Version
from xapi_store.tables import (
    AgentRow,
    AttachmentAuthority,
    AttachmentRow,
    Prepared,
    PreparedForList,
    Values,
    find_numbers,
    insert_or_ignore,
    numbers,
)

log = logging.getLogger(__name__)

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
#: Up to this size the row is the better place: a file of its own would wait for the disk twice more.
MAX_BYTES_IN_ROW = 64 * 1024
_SHA256 = 64  # hexadecimal digits
_DIGESTS = {56: hashlib.sha224, 64: hashlib.sha256, 96: hashlib.sha384, 128: hashlib.sha512}


class Files(Protocol):
    """Where the host keeps large files: a folder, an object store."""

    def keep(self, content: bytes) -> str:
        """Return the name of a file with this content; it is durable by then."""

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, `None` if it is not there any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One file beside the statements of a request."""

    sha2: str
    content: bytes
    content_type: str


def check_parts(statements: Sequence[dict[str, Any]], parts: Collection[Part], version: Version) -> None:
    """Check that files and statements belong together.

    Raises:
        InvalidStatementError: an attachment with neither a file nor a fileUrl, or a file that is not what its
            attachment says.
        RequestError: a file that no statement asked for.
    """
    section = cite(ATTACHMENTS, version)
    wanted = list(placed_attachments(statements))
    places = {attachment["sha2"].lower(): place for place, attachment in reversed(wanted)}
    for part in parts:
        if len(part.sha2) not in _DIGESTS or _DIGESTS[len(part.sha2)](part.content).hexdigest() != part.sha2:
            problem = f"The content of a part does not have the digest {part.sha2} it names."
            if part.sha2 in places:
                raise InvalidStatementError(places[part.sha2], problem, section)
            raise RequestError(problem)
        if part.sha2 not in places:
            raise RequestError(f"No statement of this request has an attachment with the digest {part.sha2}.")
    sent = {part.sha2 for part in parts}
    for place, attachment in wanted:
        if "fileUrl" not in attachment and attachment["sha2"].lower() not in sent:
            raise InvalidStatementError(
                place, "has no fileUrl, and its bytes are not in the request", section
            )


def keep_parts(
    session: Session, files: Files | None, parts: Collection[Part], authority: dict[str, Any]
) -> None:
    """Keep files that an authority has brought; a file that is there already is looked at, and mended if need be."""
    contents = {part.sha2: part.content for part in parts}
    if not contents:
        return
    connection = session.connection()
    in_rows = {sha2 for sha2, file, _ in _FOUND.rows(connection, list(contents)) if file is None}
    rows: list[Values] = []
    for sha2, content in sorted(contents.items()):
        if sha2 not in in_rows:
            file = files.keep(content) if files is not None and len(content) > MAX_BYTES_IN_ROW else None
            sha256 = sha2 if len(sha2) == _SHA256 else hashlib.sha256(content).hexdigest()
            rows.append((sha2, sha256, len(content), file, content if file is None else None))
    _KEPT.change(connection, rows)
    _note_bringer(session, sorted(contents), authority)


def _note_bringer(session: Session, sha2s: Sequence[str], authority: dict[str, Any]) -> None:
    key = actor_key(authority)
    if key is not None:
        connection = session.connection()
        number = numbers(connection, AgentRow, [key])[key]
        _BROUGHT.change(connection, [(sha2, number) for sha2 in sha2s])


_KEPT = insert_or_ignore(AttachmentRow, columns=("sha2", "sha256", "size", "file", "content"))
_BROUGHT = insert_or_ignore(AttachmentAuthority, columns=("sha2", "authority_id"))


def find_parts(
    session: Session,
    files: Files | None,
    statements: Iterable[dict[str, Any]],
    *,
    authority: str | None = None,
) -> list[Part]:
    """Return the files that were kept for some statements, each once.

    An *authority* is given where only what it has brought may be read: whoever knows a digest could otherwise name it
    in a statement of his own, and be given the bytes of somebody else.
    """
    types = {
        attachment["sha2"].lower(): attachment["contentType"]
        for statement in statements
        for attachment in attachments_of(statement)
    }
    connection = session.connection()
    if authority is not None:
        number = find_numbers(connection, AgentRow, [authority]).get(authority)
        types = {
            sha2: content_type
            for sha2, content_type in types.items()
            if _IS_BROUGHT.first(connection, digest=sha2, authority=number)
        }
    parts = []
    for sha2, file, content in _FOUND.rows(connection, list(types)):
        whole = _content(files, sha2, file, content)
        if whole is not None:
            parts.append(Part(sha2=sha2, content=whole, content_type=types[sha2]))
    return parts


_IS_BROUGHT = Prepared(
    select(AttachmentAuthority.sha2).where(
        AttachmentAuthority.sha2 == bindparam("digest"),
        AttachmentAuthority.authority_id == bindparam("authority"),
    )
)
# In parts: a page may name more files than a query takes values.
_FOUND = PreparedForList(
    select(AttachmentRow.sha2, AttachmentRow.file, AttachmentRow.content), AttachmentRow.sha2
)


# ---------------------------------------------------------------- between record stores


@dataclass(frozen=True, kw_only=True, slots=True)
class Travelling:
    """One file of a statement on its way to another record store.

    The statement names it by `sha2`, it travels by `sha256`; `size` is its length in bytes.
    """

    sha2: str
    sha256: str
    size: int


def travelling(session: Session, statement: dict[str, Any]) -> list[Travelling]:
    """Return the files of a statement whose bytes are here, each once; of what has only a fileUrl there are none."""
    named = {one["sha2"].lower() for one in attachments_of(statement)}
    found = _TRAVELLING.rows(session.connection(), sorted(named))
    return [Travelling(sha2=sha2, sha256=sha256, size=size) for sha2, sha256, size in sorted(found)]


_TRAVELLING = PreparedForList(
    select(AttachmentRow.sha2, AttachmentRow.sha256, AttachmentRow.size), AttachmentRow.sha2
)


def keep_travelled(
    session: Session, files: Sequence[Travelling], brought: Sequence[str], authority: dict[str, Any] | None
) -> None:
    """Note files of a statement that came from another store and lie, whole, where the host keeps files.

    Args:
        session: of the caller's transaction.
        files: those that were not here; the host calls each by its `sha256`.
        brought: digests of all files that are here now and that the authority brought there, as statements name them.
        authority: of the statement; it may read them here as there.
    """
    rows: list[Values] = [(one.sha2, one.sha256, one.size, one.sha256, None) for one in files]
    _KEPT.change(session.connection(), rows)
    if authority is not None and brought:
        _note_bringer(session, brought, authority)


def find_travelling(session: Session, sha256: str) -> tuple[int, str | None] | None:
    """Return the length of a file, and the host's name of it if it is not in the row; `None` if it is not kept here."""
    found = _BY_SHA256.first(session.connection(), sha256=sha256)
    return None if found is None else (int(found[0]), found[1])


def content_in_row(session: Session, sha256: str) -> bytes:
    """Return the bytes of a small file that lies in its row; none where it is not there any more."""
    found = _IN_ROW.first(session.connection(), sha256=sha256)
    return b"" if found is None else found[0]


_BY_SHA256 = Prepared(
    select(AttachmentRow.size, AttachmentRow.file).where(AttachmentRow.sha256 == bindparam("sha256")).limit(1)
)
_IN_ROW = Prepared(
    select(AttachmentRow.content)
    .where(AttachmentRow.sha256 == bindparam("sha256"), AttachmentRow.content.is_not(None))
    .limit(1)
)


def is_of(sha2: str, content: Iterable[bytes]) -> bool:
    """Say whether bytes have the digest by which a statement names them."""
    if len(sha2) not in _DIGESTS:
        return False
    digest = _DIGESTS[len(sha2)]()
    for piece in content:
        digest.update(piece)
    return digest.hexdigest() == sha2


# ---------------------------------------------------------------- looking


def sizes_of(session: Session, digests: Collection[str]) -> dict[str, int]:
    """Return how many bytes are kept under each of some digests; those that are not kept are left out."""
    return dict(_SIZES.rows(session.connection(), list(digests)))


_SIZES = PreparedForList(select(AttachmentRow.sha2, AttachmentRow.size), AttachmentRow.sha2)


def find_content(session: Session, files: Files | None, sha2: str) -> bytes | None:
    """Return the bytes kept under a digest."""
    for _, file, content in _FOUND.rows(session.connection(), [sha2]):
        return _content(files, sha2, file, content)
    return None


def _content(files: Files | None, sha2: str, file: str | None, content: bytes | None) -> bytes | None:
    if file is None:
        return content
    found = None if files is None else files.read(file)
    if found is None:
        log.error("attachment_missing", extra={"sha2": sha2, "file": file})
    return found


def placed_attachments(statements: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the attachments of a request's statements, each with its JSON path in that request."""
    for number, statement in enumerate(statements):
        way: list[int | str] = [number] if len(statements) > 1 else []
        for place, attachment in enumerate(statement.get("attachments", ())):
            yield json_path([*way, "attachments", place]), attachment
        if statement["object"].get("objectType") == "SubStatement":
            for place, attachment in enumerate(statement["object"].get("attachments", ())):
                yield json_path([*way, "object", "attachments", place]), attachment


def is_named(session: Session, file: str) -> bool:
    """Say whether an attachment is in this file of the host."""
    return _NAMED.first(session.connection(), file=file) is not None


_NAMED = Prepared(select(AttachmentRow.sha2).where(AttachmentRow.file == bindparam("file")).limit(1))


def attachments_of(statement: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the attachments a statement names, its sub-statement's included."""
    return [attachment for _, attachment in placed_attachments([statement])]
