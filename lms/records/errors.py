"""What can be refused about records, and how each is answered."""

from __future__ import annotations

from collections.abc import Mapping

from lms.web.errors import Trouble
from lms.web.wording import Worded, mark


class RecordNotFoundError(Worded):
    """There is no such statement, attachment or export here."""

    sentence = mark("This record is not here")


class TextTooLargeError(Worded):
    """More was pasted than the record store takes at once; the fact ``most`` is in MB."""

    sentence = mark("The text is larger than %(most)s MB, the most that the record store takes at once.")


class FilterUnclearError(Worded):
    """An export was asked for with a filter that names no set of statements."""

    sentence = mark("The filter cannot be read. Search first, then export what was found.")


TROUBLES: Mapping[type[Exception], Trouble] = {
    RecordNotFoundError: Trouble(
        status=404,
        code="record-not-found",
        title=RecordNotFoundError.sentence,
        remedy=mark("It may be on another node, or was deleted. Go back to the list and choose again."),
    ),
    TextTooLargeError: Trouble(
        status=413,
        code="text-too-large",
        title=mark("The text is too large"),
        remedy=mark("Check fewer statements at once."),
    ),
    FilterUnclearError: Trouble(
        status=422,
        code="filter-unclear",
        title=FilterUnclearError.sentence,
        remedy=mark("Go back and look at the fields that are marked."),
    ),
}
