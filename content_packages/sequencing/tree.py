"""The Activity Tree (SN 2.1, TM.1): a definition tree indexed once, then read many times.

The index holds what the pseudo-code asks for all the time: parents, places among siblings, document order,
rules by action, and which shared global objectives an objective reads and writes. It never changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from content_packages.sequencing.definition import (
    ActivityNode,
    RequiredFor,
    RollupAction,
    RuleAction,
    SequencingDefinition,
    SequencingRule,
)
from content_packages.sequencing.objectives import TrackedObjective, tracked
from content_packages.sequencing.plain import Subject, Test, is_plain, plain_test


@dataclass(frozen=True, slots=True)
class Decision:
    """One rule or process that decided something, for the launch log: ``UP.2``, ``lesson-2``, ``skip``."""

    process: str
    activity: str
    decided: str


@dataclass(eq=False, slots=True)
class Activity:
    """One activity and its place in the tree.

    Args:
        order: position in document order from 0.
        last: the order of its last descendant; a leaf's own.
        place: index among all children of its parent.
        is_plain: what its parent rolls up is what its own record says: no measure decides it, no shared objective
            answers.
        tests: pre-condition rules by action, where the record alone says whether one acts.
        skip_test: the one for ``skip``.
        close_test: the one for ``disabled``, where no limit closes the activity as well.
        skipped: what is noted where it acts; always the same, and thousands of them in one flow.
        family: its children, all of them.
        always_counts_for: actions of rollup for which its parent asks it, come what may (RB.1.4.2).
        flags_count: whether being active or suspended matters to a rollup.
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
    is_plain: bool = False
    tests: dict[RuleAction, Test] = field(default_factory=dict)
    family: Family | None = None
    always_counts_for: frozenset[RollupAction] = frozenset()
    skip_test: Test | None = None
    close_test: Test | None = None
    skipped: Decision = field(init=False)
    key: str = field(init=False)  # of the primary objective
    measure_weight: float = field(init=False)
    progress_weight: float = field(init=False)
    flags_count: bool = True
    is_tracked: bool = field(init=False)  # whether its progress is recorded at all (delivery controls)

    def __post_init__(self) -> None:
        self.is_tracked = self.definition.delivery.tracked
        self.skipped = Decision("UP.2", self.identifier, RuleAction.SKIP)
        self.key = self.primary.key
        self.measure_weight = self.definition.rollup.objective_measure_weight
        self.progress_weight = self.definition.completion_threshold.progress_weight

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


@dataclass(eq=False, slots=True)
class Family:
    """Children that take part in an attempt, with what the package says of all of them together.

    Args:
        tracked: those whose progress is recorded: only they take part in rollup.
        is_plain: whether all of those are plain.
        measure_weight, progress_weight: the sum of theirs.
        leaves: identifiers of those that can be delivered.
        clusters: the others.
        takes_part_always: actions of rollup for which each of them is asked, come what may (RB.1.4.2).
    """

    children: tuple[Activity, ...]
    tracked: tuple[Activity, ...] = ()
    leaves: tuple[str, ...] = ()
    clusters: tuple[Activity, ...] = ()
    measure_weight: float = 0.0
    progress_weight: float = 0.0
    takes_part_always: frozenset[RollupAction] = frozenset()
    is_plain: bool = True

    @classmethod
    def of(cls, children: tuple[Activity, ...]) -> Family:
        """Look at some children together."""
        family = cls(
            children,
            tracked=tuple(child for child in children if child.is_tracked),
            leaves=tuple(child.identifier for child in children if not child.children),
            clusters=tuple(child for child in children if child.children),
        )
        always = set(RollupAction)
        for child in family.tracked:
            family.is_plain &= child.is_plain
            family.measure_weight += child.measure_weight
            family.progress_weight += child.progress_weight
            if child.always_counts_for is not EVERY_ACTION:
                always &= child.always_counts_for
        family.takes_part_always = frozenset(always)
        return family


EVERY_ACTION = frozenset(RollupAction)


class ActivityTree:
    """The activities of one organization.

    Args:
        root: the organization as defined by the package.
        objectives_global_to_system: ``False`` when they live no longer than an attempt on the root.
        takes_shortcuts: ``False`` has every process ask every activity it comes to, as the pseudo-code is written.
            It decides the same and takes far longer: the short-cuts are held against it.

    Raises:
        ValueError: two activities share an identifier.
    """

    __slots__ = (
        "_by_id",
        "activities",
        "closable",
        "clusters",
        "hideable",
        "objectives_global_to_system",
        "readers",
        "root",
        "takes_shortcuts",
    )

    def __init__(
        self, root: ActivityNode, *, objectives_global_to_system: bool = True, takes_shortcuts: bool = True
    ) -> None:
        self.objectives_global_to_system = objectives_global_to_system
        self.takes_shortcuts = takes_shortcuts
        self.activities: list[Activity] = []
        self.root = self._index(root, parent=None, place=0)
        self._by_id = {activity.identifier: activity for activity in self.activities}
        if len(self._by_id) != len(self.activities):
            raise ValueError("two activities of one tree share an identifier")
        self.clusters = [activity for activity in self.activities if activity.children]
        self.closable = [
            activity
            for activity in self.activities
            if RuleAction.DISABLED in activity.pre_rules
            or activity.definition.limits.attempt_limit is not None
        ]
        self.hideable = [
            activity for activity in self.activities if RuleAction.HIDDEN_FROM_CHOICE in activity.pre_rules
        ]
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
        if self.takes_shortcuts:
            _find_shortcuts(activity)
        return activity


def _find_shortcuts(activity: Activity) -> None:
    definition = activity.definition
    subject = Subject(definition, activity.primary, activity.objectives)
    activity.is_plain = all(
        is_plain(subject, activity.primary, name)
        for name in ("satisfied", "measure", "completed", "progress")
    )
    tests = {action: plain_test(subject, rules) for action, rules in activity.pre_rules.items()}
    activity.tests = {action: test for action, test in tests.items() if test is not None}
    activity.skip_test = activity.tests.get(RuleAction.SKIP)
    if definition.limits.attempt_limit is None:
        activity.close_test = activity.tests.get(RuleAction.DISABLED)
    considerations = definition.rollup_considerations
    required = {
        RollupAction.SATISFIED: considerations.required_for_satisfied,
        RollupAction.NOT_SATISFIED: considerations.required_for_not_satisfied,
        RollupAction.COMPLETED: considerations.required_for_completed,
        RollupAction.INCOMPLETE: considerations.required_for_incomplete,
    }
    activity.flags_count = (
        not considerations.measure_satisfaction_if_active or RequiredFor.IF_NOT_SUSPENDED in required.values()
    )
    counts = {
        RollupAction.SATISFIED: definition.rollup.rollup_objective_satisfied,
        RollupAction.NOT_SATISFIED: definition.rollup.rollup_objective_satisfied,
        RollupAction.COMPLETED: definition.rollup.rollup_progress_completion,
        RollupAction.INCOMPLETE: definition.rollup.rollup_progress_completion,
    }
    always = frozenset(
        action for action, when in required.items() if when is RequiredFor.ALWAYS and counts[action]
    )
    activity.always_counts_for = EVERY_ACTION if always == EVERY_ACTION else always
    if activity.children:
        activity.family = Family.of(activity.children)


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
    primary = tracked(definition.primary_objective, is_primary=True)
    return [primary, *(tracked(objective, is_primary=False) for objective in definition.objectives)]
