"""How errors about people are answered; handed to ``lms.web.frame`` by the composition root."""

from __future__ import annotations

from collections.abc import Mapping

from lms.people.errors import (
    EntryRefusedError,
    FirstPersonExistsError,
    GroupNotFoundError,
    OwnAccessError,
    PasswordsBusyError,
    PersonAboveError,
    PersonNotFoundError,
    RoleNotGrantableError,
)
from lms.people.viewer import OwnPasswordNeededError
from lms.web.errors import Trouble
from lms.web.wording import FieldError, mark

_LOOK_AGAIN = mark("Go back to the list and choose again.")
_ASK = mark("If you need it for your work, ask the person who looks after this node.")


def _trouble(status: int, code: str, title: str, remedy: str = _LOOK_AGAIN) -> Trouble:
    return Trouble(status=status, code=code, title=title, remedy=remedy)


TROUBLES: Mapping[type[Exception], Trouble] = {
    PersonNotFoundError: _trouble(404, "person-not-found", PersonNotFoundError.sentence),
    GroupNotFoundError: _trouble(404, "group-not-found", GroupNotFoundError.sentence),
    RoleNotGrantableError: _trouble(403, "role-not-grantable", RoleNotGrantableError.sentence, _ASK),
    PersonAboveError: _trouble(403, "person-above", PersonAboveError.sentence, _ASK),
    OwnAccessError: _trouble(
        409, "own-access", OwnAccessError.sentence, mark("Ask another administrator to do it.")
    ),
    EntryRefusedError: _trouble(403, "entry-refused", EntryRefusedError.sentence, _ASK),
    FirstPersonExistsError: _trouble(409, "first-person-exists", FirstPersonExistsError.sentence),
    PasswordsBusyError: _trouble(503, "passwords-busy", PasswordsBusyError.sentence),
    FieldError: _trouble(422, "field", mark("What was filled in cannot be taken")),
    OwnPasswordNeededError: Trouble(
        status=403,
        code="own-password-needed",
        title=mark("Choose a password of your own first"),
        remedy=mark("Open your account and choose one."),
        page="/account",
    ),
}
