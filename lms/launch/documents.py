"""What a learner's attempt is kept as: documents of the record store, so that it travels like any record.

Where she stands in the course, what one unit has stored, and what her courses share: objectives and stores.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from lms.launch.statements import learner
from xapi_store.documents import JSON, get_document, put_document
from xapi_store.model.actor import actor_key
from xapi_store.model.document import DocumentKey, DocumentKind

UNIT_STATE = "https://w3id.org/xapi/scorm/attempt-state"  # ADL's profile
COURSE_STATE = "https://outpost.invalid/xapi/sequencing-state"
GLOBALS = "https://outpost.invalid/xapi/global-objectives"
SHARED_DATA = "https://outpost.invalid/xapi/shared-data"


def state_key(activity: str, person: UUID, registration: UUID, name: str) -> DocumentKey:
    """Name the state a person's registration has of an activity."""
    return DocumentKey.state(activity=activity, agent=learner(person), name=name, registration=registration)


def profile_key(person: UUID, name: str) -> DocumentKey:
    """Name something that a person's courses share."""
    return DocumentKey(kind=DocumentKind.AGENT_PROFILE, name=name, agent=actor_key(learner(person)))


def read(session: Session, key: DocumentKey) -> dict[str, Any] | None:
    """Return a document's content."""
    kept = read_bytes(session, key)
    return None if kept is None else dict(orjson.loads(kept))


def read_bytes(session: Session, key: DocumentKey) -> bytes | None:
    """Return a document's content as it is kept, for :func:`replace`."""
    document = get_document(session, key)
    return None if document is None else document.content


def write(session: Session, key: DocumentKey, content: dict[str, Any], *, now: datetime) -> None:
    """Keep a document's content, unless it is the same already: what does not change need not travel."""
    replace(session, key, content, was=read_bytes(session, key), now=now)


def replace(
    session: Session, key: DocumentKey, content: dict[str, Any], *, was: bytes | None, now: datetime
) -> bytes:
    """Do as :func:`write`, by one who has read the document in this transaction; return how it is kept now."""
    data = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    if data != was:
        put_document(session, key, data, JSON, now=now)
    return data
