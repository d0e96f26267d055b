"""Why a target gets nothing at the moment: codes that are kept, and their sentences for people."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from lms.web.wording import mark


class Problem(StrEnum):
    """What is wrong."""

    NO_ANSWER = "no-answer"
    FAILED = "failed"
    BUSY = "busy"
    STRANGE_ANSWER = "strange-answer"
    REDIRECT = "redirect"
    NOT_HERE = "not-here"
    LOCKED_OUT = "locked-out"
    REFUSES_ALL = "refuses-all"
    SECRET = "secret"  # noqa: S105 - a code
    NODE = "node"


SENTENCES: Mapping[str, str] = {
    Problem.NO_ANSWER: mark("It does not answer. It is tried again by itself."),
    Problem.FAILED: mark("Something went wrong on the other side. It is tried again by itself."),
    Problem.BUSY: mark("The other side asked to wait. It is tried again by itself."),
    Problem.STRANGE_ANSWER: mark(
        "What answered is no record store; a sign-in page of the network may be in the way. "
        "It is tried again by itself."
    ),
    Problem.REDIRECT: mark(
        "It answers that it is somewhere else now. Nothing is sent there by itself: remove this target and add "
        "the new address, if you trust it."
    ),
    Problem.NOT_HERE: mark(
        "There is no record store at this address. Check it; it is tried again by itself."
    ),
    Problem.LOCKED_OUT: mark(
        "The other side does not accept the key. Get a new key and secret, enter them on the page of this target, "
        "and resume."
    ),
    Problem.REFUSES_ALL: mark(
        "The other side refused many statements, one after another. Look at the refused statements, mend the cause, "
        "and resume."
    ),
    Problem.SECRET: mark(
        "The kept secret cannot be opened on this node. Enter key and secret again on the page of this target, "
        "and resume."
    ),
    Problem.NODE: mark("Something went wrong on this node. It is tried again by itself."),
}
OTHER_SENTENCE = mark("It gets nothing at the moment.")


def sentence(problem: str) -> str:
    """Return the sentence of a kept code, in English; a newer version may have kept one not known here."""
    return SENTENCES.get(problem, OTHER_SENTENCE)
