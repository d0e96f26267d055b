"""What an answer of another record store means: a table by status, and pure functions around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from uuid import UUID

import orjson

from lms.forwarding.ports import Answer
from lms.forwarding.problems import Problem
from xapi_store.equality import differing

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_ASKED_PAUSE = timedelta(days=1)  # a longer Retry-After is taken for a mistake
MOST_CHARS_SAID = 500


class Verdict(Enum):
    """What became of the statements that were sent."""

    TAKEN = auto()
    REFUSED = auto()  # these statements, not whatever would be sent
    LOCKED_OUT = auto()  # nothing would be taken before somebody mends it
    LATER = auto()


#: All other statuses: later. The problem says why; the last value whether the statements may have been stored.
_BY_STATUS: dict[int, tuple[Verdict, Problem, bool]] = {
    400: (Verdict.REFUSED, Problem.REFUSED, False),
    409: (Verdict.REFUSED, Problem.REFUSED, False),
    413: (Verdict.REFUSED, Problem.REFUSED, False),
    422: (Verdict.REFUSED, Problem.REFUSED, False),
    401: (Verdict.LOCKED_OUT, Problem.LOCKED_OUT, False),
    403: (Verdict.LOCKED_OUT, Problem.LOCKED_OUT, False),
    404: (Verdict.LATER, Problem.NOT_HERE, False),
    405: (Verdict.LATER, Problem.NOT_HERE, False),
    429: (Verdict.LATER, Problem.BUSY, False),
}


def judge(answer: Answer, sent: Collection[UUID]) -> tuple[Verdict, Problem, bool]:
    """Return what an answer to a POST says, the problem if there is one, and whether they may be stored.

    A 200 counts only with the ids that were sent: the sign-in page of a network answers 200 to everything.
    """
    if answer.status == 200:
        if _ids(answer) == set(sent):
            return Verdict.TAKEN, Problem.REFUSED, True
        return Verdict.LATER, Problem.STRANGE_ANSWER, True
    if 300 <= answer.status < 400:
        return Verdict.LATER, Problem.REDIRECT, False
    if answer.status < 500:
        return _BY_STATUS.get(answer.status, (Verdict.LATER, Problem.STRANGE_ANSWER, True))
    return Verdict.LATER, Problem.FAILED, True


def is_alike(answer: Answer, ours: bytes) -> bool:
    """Return whether the statement of a 200 is the same as ours.

    Raises:
        ValueError: the answer is no statement with the id that was asked for; who answered is no record store.
    """
    expected = orjson.loads(ours)
    try:
        theirs = orjson.loads(answer.body)
        if UUID(theirs["id"]) != UUID(expected["id"]):
            raise ValueError("another statement")
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("no statement") from error
    try:
        return not differing(theirs, expected)
    except (ValueError, TypeError, KeyError, AttributeError):  # in a shape of its own, but under this id
        return True


def pause(tries: int, answer: Answer | None, *, now: datetime, dice: Callable[[], float]) -> timedelta:
    """Return how long to wait after so many tries in a row: ever longer, and not in step with other nodes.

    >>> pause(1, None, now=datetime.now(UTC), dice=lambda: 1.0).total_seconds()
    5.0
    """
    longest = min(FIRST_PAUSE * 2.0 ** min(tries - 1, 16), LONGEST_PAUSE)
    own = longest * (0.5 + dice() / 2)
    return max(own, min(_asked_pause(answer, now), LONGEST_ASKED_PAUSE))


def said(answer: Answer) -> str:
    """Return the sentence of an answer, as far as it can be shown."""
    text = ""
    if "json" in answer.headers.get("content-type", "json"):
        try:
            told = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            told = answer.body.decode("utf-8", "replace")
        if isinstance(told, dict):
            told = next(
                (told[name] for name in ("error", "message", "detail", "title") if told.get(name)), ""
            )
        text = told if isinstance(told, str) else ""
    elif answer.headers.get("content-type", "").startswith("text/plain"):
        text = answer.body.decode("utf-8", "replace")
    clean = re.sub(r"[\x00-\x1f\x7f]+", " ", text).strip()
    return f"{answer.status} {clean}".strip()[:MOST_CHARS_SAID]


def _ids(answer: Answer) -> set[UUID] | None:
    try:
        told = orjson.loads(answer.body)
        return {UUID(one) for one in told} if isinstance(told, list) else None
    except (ValueError, TypeError, AttributeError):
        return None


def _asked_pause(answer: Answer | None, now: datetime) -> timedelta:
    asked = answer.headers.get("retry-after", "").strip() if answer is not None else ""
    if asked.isascii() and asked.isdigit():
        return timedelta(seconds=min(int(asked), 10**9))
    try:
        when = parsedate_to_datetime(asked)
    except ValueError:
        return timedelta(0)
    return max((when if when.tzinfo else when.replace(tzinfo=UTC)) - now, timedelta(0))
