"""Utility processes that look at an activity: limits, rules, may it be delivered (UP.1, UP.2, UP.5)."""

from __future__ import annotations

from content_packages.sequencing.conditions import OF_OBJECTIVES, combine, holds
from content_packages.sequencing.definition import RuleAction, RuleCondition, SequencingRule
from content_packages.sequencing.plain import Test
from content_packages.sequencing.tracking import Tracking
from content_packages.sequencing.tree import Activity

# To look a member up in its class takes ten times as long (Python 3.11).
SKIP, DISABLED = RuleAction.SKIP, RuleAction.DISABLED
STOP_FORWARD_TRAVERSAL, HIDDEN_FROM_CHOICE = RuleAction.STOP_FORWARD_TRAVERSAL, RuleAction.HIDDEN_FROM_CHOICE


def limit_conditions_check(tracking: Tracking, activity: Activity) -> bool:
    """Limit Conditions Check Process (UP.1): say whether a limit of the activity has been exceeded."""
    limit = activity.definition.limits.attempt_limit
    if limit is None or not activity.is_tracked:
        return False
    if tracking.is_active(activity) or tracking.is_suspended(activity):
        return False  # an attempt under way is not stopped by the number of attempts
    return tracking.attempts(activity) >= limit


def sequencing_rules_check(
    tracking: Tracking, activity: Activity, rules: tuple[SequencingRule, ...], test: Test | None = None
) -> RuleAction | None:
    """Sequencing Rules Check Process (UP.2): return the action of the first of these rules that acts.

    Rules that all have one action may come with a test, which says of the activity's record whether one of them acts.
    """
    if test is not None:
        action = rules[0].action
        if not test.acts(tracking.record(activity), tracking.shared_objectives):
            return None
        if action is SKIP:
            tracking.decisions.append(activity.skipped)
        else:
            tracking.note("UP.2", activity, action)
        return action
    for rule in rules:
        if sequencing_rule_check(tracking, activity, rule):
            tracking.note("UP.2", activity, rule.action)
            return rule.action
    return None


def sequencing_rule_check(tracking: Tracking, activity: Activity, rule: SequencingRule) -> bool:
    """Sequencing Rule Check Subprocess (UP.2.1): say whether one rule acts."""
    results = (_condition_holds(tracking, activity, asked) for asked in rule.conditions)
    return combine(results, rule.condition_combination) is True


def _condition_holds(tracking: Tracking, activity: Activity, asked: RuleCondition) -> bool | None:
    objective = tracking.objective(activity, asked.referenced_objective)
    if objective is None and asked.condition in OF_OBJECTIVES:
        return None  # of an objective that does not exist, nothing is known
    known = tracking.known(activity, objective or activity.primary)
    return holds(known, asked.condition, operator=asked.operator, threshold=asked.measure_threshold)


def pre_condition(tracking: Tracking, activity: Activity, action: RuleAction) -> bool:
    """Say whether a pre-condition rule with this action acts on the activity (UP.2)."""
    rules = activity.pre_rules.get(action)
    if rules is None:
        return False
    test = None if tracking.rolling_up else activity.tests.get(action)
    return sequencing_rules_check(tracking, activity, rules, test) is not None


def check_activity(tracking: Tracking, activity: Activity) -> bool:
    """Check Activity Process (UP.5): say whether the activity may **not** be delivered."""
    test = activity.close_test
    if test is not None and not test.acts(tracking.record(activity), tracking.shared_objectives):
        return False
    return pre_condition(tracking, activity, DISABLED) or limit_conditions_check(tracking, activity)
