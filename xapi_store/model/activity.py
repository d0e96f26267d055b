"""Activities and their definitions (xAPI 1.0.3 Data §2.4.4.1; xAPI 2.0 §4.2.2.3)."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict  # Pydantic asks for this one below Python 3.12

from xapi_store.model.iri import Extensions, Iri, LanguageMap
from xapi_store.model.shape import STRICT

#: Which lists of components each kind of interaction may have (1.0.3 Data §2.4.4.1, interaction types).
COMPONENTS: dict[str, tuple[str, ...]] = {
    "true-false": (),
    "choice": ("choices",),
    "fill-in": (),
    "long-fill-in": (),
    "matching": ("source", "target"),
    "performance": ("steps",),
    "sequencing": ("choices",),
    "likert": ("scale",),
    "numeric": (),
    "other": (),
}
_ALL_COMPONENTS = ("choices", "scale", "source", "target", "steps")


@with_config(STRICT)
class Component(TypedDict):
    """One choice, step or place on a scale."""

    id: str
    description: NotRequired[LanguageMap]


def _distinct(components: list[Component]) -> list[Component]:
    ids = [component["id"] for component in components]
    if len(set(ids)) != len(ids):
        raise PydanticCustomError("component_ids", "must have different ids")
    return components


Components = Annotated[list[Component], AfterValidator(_distinct)]


@with_config(STRICT)
class DefinitionShape(TypedDict):
    """What an activity is, in words and, for an interaction, in its parts."""

    name: NotRequired[LanguageMap]
    description: NotRequired[LanguageMap]
    type: NotRequired[Iri]
    moreInfo: NotRequired[Iri]
    extensions: NotRequired[Extensions]
    interactionType: NotRequired[
        Literal[
            "true-false", "choice", "fill-in", "long-fill-in", "matching", "performance", "sequencing",
            "likert", "numeric", "other",
        ]
    ]  # fmt: skip
    correctResponsesPattern: NotRequired[list[str]]
    choices: NotRequired[Components]
    scale: NotRequired[Components]
    source: NotRequired[Components]
    target: NotRequired[Components]
    steps: NotRequired[Components]


def _components_fit(definition: DefinitionShape) -> DefinitionShape:
    kind = definition.get("interactionType")
    if kind is None:
        for name in ("correctResponsesPattern", *_ALL_COMPONENTS):
            if name in definition:
                raise PydanticCustomError(
                    "interaction", "has {name} and therefore must have an interactionType", {"name": name}
                )
        return definition
    for name in _ALL_COMPONENTS:
        if name in definition and name not in COMPONENTS[kind]:
            raise PydanticCustomError(
                "interaction",
                "must not have {name} with the interactionType {kind}",
                {"name": name, "kind": kind},
            )
    return definition


Definition = Annotated[DefinitionShape, AfterValidator(_components_fit)]


@with_config(STRICT)
class Activity(TypedDict):
    """Something a person did or can do."""

    objectType: NotRequired[Literal["Activity"]]
    id: Iri
    definition: NotRequired[Definition]


def merge_definitions(known: dict[str, Any], arriving: dict[str, Any]) -> dict[str, Any]:
    """Return the canonical definition after one more was seen: newer words win, other languages stay."""
    merged = known | arriving
    for name in ("name", "description", "extensions"):
        if name in known and name in arriving:
            merged[name] = known[name] | arriving[name]
    return merged
