"""The Sequencing Definition Model: what a package says about the order of its activities (SCORM SN 3).

Names and defaults are those of IMS Simple Sequencing 1.0 and of ADL's ``adlseq`` extensions, in snake case;
the values of enumerations are spelled as in a manifest. Everything is immutable and equal by content.
``to_json`` leaves out what stands at its default, so most activities write nothing at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import TypeAdapter


class RuleAction(StrEnum):
    """What a sequencing rule asks for when its conditions hold (SN 3.4.3)."""

    # pre-condition rules
    SKIP = "skip"
    DISABLED = "disabled"
    HIDDEN_FROM_CHOICE = "hiddenFromChoice"
    STOP_FORWARD_TRAVERSAL = "stopForwardTraversal"
    # post-condition rules
    EXIT_PARENT = "exitParent"
    EXIT_ALL = "exitAll"
    RETRY = "retry"
    RETRY_ALL = "retryAll"
    CONTINUE = "continue"
    PREVIOUS = "previous"
    # exit rules
    EXIT = "exit"


class Condition(StrEnum):
    """What a rule looks at; ``always`` is for sequencing rules only, ``never`` for rollup rules."""

    SATISFIED = "satisfied"
    OBJECTIVE_STATUS_KNOWN = "objectiveStatusKnown"
    OBJECTIVE_MEASURE_KNOWN = "objectiveMeasureKnown"
    OBJECTIVE_MEASURE_GREATER_THAN = "objectiveMeasureGreaterThan"
    OBJECTIVE_MEASURE_LESS_THAN = "objectiveMeasureLessThan"
    COMPLETED = "completed"
    ACTIVITY_PROGRESS_KNOWN = "activityProgressKnown"
    ATTEMPTED = "attempted"
    ATTEMPT_LIMIT_EXCEEDED = "attemptLimitExceeded"
    TIME_LIMIT_EXCEEDED = "timeLimitExceeded"
    OUTSIDE_AVAILABLE_TIME_RANGE = "outsideAvailableTimeRange"
    ALWAYS = "always"
    NEVER = "never"


class Operator(StrEnum):
    """Whether a condition is taken as it is or turned round."""

    NO_OP = "noOp"
    NOT = "not"


class Combination(StrEnum):
    """How the conditions of one rule combine."""

    ALL = "all"
    ANY = "any"


class ChildActivitySet(StrEnum):
    """How many of the children a rollup rule asks for."""

    ALL = "all"
    ANY = "any"
    NONE = "none"
    AT_LEAST_COUNT = "atLeastCount"
    AT_LEAST_PERCENT = "atLeastPercent"


class RollupAction(StrEnum):
    """What a rollup rule sets on the parent."""

    SATISFIED = "satisfied"
    NOT_SATISFIED = "notSatisfied"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"


class RequiredFor(StrEnum):
    """When a child takes part in a rollup (adlseq:rollupConsiderations)."""

    ALWAYS = "always"
    IF_NOT_SUSPENDED = "ifNotSuspended"
    IF_ATTEMPTED = "ifAttempted"
    IF_NOT_SKIPPED = "ifNotSkipped"


class Timing(StrEnum):
    """When children are selected or put into a new order."""

    NEVER = "never"
    ONCE = "once"
    ON_EACH_NEW_ATTEMPT = "onEachNewAttempt"


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlModes:
    """Sequencing Control Modes (SN 3.2)."""

    choice: bool = True
    choice_exit: bool = True
    flow: bool = False
    forward_only: bool = False
    use_current_attempt_objective_info: bool = True
    use_current_attempt_progress_info: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class ConstrainChoice:
    """Constrain Choice Controls (adlseq:constrainedChoiceConsiderations, SN 3.3)."""

    prevent_activation: bool = False
    constrain_choice: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleCondition:
    """One condition of a sequencing rule; without a referenced objective it looks at the primary one."""

    condition: Condition = Condition.ALWAYS
    operator: Operator = Operator.NO_OP
    referenced_objective: str | None = None
    measure_threshold: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SequencingRule:
    """If these conditions hold, then this action (SN 3.4)."""

    action: RuleAction
    conditions: tuple[RuleCondition, ...] = ()
    condition_combination: Combination = Combination.ALL


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitConditions:
    """The limits SCORM supports (SN 3.5); the duration is an ISO 8601 period as the manifest wrote it."""

    attempt_limit: int | None = None
    attempt_absolute_duration_limit: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RollupCondition:
    """One condition a child is asked in a rollup rule."""

    condition: Condition = Condition.NEVER
    operator: Operator = Operator.NO_OP


@dataclass(frozen=True, kw_only=True, slots=True)
class RollupRule:
    """If so many children meet these conditions, then the parent is this (SN 3.7.1); a percent is 0 to 1."""

    action: RollupAction
    conditions: tuple[RollupCondition, ...] = ()
    condition_combination: Combination = Combination.ANY
    child_activity_set: ChildActivitySet = ChildActivitySet.ALL
    minimum_count: int = 0
    minimum_percent: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RollupControls:
    """Whether and with what weight an activity counts for its parent (SN 3.8)."""

    rollup_objective_satisfied: bool = True
    rollup_progress_completion: bool = True
    objective_measure_weight: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RollupConsiderations:
    """When an activity counts for its parent (adlseq:rollupConsiderations, SN 3.9)."""

    required_for_satisfied: RequiredFor = RequiredFor.ALWAYS
    required_for_not_satisfied: RequiredFor = RequiredFor.ALWAYS
    required_for_completed: RequiredFor = RequiredFor.ALWAYS
    required_for_incomplete: RequiredFor = RequiredFor.ALWAYS
    measure_satisfaction_if_active: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectiveMap:
    """imsss:mapInfo: what is read from and written to a shared global objective (SN 3.10.1)."""

    target_objective_id: str
    read_satisfied_status: bool = True
    read_normalized_measure: bool = True
    write_satisfied_status: bool = False
    write_normalized_measure: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AdlObjectiveMap:
    """adlseq:mapInfo: the rest of what a shared global objective carries (SN 3.10.2)."""

    target_objective_id: str
    read_raw_score: bool = True
    read_min_score: bool = True
    read_max_score: bool = True
    read_completion_status: bool = True
    read_progress_measure: bool = True
    write_raw_score: bool = False
    write_min_score: bool = False
    write_max_score: bool = False
    write_completion_status: bool = False
    write_progress_measure: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Objective:
    """One objective of an activity (SN 3.10); only a primary objective may be without an id."""

    objective_id: str | None = None
    satisfied_by_measure: bool = False
    min_normalized_measure: float = 1.0
    maps: tuple[ObjectiveMap, ...] = ()
    adl_maps: tuple[AdlObjectiveMap, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Selection Controls (SN 3.11); without a count, every child is selected."""

    timing: Timing = Timing.NEVER
    count: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Randomization:
    """Randomization Controls (SN 3.12)."""

    timing: Timing = Timing.NEVER
    reorder_children: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryControls:
    """Delivery Controls (SN 3.13)."""

    tracked: bool = True
    completion_set_by_content: bool = False
    objective_set_by_content: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CompletionThreshold:
    """adlcp:completionThreshold (SN 3.14): when progress makes completion, and its weight for the parent."""

    completed_by_measure: bool = False
    min_progress_measure: float = 1.0
    progress_weight: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SequencingDefinition:
    """Everything a package says about one activity."""

    control: ControlModes = ControlModes()
    constrain_choice: ConstrainChoice = ConstrainChoice()
    pre_condition_rules: tuple[SequencingRule, ...] = ()
    post_condition_rules: tuple[SequencingRule, ...] = ()
    exit_condition_rules: tuple[SequencingRule, ...] = ()
    limits: LimitConditions = LimitConditions()
    rollup: RollupControls = RollupControls()
    rollup_rules: tuple[RollupRule, ...] = ()
    rollup_considerations: RollupConsiderations = RollupConsiderations()
    primary_objective: Objective = Objective()
    objectives: tuple[Objective, ...] = ()
    selection: Selection = Selection()
    randomization: Randomization = Randomization()
    delivery: DeliveryControls = DeliveryControls()
    completion_threshold: CompletionThreshold = CompletionThreshold()


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivityNode:
    """One activity of the tree; a leaf can be delivered, a cluster only leads to leaves.

    Args:
        identifier: unique in the tree, case-sensitive.
        visible: ``False`` keeps the activity out of the table of contents (``isvisible`` of an item).
    """

    identifier: str
    title: str = ""
    definition: SequencingDefinition = SequencingDefinition()
    children: tuple[ActivityNode, ...] = ()
    visible: bool = True


