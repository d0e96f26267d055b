"""The Activity Tree (SN 2.1, TM.1): a definition tree indexed once, then read many times.

The index holds what the pseudo-code asks for all the time: parents, places among siblings, document order,
rules by action, and which shared global objectives an objective reads and writes. It never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, repeat
from math import fsum
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from content_packages.sequencing.counted import CountedTest, counted_test
from content_packages.sequencing.definition import (
    ActivityNode,
    Condition,
    RequiredFor,
    RollupAction,
    RollupRule,
    RuleAction,
    SequencingDefinition,
    SequencingRule,
)
from content_packages.sequencing.objectives import TrackedObjective, tracked
from content_packages.sequencing.plain import NO_TESTS, PlainTests, Subject, Test, plain_tests
from content_packages.sequencing.rollup_rules import rollup_rules


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
        is_plain: what is known of it is what its own record says: no shared objective answers.
        manner: how what it says to its parent's rollup is read; ``None``: it has to be asked alone.
        tests: pre-condition rules by action, where the record alone says whether one acts.
        skip_test: the one for ``skip``.
        close_test: says whether a limit or ``disabled`` closes it.
        skipped: what is noted where ``skip`` acts; always the same, and thousands of them in one flow.
        family: its children, all of them.
        always_counts_for: actions of rollup for which its parent asks it, come what may (RB.1.4.2).
        rollup_rules: of a cluster, for each action.
        can_be_tallied: whether to look at its children once is enough: nothing it writes is read by one of them.
        counted_tests: actions whose rules can be asked of what was counted of its children, for all of them take part.
        is_all_counted: whether that decides all there is to its rollup, and no shared objective is told.
        asks_attempts: whether one of its rollup rules asks which children were attempted.
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
    manner: Manner | None = None
    tests: Mapping[RuleAction, Test] = field(default_factory=dict)
    family: Family | None = None
    always_counts_for: frozenset[RollupAction] = frozenset()
    skip_test: Test | None = None
    close_test: Test | None = None
    skipped: Decision = field(init=False)
    rollup_rules: Mapping[RollupAction, tuple[RollupRule, ...]] = field(default_factory=dict)
    can_be_tallied: bool = False
    counted_tests: Mapping[RollupAction, CountedTest] = field(default_factory=dict)
    is_all_counted: bool = False
    asks_attempts: bool = False
    flags_count: bool = True
    is_tracked: bool = field(init=False)  # whether its progress is recorded at all (delivery controls)

    def __post_init__(self) -> None:
        self.is_tracked = self.definition.delivery.tracked
        self.skipped = Decision("UP.2", self.identifier, RuleAction.SKIP)

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


class Manner(NamedTuple):
    """How what an activity says to the rollup of its parent is read; children of one manner are read together.

    Args:
        passing: the least measure with which it is satisfied, if a measure decides.
        enough: the least progress with which it is completed, if progress decides.
        reads: fields of tracking, each with the global objective that answers.
        measure_weight, progress_weight: with which it counts.
    """

    passing: float | None
    enough: float | None
    reads: frozenset[tuple[str, str]]
    measure_weight: float
    progress_weight: float

    @property
    def is_simple(self) -> bool:
        """Whether no measure decides, and all weights are 1."""
        judged = self.passing is not None or self.enough is not None
        return not judged and self.measure_weight == self.progress_weight == 1.0

    @classmethod
    def of(cls, definition: SequencingDefinition, primary: TrackedObjective) -> Manner | None:
        """Return how an activity is read; ``None``: whether it is active decides as well."""
        by_measure, threshold = primary.definition.satisfied_by_measure, definition.completion_threshold
        if by_measure and not definition.rollup_considerations.measure_satisfaction_if_active:
            return None
        return cls(
            passing=primary.definition.min_normalized_measure if by_measure else None,
            enough=threshold.min_progress_measure if threshold.completed_by_measure else None,
            reads=frozenset((name, target) for name, target in primary.reads.items() if name in _ROLLED_UP),
            measure_weight=definition.rollup.objective_measure_weight,
            progress_weight=threshold.progress_weight,
        )


_ROLLED_UP = frozenset({"satisfied", "measure", "completed", "progress"})


class Alike(NamedTuple):
    """Children of one manner.

    Args:
        keys: of their primary objectives.
        key: the one that all have, if they do.
        reads: fields of tracking, each with the global objective that answers.
        is_shared: whether what is known of their objectives is what shared ones say, and nothing else.
        is_simple: whether no measure decides, and all weights are 1.
        records: gives theirs from all records, if each of them has one.
        measure_weight, progress_weight: the sum of theirs.
    """

    manner: Manner
    keys: tuple[str, ...]
    key: str | None
    reads: Mapping[str, str]
    is_shared: bool
    is_simple: bool
    identifiers: tuple[str, ...]
    records: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    measure_weight: float
    progress_weight: float

    @classmethod
    def of(cls, manner: Manner, children: Sequence[Activity]) -> Alike:
        """Put children of one manner together."""
        reads, identifiers = dict(manner.reads), tuple(child.identifier for child in children)
        keys = tuple(child.primary.key for child in children)
        return cls(
            manner,
            keys,
            keys[0] if len(set(keys)) == 1 else None,
            reads,
            {"satisfied", "measure"} <= reads.keys(),
            manner.is_simple,
            identifiers,
            _taking(identifiers),
            fsum(repeat(manner.measure_weight, len(children))),
            fsum(repeat(manner.progress_weight, len(children))),
        )


def _taking(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return what takes the values of all these names."""
    return itemgetter(*names) if len(names) > 1 else lambda values: (values[names[0]],)


