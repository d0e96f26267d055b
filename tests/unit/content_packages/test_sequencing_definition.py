"""A definition survives its JSON form, and says nothing where the standard's default says it already."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from content_packages.sequencing.definition import (
    ActivityNode,
    AdlObjectiveMap,
    ChildActivitySet,
    Condition,
    ControlModes,
    Objective,
    ObjectiveMap,
    RollupAction,
    RollupCondition,
    RollupRule,
    RuleAction,
    RuleCondition,
    SequencingDefinition,
    SequencingRule,
    definition_from_json,
    node_from_json,
    to_json,
)

RICH = SequencingDefinition(
    control=ControlModes(flow=True),
    pre_condition_rules=(
        SequencingRule(
            action=RuleAction.SKIP,
            conditions=(RuleCondition(condition=Condition.SATISFIED, referenced_objective="o1"),),
        ),
    ),
    rollup_rules=(
        RollupRule(
            action=RollupAction.COMPLETED,
            conditions=(RollupCondition(condition=Condition.ATTEMPTED),),
            child_activity_set=ChildActivitySet.AT_LEAST_PERCENT,
            minimum_percent=0.5,
        ),
    ),
    primary_objective=Objective(
        objective_id="o1",
        maps=(ObjectiveMap(target_objective_id="g", write_satisfied_status=True),),
        adl_maps=(AdlObjectiveMap(target_objective_id="g", write_raw_score=True),),
    ),
)


def test_defaults_write_nothing() -> None:
    assert to_json(SequencingDefinition()) == {}
    assert to_json(ActivityNode(identifier="a")) == {"identifier": "a"}


def test_a_definition_survives_the_round_trip() -> None:
    plain = json.loads(json.dumps(to_json(RICH)))

    assert definition_from_json(plain) == RICH


def test_a_tree_survives_the_round_trip() -> None:
    tree = ActivityNode(
        identifier="root",
        children=(ActivityNode(identifier="a", title="One", definition=RICH, visible=False),),
    )

    assert node_from_json(json.loads(json.dumps(to_json(tree)))) == tree


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValidationError):
        definition_from_json({"pre_condition_rules": [{"action": "vanish"}]})