# Built when a tree is first read or written: most commands do neither.


@cache
def _definition() -> TypeAdapter[SequencingDefinition]:
    return TypeAdapter(SequencingDefinition)


@cache
def _node() -> TypeAdapter[ActivityNode]:
    return TypeAdapter(ActivityNode)


def to_json(value: SequencingDefinition | ActivityNode) -> dict[str, Any]:
    """Return a plain dictionary that holds only what differs from the standard's defaults."""
    adapter: TypeAdapter[Any] = _node() if isinstance(value, ActivityNode) else _definition()
    plain: dict[str, Any] = adapter.dump_python(value, mode="json", exclude_defaults=True)
    return plain


def definition_from_json(plain: dict[str, Any]) -> SequencingDefinition:
    """Read back what ``to_json`` wrote.

    Raises:
        pydantic.ValidationError: a name or a value is not of the model.
    """
    return _definition().validate_python(plain)


def node_from_json(plain: dict[str, Any]) -> ActivityNode:
    """Read back a tree that ``to_json`` wrote.

    Raises:
        pydantic.ValidationError: a name or a value is not of the model.
    """
    return _node().validate_python(plain)


def freely_navigated(node: ActivityNode) -> ActivityNode:
    """Return the tree with choice and flow everywhere: SCORM 1.2, whose packages say nothing of sequencing."""
    return ActivityNode(
        identifier=node.identifier,
        title=node.title,
        definition=SequencingDefinition(control=ControlModes(flow=True)),
        children=tuple(freely_navigated(child) for child in node.children),
        visible=node.visible,
    )


def without_limits(node: ActivityNode) -> ActivityNode:
    """Return the tree with as many attempts as anybody likes."""
    return replace(
        node,
        definition=replace(node.definition, limits=LimitConditions()),
        children=tuple(without_limits(child) for child in node.children),
    )


def without_pre_conditions(node: ActivityNode) -> ActivityNode:
    """Return the tree with nothing skipped, disabled or hidden by a rule: what its control modes alone allow."""
    return replace(
        node,
        definition=replace(node.definition, pre_condition_rules=()),
        children=tuple(without_pre_conditions(child) for child in node.children),
    )
