"""The Activity Tree (SN 2.1, TM.1): a definition tree indexed once, then read many times.

The index holds what the pseudo-code asks for all the time: parents, places among siblings, document order,
rules by action, and which shared global objectives an objective reads and writes. It never changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from content_packages.sequencing.definition import (
    ActivityNode,
    AdlObjectiveMap,
    Objective,
    ObjectiveMap,
    RuleAction,
    SequencingDefinition,
    SequencingRule,
)


@dataclass(eq=False, slots=True)
class TrackedObjective:
    """One objective of one activity with its maps, by the field of tracking they carry.

    Args:
        key: under which its progress is recorded; empty for a primary objective without an id.
        reads: field of tracking -> global objective that answers while the field is unknown here.
        writes: field of tracking -> global objectives that receive every value recorded here.
    """

    key: str
    is_primary: bool
    definition: Objective
    reads: dict[str, str] = field(default_factory=dict)
    writes: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Activity:
    """One activity and its place in the tree.

    Args:
        order: position in document order from 0.
        last: the order of its last descendant; a leaf's own.
        place: index among all children of its parent.
    """

    identifier: str
    title: str
    definition: SequencingDefinition
    visible: bool
    parent: Activity | None
    order: int
    depth: int
    place: int
    primary: TrackedObjective
    objectives: dict[str, TrackedObjective]
    pre_rules: dict[RuleAction, tuple[SequencingRule, ...]]
    children: tuple[Activity, ...] = ()
    last: int = 0
    is_tracked: bool = field(init=False)  # whether its progress is recorded at all (delivery controls)

    def __post_init__(self) -> None:
        self.is_tracked = self.definition.delivery.tracked

    @property
    def is_leaf(self) -> bool:
        """Whether it has no children; only a leaf can be delivered."""
        return not self.children

    def contains(self, other: Activity) -> bool:
        """Say whether ``other`` is this activity or below it."""
        return self.order <= other.order <= self.last

    def up(self) -> Iterator[Activity]:
        """Yield this activity, its parent, and so on to the root."""
        at: Activity | None = self
        while at is not None:
            yield at
            at = at.parent

    def path(self) -> list[Activity]:
        """Return the activities from the root to this one, both included."""
        return list(self.up())[::-1]


class ActivityTree:
    """The activities of one organization.

    Args:
        root: the organization as defined by the package.
        objectives_global_to_system: ``False`` when they live no longer than an attempt on the root.

    Raises:
        ValueError: two activities share an identifier.
    """

    __slots__ = ("_by_id", "activities", "objectives_global_to_system", "readers", "root")

    def __init__(self, root: ActivityNode, *, objectives_global_to_system: bool = True) -> None:
        self.objectives_global_to_system = objectives_global_to_system
        self.activities: list[Activity] = []
        self.root = self._index(root, parent=None, place=0)
        self._by_id = {activity.identifier: activity for activity in self.activities}
        if len(self._by_id) != len(self.activities):
            raise ValueError("two activities of one tree share an identifier")
        self.readers: dict[str, list[Activity]] = {}
        for activity in self.activities:
            for target in {t for objective in activity.objectives.values() for t in objective.reads.values()}:
                self.readers.setdefault(target, []).append(activity)

    def find(self, identifier: str | None) -> Activity | None:
        """Return the activity of that name, if there is one; names are case-sensitive."""
        return None if identifier is None else self._by_id.get(identifier)

    def __getitem__(self, identifier: str) -> Activity:
        return self._by_id[identifier]

    def _index(self, node: ActivityNode, *, parent: Activity | None, place: int) -> Activity:
        objectives = _objectives(node.definition)
        activity = Activity(
            identifier=node.identifier,
            title=node.title,
            definition=node.definition,
            visible=node.visible,
            parent=parent,
            order=len(self.activities),
            depth=0 if parent is None else parent.depth + 1,
            place=place,
            primary=objectives[0],
            objectives={objective.key: objective for objective in objectives},
            pre_rules=_rules_by_action(node.definition.pre_condition_rules),
        )
        self.activities.append(activity)
        activity.children = tuple(
            self._index(child, parent=activity, place=i) for i, child in enumerate(node.children)
        )
        activity.last = len(self.activities) - 1
        return activity


def common_ancestor(one: Activity, other: Activity) -> Activity:
    """Return the deepest activity that contains both; it may be one of the two."""
    at = one
    while not at.contains(other):
        assert at.parent is not None  # noqa: S101 - the root contains every activity of its tree
        at = at.parent
    return at


def path_up(start: Activity, end: Activity) -> list[Activity]:
    """Return the activities from ``start`` up to ``end``, which contains it; ``end`` is left out."""
    path = []
    for activity in start.up():
        if activity is end:
            break
        path.append(activity)
    return path


def _rules_by_action(rules: tuple[SequencingRule, ...]) -> dict[RuleAction, tuple[SequencingRule, ...]]:
    found: dict[RuleAction, tuple[SequencingRule, ...]] = {}
    for rule in rules:
        found[rule.action] = (*found.get(rule.action, ()), rule)
    return found


def _objectives(definition: SequencingDefinition) -> list[TrackedObjective]:
    primary = _tracked(definition.primary_objective, is_primary=True)
    return [primary, *(_tracked(objective, is_primary=False) for objective in definition.objectives)]


# Which attribute of which map lets which field of tracking through.
_MAPPED = {
    "satisfied": "satisfied_status",
    "measure": "normalized_measure",
    "raw": "raw_score",
    "min": "min_score",
    "max": "max_score",
    "completed": "completion_status",
    "progress": "progress_measure",
}


def _tracked(definition: Objective, *, is_primary: bool) -> TrackedObjective:
    objective = TrackedObjective(
        key=definition.objective_id or "", is_primary=is_primary, definition=definition
    )
    mappings: tuple[ObjectiveMap | AdlObjectiveMap, ...] = (*definition.maps, *definition.adl_maps)
    for mapping in mappings:
        target = mapping.target_objective_id
        for name, attribute in _MAPPED.items():
            if getattr(mapping, f"read_{attribute}", False):
                objective.reads.setdefault(name, target)
            if getattr(mapping, f"write_{attribute}", False):
                objective.writes[name] = (*objective.writes.get(name, ()), target)
    return objective
