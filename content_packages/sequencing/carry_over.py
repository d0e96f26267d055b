"""What a learner has done in one edition of a course, in the tree of another.

No standard has a word on it. An activity is the same where its identifier is, and where it is a leaf in both
or a cluster in both; the root is always the same. What has no place in the other tree is put aside, whole, and
comes back with a tree that has one: nothing a learner did is lost by going over, or by going back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from content_packages.sequencing.rollup import overall_rollup
from content_packages.sequencing.tracking import ActivityRecord, State, Tracking
from content_packages.sequencing.tree import Activity, ActivityTree

_ROLLED_UP = ("completed", "progress", "objectives", "left_open")  # of a cluster: made from what is below


@dataclass(frozen=True, kw_only=True, slots=True)
class Aside:
    """Records of activities that the edition at hand does not have, by identifier."""

    leaves: Mapping[str, ActivityRecord] = field(default_factory=dict)
    clusters: Mapping[str, ActivityRecord] = field(default_factory=dict)


def corresponding(old: ActivityTree, new: ActivityTree, activity: Activity) -> Activity | None:
    """Return what an activity of the new tree was in the old one."""
    if activity is new.root:
        return old.root if old.root.is_leaf == new.root.is_leaf else None
    was = old.find(activity.identifier)
    return was if was is not None and was is not old.root and was.is_leaf == activity.is_leaf else None


def carry_over(old: ActivityTree, new: ActivityTree, state: State, aside: Aside) -> tuple[State, Aside]:
    """Return where the learner stands in *new*; nothing of hers may be open, suspended is well.

    What is suspended in a lesson that is gone goes on where she had stopped before she left this edition; else with
    the next lesson that was not begun; where all were, the last of them is resumed, because a new attempt would
    forget the one before.

    Args:
        old: the tree *state* is of.
        new: the tree she goes over to.
        state: where she stands.
        aside: what former moves have put aside.
    """
    leaves, clusters = {**aside.leaves}, {**aside.clusters}
    for activity in old.activities:
        if activity.identifier in state["activities"]:
            records = leaves if activity.is_leaf else clusters
            records[activity.identifier] = state["activities"][activity.identifier]
    placed: dict[str, ActivityRecord] = {}
    for activity in new.activities:
        was = corresponding(old, new, activity)
        name = activity.identifier if was is None else was.identifier
        if was is None and name == old.root.identifier:
            continue
        record = (leaves if activity.is_leaf else clusters).pop(name, None)
        if record is not None:
            placed[activity.identifier] = _begun_here(was, activity, record)
    _count_attempts(new, placed)
    _keep_eras(old, state, placed, new)
    carried = State(
        version=state["version"],
        current=None,
        suspended=None,
        seed=state["seed"],
        draws=state["draws"],
        pending=None,
        activities=placed,
        globals=state["globals"],
    )
    _suspend(carried, _to_resume(old, new, state, placed, come_back=aside.leaves))
    tracking = Tracking(new, carried)
    for activity in sorted(new.activities, key=lambda at: -at.depth):
        if activity.children and all(child.is_leaf for child in activity.children):
            overall_rollup(tracking, activity)
    return tracking.state(), Aside(leaves=leaves, clusters=clusters)


def _begun_here(was: Activity | None, activity: Activity, record: ActivityRecord) -> ActivityRecord:
    """Return a record as it begins in the new tree; a cluster's outcome is rolled up anew."""
    kept = cast("dict[str, Any]", {**record})
    kept.pop("active", None)
    if activity.is_leaf:
        return cast("ActivityRecord", kept)
    kept.pop("suspended", None)
    for name in _ROLLED_UP:
        kept.pop(name, None)
    for drawn in ("children", "former"):
        if drawn in kept and was is not None:
            names = {child.identifier for child in activity.children}
            known = {child.identifier for child in was.children}
            chosen = [name for name in kept[drawn] if name in names]
            kept[drawn] = chosen + [c.identifier for c in activity.children if c.identifier not in known]
    return cast("ActivityRecord", kept)


def _count_attempts(new: ActivityTree, placed: dict[str, ActivityRecord]) -> None:
    """Count an attempt on every cluster around what was attempted; resuming must not begin one."""
    for activity in new.activities:
        if placed.get(activity.identifier, {}).get("attempts", 0) > 0:
            for around in activity.up():
                record = placed.setdefault(around.identifier, {})
                record["attempts"] = max(record.get("attempts", 0), 1)


def _keep_eras(old: ActivityTree, state: State, placed: dict[str, ActivityRecord], new: ActivityTree) -> None:
    """Let what belonged to the parent's present attempt belong to that of the new parent."""
    for activity in new.activities:
        record = placed.get(activity.identifier)
        if record is None or activity.parent is None:
            continue
        was = old.find(activity.identifier)
        counted = placed.get(activity.parent.identifier, {}).get("attempts", 0)
        is_present = True
        if was is not None and was.parent is not None:
            former = state["activities"].get(was.parent.identifier, {}).get("attempts", 0)
            is_present = record.get("era", 0) == former
        record["era"] = counted if is_present else counted - 1


def _to_resume(
    old: ActivityTree,
    new: ActivityTree,
    state: State,
    placed: Mapping[str, ActivityRecord],
    *,
    come_back: Collection[str],
) -> Activity | None:
    """Return the leaf to go on with."""
    suspended = old.find(state["suspended"])
    if suspended is None:
        return None
    same = new.find(suspended.identifier)
    if same is not None and same.is_leaf:
        return same
    leaves = [activity for activity in new.activities if activity.is_leaf]
    for leaf in leaves:
        if leaf.identifier in come_back and placed.get(leaf.identifier, {}).get("suspended"):
            return leaf
    names = {leaf.identifier: leaf for leaf in leaves}
    fresh = [leaf for leaf in leaves if not placed.get(leaf.identifier, {}).get("attempts", 0)]
    behind = (
        names[at.identifier]
        for at in old.activities[suspended.order + 1 :]
        if at.is_leaf and at.identifier in names
    )
    return next((leaf for leaf in behind if leaf in fresh), fresh[0] if fresh else leaves[-1])


def _suspend(state: State, leaf: Activity | None) -> None:
    if leaf is None:
        return
    state["suspended"] = leaf.identifier
    for around in leaf.up():
        record = state["activities"].setdefault(around.identifier, {})
        if around.is_leaf and not record.get("attempts", 0):
            continue  # nothing of it is to be resumed: it begins
        record["attempts"] = max(record.get("attempts", 0), 1)
        record["suspended"] = True
