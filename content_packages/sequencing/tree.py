"""The Activity Tree (SN 2.1, TM.1): a definition tree indexed once, then read many times.

The index holds what the pseudo-code asks for all the time: parents, places among siblings, document order,
rules by action, and which shared global objectives an objective reads and writes. It never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, repeat
from math import fsum
from typing import Any, NamedTuple

from content_packages.sequencing.definition import (
    ActivityNode,
    RequiredFor,
    RollupRule,
    RuleAction,
    SequencingDefinition,
    SequencingRule,
)
from content_packages.sequencing.known import Known, Terms
from content_packages.sequencing.objectives import TrackedObjective, tracked
from content_packages.sequencing.plain import NO_TESTS, InARow, PlainTests, Subject, Test, plain_tests
from content_packages.sequencing.reading import Alike, Manner, Reading
from content_packages.sequencing.rollup_rules import RollupRules


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
        terms: on which it takes part in the rollup of its parent.
        reading: how what it says to that is read.
        is_leaf: whether it has no children; only a leaf can be delivered.
        tests: pre-condition rules by action, where the record alone says whether one acts.
        skip_test: the one for ``skip``.
        close_test: says whether a limit or ``disabled`` closes it.
        skipped: what is noted where ``skip`` acts; always the same, and thousands of them in one flow.
        family: its children, all of them.
        rollup_rules: of a cluster.
        can_be_tallied: whether to look at its children once is enough: nothing it writes is read by one of them.
        is_all_counted: whether that decides all there is to its rollup, and no shared objective is told.
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
    rollup_rules: RollupRules
    terms: Terms
    reading: Reading
    children: tuple[Activity, ...] = ()
    is_leaf: bool = True
    last: int = 0
    tests: Mapping[RuleAction, Test] = field(default_factory=dict)
    family: Family | None = None
    skip_test: Test | None = None
    close_test: Test | None = None
    skipped: Decision = field(init=False)
    can_be_tallied: bool = False
    is_all_counted: bool = False
    flags_count: bool = True
    is_tracked: bool = field(init=False)  # whether its progress is recorded at all (delivery controls)

    def __post_init__(self) -> None:
        self.is_tracked = self.definition.delivery.tracked
        self.skipped = Decision("UP.2", self.identifier, RuleAction.SKIP)

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


class Stretch(NamedTuple):
    """Neighbours with tests for ``skip`` that differ only in what is asked; the first of them stands at ``begin``.

    Args:
        is_alike: whether all of them are read together by rollup (``Family.alike``).
    """

    begin: int
    identifiers: tuple[str, ...]
    in_a_row: InARow
    of_all: Callable[[Known], bool] | None
    asked: tuple[Any, ...]
    is_alike: bool

    @classmethod
    def all_of(cls, children: tuple[Activity, ...], alike: frozenset[str]) -> Iterator[Stretch | None]:
        """Yield for each child the stretch in which it stands, if it has a test."""
        begin = 0
        for kind, found in groupby(children, key=_skip_kind):
            names, asked = zip(
                *((child.identifier, child.skip_test and child.skip_test.asked) for child in found),
                strict=True,
            )
            stretch = None if kind is None else cls(begin, names, *kind, asked, alike.issuperset(names))
            yield from repeat(stretch, len(names))
            begin += len(names)


def _skip_kind(child: Activity) -> tuple[InARow, Callable[[Known], bool] | None] | None:
    return child.skip_test and (child.skip_test.in_a_row, child.skip_test.of_all)


@dataclass(eq=False, slots=True)
class Family:
    """Children that take part in an attempt, with what the package says of all of them together.

    Args:
        tracked: how many have their progress recorded: only they take part in rollup.
        alike: of those, the most that are read together, if any are.
        others: the rest of those, with their identifiers.
        asks_attempts: whether one of them counts only once it was attempted, or is not suspended.
        asks_skips: whether one of them counts only while no rule skips it.
        measure_weight, progress_weight: the sum of theirs.
        stretches: of all, one after the other, the neighbours among which each stands that have its test for ``skip``.
        skipped: of all, one after the other.
        clusters: those that cannot be delivered themselves.
        stops: places of those with a rule to stop forward traversal.
    """

    children: tuple[Activity, ...]
    tracked: int
    alike: Alike | None
    others: tuple[tuple[str, Reading], ...]
    asks_attempts: bool
    asks_skips: bool
    measure_weight: float
    progress_weight: float
    stretches: tuple[Stretch | None, ...]
    skipped: tuple[Decision, ...]
    stops: tuple[int, ...]
    clusters: tuple[Activity, ...]

    @classmethod
    def of(cls, children: tuple[Activity, ...]) -> Family:
        """Look at some children together."""
        readings = {child.identifier: child.reading for child in children if child.is_tracked}
        by_manner: dict[Manner | None, dict[str, Reading]] = {}
        for name, reading in readings.items():
            by_manner.setdefault(reading.manner, {})[name] = reading
        manner = max(filter(None, by_manner), key=lambda one: len(by_manner[one]), default=None)
        alike = None if manner is None else Alike.of(manner, by_manner.pop(manner))
        required = {
            when for terms in {one.terms for one in readings.values()} for when in terms.required.values()
        }
        return cls(
            children,
            tracked=len(readings),
            alike=alike,
            others=tuple(item for some in by_manner.values() for item in some.items()),
            asks_attempts=not required.isdisjoint({RequiredFor.IF_ATTEMPTED, RequiredFor.IF_NOT_SUSPENDED}),
            asks_skips=RequiredFor.IF_NOT_SKIPPED in required,
            measure_weight=fsum(one.measure_weight for one in readings.values()),
            progress_weight=fsum(one.progress_weight for one in readings.values()),
            stretches=tuple(Stretch.all_of(children, frozenset(alike.names if alike else ()))),
            skipped=tuple(child.skipped for child in children),
            stops=tuple(
                place
                for place, child in enumerate(children)
                if RuleAction.STOP_FORWARD_TRAVERSAL in child.pre_rules
            ),
            clusters=tuple(child for child in children if child.children),
        )


class Concerned(NamedTuple):
    """Whom a change of a shared objective concerns.

    Args:
        parents: of the activities that read it, each once.
        clusters: by order, all of which rollup may find something else then: those parents, and clusters that read it.
    """

    parents: tuple[Activity, ...]
    clusters: frozenset[int]

    @classmethod
    def of(cls, readers: list[Activity]) -> Concerned:
        """Return whom the readers of a shared objective make concerned."""
        parents = tuple(dict.fromkeys(at.parent for at in readers if at.parent is not None))
        return cls(parents, frozenset(at.order for at in (*parents, *readers) if at.children))


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
        "_rollup_rules",
        "_terms",
        "_tests",
        "activities",
        "closable",
        "clusters",
        "concerned",
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
        self._rollup_rules: dict[tuple[RollupRule, ...], RollupRules] = {}
        self._terms: dict[tuple[object, ...], Terms] = {}
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
        self.concerned = {target: Concerned.of(readers) for target, readers in self.readers.items()}

    def find(self, identifier: str | None) -> Activity | None:
        """Return the activity of that name, if there is one; names are case-sensitive."""
        return None if identifier is None else self._by_id.get(identifier)

    def __getitem__(self, identifier: str) -> Activity:
        return self._by_id[identifier]

    def _index(self, node: ActivityNode, *, parent: Activity | None, place: int) -> Activity:
        objectives = _objectives(node.definition)
        terms = self._terms_of(node.definition)
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
            rollup_rules=self._rollup_rules_of(node.definition),
            terms=terms,
            reading=Reading.of(node.definition, objectives[0], terms),
        )
        self.activities.append(activity)
        activity.children = tuple(
            self._index(child, parent=activity, place=i) for i, child in enumerate(node.children)
        )
        activity.is_leaf, activity.last = not activity.children, len(self.activities) - 1
        if self.takes_shortcuts:
            tests = self._plain_tests(activity)
            activity.tests, activity.close_test = tests.by_action, tests.closes
            _find_shortcuts(activity)
        return activity

    def _terms_of(self, definition: SequencingDefinition) -> Terms:
        terms = Terms.of(definition)
        return self._terms.setdefault((*terms.required.values(), terms.attempt_limit), terms)

    def _rollup_rules_of(self, definition: SequencingDefinition) -> RollupRules:
        if definition.rollup_rules not in self._rollup_rules:
            self._rollup_rules[definition.rollup_rules] = RollupRules(definition.rollup_rules)
        return self._rollup_rules[definition.rollup_rules]

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
    definition, reading = activity.definition, activity.reading
    activity.skip_test = activity.tests.get(RuleAction.SKIP)
    activity.flags_count = reading.waits or RequiredFor.IF_NOT_SUSPENDED in reading.terms.required.values()
    if activity.children:
        family = activity.family = Family.of(activity.children)
        reads_shared = any(child.is_tracked and child.reading.reads for child in activity.children)
        activity.can_be_tallied = not (family.asks_skips or (activity.primary.writes and reads_shared))
        activity.is_all_counted = (
            not activity.primary.writes
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
