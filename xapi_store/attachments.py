"""The bytes of attachments, kept once per SHA-2 digest (xAPI 1.0.3 Data §2.4.11; xAPI 2.0 §4.2.2.6)."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xapi_store.errors import RequestError
from xapi_store.tables import AttachmentRow, PreparedForList, insert_or_ignore

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
_DIGESTS = {56: hashlib.sha224, 64: hashlib.sha256, 96: hashlib.sha384, 128: hashlib.sha512}


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One file beside the statements of a request."""

    sha2: str
    content: bytes
    content_type: str


def check_parts(statements: Iterable[dict[str, Any]], parts: Collection[Part]) -> None:
    """Check that files and statements belong together.

    Raises:
        RequestError: a file whose digest is not its name, one that no statement asked for, or an attachment
        with
            neither a file nor a fileUrl.
    """
    wanted = [attachment for statement in statements for attachment in attachments_of(statement)]
    wanted_digests = {attachment["sha2"].lower() for attachment in wanted}
    for part in parts:
        if len(part.sha2) not in _DIGESTS or _DIGESTS[len(part.sha2)](part.content).hexdigest() != part.sha2:
            raise RequestError(f"The content of a part does not have the digest {part.sha2} it names.")
        if part.sha2 not in wanted_digests:
            raise RequestError(f"No statement of this request has an attachment with the digest {part.sha2}.")
    sent = {part.sha2 for part in parts}
    for attachment in wanted:
        if "fileUrl" not in attachment and attachment["sha2"].lower() not in sent:
            raise RequestError(
                f"The attachment {attachment['sha2']} has no fileUrl, and its bytes are not in the request."
            )


def keep_parts(session: Session, parts: Collection[Part]) -> None:
    """Keep files; one that is there already stays as it is."""
    if not parts:
        return
    rows = sorted({part.sha2: part.content for part in parts}.items())
    _KEPT.change(session.connection(), rows)


_KEPT = insert_or_ignore(AttachmentRow, columns=("sha2", "content"))


def find_parts(session: Session, statements: Iterable[dict[str, Any]]) -> list[Part]:
    """Return the files that were kept for some statements, each once."""
    types = {
        attachment["sha2"].lower(): attachment["contentType"]
        for statement in statements
        for attachment in attachments_of(statement)
    }
    rows = _FOUND.rows(session.connection(), list(types))
    return [Part(sha2=sha2, content=content, content_type=types[sha2]) for sha2, content in rows]


# In parts: a page may name more files than a query takes values.
_FOUND = PreparedForList(select(AttachmentRow.sha2, AttachmentRow.content), AttachmentRow.sha2)


def sizes_of(session: Session, digests: Collection[str]) -> dict[str, int]:
    """Return how many bytes are kept under each of some digests; those that are not kept are left out."""
    query = select(AttachmentRow.sha2, func.length(AttachmentRow.content)).where(
        AttachmentRow.sha2.in_(digests)
    )
    return {sha2: size for sha2, size in session.execute(query)}  # noqa: C416 - rows are not pairs to the type checker


def find_content(session: Session, sha2: str) -> bytes | None:
    """Return the bytes kept under a digest."""
    return session.scalar(select(AttachmentRow.content).where(AttachmentRow.sha2 == sha2))


def attachments_of(statement: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the attachments a statement names, its sub-statement's included."""
    attachments = list(statement.get("attachments", ()))
    if statement["object"].get("objectType") == "SubStatement":
        attachments += statement["object"].get("attachments", ())
    return attachments
