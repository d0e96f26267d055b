"""Courses and learners made at random, dense with rules: what sequencing has to bear.

Everything comes from one generator of random numbers, so that a number brings a whole course back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from content_packages.sequencing.definition import (
    ActivityNode,
    AdlObjectiveMap,
    ChildActivitySet,
    Combination,
    CompletionThreshold,
    Condition,
    ConstrainChoice,
    ControlModes,
    DeliveryControls,
    LimitConditions,
    Objective,
    ObjectiveMap,
    Operator,
    Randomization,
    RequiredFor,
    RollupAction,
    RollupCondition,
    RollupConsiderations,
    RollupControls,
    RollupRule,
    RuleAction,
    RuleCondition,
    Selection,
    SequencingDefinition,
    SequencingRule,
    Timing,
)
from content_packages.sequencing.event import Event, ObjectiveResult, Request, RunTime, RunTimeResult

PRE, POST = list(RuleAction)[:4], list(RuleAction)[4:10]
KINDS = [
    *[Request.CONTINUE] * 4,
    *[Request.CHOICE] * 4,
    *[Request.PREVIOUS] * 2,
    Request.START,
    Request.START,
]
KINDS += [*Request, *RunTime]


class RandomCourse:
    """A source of courses and of what learners do in them."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.names: list[str] = []

    def course(self) -> ActivityNode:
        """Return a course of up to five levels."""
        return self._node(self._random.choice([1, 2, 3, 4]))

    def course_of_lessons_alike(self) -> ActivityNode:
        """Return a course whose modules have enough lessons of one kind that these are looked at together."""
        return self._grown(self.course())

    def event(self) -> Event:
        """Return something a learner or a unit of the course may do."""
        pick = self._random.choice
        return Event(
            kind=pick(KINDS), target=pick(self.names), result=self._result() if self._may(0.7) else None
        )

    def _may(self, share: float) -> bool:
        return self._random.random() < share

    def _node(self, levels: int) -> ActivityNode:
        name = str(len(self.names))
        self.names.append(name)
        below = range(self._random.choice([1, 2, 3, 4, 6])) if levels else range(0)
        children = tuple(self._node(levels - 1 if self._may(0.6) else 0) for _ in below)
        definition = self._definition() if self._may(0.6) else self._simple()
        return ActivityNode(
            identifier=name, title=name, definition=definition, children=children, visible=self._may(0.9)
        )

    def _grown(self, node: ActivityNode) -> ActivityNode:
        lesson = next((child for child in node.children if not child.children), None)
        if lesson is None:
            return replace(node, children=tuple(map(self._grown, node.children)))
        more = [f"{lesson.identifier}.{n}" for n in range(4)]
        self.names.extend(more)
        alike = self._alike(lesson.definition)
        children = [
            self._grown(child) if child.children else replace(child, definition=alike(child.identifier))
            for child in (*node.children, *(replace(lesson, identifier=name) for name in more))
        ]
        definition = node.definition
        if self._may(0.5):
            rules = tuple(self._rollup_rule() for _ in range(self._random.choice([1, 2, 3])))
            definition = replace(definition, rollup_rules=rules)
        return replace(node, definition=definition, children=tuple(children))

    def _alike(self, definition: SequencingDefinition) -> Callable[[str], SequencingDefinition]:
        """Return how the lessons of one module are, by their names: alike but for their objectives' names."""
        pick, may = self._random.choice, self._may
        if may(0.4):
            when = [RequiredFor.ALWAYS, RequiredFor.IF_ATTEMPTED, RequiredFor.IF_NOT_SUSPENDED]
            definition = replace(
                definition,
                rollup_considerations=RollupConsiderations(
                    required_for_satisfied=pick(when),
                    required_for_not_satisfied=pick(when),
                    required_for_completed=pick(when),
                    required_for_incomplete=pick(when),
                ),
            )
        primary = definition.primary_objective
        own_name, own_map = may(0.4), may(0.4)
        flags = [may(0.8), may(0.8), may(0.5), may(0.5)]

        def lesson(name: str) -> SequencingDefinition:
            objective = replace(primary, objective_id=f"of {name}") if own_name else primary
            if own_map:
                objective = replace(
                    objective,
                    maps=(
                        ObjectiveMap(
                            target_objective_id=f"shared of {name}",
                            read_satisfied_status=flags[0],
                            read_normalized_measure=flags[1],
                            write_satisfied_status=flags[2],
                            write_normalized_measure=flags[3],
                        ),
                    ),
                )
            return replace(definition, primary_objective=objective)

        return lesson

    def _simple(self) -> SequencingDefinition:
        """What most activities say: that they flow, and perhaps that they are skipped once they are done."""
        done = self._random.choice([Condition.SATISFIED, Condition.COMPLETED, Condition.ATTEMPTED])
        rule = SequencingRule(action=RuleAction.SKIP, conditions=(RuleCondition(condition=done),))
        forbids = self._random.choice([RuleAction.DISABLED, RuleAction.HIDDEN_FROM_CHOICE])
        never = SequencingRule(action=forbids, conditions=(RuleCondition(condition=Condition.ALWAYS),))
        rules = (*((rule,) if self._may(0.5) else ()), *((never,) if self._may(0.15) else ()))
        return SequencingDefinition(
            control=ControlModes(flow=True, choice=self._may(0.9)), pre_condition_rules=rules
        )

    def _definition(self) -> SequencingDefinition:
        pick, may = self._random.choice, self._may
        return SequencingDefinition(
            control=ControlModes(
                choice=may(0.8),
                choice_exit=may(0.8),
                flow=may(0.8),
                forward_only=may(0.2),
                use_current_attempt_objective_info=may(0.7),
                use_current_attempt_progress_info=may(0.7),
            ),
            constrain_choice=ConstrainChoice(prevent_activation=may(0.15), constrain_choice=may(0.15)),
            pre_condition_rules=self._rules(PRE, 0.5),
            post_condition_rules=self._rules(POST, 0.25),
            exit_condition_rules=self._rules([RuleAction.EXIT], 0.15),
            limits=LimitConditions(attempt_limit=pick([None, None, None, 0, 1, 2])),
            rollup=RollupControls(
                rollup_objective_satisfied=may(0.85),
                rollup_progress_completion=may(0.85),
                objective_measure_weight=pick([1.0, 1.0, 0.3, 0.0, 0.7]),
            ),
            rollup_rules=tuple(self._rollup_rule() for _ in range(pick([0, 0, 0, 1, 2]))),
            rollup_considerations=RollupConsiderations(
                required_for_satisfied=self._required(),
                required_for_not_satisfied=self._required(),
                required_for_completed=self._required(),
                required_for_incomplete=self._required(),
                measure_satisfaction_if_active=may(0.7),
            ),
            primary_objective=self._objective(pick([None, "own"])),
            objectives=(self._objective("second"),) if may(0.3) else (),
            selection=Selection(timing=pick(list(Timing)), count=pick([None, 1, 2, 3]))
            if may(0.15)
            else Selection(),
            randomization=Randomization(timing=pick(list(Timing)), reorder_children=may(0.5))
            if may(0.15)
            else Randomization(),
            delivery=DeliveryControls(
                tracked=may(0.9), completion_set_by_content=may(0.2), objective_set_by_content=may(0.2)
            ),
            completion_threshold=CompletionThreshold(
                completed_by_measure=may(0.2),
                min_progress_measure=pick([0.5, 1.0]),
                progress_weight=pick([1.0, 0.3, 0.0]),
            ),
        )

    def _rules(self, actions: Sequence[RuleAction], share: float) -> tuple[SequencingRule, ...]:
        if not self._may(share):
            return ()
        return tuple(self._rule(actions) for _ in range(self._random.choice([1, 1, 2])))

    def _rule(self, actions: Sequence[RuleAction]) -> SequencingRule:
        pick = self._random.choice
        conditions = tuple(
            RuleCondition(
                condition=pick([one for one in Condition if one is not Condition.NEVER]),
                operator=pick(list(Operator)),
                referenced_objective=pick([None, None, "own", "second", "nowhere"]),
                measure_threshold=pick([0.0, 0.5]),
            )
            for _ in range(pick([0, 1, 1, 1, 1, 2, 3]))
        )
        return SequencingRule(
            action=pick(actions), conditions=conditions, condition_combination=pick(list(Combination))
        )

    def _rollup_rule(self) -> RollupRule:
        pick = self._random.choice
        conditions = tuple(
            RollupCondition(
                condition=pick([one for one in Condition if one is not Condition.ALWAYS]),
                operator=pick(list(Operator)),
            )
            for _ in range(pick([1, 1, 2, 2, 3]))
        )
        return RollupRule(
            action=pick(list(RollupAction)),
            child_activity_set=pick(list(ChildActivitySet)),
            minimum_count=pick([0, 1, 2]),
            minimum_percent=pick([0.0, 0.5, 1.0]),
            condition_combination=pick(list(Combination)),
            conditions=conditions,
        )

    def _required(self) -> RequiredFor:
        return self._random.choice(list(RequiredFor)) if self._may(0.2) else RequiredFor.ALWAYS

    def _objective(self, identifier: str | None) -> Objective:
        pick, may = self._random.choice, self._may
        maps = ObjectiveMap(
            target_objective_id=pick(["everywhere", "elsewhere"]),
            read_satisfied_status=may(0.5),
            read_normalized_measure=may(0.5),
            write_satisfied_status=may(0.5),
            write_normalized_measure=may(0.5),
        )
        adl_maps = AdlObjectiveMap(
            target_objective_id=pick(["everywhere", "elsewhere"]),
            read_completion_status=may(0.5),
            read_progress_measure=may(0.5),
            write_completion_status=may(0.5),
            write_progress_measure=may(0.5),
        )
        return Objective(
            objective_id=identifier,
            satisfied_by_measure=may(0.25),
            min_normalized_measure=pick([0.5, 1.0]),
            maps=(maps,) if may(0.3) else (),
            adl_maps=(adl_maps,) if may(0.15) else (),
        )

    def _result(self) -> RunTimeResult:
        pick = self._random.choice
        completions, successes = (
            [None, "completed", "incomplete", "unknown"],
            [None, "passed", "failed", "unknown"],
        )
        numbers = [None, None, 0.2, 0.6, 1.0]
        said = self._random.sample(["own", "second"], pick([0, 1, 2]))
        return RunTimeResult(
            completion_status=pick(completions),
            success_status=pick(successes),
            progress_measure=pick(numbers),
            score_scaled=pick(numbers),
            objectives=tuple(
                ObjectiveResult(
                    objective_id=objective,
                    success_status=pick(successes),
                    completion_status=pick(completions),
                    score_scaled=pick(numbers),
                    progress_measure=pick(numbers),
                )
                for objective in said
            ),
            exit=pick(["", "", "suspend", "normal", "time-out"]),
            request=pick([None, None, Request.CONTINUE, Request.CHOICE, Request.EXIT]),
            request_target=pick(self.names),
        )
