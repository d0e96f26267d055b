"""What an answer of another record store means: a table by status, and pure functions around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an answer to a POST says; the problem where it is one of the target, not of a statement."""

    verdict: Verdict
    problem: Problem = Problem.STRANGE_ANSWER
    may_have_arrived: bool = False


_REFUSED = Judgement(Verdict.REFUSED)
_LOCKED_OUT = Judgement(Verdict.LOCKED_OUT, Problem.LOCKED_OUT)
_NOT_HERE = Judgement(Verdict.LATER, Problem.NOT_HERE)
_BY_STATUS = {
    400: _REFUSED,
    409: _REFUSED,
    413: _REFUSED,
    422: _REFUSED,
    401: _LOCKED_OUT,
    403: _LOCKED_OUT,
    404: _NOT_HERE,
    405: _NOT_HERE,
    429: Judgement(Verdict.LATER, Problem.BUSY),
}
_STRANGE = Judgement(Verdict.LATER, Problem.STRANGE_ANSWER, may_have_arrived=True)


def judge(answer: Answer, sent: Collection[UUID]) -> Judgement:
    """Return what became of the statements that were sent.

    A 200 counts only with their ids: the sign-in page of a network answers 200 to everything.
    """
    if answer.status == 200:
        return Judgement(Verdict.TAKEN) if _ids(answer) == set(sent) else _STRANGE
    if 300 <= answer.status < 400:
        return Judgement(Verdict.LATER, Problem.REDIRECT)
    if answer.status < 500:
        return _BY_STATUS.get(answer.status, _STRANGE)
    return Judgement(Verdict.LATER, Problem.FAILED, may_have_arrived=True)


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
