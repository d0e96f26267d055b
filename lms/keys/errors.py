"""How errors about keys are answered."""

from __future__ import annotations

from collections.abc import Mapping

from lms.keys.actions import KeyMadeAlreadyError, KeyNotFoundError
from lms.web.errors import Trouble
from lms.web.wording import mark

TROUBLES: Mapping[type[Exception], Trouble] = {
    KeyMadeAlreadyError: Trouble(
        status=409,
        code="key-made-already",
        title=mark("This key was made already"),
        remedy=mark(
            "Its secret was shown once and is kept nowhere. If nobody copied it, revoke the key and make another."
        ),
    ),
    KeyNotFoundError: Trouble(
        status=404,
        code="key-not-found",
        title=mark("This key is not in force"),
        remedy=mark("Go back to the list of keys; it may have been revoked a moment ago."),
    ),
}
