"""What keys of the record store (xAPI 1.0.3 Communication §4.2) and tokens of the API may open: the one table.

The record store asks for them by these names (``Credentials.require``); pages say what each means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lms.people.policy import Right
from lms.web.wording import FieldError, mark

EVERYTHING = "all"

LRS_SCOPES: dict[str, str] = {
    "statements/write": mark("Send statements."),
    "statements/read": mark("Read all statements."),
    "statements/read/mine": mark("Read the statements that were sent with this key."),
    "state": mark("Read and write state: where somebody stopped in an activity."),
    "profile": mark("Read and write the profiles of activities and agents."),
    "define": mark("Say what activities are called; without it, their first names stay."),
    "all/read": mark("Read everything."),
    EVERYTHING: mark("Everything: read and write whatever the record store holds."),
}

#: What a bearer token may do at `/api/v1`: any right that does not need a person.
TOKEN_RIGHTS: frozenset[str] = frozenset(Right) - {Right.TAKE_COURSES}

#: Of each kind of credential, the scopes that it may have.
KNOWN_SCOPES: dict[str, Sequence[str]] = {
    "lrs": tuple(LRS_SCOPES),
    "token": (EVERYTHING, *sorted(TOKEN_RIGHTS)),
}


class ScopesUnknownError(FieldError):
    """A key was asked for with scopes that do not exist; the fact ``scopes`` lists them, ``known`` the others."""

    field = "scopes"
    sentence = mark("There is no scope %(scopes)s. There are: %(known)s.")


class ScopesMissingError(FieldError):
    """A key was asked for that would open nothing."""

    field = "scopes"
    sentence = mark("Choose at least one thing that the key opens.")


class KeyNameMissingError(FieldError):
    """A key needs a name, by which people tell it from others."""

    field = "name"
    sentence = mark("Say what the key is for, in at most 200 characters.")


def checked_scopes(kind: str, scopes: Iterable[str]) -> Sequence[str]:
    """Return the scopes of a key (*kind* ``"lrs"``) or a token, each once, in the order of the table.

    Raises:
        ScopesMissingError: there are none.
        ScopesUnknownError: one of them does not exist.
    """
    wanted = set(scopes)
    if not wanted:
        raise ScopesMissingError
    known = KNOWN_SCOPES[kind]
    unknown = sorted(wanted - set(known))
    if unknown:
        raise ScopesUnknownError(scopes=", ".join(unknown)[:200], known=", ".join(known))
    return [scope for scope in known if scope in wanted]
