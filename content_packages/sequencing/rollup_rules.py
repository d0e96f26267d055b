"""Which rollup rules a cluster has: those of its package, or the default ones (RB.1.2 b, RB.1.3 b)."""

from __future__ import annotations

from content_packages.sequencing.definition import (
    Condition,
    RollupAction,
    RollupCondition,
    RollupRule,
    SequencingDefinition,
)

_PAIRS = {
    action: pair
    for pair in (
        {RollupAction.SATISFIED, RollupAction.NOT_SATISFIED},
        {RollupAction.COMPLETED, RollupAction.INCOMPLETE},
    )
    for action in pair
}

# RB.1.2 b step 1 and RB.1.3 b step 1: the negative is checked first, so "all known" means "not all positive".
_DEFAULT_RULES = {
    action: RollupRule(action=action, conditions=(RollupCondition(condition=condition),))
    for action, condition in {
        RollupAction.SATISFIED: Condition.SATISFIED,
        RollupAction.NOT_SATISFIED: Condition.OBJECTIVE_STATUS_KNOWN,
        RollupAction.COMPLETED: Condition.COMPLETED,
        RollupAction.INCOMPLETE: Condition.ACTIVITY_PROGRESS_KNOWN,
    }.items()
}


def rollup_rules(definition: SequencingDefinition) -> dict[RollupAction, tuple[RollupRule, ...]]:
    """Return the rules of a cluster for each action; the default ones only if it has none for that pair."""
    found = {}
    for action in RollupAction:
        if any(rule.action in _PAIRS[action] for rule in definition.rollup_rules):
            found[action] = tuple(rule for rule in definition.rollup_rules if rule.action is action)
        else:
            found[action] = (_DEFAULT_RULES[action],)
    return found
