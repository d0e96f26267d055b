"""Read the feed on for one target, and write what it is sent.

A batch is bounded in statements, in bytes, and in how far the feed is searched for it. Each stretch is read in a
transaction of its own, which has ended before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID, uuid4

import orjson
from sqlalchemy.orm import Session

from lms.forwarding.tables import Target
from xapi_store.attachments import Files, Part, find_parts
from xapi_store.feed import FeedFilter, StatementEntry, statements_after, wanted_among
from xapi_store.http.multipart import write_parts

MOST_STATEMENTS = 100
MOST_BYTES = 1024 * 1024
STRETCH = 200
MOST_STRETCHES = 25


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One statement as it is sent, with the files that go with it."""

    position: int
    id: UUID
    text: bytes
    parts: Sequence[Part] = ()

    @property
    def size(self) -> int:
        """How many bytes it adds to a request, roughly."""
        return len(self.text) + sum(len(part.content) for part in self.parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What is sent next; behind ``through`` nothing was looked at, and ``has_more`` says that something is there."""

    items: Sequence[Item]
    through: int
    has_more: bool


def filter_of(target: Target) -> FeedFilter:
    """Return which statements a target wants.

    With a filter, what is voided already is left out: the statement that voids it may have come before it, so that
    the filter did not know it as one of its own. Without a filter both are sent, in any order.
    """
    narrow = bool(target.verbs) or target.activity is not None or target.agent is not None
    return FeedFilter(
        verbs=target.verbs,
        activity=target.activity,
        agent=target.agent,
        since=target.since,
        made_here=target.made_here,
        voided=not narrow,
    )


def next_batch(
    read: Callable[[], AbstractContextManager[Session]],
    files: Files | None,
    target: Target,
    *,
    until: int | None = None,
) -> Batch:
    """Return the next statements for a target; none of them behind position *until*."""
    items: list[Item] = []
    size, through = 0, target.cursor
    for _ in range(MOST_STRETCHES):
        with read() as session:
            entries = statements_after(session, through, limit=STRETCH)
            at_the_end = len(entries) < STRETCH
            if until is not None and entries and entries[-1].position >= until:
                entries, at_the_end = [entry for entry in entries if entry.position <= until], True
            wanted = wanted_among(session, [entry.position for entry in entries], filter_of(target))
            for entry in entries:
                if entry.position in wanted:
                    item = read_item(session, files, entry, target.version)
                    size += item.size
                    if items and (len(items) >= MOST_STATEMENTS or size > MOST_BYTES):
                        return Batch(items=items, through=through, has_more=True)
                    items.append(item)
                through = entry.position
        if at_the_end:
            return Batch(items=items, through=max(through, until or 0), has_more=False)
    return Batch(items=items, through=through, has_more=True)


def read_item(session: Session, files: Files | None, entry: StatementEntry, version: str) -> Item:
    """Return a statement of the feed as a store that speaks *version* is sent it.

    Without `authority`, which the other store sets from the key, and without `version` where it is of the other
    family; `stored` is not kept in the feed.
    """
    statement = orjson.loads(entry.raw)
    parts = find_parts(session, files, [statement]) if b'"attachments"' in entry.raw else ()
    statement.pop("authority", None)
    if not str(statement.get("version", version)).startswith(version[:2]):
        del statement["version"]
    return Item(position=entry.position, id=entry.statement_id, text=orjson.dumps(statement), parts=parts)


def write_request(items: Sequence[Item]) -> tuple[bytes, str]:
    """Return body and content type of the request that sends these statements."""
    statements = b"[%s]" % b",".join(item.text for item in items)
    parts = {part.sha2: part for item in items for part in item.parts}
    if not parts:
        return statements, "application/json"
    boundary = uuid4().hex
    return write_parts(boundary, statements, parts.values()), f'multipart/mixed; boundary="{boundary}"'
