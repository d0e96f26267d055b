"""What cannot be done, and how each kind of error is answered: a row with sentences, no way of sending it.

A feature brings its own errors as a ``Mapping[type[Exception], Trouble]``; ``lms.web.answers`` says them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lms.web.wording import mark

NOTHING_CHANGED = mark("Nothing was changed; what was saved before is still there.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """How one kind of error is answered.

    ``title`` says what happened, ``kept`` what was kept, ``remedy`` what to do: message ids, so write them
    inside ``mark(…)``. An error of the family ``Worded`` replaces the title on the page by its own sentence.
    """

    status: int
    code: str
    title: str
    remedy: str
    kept: str = NOTHING_CHANGED
    headers: Mapping[str, str] | None = None
    way: tuple[str, str] | None = None
    """The address at which a person does what ``remedy`` says, and what it is called: a message id."""
    page: str | None = None
    """Where a person is sent instead of being told; programs get the problem."""


class NotSignedInError(Exception):
    """A page or an interface needs a person, and nobody is signed in."""


class NotAllowedError(Exception):
    """The person has no right to do this."""

    def __init__(self, right: str) -> None:
        self.right = right
        super().__init__(f"This needs the right {right!r}.")


class NotFoundError(Exception):
    """What was asked for is not here."""


class StrangeOriginError(Exception):
    """A change was asked for from another site's page."""


class StrangeTokenError(Exception):
    """A form came without the token of this session."""


class StrangeHostError(Exception):
    """The node was asked for under a name that is not its own."""

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(f"This node does not answer to the name {host!r}.")
