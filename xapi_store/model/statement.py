"""The statement (xAPI 1.0.3 Data §2.4; xAPI 2.0 §4.2.2), as one shape per version.

The versions differ in the context alone: 2.0 adds context agents and context groups.
"""

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Generic, Literal, NotRequired, TypeVar

from pydantic import AfterValidator, Discriminator, Field, Tag, TypeAdapter, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict  # Pydantic asks for this one below Python 3.12

from xapi_store.errors import InvalidStatementError, json_path
from xapi_store.model.activity import Activity
from xapi_store.model.actor import Actor, Agent, Group, actor_key
from xapi_store.model.iri import (
    ContentType,
    Extensions,
    Iri,
    LanguageMap,
    LanguageTag,
    Sha2,
    UuidText,
    VersionAny,
    VersionV1,
)
from xapi_store.model.sections import ID, cite
from xapi_store.model.shape import STRICT, check, faults
from xapi_store.model.timestamps import Duration, Timestamp
from xapi_store.model.version import Version

VOIDED = "http://adlnet.gov/expapi/verbs/voided"


@with_config(STRICT)
class Verb(TypedDict):
    """What was done."""

    id: Iri
    display: NotRequired[LanguageMap]


@with_config(STRICT)
class StatementRef(TypedDict):
    """Another statement, by its id; it need not be known."""

    objectType: Literal["StatementRef"]
    id: UuidText


@with_config(STRICT)
class ScoreShape(TypedDict):
    """How well it was done."""

    scaled: NotRequired[Annotated[float, Field(ge=-1, le=1)]]
    raw: NotRequired[float]
    min: NotRequired[float]
    max: NotRequired[float]


def _score_in_range(score: ScoreShape) -> ScoreShape:
    raw, low, high = score.get("raw"), score.get("min"), score.get("max")
    if low is not None and high is not None and low >= high:
        raise PydanticCustomError("score", "must have a min below its max")
    if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
        raise PydanticCustomError("score", "must have a raw between its min and its max")
    return score


@with_config(STRICT)
class Result(TypedDict):
    """What came of it."""

    score: NotRequired[Annotated[ScoreShape, AfterValidator(_score_in_range)]]
    success: NotRequired[bool]
    completion: NotRequired[bool]
    response: NotRequired[str]
    duration: NotRequired[Duration]
    extensions: NotRequired[Extensions]


def _is_list(value: Any) -> str:
    return "=list" if isinstance(value, list) else "=one"


# A single activity stands for a list of one: writers of 0.95 still send it (1.0.3 Data §2.4.6.2).
Activities = Annotated[
    Annotated[list[Activity], Tag("=list")] | Annotated[Activity, Tag("=one")], Discriminator(_is_list)
]


@with_config(STRICT)
class ContextActivities(TypedDict):
    """Activities around the one the statement is about."""

    parent: NotRequired[Activities]
    grouping: NotRequired[Activities]
    category: NotRequired[Activities]
    other: NotRequired[Activities]


@with_config(STRICT)
class ContextAgent(TypedDict):
    """An agent around the statement, and why (2.0 only)."""

    objectType: Literal["contextAgent"]
    agent: Agent
    relevantTypes: NotRequired[Annotated[list[Iri], Field(min_length=1)]]


@with_config(STRICT)
class ContextGroup(TypedDict):
    """A group around the statement, and why (2.0 only)."""

    objectType: Literal["contextGroup"]
    group: Group
    relevantTypes: NotRequired[Annotated[list[Iri], Field(min_length=1)]]


@with_config(STRICT)
class ContextV1(TypedDict):
    """Where and with whom it was done (1.0.3)."""

    registration: NotRequired[UuidText]
    instructor: NotRequired[Actor]
    team: NotRequired[Group]
    contextActivities: NotRequired[ContextActivities]
    revision: NotRequired[str]
    platform: NotRequired[str]
    language: NotRequired[LanguageTag]
    statement: NotRequired[StatementRef]
    extensions: NotRequired[Extensions]


@with_config(STRICT)
class ContextV2(ContextV1):
    """Where and with whom it was done (2.0)."""

    contextAgents: NotRequired[list[ContextAgent]]
    contextGroups: NotRequired[list[ContextGroup]]


@with_config(STRICT)
class Attachment(TypedDict):
    """A file that belongs to the statement, by its digest."""

    usageType: Iri
    display: LanguageMap
    description: NotRequired[LanguageMap]
    contentType: ContentType
    length: Annotated[int, Field(ge=0)]
    sha2: Sha2
    fileUrl: NotRequired[Iri]


def _kind_of_object(value: Any) -> str | None:
    kind = value.get("objectType", "Activity") if isinstance(value, dict) else "Activity"
    return f"={kind}" if isinstance(kind, str) else None


