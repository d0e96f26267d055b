"""What can be wrong with a target, in sentences for the person who sets it up.

Worded
├── FieldError: NameMissingError, NameTakenError, EndpointError, UnprotectedEndpointError, KeyMissingError,
│   SecretMissingError, VersionError, VerbError, ActivityError, AgentError, SinceError
├── TargetNotFoundError, DeadLetterNotFoundError
├── SecretUnreadableError
└── TooManyListenersError
"""

from __future__ import annotations

from collections.abc import Mapping

from lms.web.errors import Trouble
from lms.web.wording import FieldError, Worded, mark


class NameMissingError(FieldError):
    """A target needs a name."""

    field = "name"
    sentence = mark("Fill in a name of at most 80 characters.")


class NameTakenError(FieldError):
    """Another target has that name."""

    field = "name"
    sentence = mark("There is a target called %(name)s already.")


class EndpointError(FieldError):
    """The endpoint is no address of a record store."""

    field = "endpoint"
    sentence = mark(
        "This is no address of a record store. Write it as https://lrs.example.org/xapi, "
        "without a user, a question mark or a #."
    )


class UnprotectedEndpointError(FieldError):
    """The way to the endpoint would be open to everybody on it."""

    field = "endpoint"
    sentence = mark(
        "With http:// everybody on the way can read the records and the secret. Use https://, "
        "or say that it may be sent unprotected."
    )


class KeyMissingError(FieldError):
    """A key is needed, and Basic authentication knows none with a colon."""

    field = "key"
    sentence = mark("Fill in the key that the other record store has given; it has no colon in it.")


class SecretMissingError(FieldError):
    """A secret is needed."""

    field = "secret"
    sentence = mark("Fill in the secret that belongs to the key.")


class VersionError(FieldError):
    """The version is not one of xAPI that is spoken here."""

    field = "version"
    sentence = mark("The version is 1.0.3 or 2.0.0.")


class VerbError(FieldError):
    """A verb is no IRI; the fact ``verb`` is what was given."""

    field = "verbs"
    sentence = mark(
        "%(verb)s is no verb: write the whole address, such as http://adlnet.gov/expapi/verbs/passed."
    )


class ActivityError(FieldError):
    """The activity is no IRI."""

    field = "activity"
    sentence = mark("An activity is written as its whole address, such as https://example.org/courses/1.")


class AgentError(FieldError):
    """The agent cannot be understood."""

    field = "agent"
    sentence = mark('Write the agent as JSON, such as {"mbox": "mailto:a@example.org"}.')


class SinceError(FieldError):
    """The instant cannot be understood."""

    field = "since"
    sentence = mark("Write the day as 2026-11-24, or the instant as 2026-11-24T09:30:00Z.")


class TargetNotFoundError(Worded):
    """No target goes by that name; the fact ``target`` is what was asked for."""

    sentence = mark("There is no target called %(target)s.")


class DeadLetterNotFoundError(Worded):
    """The target refused no such statement; the fact ``statement`` is what was asked for."""

    sentence = mark("There is no refused statement %(statement)s.")


class SecretUnreadableError(Worded):
    """The kept secret was sealed by another node, or for another address."""

    sentence = mark("The kept secret cannot be opened on this node.")


class TooManyListenersError(Worded):
    """As many listen already as this process can serve."""

    sentence = mark("Too many programs listen to this node already.")


TROUBLES: Mapping[type[Exception], Trouble] = {
    TargetNotFoundError: Trouble(
        status=404,
        code="target-not-found",
        title=TargetNotFoundError.sentence,
        remedy=mark("Go back to the list and choose again."),
    ),
    DeadLetterNotFoundError: Trouble(
        status=404,
        code="dead-letter-not-found",
        title=DeadLetterNotFoundError.sentence,
        remedy=mark("It may have been taken meanwhile. Go back and look again."),
    ),
    TooManyListenersError: Trouble(
        status=503,
        code="too-many-listeners",
        title=TooManyListenersError.sentence,
        remedy=mark("Close a dashboard that nobody looks at, or try again in a minute."),
        headers={"Retry-After": "60"},
    ),
}
