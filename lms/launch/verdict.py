"""What a course amounts to for people: completed, passed or failed, with what score.

Sequencing takes an attempt for satisfied where a unit ends without a word on it (SN UP.4). That opens ways
through the course; it is no verdict on an officer, and is not told as one. Only what a unit has judged is. Nor is a
unit called completed that speaks, and never has: its script may have failed, or she went by before it began.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain
from math import fsum

from content_packages.cmi.runtime import AttemptResult
from content_packages.sequencing.randomization import as_attempted
from content_packages.sequencing.rollup import overall_rollup
from content_packages.sequencing.tracking import Tracking
from content_packages.sequencing.tree import Activity, ActivityTree
from lms.launch.course import Opened, Standing

VERDICTS = frozenset({"passed", "failed"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the course amounts to so far; ``None`` where nothing is known."""

    completed: bool | None
    satisfied: bool | None
    score: float | None

    @property
    def is_final(self) -> bool:
        """Whether the learner has nothing more to do: passed, or completed where nothing judges."""
        return bool(self.satisfied or (self.completed and self.satisfied is None))


NOT_BEGUN = Verdict(completed=None, satisfied=None, score=None)


def says_verdict(result: AttemptResult) -> bool:
    """Say whether a unit judges its learner, as a whole or by an objective."""
    return result.success in VERDICTS or any(
        objective.get("success_status") in VERDICTS for objective in result.objectives
    )


def judged(opened: Opened, standing: Standing) -> frozenset[str]:
    """Return the units that have judged the learner, the clusters around them, and those that their measure judges."""
    tracking = Tracking(opened.tree, standing.state)
    by_units = {
        around.identifier
        for unit in opened.tree.activities
        if unit.identifier in standing.judged
        for around in unit.up()
    }
    by_measure = {one.identifier for one in opened.tree.clusters if _is_judged_by_measure(tracking, one)}
    return frozenset(by_units | by_measure)


def verdict_on(opened: Opened, standing: Standing) -> Verdict:
    """Return what the course amounts to."""
    tracking = heard_of(opened, standing)
    return (
        _of_units(tracking, opened.tree) if opened.is_scorm12 else _rolled_up(tracking, opened.tree, standing)
    )


def heard_of(opened: Opened, standing: Standing) -> Tracking:
    """Return what is known of the course but for units that never spoke, which UP.4 takes for completed and satisfied.

    Nobody may be told so. What is made of them is rolled up anew; where each has spoken, this is what sequencing knows,
    of the children that took part: others may have been drawn already for the next attempt.
    """
    tracking = Tracking(opened.tree, as_attempted(opened.tree, standing.state))
    assumed = [
        unit
        for unit in map(opened.tree.find, sorted(standing.silent))
        if unit is not None and tracking.own_value(unit, unit.primary, "completed")
    ]
    for unit in assumed:
        for around in unit.up():
            tracking.set_value(around, around.primary, "completed", None)
            tracking.set_value(around, around.primary, "satisfied", None)
        tracking.set_value(unit, unit.primary, "completed", False)
    for unit in assumed:
        overall_rollup(tracking, unit)
    return tracking


def only_assumed(opened: Opened, standing: Standing) -> frozenset[str]:
    """Return what sequencing takes for completed or passed without a word: units that never spoke, and clusters."""
    if not standing.silent:  # as a rule: each commit asks
        return frozenset()
    known, heard = Tracking(opened.tree, standing.state), heard_of(opened, standing)
    return frozenset(
        around.identifier
        for unit in map(opened.tree.find, standing.silent)
        if unit is not None
        for around in unit.up()
        if (known.completed(around, around.primary) and not heard.completed(around, around.primary))
        or (known.satisfied(around, around.primary) and not heard.satisfied(around, around.primary))
    )


def _is_judged_by_measure(tracking: Tracking, cluster: Activity) -> bool:
    """Say whether the measure of a cluster judges it (SN RB.1.2 a), and no part is open that could still raise it."""
    return (
        cluster.primary.definition.satisfied_by_measure
        and tracking.measure(cluster, cluster.primary) is not None
        and bool(tracking.satisfied(cluster, cluster.primary) or tracking.completed(cluster, cluster.primary))
    )


def _of_units(tracking: Tracking, tree: ActivityTree) -> Verdict:
    """SCORM 1.2 knows no rollup: complete with all units, passed with all that judge, scored by their mean."""
    units = _known_leaves(tracking, tree)
    completed = [tracking.completed(unit, unit.primary) for unit in units]
    satisfied = [tracking.satisfied(unit, unit.primary) for unit in units]
    scores = [score for unit in units if (score := tracking.measure(unit, unit.primary)) is not None]
    done = len(units) == _leaf_count(tree) and all(completed)
    return Verdict(
        completed=done if any(one is not None for one in completed) else None,
        satisfied=(False not in satisfied) if done and any(one is not None for one in satisfied) else None,
        score=fsum(scores) / len(scores) if scores else None,
    )


def _rolled_up(tracking: Tracking, tree: ActivityTree, standing: Standing) -> Verdict:
    root = tree.root
    completed = tracking.completed(root, root.primary)
    satisfied = tracking.satisfied(root, root.primary)
    unsaid = not _is_judged_by_measure(tracking, root) and (
        not standing.judged
        or (satisfied is True and _was_left_open(tracking, tree, standing.judged))
        or (satisfied is False and standing.open and not completed and _leaf_count(tree) > 1)
    )
    return Verdict(
        completed=completed,
        satisfied=None if unsaid else satisfied,
        score=tracking.measure(root, root.primary),
    )


def _was_left_open(tracking: Tracking, tree: ActivityTree, said: Collection[str]) -> bool:
    """Say whether a unit the course's success is made of was begun, not finished, and never judged."""
    return any(
        tracking.completed(unit, unit.primary) is False
        for unit in _known_leaves(tracking, tree)
        if unit.identifier not in said and _counts(unit) and all(map(tracking.is_available, unit.up()))
    )


def _counts(unit: Activity) -> bool:
    return unit.is_tracked and all(
        around.definition.rollup.rollup_objective_satisfied for around in unit.up() if around.parent
    )


def _known_leaves(tracking: Tracking, tree: ActivityTree) -> list[Activity]:
    """Return the units of which something may be known: it was recorded, or a shared objective answers for them.

    Every commit asks, and of most units of a large course there is nothing to be known.
    """
    recorded = (tree.find(identifier) for identifier in tracking.records)
    found = dict.fromkeys(chain(recorded, *tree.readers.values()))
    return [activity for activity in found if activity is not None and activity.is_leaf]


def _leaf_count(tree: ActivityTree) -> int:
    return len(tree.activities) - len(tree.clusters)
