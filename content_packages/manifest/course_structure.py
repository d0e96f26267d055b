"""The form of a cmi5 course structure (cmi5 13.1 and 13.2, CourseStructure.xsd): a table, and its check.

The check goes through the document once, without recursion, and says of each fault where it stands and what
the standard asks for; a validator of schemas would speak of its own states instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, get_args

from content_packages.manifest.document import Node, collapse
from content_packages.manifest.lexical import decimal, is_absolute_iri, is_language
from content_packages.package import LaunchMethod, MoveOn

FAMILY = "cmi5"


class Note(Protocol):
    """Takes a fault: the code of its rule, the element, and the facts."""

    def __call__(self, code: str, node: Node, **facts: str | int) -> None: ...  # noqa: D102 - the class says it


def _is_score(text: str) -> bool:
    score = decimal(text)
    return score is not None and 0 <= score <= 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """What an attribute may hold, after white space at both ends is taken off (13.1).

    Args:
        broken: the rule that another value breaks.
    """

    fits: Callable[[str], bool]
    broken: str
    required: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One step of an ``xs:sequence``: which elements, each with its type, and how often.

    Args:
        most: ``None`` where the schema says unbounded.
    """

    types: Mapping[str, str]
    least: int = 1
    most: int | None = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """A type of CourseStructure.xsd.

    Args:
        parts: the elements in it, in this order.
        in_any_order: it is an ``xs:all``.
        extensible: elements of other namespaces may follow (``xs:any``, ``##other``).
        more_attributes: it may have attributes of other namespaces (``xs:anyAttribute``, ``##other``).
        holds_text: it has text where others have elements.
        open: anything may stand in it: the schema gives no type.
        places: of each element, the number of its part.
    """

    parts: tuple[Part, ...] = ()
    attributes: Mapping[str, Value] = field(default_factory=dict)
    in_any_order: bool = False
    extensible: bool = True
    more_attributes: bool = True
    holds_text: bool = False
    open: bool = False
    places: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        places = {name: place for place, part in enumerate(self.parts) for name in part.types}
        object.__setattr__(self, "places", places)


_ID = Value(fits=is_absolute_iri, broken="cmi5.iri", required=True)
_IDREF = Value(fits=is_absolute_iri, broken="cmi5.iri")
_TITLE, _DESCRIPTION = Part(types={"title": "text"}), Part(types={"description": "text"})
_REFERENCES = Part(types={"objectives": "references"}, least=0)
_UNITS = Part(types={"au": "au", "block": "block"}, most=None)

FORMS: dict[str, Form] = {
    "courseStructure": Form(
        parts=(
            Part(types={"course": "course"}),
            Part(types={"objectives": "objectives"}, least=0),
            _UNITS,
        )
    ),
    "course": Form(parts=(_TITLE, _DESCRIPTION), attributes={"id": _ID}),
    "block": Form(parts=(_TITLE, _DESCRIPTION, _REFERENCES, _UNITS), attributes={"id": _ID}),
    "au": Form(
        parts=(
            _TITLE,
            _DESCRIPTION,
            _REFERENCES,
            Part(types={"url": "url"}),
            Part(types={"launchParameters": "any"}, least=0),
            Part(types={"entitlementKey": "any"}, least=0),
        ),
        attributes={
            "id": _ID,
            "moveOn": Value(fits=get_args(MoveOn).__contains__, broken="cmi5.move_on"),
            "masteryScore": Value(fits=_is_score, broken="cmi5.mastery_score"),
            "launchMethod": Value(fits=get_args(LaunchMethod).__contains__, broken="cmi5.launch_method"),
            "activityType": _IDREF,
        },
    ),
    "objectives": Form(parts=(Part(types={"objective": "objective"}, most=None),)),
    "objective": Form(
        parts=(_TITLE, _DESCRIPTION),
        attributes={"id": _ID},
        in_any_order=True,
        extensible=False,
        more_attributes=False,
    ),
    "references": Form(parts=(Part(types={"objective": "reference"}, most=None),)),
    "reference": Form(attributes={"idref": _IDREF}, extensible=False, more_attributes=False),
    "text": Form(parts=(Part(types={"langstring": "langstring"}, most=None),)),
    "langstring": Form(
        attributes={"lang": Value(fits=is_language, broken="cmi5.language")},
        holds_text=True,
        extensible=False,
    ),
    "url": Form(holds_text=True, extensible=False, more_attributes=False),
    "any": Form(holds_text=True, open=True),
}


def check(root: Node, note: Note) -> None:
    """Say of every departure from the table which it is, in document order."""
    waiting = [(root, FORMS["courseStructure"])]
    while waiting:
        node, form = waiting.pop()
        _check_attributes(node, form, note)
        if not form.holds_text and node.text.strip():
            note("cmi5.stray_text", node, name=node.name, text=collapse(node.text))
        waiting += reversed([(child, FORMS[name]) for child, name in _check_children(node, form, note)])


def _check_attributes(node: Node, form: Form, note: Note) -> None:
    for name, value in form.attributes.items():
        written = node.attributes.get(("", name))
        if written is None:
            if value.required:
                note("cmi5.attribute_missing", node, name=node.name, attribute=name)
        elif not value.fits(written.strip()):
            note(value.broken, node, name=node.name, attribute=name, value=written)
    for family, name in node.attributes:
        known = name in form.attributes if family == "" else form.more_attributes and family != FAMILY
        if not (known or form.open or family == "xsi"):
            note("cmi5.unexpected_attribute", node, name=node.name, attribute=name)


def _check_children(node: Node, form: Form, note: Note) -> Iterator[tuple[Node, str]]:
    """Return the elements the schema knows here, each with its type."""
    if form.open:
        return
    places = form.places
    found = [0] * len(form.parts)
    last, furthest = "", 0
    for child in node.children:
        if child.family != FAMILY and child.namespace:
            if not form.extensible:
                note("cmi5.unexpected_element", child, name=child.name, parent=node.name)
            last, furthest = child.name, len(form.parts)
            continue
        place = places.get(child.name) if child.family == FAMILY else None
        if place is None:
            note("cmi5.unexpected_element", child, name=child.name, parent=node.name)
            continue
        part = form.parts[place]
        found[place] += 1
        if part.most is not None and found[place] > part.most:
            note("cmi5.element_repeated", child, name=child.name, parent=node.name)
        elif place < furthest and not form.in_any_order:
            note("cmi5.element_order", child, name=child.name, parent=node.name, other=last)
        else:
            last, furthest = child.name, place
        yield child, part.types[child.name]
    _check_least(node, form, found, note)


def _check_least(node: Node, form: Form, found: list[int], note: Note) -> None:
    for part, count in zip(form.parts, found, strict=True):
        if count >= part.least:
            continue
        if part is _UNITS:
            note("cmi5.no_units", node, parent=node.name)
        else:
            note("cmi5.element_missing", node, name=next(iter(part.types)), parent=node.name)
