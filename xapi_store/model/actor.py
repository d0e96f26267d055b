"""Agents, groups and what identifies one (xAPI 1.0.3 Data §2.4.2; xAPI 2.0 §4.2.2.1).

An actor is identified by exactly one of four *inverse functional identifiers*. The key of an actor is that
identifier alone, written as canonical JSON: two actors are the same if and only if their keys are, whatever
their names and object types, and a key can be turned back into an agent.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, NotRequired

import orjson
from pydantic import AfterValidator, Discriminator, Tag, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict  # Pydantic asks for this one below Python 3.12

from xapi_store.model.iri import Iri, Mailto, Sha1
from xapi_store.model.shape import STRICT

IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")


@with_config(STRICT)
class Account(TypedDict):
    """A user account on some system; the name means something to that system only."""

    homePage: Iri
    name: str


@with_config(STRICT)
class AgentShape(TypedDict):
    """One person or system."""

    objectType: NotRequired[Literal["Agent"]]
    name: NotRequired[str]
    mbox: NotRequired[Mailto]
    mbox_sha1sum: NotRequired[Sha1]
    openid: NotRequired[Iri]
    account: NotRequired[Account]


def _identified_once(agent: AgentShape) -> AgentShape:
    found = [name for name in IDENTIFIERS if name in agent]
    if len(found) != 1:
        raise PydanticCustomError(
            "identifier",
            "must have exactly one of mbox, mbox_sha1sum, openid and account; it has {found}",
            {"found": " and ".join(found) or "none"},
        )
    return agent


Agent = Annotated[AgentShape, AfterValidator(_identified_once)]


@with_config(STRICT)
class GroupShape(TypedDict):
    """Several agents, named as one by an identifier or only by listing them."""

    objectType: Literal["Group"]
    name: NotRequired[str]
    member: NotRequired[list[Agent]]
    mbox: NotRequired[Mailto]
    mbox_sha1sum: NotRequired[Sha1]
    openid: NotRequired[Iri]
    account: NotRequired[Account]


def _identified_or_listed(group: GroupShape) -> GroupShape:
    found = [name for name in IDENTIFIERS if name in group]
    if len(found) > 1:
        raise PydanticCustomError(
            "identifier",
            "must have at most one of mbox, mbox_sha1sum, openid and account; it has {found}",
            {"found": " and ".join(found)},
        )
    if not found and "member" not in group:
        raise PydanticCustomError("anonymous_group", "must list its members, as it has no identifier")
    return group


Group = Annotated[GroupShape, AfterValidator(_identified_or_listed)]


def _kind_of_actor(value: Any) -> str | None:
    kind = value.get("objectType", "Agent") if isinstance(value, dict) else "Agent"
    return f"={kind}" if kind in ("Agent", "Group") else None


Actor = Annotated[
    Annotated[Agent, Tag("=Agent")] | Annotated[Group, Tag("=Group")],
    Discriminator(
        _kind_of_actor,
        custom_error_type="object_type",
        custom_error_message="must have the objectType 'Agent' or 'Group'",
    ),
]


def actor_key(actor: dict[str, Any]) -> str | None:
    """Return what identifies an actor; `None` for an anonymous group.

    >>> actor_key({"mbox": "mailto:a@example.org", "name": "A"})
    '{"mbox":"mailto:a@example.org"}'
    """
    for name in IDENTIFIERS:
        if name in actor:
            return orjson.dumps({name: actor[name]}, option=orjson.OPT_SORT_KEYS).decode()
    return None


def agent_of_key(key: str) -> dict[str, Any]:
    """Return the agent a key stands for, without a name."""
    identifier: dict[str, Any] = orjson.loads(key)
    return {"objectType": "Agent", **identifier}


def with_members(actor: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the actor and, for a group, its members: a filter by agent matches both."""
    yield actor
    if actor.get("objectType") == "Group":
        yield from actor.get("member", ())
