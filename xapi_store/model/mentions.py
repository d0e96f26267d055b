"""Everything in a statement that a query may ask for (xAPI 1.0.3 Communication §2.1.3; xAPI 2.0 §4.1.6.1).

The standard has two circles: *direct* mentions (the actor and the object), which the filters `agent` and
`activity` find, and *related* ones (authority, instructor, team, context, sub-statement), found with
`related_agents` and `related_activities` besides.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from xapi_store.model.activity import merge_definitions
from xapi_store.model.actor import actor_key, with_members


@dataclass(kw_only=True, slots=True)
class Mentions:
    """What one statement mentions; the dictionaries say of each key whether it is mentioned directly."""

    verb_id: str
    registration: UUID | None = None
    agents: dict[str, bool] = field(default_factory=dict)
    activities: dict[str, bool] = field(default_factory=dict)
    names: set[tuple[str, str]] = field(default_factory=set)
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)


def mentions_of(statement: dict[str, Any]) -> Mentions:
    """Collect what a valid statement mentions."""
    context = statement.get("context", {})
    registration = context.get("registration")
    mentions = Mentions(
        verb_id=statement["verb"]["id"], registration=UUID(registration) if registration is not None else None
    )
    _note_actor(mentions, statement["actor"], direct=True)
    thing = statement["object"]
    match thing.get("objectType", "Activity"):
        case "Activity":
            _note_activity(mentions, thing, direct=True)
        case "Agent" | "Group":
            _note_actor(mentions, thing, direct=True)
        case "SubStatement":
            _note_substatement(mentions, thing)
    _note_context(mentions, context)
    if "authority" in statement:
        _note_actor(mentions, statement["authority"], direct=False)
    return mentions


def activities_in(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every Activity object of a statement, wherever it stands."""
    thing = statement["object"]
    kind = thing.get("objectType", "Activity")
    if kind == "Activity":
        yield thing
    elif kind == "SubStatement":
        yield from activities_in(thing)
    for activities in statement.get("context", {}).get("contextActivities", {}).values():
        yield from activities if isinstance(activities, list) else [activities]


def actors_in(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every Agent and Group of a statement, without the members of groups."""
    yield statement["actor"]
    thing = statement["object"]
    kind = thing.get("objectType", "Activity")
    if kind in ("Agent", "Group"):
        yield thing
    elif kind == "SubStatement":
        yield from actors_in(thing)
    yield from _actors_of_context(statement.get("context", {}))
    if "authority" in statement:
        yield statement["authority"]


def _note_substatement(mentions: Mentions, substatement: dict[str, Any]) -> None:
    for actor in actors_in(substatement):
        _note_actor(mentions, actor, direct=False)
    for activity in activities_in(substatement):
        _note_activity(mentions, activity, direct=False)


def _note_context(mentions: Mentions, context: dict[str, Any]) -> None:
    for actor in _actors_of_context(context):
        _note_actor(mentions, actor, direct=False)
    for activities in context.get("contextActivities", {}).values():
        for activity in activities if isinstance(activities, list) else [activities]:
            _note_activity(mentions, activity, direct=False)


def _actors_of_context(context: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("instructor", "team"):
        if name in context:
            yield context[name]
    for entry in context.get("contextAgents", ()):
        yield entry["agent"]
    for entry in context.get("contextGroups", ()):
        yield entry["group"]


def _note_actor(mentions: Mentions, actor: dict[str, Any], *, direct: bool) -> None:
    for agent in with_members(actor):
        key = actor_key(agent)
        if key is None:
            continue
        mentions.agents[key] = direct or mentions.agents.get(key, False)
        if "name" in agent:
            mentions.names.add((key, agent["name"]))


def _note_activity(mentions: Mentions, activity: dict[str, Any], *, direct: bool) -> None:
    iri = activity["id"]
    mentions.activities[iri] = direct or mentions.activities.get(iri, False)
    definition = activity.get("definition")
    if definition:
        known = mentions.definitions.get(iri)
        mentions.definitions[iri] = definition if known is None else merge_definitions(known, definition)
