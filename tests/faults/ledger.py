"""What the record store owes to the programs that write to it, kept where its death does not reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ASSIGNED = {"id", "authority", "stored", "timestamp", "version"}
"""What the store may add to a statement."""
COUNT = "count"
"""The document that all programs change, each by the entity tag it has read."""


@dataclass(kw_only=True, slots=True, eq=False)
class Request:
    """One request that writes, and what became of it."""

    method: str
    resource: str
    parameters: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    statements: Sequence[dict[str, Any]] = ()  # all of them are stored, or none
    document: str = ""
    leaves: dict[str, Any] | None = None  # what the document is afterwards; nothing if it is gone
    repeatable: bool = True  # it may be sent twice and counts once
    refusable: bool = False  # what it says contradicts what is stored
    status: int = 0  # of the answer, once there is one
    line: int = 0  # the client's port
    place: int = 0  # among the requests on that line

    @property
    def acknowledged(self) -> bool:
        """Whether it was answered with success."""
        return 200 <= self.status < 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Faults:
    """What is wrong in a store, by the ledger. Statements are named by their marks."""

    lost: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)  # part of a request is there


NO_FAULTS = Faults()


def mark(statement: Mapping[str, Any]) -> str:
    """Return what tells a statement from all others even if it was sent without an id."""
    return str(statement["result"]["response"])


def find_faults(
    requests: Iterable[Request],
    statements: Sequence[dict[str, Any]],
    documents: Mapping[str, Any],
    *,
    answered: Callable[[Request], bool] = lambda request: request.acknowledged,
) -> Faults:
    """Compare what is stored with what was sent and answered.

    Args:
        requests: all that were sent, those of one document in their order.
        statements: what is stored.
        documents: what is stored, by name; one that is not there is absent.
        answered: whether the store had acknowledged a request when it was cut.
    """
    requests = list(requests)
    owed = [request for request in requests if answered(request)]
    sent = {mark(statement): statement for request in requests for statement in request.statements}
    stored = {mark(statement): statement for statement in statements}
    marks, ids = Counter(map(mark, statements)), Counter(statement["id"] for statement in statements)
    old, foreign = _find_document_faults(requests, documents, answered)
    return Faults(
        lost=[name for name in marks_of(owed) if name not in stored] + old,
        changed=[name for name in stored if name not in sent or not same(sent[name], stored[name])] + foreign,
        doubled=[name for counted in (marks, ids) for name, times in counted.items() if times > 1]
        + _counted_twice(owed),
        torn=[mark(request.statements[0]) for request in requests if _torn(request, stored)],
    )


def marks_of(requests: Iterable[Request]) -> Iterator[str]:
    """Yield the mark of each statement, once."""
    yield from dict.fromkeys(mark(statement) for request in requests for statement in request.statements)


def same(sent: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    """Say whether a statement is as it was sent, but for what the store assigns."""
    return sent.items() <= stored.items() and stored.keys() - sent.keys() <= ASSIGNED


def _torn(request: Request, stored: Mapping[str, Any]) -> bool:
    there = sum(mark(statement) in stored for statement in request.statements)
    return there not in ({0} if request.refusable else {0, len(request.statements)})


def _find_document_faults(
    requests: Iterable[Request], documents: Mapping[str, Any], answered: Callable[[Request], bool]
) -> tuple[list[str], list[str]]:
    """Return the documents that are older than acknowledged, and those that say what nobody wrote."""
    histories: dict[str, list[Request]] = {}
    for request in requests:
        if request.document and request.status < 400:
            histories.setdefault(request.document, []).append(request)
    old: list[str] = []
    foreign: list[str] = []
    for name, history in histories.items():
        if name == COUNT:  # many write it at once: what was sent last need not be the highest
            history.sort(key=lambda request: request.leaves["count"] if request.leaves else 0)
        owed = max((place for place, request in enumerate(history) if answered(request)), default=-1)
        states = [None, *(request.leaves for request in history)]
        if documents.get(name) in states[owed + 1 :]:
            continue
        (old if documents.get(name) in states else foreign).append(name)
    return old, foreign


def _counted_twice(owed: Iterable[Request]) -> list[str]:
    """Return the counts that two programs were told they had reached: one of the two was overwritten."""
    counts = Counter(
        request.leaves["count"] for request in owed if request.document == COUNT and request.leaves
    )
    return [f"{COUNT} {count}" for count, times in counts.items() if times > 1]