class Stretch(NamedTuple):
    """Neighbours with one test for ``skip``, of which the first stands at ``begin``."""

    test: Test
    begin: int
    identifiers: tuple[str, ...]

    @classmethod
    def all_of(cls, children: tuple[Activity, ...]) -> Iterator[Stretch | None]:
        """Yield for each child the stretch in which it stands, if it has a test."""
        begin = 0
        for test, found in groupby(children, key=attrgetter("skip_test")):
            names = tuple(child.identifier for child in found)
            yield from repeat(None if test is None else cls(test, begin, names), len(names))
            begin += len(names)


@dataclass(eq=False, slots=True)
class Family:
    """Children that take part in an attempt, with what the package says of all of them together.

    Args:
        tracked: how many have their progress recorded: only they take part in rollup.
        alike: those of them that are read together.
        apart: the rest of those: each is asked alone.
        measure_weight, progress_weight: the sum of theirs.
        stretches: of all, one after the other, the neighbours among which each stands that have its test for ``skip``.
        skipped: of all, one after the other.
        clusters: those that cannot be delivered themselves.
        stops: places of those with a rule to stop forward traversal.
        takes_part_always: actions of rollup for which each of them is asked, come what may (RB.1.4.2).
    """

    children: tuple[Activity, ...]
    tracked: int
    alike: tuple[Alike, ...]
    apart: tuple[Activity, ...]
    measure_weight: float
    progress_weight: float
    stretches: tuple[Stretch | None, ...]
    skipped: tuple[Decision, ...]
    stops: tuple[int, ...]
    clusters: tuple[Activity, ...]
    takes_part_always: frozenset[RollupAction]

    @classmethod
    def of(cls, children: tuple[Activity, ...]) -> Family:
        """Look at some children together."""
        tracked = [child for child in children if child.is_tracked]
        by_manner: dict[Manner, list[Activity]] = {}
        always = set(EVERY_ACTION)
        for child in tracked:
            if child.manner is not None:
                by_manner.setdefault(child.manner, []).append(child)
            if child.always_counts_for is not EVERY_ACTION:
                always &= child.always_counts_for
        return cls(
            children,
            tracked=len(tracked),
            alike=tuple(Alike.of(manner, found) for manner, found in by_manner.items()),
            apart=tuple(child for child in tracked if child.manner is None),
            measure_weight=fsum(child.definition.rollup.objective_measure_weight for child in tracked),
            progress_weight=fsum(child.definition.completion_threshold.progress_weight for child in tracked),
            stretches=tuple(Stretch.all_of(children)),
            skipped=tuple(child.skipped for child in children),
            stops=tuple(
                place
                for place, child in enumerate(children)
                if RuleAction.STOP_FORWARD_TRAVERSAL in child.pre_rules
            ),
            clusters=tuple(child for child in children if child.children),
            takes_part_always=frozenset(always),
        )


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
        "_tests",
        "activities",
        "closable",
        "clusters",
        "hideable",
        "identifiers",
        "leaves",
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
        self._tests: dict[SequencingDefinition, PlainTests] = {}
        self.root = self._index(root, parent=None, place=0)
        self._by_id = {activity.identifier: activity for activity in self.activities}
        if len(self._by_id) != len(self.activities):
            raise ValueError("two activities of one tree share an identifier")
        self.clusters = [activity for activity in self.activities if activity.children]
        self.identifiers = frozenset(self._by_id)
        self.leaves = frozenset(activity.identifier for activity in self.activities if not activity.children)
        self.closable: dict[Test | None, list[Activity]] = {}
        for activity in self.activities:
            if (
                RuleAction.DISABLED in activity.pre_rules
                or activity.definition.limits.attempt_limit is not None
            ):
                self.closable.setdefault(activity.close_test, []).append(activity)
        self.hideable: dict[Test | None, list[Activity]] = {}
        for activity in self.activities:
            if RuleAction.HIDDEN_FROM_CHOICE in activity.pre_rules:
                test = activity.tests.get(RuleAction.HIDDEN_FROM_CHOICE)
                self.hideable.setdefault(test, []).append(activity)
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
        if activity.children:
            activity.rollup_rules = rollup_rules(node.definition)
        if self.takes_shortcuts:
            tests = self._plain_tests(activity)
            activity.tests, activity.close_test = tests.by_action, tests.closes
            _find_shortcuts(activity)
        return activity

    def _plain_tests(self, activity: Activity) -> PlainTests:
        """Return the tests of all activities with these rules: thousands that do the same would crowd the cache."""
        definition = activity.definition
        if not activity.pre_rules and definition.limits.attempt_limit is None:
            return NO_TESTS
        if definition not in self._tests:
            subject = Subject(definition, activity.primary, activity.objectives)
            self._tests[definition] = plain_tests(subject, activity.pre_rules)
        return self._tests[definition]


def _find_shortcuts(activity: Activity) -> None:
    definition = activity.definition
    manner = activity.manner = Manner.of(definition, activity.primary)
    activity.is_plain = manner is not None and not manner.reads
    activity.skip_test = activity.tests.get(RuleAction.SKIP)
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
        reads_shared = any(
            child.is_tracked and _ROLLED_UP & child.primary.reads.keys() for child in activity.children
        )
        activity.can_be_tallied = not (activity.primary.writes and reads_shared)
        tests = {action: counted_test(rules) for action, rules in activity.rollup_rules.items()}
        activity.counted_tests = {
            action: test
            for action, test in tests.items()
            if test is not None and action in activity.family.takes_part_always
        }
        activity.asks_attempts = any(
            asked.condition is Condition.ATTEMPTED
            for rule in definition.rollup_rules
            for asked in rule.conditions
        )
        activity.is_all_counted = (
            activity.can_be_tallied
            and len(activity.counted_tests) == len(RollupAction)
            and not activity.primary.writes
            and not activity.primary.definition.satisfied_by_measure
            and not definition.completion_threshold.completed_by_measure
        )


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
