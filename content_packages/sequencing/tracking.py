"""The Tracking Model (TM.1) and the Activity State Model (AM.1) over a plain, versioned JSON value.

``State`` is what the caller keeps between steps. ``Tracking`` is one step's working copy of it: it reads from
the state it was given and copies an activity's record only when it changes it, so a step on a large tree
touches the few activities it moves through, and the state it came from stays as it was.

A value that is absent is unknown: ``satisfied`` present means Objective Progress Status is True, and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict, cast

from content_packages.sequencing.known import Known, Tally
from content_packages.sequencing.objectives import TrackedObjective
from content_packages.sequencing.tree import Activity, ActivityTree, Decision, Family

VERSION = 1


class ObjectiveRecord(TypedDict, total=False):
    """Objective Progress Information (TM.1.1); a global objective has the same fields."""

    satisfied: bool
    measure: float
    raw: float
    min: float
    max: float
    completed: bool
    progress: float


class ActivityRecord(TypedDict, total=False):
    """Activity and Attempt Progress Information (TM.1.2) and Activity State Information (AM.1.1).

    ``era`` is the attempt on the parent during which this was recorded; ``left_open`` names what the
    content itself set to unknown; ``children`` are the available children where they are not all, and ``former``
    those of the attempt that has ended, where others are drawn for the next.
    """

    attempts: int
    active: bool
    suspended: bool
    era: int
    left_open: list[str]
    completed: bool
    progress: float
    objectives: dict[str, ObjectiveRecord]
    children: list[str]
    former: list[str]


class State(TypedDict):
    """Everything the engine remembers of one learner in one course (AM.1.2 and the records).

    ``pending`` is what the current content has reported and no request has made count yet: an abandoned
    attempt leaves no trace.
    """

    version: int
    current: str | None
    suspended: str | None
    seed: int
    draws: int
    pending: dict[str, Any] | None
    activities: dict[str, ActivityRecord]
    globals: dict[str, ObjectiveRecord]


NO_RECORD: ActivityRecord = {}
NO_OBJECTIVE: ObjectiveRecord = {}
NO_OBJECTIVES: dict[str, ObjectiveRecord] = {}


def new_state(*, seed: int = 0, global_objectives: Mapping[str, ObjectiveRecord] | None = None) -> State:
    """Return the state of a learner who has not begun.

    Args:
        seed: from which every selection and new order of children is drawn.
        global_objectives: what this learner's other courses left in shared global objectives.
    """
    return State(
        version=VERSION,
        current=None,
        suspended=None,
        seed=seed,
        draws=0,
        pending=None,
        activities={},
        globals=dict(global_objectives or {}),
    )


class Tracking:
    """One step's working copy of a state; see the module."""

    __slots__ = (
        "_activities",
        "_children",
        "_copied",
        "_families",
        "_globals",
        "changed_globals",
        "current",
        "decisions",
        "draws",
        "passed",
        "pending",
        "rolling_up",
        "seed",
        "settled",
        "settled_from",
        "suspended",
        "tree",
    )

    def __init__(self, tree: ActivityTree, state: State) -> None:
        if state["version"] != VERSION:
            raise ValueError(f"sequencing state of version {state['version']} is not understood")
        self.tree = tree
        self.current = tree.find(state["current"])
        self.suspended = tree.find(state["suspended"])
        self.seed = state["seed"]
        self.draws = state["draws"]
        self.pending = state["pending"]
        self.rolling_up = False
        self.decisions: list[Decision] = []
        self._activities = dict(state["activities"])
        self._globals = dict(state["globals"])
        #: Global objectives written since rollup last took them.
        self.changed_globals: set[str] = set()
        self._copied: set[str] = set()
        self._children: dict[str, tuple[Activity, ...]] = {}
        self._families: dict[str, Family] = {}
        #: Places of children that a walk has skipped since anything was recorded, by cluster and way (``traversal``).
        self.passed: dict[tuple[int, int], range] = {}
        #: Clusters, by their order, whose rollup would change nothing if it were done again, and what it counted.
        self.settled: dict[int, Tally | None] = {}
        #: From where rollup last went up to the root, if nothing has changed since: all above it is settled.
        self.settled_from: Activity | None = None

    def state(self) -> State:
        """Return the working copy as a state of its own."""
        return State(
            version=VERSION,
            current=self.current.identifier if self.current else None,
            suspended=self.suspended.identifier if self.suspended else None,
            seed=self.seed,
            draws=self.draws,
            pending=self.pending,
            activities=self._activities,
            globals=self._globals,
        )

    def note(self, process: str, activity: Activity, decided: str) -> None:
        """Remember what decided, for the launch log."""
        self.decisions.append(Decision(process, activity.identifier, decided))

    # ------------------------------------------------------------ activity state and attempts

    def attempts(self, activity: Activity) -> int:
        """Return the Activity Attempt Count; above zero, Activity Progress Status is True."""
        return self.record(activity).get("attempts", 0)

    def is_active(self, activity: Activity) -> bool:
        """Return Activity is Active."""
        return self.record(activity).get("active", False)

    def is_suspended(self, activity: Activity) -> bool:
        """Return Activity is Suspended."""
        return self.record(activity).get("suspended", False)

    def any_suspended(self, activities: Iterable[Activity]) -> bool:
        """Say whether one of these is suspended."""
        get = self._activities.get
        for activity in activities:
            record = get(activity.identifier)
            if record is not None and "suspended" in record and record["suspended"]:
                return True
        return False

    def set_active(self, activity: Activity, *, active: bool) -> None:
        """Set Activity is Active."""
        self._set_flag(activity, "active", on=active)

    def set_suspended(self, activity: Activity, *, suspended: bool) -> None:
        """Set Activity is Suspended."""
        self._set_flag(activity, "suspended", on=suspended)

    def begin_attempt(self, activity: Activity) -> None:
        """Count a new attempt and forget the progress of the one before (DB.2, 5.1.2)."""
        before = self.record(activity)
        record: ActivityRecord = {"attempts": before.get("attempts", 0) + 1}
        if "children" in before:
            record["children"] = before["children"]
        self._replace(activity, record)
        self._unsettle(activity)  # what children have recorded may be of an earlier attempt now

    # ------------------------------------------------------------ available children

    def available_children(self, activity: Activity) -> tuple[Activity, ...]:
        """Return the children selected for this attempt, in their order (AM.1.1)."""
        record = self._activities.get(activity.identifier)
        if record is None or "children" not in record:
            return activity.children
        if activity.identifier not in self._children:
            self._children[activity.identifier] = tuple(map(self.tree.__getitem__, record["children"]))
        return self._children[activity.identifier]

    def is_available(self, activity: Activity) -> bool:
        """Say whether an activity is among the available children of its parent; the root always is."""
        parent = activity.parent
        if parent is None:
            return True
        children = self.available_children(parent)
        return children is parent.children or activity in children

    def family(self, activity: Activity) -> Family:
        """Return the available children with what the package says of them together."""
        children = self.available_children(activity)
        if activity.family is not None and children is activity.children:
            return activity.family
        family = self._families.get(activity.identifier)
        if family is None or family.children is not children:
            family = self._families[activity.identifier] = Family.of(children)
        return family

    def set_available_children(self, activity: Activity, children: list[Activity]) -> None:
        """Set which children take part, and in which order."""
        self._edit(activity)["children"] = [child.identifier for child in children]
        self._children.pop(activity.identifier, None)
        self._unsettle(activity)

    def keep_former_children(self, activity: Activity, children: Iterable[Activity]) -> None:
        """Keep which children took part in the attempt that has ended."""
        self._edit(activity)["former"] = [child.identifier for child in children]

    # ------------------------------------------------------------ objective progress

    def objective(self, activity: Activity, identifier: str | None) -> TrackedObjective | None:
        """Return the objective a rule refers to; without an identifier, the primary one."""
        return activity.primary if identifier is None else activity.objectives.get(identifier)

    def known(self, activity: Activity, objective: TrackedObjective) -> Known:
        """Return what rules may ask; of an activity that is not tracked nothing is known, whatever it reads."""
        is_tracked = activity.is_tracked
        return Known(
            activity.terms,
            self.satisfied(activity, objective) if is_tracked else None,
            self.completed(activity, objective) if is_tracked else None,
            self.measure(activity, objective) if is_tracked else None,
            self.attempts(activity),
            self.is_suspended(activity),
        )

    def satisfied(self, activity: Activity, objective: TrackedObjective) -> bool | None:
        """Return the Objective Satisfied Status, or ``None`` while it is unknown (SN 4.2.1.2).

        An objective satisfied by measure knows nothing but its measure, and nothing while the activity is
        active unless the package says so (adlseq:measureSatisfactionIfActive).
        """
        if not objective.definition.satisfied_by_measure:
            return cast("bool | None", self.value(activity, objective, "satisfied"))
        if (
            self.is_active(activity)
            and not activity.definition.rollup_considerations.measure_satisfaction_if_active
        ):
            return None
        measure = self.value(activity, objective, "measure")
        return None if measure is None else measure >= objective.definition.min_normalized_measure

    def measure(self, activity: Activity, objective: TrackedObjective) -> float | None:
        """Return the Objective Normalized Measure, or ``None`` while it is unknown."""
        return self.value(activity, objective, "measure")

    def completed(self, activity: Activity, objective: TrackedObjective) -> bool | None:
        """Return the completion of the attempt, or of an objective that is not the primary one."""
        if objective.is_primary and activity.definition.completion_threshold.completed_by_measure:
            progress = self.value(activity, objective, "progress")
            threshold = activity.definition.completion_threshold.min_progress_measure
            return None if progress is None else progress >= threshold
        return cast("bool | None", self.value(activity, objective, "completed"))

    def progress(self, activity: Activity, objective: TrackedObjective) -> float | None:
        """Return the Attempt Completion Amount, or ``None`` while it is unknown."""
        return self.value(activity, objective, "progress")

    def is_left_open(self, activity: Activity, name: str) -> bool:
        """Say whether the content itself set ``completed`` or ``satisfied`` to unknown."""
        return name in self.record(activity).get("left_open", ())

    def leave_open(self, activity: Activity, names: list[str]) -> None:
        """Remember what the content set to unknown."""
        if names or "left_open" in self.record(activity):
            self._edit(activity)["left_open"] = names

    def value(self, activity: Activity, objective: TrackedObjective, name: str) -> float | None:
        """Return one field of an objective: that of the global objective it reads, if or its own."""
        if name in objective.reads:
            shared = self._globals.get(objective.reads[name], NO_OBJECTIVE).get(name)
            if shared is not None or name in {"satisfied", "measure"}:
                return cast("float | None", shared)
        return self.own_value(activity, objective, name)

    def set_value(
        self, activity: Activity, objective: TrackedObjective, name: str, value: float | None
    ) -> None:
        """Record one field of an objective here and in the global objectives it writes."""
        record, writes = self.record(activity), name in objective.writes
        of_attempt = objective.is_primary and name in {"completed", "progress"}
        era = None if activity.parent is None else self.attempts(activity.parent)
        if record and not writes and record.get("era") == era:  # rollup finds most clusters as they are
            said: Mapping[str, Any] = cast("Mapping[str, Any]", record)
            if not of_attempt:
                said = record.get("objectives", NO_OBJECTIVES).get(objective.key, NO_OBJECTIVE)
            if said.get(name) == value:
                return
        record = self._edit(activity)
        if era is not None:
            record["era"] = era
        self._unsettle(activity)
        held: ActivityRecord | ObjectiveRecord = record
        if not of_attempt:
            objectives = {**record.get("objectives", NO_OBJECTIVES)}
            held = objectives[objective.key] = {**objectives.get(objective.key, NO_OBJECTIVE)}
            record["objectives"] = objectives
        _put(held, name, value)
        if writes and value is not None:
            self._write_through(objective, name, value)

    def set_rolled_up(
        self,
        cluster: Activity,
        measure: float | None,
        progress: float | None,
        satisfied: bool | None,
        completed: bool | None,
    ) -> None:
        """Record what the children of a cluster amount to, where no shared objective is told of it.

        It comes to what ``set_value`` would do with one after the other; of a status that is ``None`` nothing is said.
        """
        record, key = self.record(cluster), cluster.primary.key
        held = record.get("objectives", NO_OBJECTIVES).get(key, NO_OBJECTIVE)
        era = None if cluster.parent is None else self.attempts(cluster.parent)
        is_old = not record or record.get("era") != era
        if satisfied is None:
            satisfied = held.get("satisfied")
        if completed is None:
            completed = record.get("completed")
        differs = is_old or held.get("measure") != measure or held.get("satisfied") != satisfied
        if not (differs or record.get("progress") != progress or record.get("completed") != completed):
            return
        record = self._edit(cluster)
        self._unsettle(cluster)
        if era is not None:
            record["era"] = era
        _put(record, "progress", progress)
        _put(record, "completed", completed)
        if differs:
            told: ObjectiveRecord = {**held}
            _put(told, "measure", measure)
            _put(told, "satisfied", satisfied)
            record["objectives"] = {**record.get("objectives", NO_OBJECTIVES), key: told}

    def clear_value(self, activity: Activity, objective: TrackedObjective, name: str) -> None:
        """Make one field unknown here and in the global objectives it writes."""
        self.set_value(activity, objective, name, None)
        for target in objective.writes.get(name, ()):
            shared = {**self._globals.get(target, NO_OBJECTIVE)}
            if shared.pop(name, None) is not None:
                self._globals[target] = cast("ObjectiveRecord", shared)
                self._tell_readers(target)

    @property
    def shared_objectives(self) -> Mapping[str, ObjectiveRecord]:
        """What all global objectives hold; not to be changed."""
        return self._globals

    def shared(self, target: str) -> ObjectiveRecord:
        """Return what a global objective holds; not to be changed."""
        return self._globals.get(target, NO_OBJECTIVE)

    def forget_globals(self) -> None:
        """Forget every global objective."""
        self._globals = {}
        self.settled_from = None
        self.settled.clear()
        self.passed.clear()

    def take_changed_globals(self) -> set[str]:
        """Return the global objectives written since this was last asked."""
        changed, self.changed_globals = self.changed_globals, set()
        return changed

    def _write_through(self, objective: TrackedObjective, name: str, value: float) -> None:
        for target in objective.writes.get(name, ()):
            if self._globals.get(target, NO_OBJECTIVE).get(name) == value:
                continue
            self._globals[target] = cast(
                "ObjectiveRecord", {**self._globals.get(target, NO_OBJECTIVE), name: value}
            )
            self._tell_readers(target)

    def _tell_readers(self, target: str) -> None:
        """Note that a shared objective has changed; one that nobody in this tree reads changes nothing here."""
        concerned = self.tree.concerned.get(target)
        if concerned is not None:
            self.settled_from = None
            for order in concerned.clusters:
                self.settled.pop(order, None)
            self.passed.clear()
            self.changed_globals.add(target)

    def own_value(self, activity: Activity, objective: TrackedObjective, name: str) -> float | None:
        """Return one field as recorded here."""
        record = self.record(activity)
        if not record:
            return None
        if objective.is_primary and name in {"completed", "progress"}:
            held: Mapping[str, Any] = cast("Mapping[str, Any]", record)
        else:
            held = record.get("objectives", {}).get(objective.key, NO_OBJECTIVE)
        if self.rolling_up and self.is_of_an_earlier_attempt(activity, name):
            return None
        return cast("float | None", held.get(name))

    def is_of_an_earlier_attempt(self, activity: Activity, name: str) -> bool:
        """Say whether the parent wants its current attempt only, and this is older (SN 3.2.5, 3.2.6)."""
        parent = activity.parent
        if parent is None:
            return False
        control = parent.definition.control
        of_progress = name in {"completed", "progress"}
        if of_progress and not control.use_current_attempt_progress_info:
            return False
        if not of_progress and not control.use_current_attempt_objective_info:
            return False
        return self.record(activity).get("era", 0) != self.attempts(parent)

    # ------------------------------------------------------------ what rollup would find as it is

    def is_settled_from(self, activity: Activity) -> bool:
        """Say whether to roll up from the activity to the root would change nothing."""
        return self.settled_from is not None and activity.contains(self.settled_from)

    # ------------------------------------------------------------ records

    @property
    def records(self) -> Mapping[str, ActivityRecord]:
        """What is recorded of the activities, by identifier; not to be changed."""
        return self._activities

    def record(self, activity: Activity) -> ActivityRecord:
        """Return what is recorded of an activity; not to be changed."""
        return self._activities.get(activity.identifier, NO_RECORD)

    def _edit(self, activity: Activity) -> ActivityRecord:
        if activity.identifier not in self._copied:
            self._replace(activity, cast("ActivityRecord", {**self.record(activity)}))
        elif self.passed:
            self.passed.clear()
        return self._activities[activity.identifier]

    def _replace(self, activity: Activity, record: ActivityRecord) -> None:
        if self.passed:
            self.passed.clear()
        self._activities[activity.identifier] = record
        self._copied.add(activity.identifier)

    def _set_flag(self, activity: Activity, name: str, *, on: bool) -> None:
        if bool(self.record(activity).get(name, False)) != on:
            record = cast("dict[str, Any]", self._edit(activity))
            if activity.flags_count:
                self._unsettle(activity)
            if on:
                record[name] = True
            else:
                record.pop(name)

    def _unsettle(self, activity: Activity) -> None:
        """What is recorded of the activity has changed: it, and what rolls it up, may amount to something else."""
        self.settled_from = None
        self.settled.pop(activity.order, None)
        if activity.parent is not None:
            self.settled.pop(activity.parent.order, None)


def _put(record: ActivityRecord | ObjectiveRecord, name: str, value: float | None) -> None:
    """Set a field, or make it unknown."""
    fields = cast("dict[str, Any]", record)
    if value is None:
        fields.pop(name, None)
    else:
        fields[name] = value
