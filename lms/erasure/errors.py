"""Why somebody is not erased, in sentences for the person who asked.

Worded
├── FieldError: ReasonMissingError, NumberNotTypedError
└── NotOrderedHereError
"""

from __future__ import annotations

from collections.abc import Mapping

from lms.web.errors import Trouble
from lms.web.wording import FieldError, Worded, mark


class ReasonMissingError(FieldError):
    """An order that nobody can take back has a reason."""

    field = "reason"
    sentence = mark("Say why. Do not name the person: the reason is kept on every node.")


class NumberNotTypedError(FieldError):
    """The number that was typed is another person's, or nobody's."""

    field = "typed"
    sentence = mark("This is not the personnel number of this person.")


class NotOrderedHereError(Worded):
    """This node may not have anybody erased."""

    sentence = mark("Only the centre of the network has people erased.")


TROUBLES: Mapping[type[Exception], Trouble] = {
    NotOrderedHereError: Trouble(
        status=409,
        code="erasure-not-ordered-here",
        title=NotOrderedHereError.sentence,
        remedy=mark("Ask the administrator of the centre. The order then reaches this node too."),
    ),
}
