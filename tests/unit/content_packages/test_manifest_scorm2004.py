"""SCORM 2004 manifests: editions, what adlcp and adlnav add, and sequencing field by field."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from content_packages.package import Package, SharedDataMap
from content_packages.rules import Severity
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
from tests.package_builders import ITEM, a_manifest_2004, a_package, codes, imported


def package_of(folder: Path, manifest: str) -> tuple[Package, list[str]]:
    report = imported(folder, a_package(manifest))
    assert report.package is not None, report.findings
    return report.package, codes(report)


def sequencing_of(folder: Path, inside: str, *, after: str = "") -> tuple[SequencingDefinition, list[str]]:
    item = f'<item identifier="one" identifierref="page"><title>One</title>{inside}</item>'
    package, found = package_of(folder, a_manifest_2004(item, after=after))
    definition = package.root.children[0].sequencing
    assert definition is not None
    return definition, found


@pytest.mark.parametrize(
    ("written", "edition"),
    [
        ("CAM 1.3", "2004 2nd Edition"),
        ("2004 3rd Edition", "2004 3rd Edition"),
        ("2004 4th Edition", "2004 4th Edition"),
        ("2004 4TH EDITION", "2004 4th Edition"),
    ],
)
def test_the_edition_is_the_schema_version(tmp_path: Path, written: str, edition: str) -> None:
    package, found = package_of(tmp_path, a_manifest_2004(edition=written))

    assert (package.standard, package.edition) == ("scorm2004", edition)
    assert found == []


@pytest.mark.parametrize(
    ("inside", "edition"),
    [
        ("", "2004 3rd Edition"),
        ("<adlcp:data><adlcp:map targetID='store'/></adlcp:data>", "2004 4th Edition"),
        ("<adlcp:completionThreshold completedByMeasure='true'/>", "2004 4th Edition"),
    ],
)
def test_an_unknown_version_is_guessed_by_what_is_used(tmp_path: Path, inside: str, edition: str) -> None:
    item = f'<item identifier="one" identifierref="page"><title>One</title>{inside}</item>'

    package, found = package_of(tmp_path, a_manifest_2004(item, edition="2030"))

    assert package.edition == edition
    assert found == ["package.edition_guessed"]


def test_an_item_says_everything_adlcp_and_adlnav_know(tmp_path: Path) -> None:
    item = (
        '<item identifier="one" identifierref="page"><title>One</title>'
        "<adlcp:timeLimitAction>continue,no message</adlcp:timeLimitAction>"
        "<adlcp:dataFromLMS>start=3</adlcp:dataFromLMS>"
        '<adlcp:data><adlcp:map targetID="notes" readSharedData="false"/><adlcp:map targetID="log"/></adlcp:data>'
        "<adlnav:presentation><adlnav:navigationInterface><adlnav:hideLMSUI>continue</adlnav:hideLMSUI>"
        "<adlnav:hideLMSUI>exitAll</adlnav:hideLMSUI></adlnav:navigationInterface></adlnav:presentation></item>"
    )

    package, found = package_of(tmp_path, a_manifest_2004(item))

    activity = package.root.children[0]
    assert activity.time_limit_action == "continue,no message"
    assert activity.data_from_lms == "start=3"
    assert activity.hide_lms_ui == ("continue", "exitAll")
    assert activity.shared_data == (
        SharedDataMap(target_id="notes", read_shared_data=False),
        SharedDataMap(target_id="log"),
    )
    assert found == []


def test_an_organization_may_keep_its_objectives_to_one_attempt(tmp_path: Path) -> None:
    manifest = a_manifest_2004().replace(
        '<organization identifier="o">',
        '<organization identifier="o" adlseq:objectivesGlobalToSystem="false" '
        'adlcp:sharedDataGlobalToSystem="false">',
    )

    package, _ = package_of(tmp_path, manifest)

    assert not package.objectives_global_to_system
    assert not package.shared_data_global_to_system


def test_a_page_of_an_item_with_sub_items_breaks_the_standard(tmp_path: Path) -> None:
    items = f'<item identifier="both" identifierref="page"><title>Both</title>{ITEM}</item>'

    report = imported(tmp_path, a_package(a_manifest_2004(items)))

    assert codes(report) == ["item.cluster_resource"]
    assert report.findings[0].severity is Severity.WARNING
    assert report.findings[0].facts == {"name": "Both", "count": 1}


def test_an_item_that_says_nothing_gets_the_defaults(tmp_path: Path) -> None:
    definition, found = sequencing_of(tmp_path, "")

    assert definition == SequencingDefinition()
    assert found == []


def test_every_part_of_sequencing_is_read(tmp_path: Path) -> None:
    definition, found = sequencing_of(
        tmp_path,
        """
        <adlcp:completionThreshold completedByMeasure="true" minProgressMeasure="0.75" progressWeight="0.5"/>
        <imsss:sequencing>
          <imsss:controlMode choice="false" choiceExit="0" flow="true" forwardOnly="1"
            useCurrentAttemptObjectiveInfo="false" useCurrentAttemptProgressInfo="false"/>
          <imsss:sequencingRules>
            <imsss:preConditionRule>
              <imsss:ruleConditions conditionCombination="any">
                <imsss:ruleCondition condition="objectiveMeasureLessThan" operator="not"
                  referencedObjective="second" measureThreshold="-0.25"/>
                <imsss:ruleCondition condition="always"/>
              </imsss:ruleConditions>
              <imsss:ruleAction action="hiddenFromChoice"/>
            </imsss:preConditionRule>
            <imsss:exitConditionRule>
              <imsss:ruleConditions><imsss:ruleCondition condition="completed"/></imsss:ruleConditions>
              <imsss:ruleAction action="exit"/>
            </imsss:exitConditionRule>
            <imsss:postConditionRule>
              <imsss:ruleConditions><imsss:ruleCondition condition="satisfied"/></imsss:ruleConditions>
              <imsss:ruleAction action="exitAll"/>
            </imsss:postConditionRule>
          </imsss:sequencingRules>
          <imsss:limitConditions attemptLimit="2" attemptAbsoluteDurationLimit="PT1H"/>
          <imsss:rollupRules rollupObjectiveSatisfied="false" rollupProgressCompletion="false"
            objectiveMeasureWeight="0.5">
            <imsss:rollupRule childActivitySet="atLeastCount" minimumCount="2">
              <imsss:rollupConditions conditionCombination="all">
                <imsss:rollupCondition condition="attempted" operator="not"/>
              </imsss:rollupConditions>
              <imsss:rollupAction action="incomplete"/>
            </imsss:rollupRule>
          </imsss:rollupRules>
          <imsss:objectives>
            <imsss:primaryObjective objectiveID="first" satisfiedByMeasure="true">
              <imsss:minNormalizedMeasure>0.6</imsss:minNormalizedMeasure>
              <imsss:mapInfo targetObjectiveID="global" readSatisfiedStatus="false"
                readNormalizedMeasure="false" writeSatisfiedStatus="true" writeNormalizedMeasure="true"/>
            </imsss:primaryObjective>
            <imsss:objective objectiveID="second"/>
          </imsss:objectives>
          <imsss:randomizationControls randomizationTiming="once" reorderChildren="true"
            selectionTiming="onEachNewAttempt" selectCount="3"/>
          <imsss:deliveryControls tracked="false" completionSetByContent="true" objectiveSetByContent="true"/>
          <adlseq:constrainedChoiceConsiderations preventActivation="true" constrainChoice="true"/>
          <adlseq:rollupConsiderations requiredForSatisfied="ifAttempted" requiredForNotSatisfied="ifNotSkipped"
            requiredForCompleted="ifNotSuspended" requiredForIncomplete="always"
            measureSatisfactionIfActive="false"/>
          <adlseq:objectives>
            <adlseq:objective objectiveID="first">
              <adlseq:mapInfo targetObjectiveID="global" readRawScore="false" writeProgressMeasure="true"/>
            </adlseq:objective>
          </adlseq:objectives>
        </imsss:sequencing>
        """,
    )

    assert definition == SequencingDefinition(
        control=ControlModes(
            choice=False,
            choice_exit=False,
            flow=True,
            forward_only=True,
            use_current_attempt_objective_info=False,
            use_current_attempt_progress_info=False,
        ),
        constrain_choice=ConstrainChoice(prevent_activation=True, constrain_choice=True),
        pre_condition_rules=(
            SequencingRule(
                action=RuleAction.HIDDEN_FROM_CHOICE,
                condition_combination=Combination.ANY,
                conditions=(
                    RuleCondition(
                        condition=Condition.OBJECTIVE_MEASURE_LESS_THAN,
                        operator=Operator.NOT,
                        referenced_objective="second",
                        measure_threshold=-0.25,
                    ),
                    RuleCondition(condition=Condition.ALWAYS),
                ),
            ),
        ),
        exit_condition_rules=(
            SequencingRule(
                action=RuleAction.EXIT, conditions=(RuleCondition(condition=Condition.COMPLETED),)
            ),
        ),
        post_condition_rules=(
            SequencingRule(
                action=RuleAction.EXIT_ALL, conditions=(RuleCondition(condition=Condition.SATISFIED),)
            ),
        ),
        limits=LimitConditions(attempt_limit=2, attempt_absolute_duration_limit="PT1H"),
        rollup=RollupControls(
            rollup_objective_satisfied=False, rollup_progress_completion=False, objective_measure_weight=0.5
        ),
        rollup_rules=(
            RollupRule(
                action=RollupAction.INCOMPLETE,
                conditions=(RollupCondition(condition=Condition.ATTEMPTED, operator=Operator.NOT),),
                condition_combination=Combination.ALL,
                child_activity_set=ChildActivitySet.AT_LEAST_COUNT,
                minimum_count=2,
            ),
        ),
        rollup_considerations=RollupConsiderations(
            required_for_satisfied=RequiredFor.IF_ATTEMPTED,
            required_for_not_satisfied=RequiredFor.IF_NOT_SKIPPED,
            required_for_completed=RequiredFor.IF_NOT_SUSPENDED,
            measure_satisfaction_if_active=False,
        ),
        primary_objective=Objective(
            objective_id="first",
            satisfied_by_measure=True,
            min_normalized_measure=0.6,
            maps=(
                ObjectiveMap(
                    target_objective_id="global",
                    read_satisfied_status=False,
                    read_normalized_measure=False,
                    write_satisfied_status=True,
                    write_normalized_measure=True,
                ),
            ),
            adl_maps=(
                AdlObjectiveMap(
                    target_objective_id="global", read_raw_score=False, write_progress_measure=True
                ),
            ),
        ),
        objectives=(Objective(objective_id="second"),),
        selection=Selection(timing=Timing.ON_EACH_NEW_ATTEMPT, count=3),
        randomization=Randomization(timing=Timing.ONCE, reorder_children=True),
        delivery=DeliveryControls(
            tracked=False, completion_set_by_content=True, objective_set_by_content=True
        ),
        completion_threshold=CompletionThreshold(
            completed_by_measure=True, min_progress_measure=0.75, progress_weight=0.5
        ),
    )
    assert found == []


COLLECTION = (
    '<imsss:sequencingCollection><imsss:sequencing ID="shared">'
    '<imsss:controlMode flow="true"/><imsss:limitConditions attemptLimit="1"/>'
    "</imsss:sequencing></imsss:sequencingCollection>"
)


def test_the_collection_is_taken_over_and_what_the_item_writes_wins(tmp_path: Path) -> None:
    definition, found = sequencing_of(
        tmp_path,
        '<imsss:sequencing IDRef="shared"><imsss:limitConditions attemptLimit="5"/></imsss:sequencing>',
        after=COLLECTION,
    )

    assert definition.control.flow
    assert definition.limits.attempt_limit == 5
    assert found == []


def test_a_reference_into_the_collection_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    _, found = sequencing_of(tmp_path, '<imsss:sequencing IDRef="lost"/>', after=COLLECTION)

    assert found == ["sequencing.dangling"]


def test_the_organization_has_sequencing_too(tmp_path: Path) -> None:
    package, _ = package_of(
        tmp_path,
        a_manifest_2004(
            ITEM, organization='<imsss:sequencing><imsss:controlMode flow="true"/></imsss:sequencing>'
        ),
    )

    assert package.root.sequencing is not None
    assert package.root.sequencing.control.flow


@pytest.mark.parametrize(
    ("inside", "field"),
    [
        ('<imsss:controlMode flow="maybe"/>', "flow"),
        ('<imsss:limitConditions attemptLimit="often"/>', "attemptLimit"),
        ('<imsss:limitConditions attemptLimit="-1"/>', "attemptLimit"),
        (f'<imsss:limitConditions attemptLimit="{"9" * 40}"/>', "attemptLimit"),
        (f'<imsss:limitConditions attemptLimit="{"9" * 40_000}"/>', "attemptLimit"),
        ('<imsss:limitConditions attemptLimit="1_0"/>', "attemptLimit"),
        ('<imsss:limitConditions attemptLimit="٣"/>', "attemptLimit"),
        ('<imsss:rollupRules objectiveMeasureWeight="1_0e-1"/>', "objectiveMeasureWeight"),
        ('<imsss:rollupRules objectiveMeasureWeight="٠٫٥"/>', "objectiveMeasureWeight"),
        ('<imsss:rollupRules objectiveMeasureWeight="NaN"/>', "objectiveMeasureWeight"),
        ('<imsss:rollupRules objectiveMeasureWeight="2"/>', "objectiveMeasureWeight"),
        ('<imsss:rollupRules objectiveMeasureWeight="-0.5"/>', "objectiveMeasureWeight"),
        ('<imsss:randomizationControls selectionTiming="daily"/>', "selectionTiming"),
        (
            '<imsss:limitConditions attemptAbsoluteDurationLimit="30 minutes"/>',
            "attemptAbsoluteDurationLimit",
        ),
        ('<imsss:limitConditions attemptAbsoluteDurationLimit="P1DT"/>', "attemptAbsoluteDurationLimit"),
        ('<adlseq:rollupConsiderations requiredForSatisfied="never"/>', "requiredForSatisfied"),
    ],
)
def test_a_value_outside_the_standard_means_the_default(tmp_path: Path, inside: str, field: str) -> None:
    item = f"<imsss:sequencing>{inside}</imsss:sequencing>"
    report = imported(
        tmp_path,
        a_package(
            a_manifest_2004(f'<item identifier="one" identifierref="page"><title>One</title>{item}</item>')
        ),
    )

    assert report.package is not None
    assert report.package.root.children[0].sequencing == SequencingDefinition()
    assert codes(report) == ["sequencing.bad_value"]
    assert report.findings[0].facts["field"] == field


def test_the_completion_threshold_of_earlier_editions_is_a_number_in_the_element(tmp_path: Path) -> None:
    definition, _ = sequencing_of(tmp_path, "<adlcp:completionThreshold>0.9</adlcp:completionThreshold>")

    assert definition.completion_threshold == CompletionThreshold(
        completed_by_measure=True, min_progress_measure=0.9
    )


def test_a_sequencing_rule_without_an_action_is_left_out(tmp_path: Path) -> None:
    definition, found = sequencing_of(
        tmp_path,
        "<imsss:sequencing><imsss:sequencingRules><imsss:preConditionRule><imsss:ruleConditions>"
        '<imsss:ruleCondition condition="satisfied"/></imsss:ruleConditions>'
        '<imsss:ruleAction action="dance"/></imsss:preConditionRule></imsss:sequencingRules></imsss:sequencing>',
    )

    assert definition.pre_condition_rules == ()
    assert found == ["sequencing.bad_value", "sequencing.rule_left_out"]


@pytest.mark.parametrize(
    "rule",
    [
        (
            '<imsss:sequencingRules><imsss:preConditionRule><imsss:ruleConditions conditionCombination="any">'
            '<imsss:ruleCondition condition="satisfied"/><imsss:ruleCondition condition="bored"/>'
            '</imsss:ruleConditions><imsss:ruleAction action="skip"/></imsss:preConditionRule></imsss:sequencingRules>'
        ),
        (
            "<imsss:rollupRules><imsss:rollupRule><imsss:rollupConditions>"
            '<imsss:rollupCondition condition="bored"/></imsss:rollupConditions>'
            '<imsss:rollupAction action="completed"/></imsss:rollupRule></imsss:rollupRules>'
        ),
    ],
)
def test_a_rule_with_a_condition_nobody_knows_is_left_out(tmp_path: Path, rule: str) -> None:
    definition, found = sequencing_of(tmp_path, f"<imsss:sequencing>{rule}</imsss:sequencing>")

    assert definition == SequencingDefinition()
    assert found == ["sequencing.bad_value", "sequencing.rule_left_out"]


@pytest.mark.parametrize(
    ("attributes", "inside", "field", "line"),
    [
        ('isvisible="no"', "", "isvisible", 2),
        ("", '\n<adlcp:data><adlcp:map targetID="a" readSharedData="no"/></adlcp:data>', "readSharedData", 3),
        ("", "\n\n<adlcp:timeLimitAction>leave</adlcp:timeLimitAction>", "timeLimitAction", 4),
    ],
)
def test_a_value_of_an_item_that_nobody_knows_is_told_with_its_line(
    tmp_path: Path, attributes: str, inside: str, field: str, line: int
) -> None:
    item = f'<item identifier="one" identifierref="page" {attributes}><title>One</title>{inside}</item>'

    report = imported(tmp_path, a_package(a_manifest_2004(item)))

    assert [(one.code, one.facts["field"], one.line) for one in report.findings] == [
        ("item.bad_value", field, line)
    ]


def test_limits_that_scorm_does_not_know_are_told(tmp_path: Path) -> None:
    limits = '<imsss:limitConditions attemptExperiencedDurationLimit="PT1H" endTimeLimit="2020-01-01"/>'

    definition, found = sequencing_of(tmp_path, f"<imsss:sequencing>{limits}</imsss:sequencing>")

    assert definition == SequencingDefinition()
    assert found == ["sequencing.limit_ignored"] * 2


OBJECTIVES = "<imsss:objectives>{}</imsss:objectives>"


@pytest.mark.parametrize(
    ("inside", "code", "facts"),
    [
        ("<imsss:controlMod/>", "sequencing.unknown_element", {"name": "One", "element": "controlMod"}),
        (
            (
                "<imsss:sequencingRules><imsss:preConditionRule><imsss:ruleConditions>"
                '<imsss:ruleCondition condition="attempted" referencedObjective="lost"/></imsss:ruleConditions>'
                '<imsss:ruleAction action="skip"/></imsss:preConditionRule></imsss:sequencingRules>'
            ),
            "sequencing.objective_missing",
            {"name": "One", "reference": "lost"},
        ),
        (
            OBJECTIVES.format('<imsss:primaryObjective objectiveID="a"/><imsss:objective objectiveID="a"/>'),
            "sequencing.objective_twice",
            {"name": "One", "reference": "a"},
        ),
        (
            OBJECTIVES.format(
                '<imsss:primaryObjective objectiveID="a"><imsss:mapInfo/></imsss:primaryObjective>'
            ),
            "sequencing.map_without_target",
            {"name": "One"},
        ),
    ],
)
def test_sequencing_that_cannot_do_what_was_meant_is_told(
    tmp_path: Path, inside: str, code: str, facts: dict[str, str]
) -> None:
    item = f"{ITEM.removesuffix('</item>')}<imsss:sequencing>\n{inside}</imsss:sequencing></item>"

    report = imported(tmp_path, a_package(a_manifest_2004(item)))

    assert [(one.code, one.facts, one.line) for one in report.findings] == [(code, facts, 3)]


def test_maps_without_a_target_share_nothing(tmp_path: Path) -> None:
    objective = '<imsss:primaryObjective objectiveID="a"><imsss:mapInfo/></imsss:primaryObjective>'
    sequencing = f"<imsss:sequencing>{OBJECTIVES.format(objective)}</imsss:sequencing>"
    inside = f"<adlcp:data><adlcp:map/></adlcp:data>\n{sequencing}"

    package, found = package_of(tmp_path, a_manifest_2004(f"{ITEM.removesuffix('</item>')}{inside}</item>"))

    (one,) = package.root.children
    assert (one.shared_data, one.sequencing and one.sequencing.primary_objective.maps) == ((), ())
    assert found == ["sequencing.map_without_target"] * 2


def test_a_course_that_allows_no_attempt_is_refused_for_that(tmp_path: Path) -> None:
    limits = '<imsss:sequencing><imsss:limitConditions attemptLimit="0"/></imsss:sequencing>'

    report = imported(tmp_path, a_package(a_manifest_2004(organization=limits)))

    assert [one.code for one in report.findings] == ["sequencing.no_attempts"]


def test_a_control_nobody_knows_is_not_hidden(tmp_path: Path) -> None:
    item = (
        '<item identifier="one" identifierref="page"><title>One</title><adlnav:presentation>'
        "<adlnav:navigationInterface><adlnav:hideLMSUI> suspendAll </adlnav:hideLMSUI>"
        "<adlnav:hideLMSUI>everything</adlnav:hideLMSUI></adlnav:navigationInterface></adlnav:presentation></item>"
    )

    package, found = package_of(tmp_path, a_manifest_2004(item))

    assert package.root.children[0].hide_lms_ui == ("suspendAll",)
    assert found == ["item.bad_value"]


@pytest.mark.parametrize(
    ("written", "kept"), [("false", False), ("0", False), (" false ", False), ("1", True)]
)
def test_a_boolean_is_read_as_xml_schema_writes_it(tmp_path: Path, *, written: str, kept: bool) -> None:
    manifest = a_manifest_2004().replace(
        '<organization identifier="o">',
        f'<organization identifier="o" adlseq:objectivesGlobalToSystem="{written}" '
        f'adlcp:sharedDataGlobalToSystem="{written}">',
    )

    package, _ = package_of(tmp_path, manifest)

    assert (package.objectives_global_to_system, package.shared_data_global_to_system) == (kept, kept)


def test_every_field_of_both_kinds_of_maps_is_read(tmp_path: Path) -> None:
    """Each attribute is written as the opposite of its default (CAM 5.1.10, 5.2.2)."""

    def attributes(shape: type[ObjectiveMap | AdlObjectiveMap]) -> tuple[str, dict[str, bool]]:
        given = {f.name: not f.default for f in fields(shape) if f.name != "target_objective_id"}
        return " ".join(f'{camel(name)}="{str(value).lower()}"' for name, value in given.items()), given

    written, values = attributes(ObjectiveMap)
    adl_written, adl_values = attributes(AdlObjectiveMap)

    definition, found = sequencing_of(
        tmp_path,
        '<imsss:sequencing><imsss:objectives><imsss:primaryObjective/><imsss:objective objectiveID="second">'
        f'<imsss:mapInfo targetObjectiveID="g1" {written}/><imsss:mapInfo targetObjectiveID="g2"/>'
        '</imsss:objective></imsss:objectives><adlseq:objectives><adlseq:objective objectiveID="second">'
        f'<adlseq:mapInfo targetObjectiveID="g1" {adl_written}/><adlseq:mapInfo targetObjectiveID="g3"/>'
        "</adlseq:objective></adlseq:objectives></imsss:sequencing>",
    )

    assert definition.primary_objective == Objective()
    assert definition.objectives == (
        Objective(
            objective_id="second",
            maps=(ObjectiveMap(target_objective_id="g1", **values), ObjectiveMap(target_objective_id="g2")),
            adl_maps=(
                AdlObjectiveMap(target_objective_id="g1", **adl_values),
                AdlObjectiveMap(target_objective_id="g3"),
            ),
        ),
    )
    assert found == []


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def test_a_manifest_inside_brings_its_own_collection(tmp_path: Path) -> None:
    inner = (
        '<manifest identifier="inner"><organizations><organization identifier="io"><title>Inner</title>'
        '<item identifier="i1" identifierref="page"><title>One</title><imsss:sequencing IDRef="shared"/></item>'
        f"</organization></organizations><resources/>{COLLECTION}</manifest>"
    )
    item = '<item identifier="part" identifierref="inner"><title>Part</title></item>'

    package, found = package_of(tmp_path, a_manifest_2004(ITEM + item, after=inner))

    (one,) = package.root.children[1].children
    assert one.sequencing is not None
    assert one.sequencing.control.flow
    assert found == ["manifest.submanifest"]


@pytest.mark.parametrize("edition", ["CAM 1.3", "2004 2nd Edition", "2004 3rd Edition", "2004 4th Edition"])
def test_every_edition_reads_the_same_elements(tmp_path: Path, edition: str) -> None:
    item = (
        '<item identifier="one" identifierref="page" parameters="?a=1"><title>One</title>'
        "<adlcp:timeLimitAction>exit,message</adlcp:timeLimitAction><adlcp:dataFromLMS>d</adlcp:dataFromLMS>"
        "<adlcp:completionThreshold>0.5</adlcp:completionThreshold><imsss:sequencing>"
        '<imsss:deliveryControls tracked="false"/></imsss:sequencing><adlnav:presentation>'
        "<adlnav:navigationInterface><adlnav:hideLMSUI>previous</adlnav:hideLMSUI></adlnav:navigationInterface>"
        "</adlnav:presentation></item>"
    )

    package, found = package_of(tmp_path, a_manifest_2004(item, edition=edition))

    one = package.root.children[0]
    assert one.launch is not None
    assert one.sequencing is not None
    assert (one.launch.query, one.time_limit_action, one.data_from_lms) == ("a=1", "exit,message", "d")
    assert (one.completion_threshold, one.hide_lms_ui) == (0.5, ("previous",))
    assert not one.sequencing.delivery.tracked
    assert found == []


def a_pre_condition(inside: str) -> str:
    rule = f"<imsss:preConditionRule>{inside}</imsss:preConditionRule>"
    return f"<imsss:sequencing><imsss:sequencingRules>{rule}</imsss:sequencingRules></imsss:sequencing>"


def conditions(inside: str) -> str:
    return f"<imsss:ruleConditions>{inside}</imsss:ruleConditions>"


ALWAYS = conditions("<imsss:ruleCondition condition='always'/>")
SKIP = "<imsss:ruleAction action='skip'/>"


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        (ALWAYS + SKIP, []),
        (
            conditions("<imsss:ruleCondition condition='sometimes'/>") + SKIP,
            ["sequencing.bad_value", "sequencing.rule_left_out"],
        ),
        (conditions("") + SKIP, ["sequencing.rule_left_out"]),
        (SKIP, ["sequencing.rule_left_out"]),
        (ALWAYS, ["sequencing.rule_left_out"]),
        (
            ALWAYS + "<imsss:ruleAction action='exitAll'/>",
            ["sequencing.bad_value", "sequencing.rule_left_out"],
        ),
    ],
)
def test_a_rule_that_lacks_a_part_is_left_out_and_told(tmp_path: Path, inside: str, told: list[str]) -> None:
    definition, found = sequencing_of(tmp_path, a_pre_condition(inside))

    assert found == told
    assert len(definition.pre_condition_rules) == (not told)


SHUT = "<imsss:sequencing><imsss:controlMode choice='false' flow='false'/></imsss:sequencing>"
LATER = (
    "<imsss:sequencing><imsss:sequencingRules><imsss:preConditionRule>"
    "<imsss:ruleConditions><imsss:ruleCondition condition='objectiveStatusKnown' operator='not'/>"
    "</imsss:ruleConditions>"
    "<imsss:ruleAction action='disabled'/></imsss:preConditionRule></imsss:sequencingRules></imsss:sequencing>"
)
TWO = ITEM + ITEM.replace('identifier="one"', 'identifier="two"')
WITHIN = f'<item identifier="part"><title>Part</title>{TWO}</item>'


@pytest.mark.parametrize(
    ("items", "said", "told"),
    [
        (TWO, SHUT, ["sequencing.no_way_in"]),
        (WITHIN, SHUT, []),  # a lesson of an open chapter can be chosen (SB.2.9)
        (WITHIN.replace("<title>Part</title>", f"<title>Part</title>{SHUT}"), SHUT, ["sequencing.no_way_in"]),
        (ITEM, SHUT, []),  # the only lesson is started (CM-11)
        (TWO, SHUT.replace("choice='false'", "choice='true'"), []),
        (TWO, SHUT.replace("flow='false'", "flow='true'"), []),
        (TWO, LATER, ["sequencing.closed_at_first"]),
    ],
)
def test_a_course_that_nobody_could_open_is_told(
    tmp_path: Path, items: str, said: str, told: list[str]
) -> None:
    report = imported(tmp_path, a_package(a_manifest_2004(items, organization=said)))

    assert codes(report) == told
    assert report.refused == ("sequencing.no_way_in" in told)
