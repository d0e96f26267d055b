"""Sign in: count the try, check the password, open the session.

Checking takes a quarter of a second on purpose and must not hold the database meanwhile, so this is three
steps and not one transaction; the try is counted before the check, so stopping half-way never frees a guess.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from lms.database import Database
from lms.people.actions import set_password
from lms.people.errors import SignInRefusedError, SignInTooOftenError
from lms.people.names import sign_in_name
from lms.people.passwords import Passwords
from lms.people.queries import person, person_signing_in
from lms.people.sessions import close_session, open_session
from lms.people.throttle import count_try, forget_tries


class SignedIn(NamedTuple):
    """Who signed in, and the value for her cookie."""

    person_id: UUID
    token: str


def sign_in(
    database: Database,
    passwords: Passwords,
    *,
    personnel_number: str,
    password: str,
    now: datetime,
    replaces: str | None = None,
) -> SignedIn:
    """Open a session for the person with this number and password; the browser's old one ends.

    Raises:
        SignInTooOftenError: she has to wait.
        SignInRefusedError: number and password do not go together, whichever is wrong.
        PasswordsBusyError: too many sign in at once.
    """
    name = sign_in_name(personnel_number)
    with database.write() as session:
        seconds = count_try(session, name, now=now)
        found = person_signing_in(session, personnel_number)
        kept = found.password_hash if found and not found.disabled else None
    if seconds:
        raise SignInTooOftenError(seconds=seconds)
    if not passwords.matches(kept, password) or found is None or kept is None:
        raise SignInRefusedError
    stronger = passwords.hash(password) if passwords.is_weak(kept) else None
    with database.write() as session:
        forget_tries(session, name)
        if replaces is not None:
            close_session(session, replaces)
        if stronger is not None:
            current = person(session, found.public_id)
            set_password(session, current, stronger, temporary=current.password_temporary, now=now)
        return SignedIn(found.public_id, open_session(session, found.public_id, now=now))
