"""Read IMS SS and adlseq elements into the Sequencing Definition Model (SCORM 2004 CAM 5.1, SN 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import unquote

from content_packages.cmi.durations import hundredths_of_duration
from content_packages.findings import Finding, finding
from content_packages.manifest.document import Document, Node, collapse
from content_packages.manifest.lexical import boolean, decimal, whole
from content_packages.sequencing.definition import (
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

Shape = TypeVar("Shape")

_MOST = 2**31 - 1  # no count of attempts or children comes near; it fits every store
_RANGES = {  # the type of each number in CAM 5.1 and 3.4.1.14; all others are a measure, -1 to 1
    "minimumPercent": (0.0, 1.0),
    "objectiveMeasureWeight": (0.0, 1.0),
    "minProgressMeasure": (0.0, 1.0),
    "progressWeight": (0.0, 1.0),
    "completionThreshold": (0.0, 1.0),
}
_MEASURE = (-1.0, 1.0)
_ELEMENTS = frozenset(  # of imsss:sequencing (CAM 5.1)
    {
        "controlMode",
        "sequencingRules",
        "limitConditions",
        "auxiliaryResources",
        "rollupRules",
        "objectives",
        "randomizationControls",
        "deliveryControls",
        "constrainedChoiceConsiderations",
        "rollupConsiderations",
    }
)
_UNSUPPORTED = (
    "attemptExperiencedDurationLimit",
    "activityAbsoluteDurationLimit",
    "activityExperiencedDurationLimit",
    "beginTimeLimit",
    "endTimeLimit",
)
_DURATIONS = frozenset({"attemptAbsoluteDurationLimit"})
_ACTIONS = {  # of each kind of rule (CAM 5.1.2; SN 3.3)
    "preConditionRule": {
        RuleAction.SKIP,
        RuleAction.DISABLED,
        RuleAction.HIDDEN_FROM_CHOICE,
        RuleAction.STOP_FORWARD_TRAVERSAL,
    },
    "postConditionRule": {
        RuleAction.EXIT_PARENT,
        RuleAction.EXIT_ALL,
        RuleAction.RETRY,
        RuleAction.RETRY_ALL,
        RuleAction.CONTINUE,
        RuleAction.PREVIOUS,
    },
    "exitConditionRule": {RuleAction.EXIT},
}
_ENUMS: dict[str, type[StrEnum]] = {
    e.__name__: e
    for e in (
        Timing,
        RequiredFor,
        Condition,
        Operator,
        Combination,
        ChildActivitySet,
        RollupAction,
        RuleAction,
    )
}


class SequencingReader:
    """Reads the sequencing of items; knows the package's sequencing collection."""

    def __init__(self, document: Document, findings: list[Finding]) -> None:
        self._file = document.file
        self._findings = findings
        self._name = ""
        self._objective_ids: frozenset[str | None] = frozenset()
        self._collection = {
            collapse(node.get("ID") or ""): node
            for block in document.root.walk()  # manifests inside the manifest have collections, too
            if (block.family, block.name) == ("imsss", "sequencingCollection")
            for node in block.all("sequencing", "imsss")
        }

    def read(self, item: Node, *, name: str) -> SequencingDefinition:
        """Return what an item or organization says; without a word, the standard's defaults."""
        self._name = name
        parts = self._parts(item.first("sequencing", "imsss"), name)
        self._objective_ids = self._ids_of(parts.get("objectives"))
        threshold = item.first("completionThreshold", "adlcp")
        return SequencingDefinition(
            control=self._fill(ControlModes, parts.get("controlMode")),
            constrain_choice=self._fill(ConstrainChoice, parts.get("constrainedChoiceConsiderations")),
            pre_condition_rules=self._rules(parts.get("sequencingRules"), "preConditionRule"),
            post_condition_rules=self._rules(parts.get("sequencingRules"), "postConditionRule"),
            exit_condition_rules=self._rules(parts.get("sequencingRules"), "exitConditionRule"),
            limits=self._limits(parts.get("limitConditions")),
            rollup=self._fill(RollupControls, parts.get("rollupRules")),
            rollup_rules=self._rollup_rules(parts.get("rollupRules")),
            rollup_considerations=self._fill(RollupConsiderations, parts.get("rollupConsiderations")),
            primary_objective=self._primary(parts),
            objectives=self._others(parts),
            selection=self._selection(parts.get("randomizationControls")),
            randomization=self._randomization(parts.get("randomizationControls")),
            delivery=self._fill(DeliveryControls, parts.get("deliveryControls")),
            completion_threshold=self._threshold(threshold),
        )

    def _parts(self, node: Node | None, name: str) -> dict[str, Node]:
        """Return the elements by name: the collection's first, those written at the item over them."""
        if node is None:
            return {}
        reference = collapse(node.get("IDRef") or "")
        shared = self._collection.get(reference)
        if reference and shared is None:
            self._findings.append(
                finding(
                    "sequencing.dangling", file=self._file, line=node.line, name=name, reference=reference
                )
            )
        parts: dict[str, Node] = {}
        for source in (shared, node):
            for child in () if source is None else source.children:
                if child.family in {"imsss", "adlseq"} and child.name not in _ELEMENTS:
                    self._note("sequencing.unknown_element", child, element=child.name)
                # imsss:objectives and adlseq:objectives share a name and mean different things.
                parts[
                    "adl_objectives" if (child.family, child.name) == ("adlseq", "objectives") else child.name
                ] = child
        return parts

    def _note(self, code: str, node: Node, **facts: str | int) -> None:
        """Add a finding about the item at hand."""
        self._findings.append(finding(code, file=self._file, line=node.line, name=self._name, **facts))

    def _has_target(self, node: Node) -> bool:
        if _objective_id(node.get("targetObjectiveID")):
            return True
        self._note("sequencing.map_without_target", node)
        return False

    def _ids_of(self, block: Node | None) -> frozenset[str | None]:
        """Return the objectives of the item, by their ids; one that comes twice is told."""
        found: set[str | None] = set()
        for node in () if block is None else block.children:
            identifier = _objective_id(node.get("objectiveID"))
            if identifier in found and identifier is not None:
                self._note("sequencing.objective_twice", node, reference=identifier)
            found.add(identifier)
        return frozenset(found)

    def _fill(self, shape: type[Shape], node: Node | None, **given: Any) -> Shape:
        """Make a part of the model from the attributes that bear its fields' names."""
        values = dict(given)
        for field in () if node is None else fields(shape):  # type: ignore[arg-type]
            written = None if field.name in given or node is None else node.get(_camel(field.name))
            if written is not None and node is not None:
                value = self._value(str(field.type), written.strip(), node, _camel(field.name))
                if value is not None:
                    values[field.name] = value
        return shape(**values)

    def _value(self, kind: str, written: str, node: Node, field: str) -> Any:
        """Read one attribute by the type of its field; what is no value of the standard is left out."""
        kind = kind.removesuffix(" | None")
        try:
            if kind == "bool":
                return _known(boolean(written))
            if field in _DURATIONS:
                hundredths_of_duration(written)
            if kind == "int":
                return int(_within(whole(written), 0, _MOST))
            if kind == "float":
                return float(_within(decimal(written), *_RANGES.get(field, _MEASURE)))
            return _ENUMS[kind](written) if kind in _ENUMS else written
        except (KeyError, ValueError):
            self._bad_value(node, written, field)
            return None

    def _bad_value(self, node: Node, value: str, field: str) -> None:
        facts = {"name": node.name, "value": value, "field": field}
        self._findings.append(finding("sequencing.bad_value", file=self._file, line=node.line, **facts))

    def _limits(self, node: Node | None) -> LimitConditions:
        """Return the limits SCORM supports, and tell of those that only IMS SS knows (SN 3.5)."""
        if node is None:
            return LimitConditions()
        for field in filter(node.get, _UNSUPPORTED):
            facts = {"name": node.name, "field": field}
            self._findings.append(
                finding("sequencing.limit_ignored", file=self._file, line=node.line, **facts)
            )
        return self._fill(LimitConditions, node)

    def _rules(self, block: Node | None, name: str) -> tuple[SequencingRule, ...]:
        return tuple(rule for node in _each(block, name) if (rule := self._rule(node)) is not None)

    def _rule(self, node: Node) -> SequencingRule | None:
        action = self._action(node, "ruleAction")
        if action is not None and action not in _ACTIONS[node.name]:
            self._bad_value(node, action, "action")
            action = None
        block = node.first("ruleConditions", "imsss")
        conditions = [self._condition(c) for c in _each(block, "ruleCondition")]
        if self._is_left_out(node, action, conditions):
            return None
        return self._fill(SequencingRule, block, action=action, conditions=tuple(conditions))

    def _action(self, rule: Node, name: str) -> Any:
        """Return what a rule is to do; ``ruleAction`` and ``rollupAction`` are called as their types are."""
        node = rule.first(name, "imsss")
        kind = name[0].upper() + name[1:]
        return None if node is None else self._value(kind, (node.get("action") or "").strip(), node, "action")

    def _is_left_out(self, rule: Node, action: Any, conditions: list[Any]) -> bool:
        """Tell whether a rule lacks a part: without one of its conditions it would act where nobody wanted it to."""
        lacking = action is None or not conditions or None in conditions
        if lacking:
            self._findings.append(
                finding("sequencing.rule_left_out", file=self._file, line=rule.line, name=rule.name)
            )
        return lacking

    def _condition(self, node: Node) -> RuleCondition | None:
        condition = self._value("Condition", (node.get("condition") or "").strip(), node, "condition")
        if condition is None:
            return None
        reference = _objective_id(node.get("referencedObjective"))
        if reference is not None and reference not in self._objective_ids:
            self._note("sequencing.objective_missing", node, reference=reference)
        return self._fill(RuleCondition, node, condition=condition, referenced_objective=reference)

    def _rollup_rules(self, block: Node | None) -> tuple[RollupRule, ...]:
        found = (self._rollup_rule(node) for node in _each(block, "rollupRule"))
        return tuple(rule for rule in found if rule is not None)

    def _rollup_rule(self, node: Node) -> RollupRule | None:
        action = self._action(node, "rollupAction")
        block = node.first("rollupConditions", "imsss")
        conditions = [self._rollup_condition(c) for c in _each(block, "rollupCondition")]
        if self._is_left_out(node, action, conditions):
            return None
        written = (block and block.get("conditionCombination")) or "any"
        combination = self._value("Combination", written, node, "conditionCombination")
        return self._fill(
            RollupRule,
            node,
            action=action,
            conditions=tuple(conditions),
            condition_combination=combination or Combination.ANY,
        )

    def _rollup_condition(self, node: Node) -> RollupCondition | None:
        condition = self._value("Condition", (node.get("condition") or "").strip(), node, "condition")
        return None if condition is None else self._fill(RollupCondition, node, condition=condition)

    def _primary(self, parts: dict[str, Node]) -> Objective:
        block = parts.get("objectives")
        node = None if block is None else block.first("primaryObjective", "imsss")
        return Objective() if node is None else self._objective(node, _adl_maps(parts))

    def _others(self, parts: dict[str, Node]) -> tuple[Objective, ...]:
        adl_maps = _adl_maps(parts)
        return tuple(self._objective(node, adl_maps) for node in _each(parts.get("objectives"), "objective"))

    def _objective(self, node: Node, adl_maps: dict[str | None, list[Node]]) -> Objective:
        identifier = _objective_id(node.get("objectiveID"))
        minimum = node.value("minNormalizedMeasure", "imsss")
        measure = None if minimum is None else self._value("float", minimum, node, "minNormalizedMeasure")
        return self._fill(
            Objective,
            node,
            objective_id=identifier,
            min_normalized_measure=1.0 if measure is None else measure,
            maps=tuple(
                self._fill(
                    ObjectiveMap, m, target_objective_id=_objective_id(m.get("targetObjectiveID")) or ""
                )
                for m in node.all("mapInfo", "imsss")
                if self._has_target(m)
            ),
            adl_maps=tuple(
                self._fill(
                    AdlObjectiveMap, m, target_objective_id=_objective_id(m.get("targetObjectiveID")) or ""
                )
                for m in adl_maps.get(identifier, ())
                if self._has_target(m)
            ),
        )

    def _selection(self, node: Node | None) -> Selection:
        if node is None:
            return Selection()
        timing = self._value(
            "Timing", (node.get("selectionTiming") or "never").strip(), node, "selectionTiming"
        )
        count = node.get("selectCount")
        return Selection(
            timing=timing or Timing.NEVER,
            count=None if count is None else self._value("int", count.strip(), node, "selectCount"),
        )

    def _randomization(self, node: Node | None) -> Randomization:
        if node is None:
            return Randomization()
        timing = self._value(
            "Timing", (node.get("randomizationTiming") or "never").strip(), node, "randomizationTiming"
        )
        return self._fill(Randomization, node, timing=timing or Timing.NEVER)

    def _threshold(self, node: Node | None) -> CompletionThreshold:
        """Read the element: attributes in the 4th edition, a number as its text before (CAM 3.4.1.14)."""
        if node is None:
            return CompletionThreshold()
        if node.text.strip() and node.get("completedByMeasure") is None:
            least = self._value("float", node.text.strip(), node, "completionThreshold")
            return (
                CompletionThreshold()
                if least is None
                else CompletionThreshold(completed_by_measure=True, min_progress_measure=least)
            )
        return self._fill(CompletionThreshold, node)


def _each(node: Node | None, name: str, family: str = "imsss") -> Iterator[Node]:
    return iter(()) if node is None else node.all(name, family)


def _adl_maps(parts: dict[str, Node]) -> dict[str | None, list[Node]]:
    """Return the maps of adlseq:objectives by the objective they belong to (CAM 5.2.2)."""
    found: dict[str | None, list[Node]] = {}
    for node in _each(parts.get("adl_objectives"), "objective", "adlseq"):
        maps = found.setdefault(_objective_id(node.get("objectiveID")), [])
        maps.extend(node.all("mapInfo", "adlseq"))
    return found


def _objective_id(written: str | None) -> str | None:
    """Return an objective's id: ``%20`` decoded, then white space collapsed, as ADL's suite expects."""
    return None if written is None else collapse(unquote(written)) or None


def _within(number: Decimal | None, least: float, most: float) -> Decimal:
    """Return the number, unless it is outside of what the standard allows or not a number at all.

    Raises:
        ValueError: it is.
    """
    if number is None or not least <= number <= most:
        raise ValueError(number)
    return number


def _known(value: bool | None) -> bool:
    """Return the value.

    Raises:
        ValueError: there is none.
    """
    if value is None:
        raise ValueError(value)
    return value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
