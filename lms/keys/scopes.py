"""What a key of the record store may open: the one table of scopes (xAPI 1.0.3 Communication §4.2).

The record store asks for them by these names (``Credentials.require``); pages say what each means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lms.web.wording import FieldError, mark

LRS_SCOPES: dict[str, str] = {
    "statements/write": mark("Send statements."),
    "statements/read": mark("Read all statements."),
    "statements/read/mine": mark("Read the statements that were sent with this key."),
    "state": mark("Read and write state: where somebody stopped in an activity."),
    "profile": mark("Read and write the profiles of activities and agents."),
    "define": mark("Say what activities are called; without it, their first names stay."),
    "all/read": mark("Read everything."),
    "all": mark("Everything: read and write whatever the record store holds."),
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


def checked_scopes(scopes: Iterable[str]) -> Sequence[str]:
    """Return scopes of the record store, each once, in the order of the table.

    Raises:
        ScopesMissingError: there are none.
        ScopesUnknownError: one of them does not exist.
    """
    wanted = set(scopes)
    if not wanted:
        raise ScopesMissingError
    unknown = sorted(wanted - LRS_SCOPES.keys())
    if unknown:
        raise ScopesUnknownError(scopes=", ".join(unknown)[:200], known=", ".join(LRS_SCOPES))
    return [scope for scope in LRS_SCOPES if scope in wanted]
