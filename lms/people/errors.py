"""What can be refused about people, in sentences for the person who tried.

Worded
├── SignInRefusedError, SignInTooOftenError, PasswordsBusyError
├── FieldError: NumberTakenError, NumberMissingError, NumbersUnknownError, NameMissingError,
│   PasswordTooShortError, PasswordsDifferError, PasswordWrongError
├── PersonNotFoundError, GroupNotFoundError, FirstPersonExistsError, EntryRefusedError
└── RoleNotGrantableError, PersonAboveError, OwnAccessError
"""

from __future__ import annotations

from lms.web.wording import FieldError, Worded, mark


class SignInRefusedError(Worded):
    """Number and password do not belong together, or nobody has that number: never said which."""

    sentence = mark("Personnel number and password do not go together. Check both and try again.")


class SignInTooOftenError(Worded):
    """Too many wrong passwords; the fact ``seconds`` says how long to wait."""

    sentence = mark("Too many wrong tries. Wait %(seconds)s seconds, then try again.")


class PasswordsBusyError(Worded):
    """More people sign in at this moment than the machine can check."""

    sentence = mark("Many people are signing in at this moment. Wait a few seconds and try again.")


class NumberMissingError(FieldError):
    """A person needs a personnel number."""

    field = "personnel_number"
    sentence = mark("Fill in the personnel number.")


class NumberTakenError(FieldError):
    """Another person of this node signs in with that number."""

    field = "personnel_number"
    sentence = mark("Somebody on this node already has the number %(number)s.")


class NumbersUnknownError(FieldError):
    """Nobody on this node has one of these personnel numbers; the fact ``numbers`` lists them."""

    field = "numbers"
    sentence = mark("Nobody has these personnel numbers: %(numbers)s")


class NameMissingError(FieldError):
    """A person or group needs a name."""

    field = "name"
    sentence = mark("Fill in the name.")


class PasswordTooShortError(FieldError):
    """A password needs some length."""

    field = "password"
    sentence = mark("The password needs at least %(least)s characters.")


class PasswordsDifferError(FieldError):
    """The new password was typed twice and differs."""

    field = "again"
    sentence = mark("The two passwords are not the same.")


class PasswordWrongError(FieldError):
    """The current password is another one."""

    field = "current"
    sentence = mark("This is not your current password.")


class PersonNotFoundError(Worded):
    """There is no such person on this node."""

    sentence = mark("This person is not known on this node.")


class GroupNotFoundError(Worded):
    """There is no such group on this node."""

    sentence = mark("This group is not known on this node.")


class RoleNotGrantableError(Worded):
    """The person who tried may not give or take one of these roles."""

    sentence = mark("You may not change these roles. Ask an administrator.")


class PersonAboveError(Worded):
    """The person who tried may not change somebody with these roles."""

    sentence = mark("You may not change this person. Ask an administrator.")


class OwnAccessError(Worded):
    """Nobody shuts herself out: roles and access are somebody else's to take away."""

    sentence = mark("You cannot take away your own roles or close your own account.")


class FirstPersonExistsError(Worded):
    """The first person can be made once only."""

    sentence = mark("This node already has people. Sign in.")


class EntryRefusedError(Worded):
    """An entry from another node claims what that node may not decide."""

    sentence = mark("A change to this person from a node below is not accepted here.")
