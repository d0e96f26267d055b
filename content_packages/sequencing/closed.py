"""What keeps a learner out of an activity: the rule, the limit or the control of the package that does.

Whether anything does is asked of the engine (``controls``); only then is it looked for, with the processes that the
engine uses, so this cannot call closed what is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from content_packages.sequencing.conditions import OF_OBJECTIVES
from content_packages.sequencing.controls import Ahead
from content_packages.sequencing.definition import (
    Combination,
    Condition,
    Operator,
    RuleAction,
    RuleCondition,
    SequencingRule,
)
from content_packages.sequencing.delivery import delivery_request
from content_packages.sequencing.errors import EndOfTreeError, ProcessError
from content_packages.sequencing.event import Request
from content_packages.sequencing.navigation import Sequencing
from content_packages.sequencing.request import sequencing_request
from content_packages.sequencing.rules import limit_conditions_check, sequencing_rule_check
from content_packages.sequencing.tracking import State, Tracking
from content_packages.sequencing.tree import Activity, ActivityTree


@dataclass(frozen=True, kw_only=True, slots=True)
class Closed:
    """What keeps an activity closed.

    Attributes:
        by: a pre-condition rule by its action (SN 3.4.3); ``attempts``, of which none is left (UP.1); ``order``: it is
            not chosen, and Continue leads there (SN 3.2.1); ``no-way``: nothing leads there from where she stands.
        at: the activity that bears the rule or the limit; of ``order``, the one it comes after.
        rule: the rule that acts.
        objectives: of each of its conditions, the objective that it looks at, where that is another than the primary.
        writers: the lessons that write a shared objective which the rule looks at.
        shared: shared objectives it looks at and no lesson of this course writes.
        attempts: the limit.
    """

    by: str
    at: Activity
    rule: SequencingRule | None = None
    objectives: tuple[str | None, ...] = ()
    writers: tuple[Activity, ...] = ()
    shared: tuple[str, ...] = ()
    attempts: int = 0


class Ways:
    """The ways into the activities of a course, from a state in which no attempt is under way."""

    def __init__(self, tree: ActivityTree, state: State) -> None:
        self._tree, self._tracking = tree, Tracking(tree, state)
        chosen = Ahead(tree, state).reachable(Request.CHOICE)
        led_to = [_delivered(self._tracking, Sequencing.START), resumed(tree, state)]
        led_to += [
            _delivered(self._tracking, Sequencing.CHOICE, one)
            for one in tree.clusters
            if one.identifier in chosen
        ]
        self._open = chosen | {one.identifier for one in led_to if one is not None}
        lessons = [one for one in tree.activities if one.is_leaf]
        self._lesson_before = {after.identifier: before for before, after in pairwise(lessons)}

    @property
    def are_none(self) -> bool:
        """Whether no lesson at all may be chosen, and none is led to."""
        return not any(one.is_leaf and one.identifier in self._open for one in self._tree.activities)

    def closed(self, lesson: Activity) -> Closed | None:
        """Return what keeps the learner out of a lesson; ``None`` where she may choose it, or is led to it."""
        if lesson.identifier in self._open:
            return None
        around = lesson.path()
        return (
            self._by_limit(around)  # which nothing opens any more, whatever rules there are besides
            or self._by_rule(RuleAction.DISABLED, around)
            or self._by_stop(lesson)
            or self._by_rule(RuleAction.SKIP, around)
            or self._by_order(lesson, around)
            or self._by_rule(RuleAction.HIDDEN_FROM_CHOICE, around)
            or Closed(by="no-way", at=lesson)
        )

    def _by_rule(self, action: RuleAction, activities: Iterable[Activity]) -> Closed | None:
        for at in activities:
            for rule in at.pre_rules.get(action, ()):
                if sequencing_rule_check(self._tracking, at, rule):
                    return self._ruled(at, rule)
        return None

    def _by_limit(self, activities: Iterable[Activity]) -> Closed | None:
        for at in activities:
            limit = at.definition.limits.attempt_limit
            if limit is not None and self._is_used_up(at, limit):
                return Closed(by="attempts", at=at, attempts=limit)
        return None

    def _is_used_up(self, at: Activity, limit: int) -> bool:
        return limit_conditions_check(self._tracking, at) or (
            self._tracking.attempts(at) >= limit and self._is_shut_by_limit(at)
        )

    def _is_shut_by_limit(self, at: Activity) -> bool:
        """Say whether a rule that looks at the limit keeps it shut, which it does of an attempt under way as well."""
        return any(
            sequencing_rule_check(self._tracking, at, rule) and _looks_at_limit(rule)
            for rule in at.pre_rules.get(RuleAction.DISABLED, ())
        )

    def _by_stop(self, lesson: Activity) -> Closed | None:
        """Say what stands before a lesson and lets nobody go on."""
        stops = (one for one in self._stops if one.at.last < lesson.order)
        return next(stops, None)

    def _by_order(self, lesson: Activity, around: Sequence[Activity]) -> Closed | None:
        before = self._lesson_before.get(lesson.identifier)
        flows = all(one.definition.control.flow for one in around[:-1])
        return Closed(by="order", at=before) if before is not None and flows else None

    @cached_property
    def _stops(self) -> list[Closed]:
        """What lets nobody go on past it now, in the order of the course."""
        found = (self._by_rule(RuleAction.STOP_FORWARD_TRAVERSAL, [one]) for one in self._tree.activities)
        return [one for one in found if one is not None]

    @cached_property
    def _writers(self) -> Mapping[str, Sequence[Activity]]:
        """The activities that write a shared objective, by its identifier."""
        found: dict[str, list[Activity]] = {}
        for one in self._tree.activities:
            for objective in one.objectives.values():
                for target in {target for targets in objective.writes.values() for target in targets}:
                    found.setdefault(target, []).append(one)
        return found

    def _ruled(self, at: Activity, rule: SequencingRule) -> Closed:
        writers = {
            target: [one for one in self._writers.get(target, ()) if one is not at]
            for target in self._read(at, rule)
        }
        return Closed(
            by=rule.action.value,
            at=at,
            rule=rule,
            objectives=tuple(self._named(at, asked) for asked in rule.conditions),
            writers=tuple(dict.fromkeys(one for found in writers.values() for one in found)),
            shared=tuple(target for target, found in writers.items() if not found),
        )

    def _named(self, at: Activity, asked: RuleCondition) -> str | None:
        """Return the objective that a condition names and looks at; ``None`` where it looks at the activity itself."""
        objective = self._tracking.objective(at, asked.referenced_objective)
        is_own = asked.condition not in OF_OBJECTIVES or (objective is not None and objective.is_primary)
        return None if is_own else asked.referenced_objective

    def _read(self, at: Activity, rule: SequencingRule) -> Iterator[str]:
        """Yield the shared objectives that a rule looks at."""
        for asked in rule.conditions:
            objective = self._tracking.objective(at, asked.referenced_objective)
            if objective is not None:
                yield from objective.reads.values()


def resumed(tree: ActivityTree, state: State) -> Activity | None:
    """Return the lesson that resuming the course leads to; rules may keep it shut although it is suspended."""
    return _delivered(Tracking(tree, state), Sequencing.RESUME_ALL)


def _delivered(tracking: Tracking, request: Sequencing, target: Activity | None = None) -> Activity | None:
    """Return the lesson to which a request leads."""
    try:
        found = sequencing_request(tracking, request, target)
        if found is not None:
            delivery_request(tracking, found)
    except (ProcessError, EndOfTreeError):
        return None
    return found


def _looks_at_limit(rule: SequencingRule) -> bool:
    """Say whether a rule acts for good once the attempts are used up, whatever it asks besides."""
    looks = [
        one.condition is Condition.ATTEMPT_LIMIT_EXCEEDED and one.operator is Operator.NO_OP
        for one in rule.conditions
    ]
    return all(looks) or (any(looks) and rule.condition_combination is Combination.ANY)