def _revision_belongs_to_activities(statement: Any) -> Any:
    context = statement.get("context")
    if context and statement["object"].get("objectType", "Activity") != "Activity":
        for name in ("revision", "platform"):
            if name in context:
                raise PydanticCustomError(
                    "context", "has context.{name}, which needs an Activity as object", {"name": name}
                )
    return statement


def _voids_a_statement(statement: Any) -> Any:
    if statement["verb"]["id"] == VOIDED and statement["object"].get("objectType") != "StatementRef":
        raise PydanticCustomError("voiding", "voids, and therefore must have a StatementRef as object")
    return statement


def _is_authority(authority: Any) -> Any:
    if authority.get("objectType") != "Group":
        return authority
    members = authority.get("member", ())
    if actor_key(authority) is not None or len(members) != 2 or not any("account" in one for one in members):
        raise PydanticCustomError(
            "authority",
            "must, as a Group, be without identifier and have two members, one an account (OAuth)",
        )
    return authority


ContextT = TypeVar("ContextT")
VersionT = TypeVar("VersionT")


@with_config(STRICT)
class Deed(TypedDict, Generic[ContextT]):
    """What statements and sub-statements share."""

    actor: Actor
    verb: Verb
    result: NotRequired[Result]
    context: NotRequired[ContextT]
    timestamp: NotRequired[Timestamp]
    attachments: NotRequired[list[Attachment]]


_PlainObject = Annotated[
    Annotated[Activity, Tag("=Activity")]
    | Annotated[Agent, Tag("=Agent")]
    | Annotated[Group, Tag("=Group")]
    | Annotated[StatementRef, Tag("=StatementRef")],
    Discriminator(
        _kind_of_object,
        custom_error_type="object_type",
        custom_error_message="must have the objectType 'Activity', 'Agent', 'Group' or 'StatementRef'",
    ),
]


@with_config(STRICT)
class SubStatement(Deed[ContextT], Generic[ContextT]):
    """A statement about a statement that was not made, such as a plan."""

    objectType: Literal["SubStatement"]
    object: _PlainObject


_RULES_ACROSS_PROPERTIES = (
    AfterValidator(_revision_belongs_to_activities),
    AfterValidator(_voids_a_statement),
)


@with_config(STRICT)
class Statement(Deed[ContextT], Generic[ContextT, VersionT]):
    """Somebody did something."""

    id: NotRequired[UuidText]
    object: Annotated[
        Annotated[Activity, Tag("=Activity")]
        | Annotated[Agent, Tag("=Agent")]
        | Annotated[Group, Tag("=Group")]
        | Annotated[StatementRef, Tag("=StatementRef")]
        | Annotated[SubStatement[ContextT], *_RULES_ACROSS_PROPERTIES, Tag("=SubStatement")],
        Discriminator(
            _kind_of_object,
            custom_error_type="object_type",
            custom_error_message="must have the objectType 'Activity', 'Agent', 'Group', 'StatementRef' or "
            "'SubStatement'",
        ),
    ]
    stored: NotRequired[Timestamp]
    authority: NotRequired[Annotated[Actor, AfterValidator(_is_authority)]]
    version: NotRequired[VersionT]


@cache  # built when first asked for: that takes longer than many a command has to do
def _shape(version: Version) -> TypeAdapter[Any]:
    if version is Version.V1:
        return TypeAdapter(Annotated[Statement[ContextV1, VersionV1], *_RULES_ACROSS_PROPERTIES])
    return TypeAdapter(Annotated[Statement[ContextV2, VersionAny], *_RULES_ACROSS_PROPERTIES])


@cache
def _actor_shape() -> TypeAdapter[Any]:
    return TypeAdapter(Actor)


@cache
def _agent_shape() -> TypeAdapter[Any]:
    return TypeAdapter(Agent)


def check_statement(statement: Any, version: Version) -> None:
    """Check one statement by the rules of a version.

    Raises:
        InvalidStatementError: with the JSON path of the first fault and the section of the rule.
    """
    check(_shape(version), statement, version)


def faults_of(statement: Any, version: Version) -> Sequence[InvalidStatementError]:
    """Return what is wrong with one statement, all of it that can be seen at once."""
    return faults(_shape(version), statement, version)


def check_ids(statements: Sequence[dict[str, Any]], version: Version) -> None:
    """Check that the statements of one request have different ids.

    Raises:
        InvalidStatementError: with the JSON path of the first id that stands twice.
    """
    seen: set[str] = set()
    for number, statement in enumerate(statements):
        statement_id = statement.get("id", "").lower()
        if statement_id in seen:
            path = json_path([number, "id"])
            raise InvalidStatementError(
                path, "stands twice among the statements of this request", cite(ID, version)
            )
        if statement_id:
            seen.add(statement_id)


def check_actor(actor: Any) -> None:
    """Check an Agent or Group, such as the one a query names."""
    check(_actor_shape(), actor)


def check_agent(agent: Any) -> None:
    """Check an Agent, such as the owner of a document."""
    check(_agent_shape(), agent)
