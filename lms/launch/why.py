"""Why a course, and each of its units, is not complete: the rule that decides, what the package sent, what is missing.

Pure: facts in, an explanation as data out. ``why_wording`` puts it into words, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from content_packages.cmi.data_model import beyond_spm, most_characters
from content_packages.cmi.tables import Standard
from content_packages.package import Activity, Viewer
from content_packages.sequencing.closed import Closed, Ways
from content_packages.sequencing.definition import ChildActivitySet
from content_packages.sequencing.reasons import Measured, Question, Reason, Ruled, reason
from content_packages.sequencing.tree import Activity as Node
from lms.launch.course import Opened, Standing
from lms.launch.unit import STATUS_12, UnitState
from lms.launch.verdict import VERDICTS, Verdict, heard_of, judged, verdict_on

State = Literal["passed", "failed", "waived", "completed", "in progress", "not started"]
Earned = Literal["passed", "completed"]


class Share(float):
    """A fact that is a share of a whole."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence by its name in ``why_wording.SENTENCES``, and what stands in it."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One unit, one cluster, or the course as a whole, which comes first.

    Attributes:
        rules: what decides, each with the place in its standard where that stands.
        sent: what the package sent, by the element or verb that carried it.
        made: what was set in place of that as the lesson ended.
        beyond: what of it is longer than its standard makes an LMS keep.
        refused: what it wanted to store and could not.
        missing: nothing where it is as it should be.
        is_needed: whether the course, and each cluster on the way to it, waits for what is missing.
    """

    identifier: str
    title: str
    depth: int
    state: State
    rules: tuple[tuple[Fact, str], ...]
    sent: tuple[tuple[str, str], ...] = ()
    made: tuple[Fact, ...] = ()
    beyond: tuple[Fact, ...] = ()
    refused: tuple[Fact, ...] = ()
    missing: tuple[Fact, ...] = ()
    is_unit: bool = True
    is_needed: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Why:
    """The explanation of a course.

    Attributes:
        reached: what its present attempt amounts to.
        stands: what it came to before, where the present attempt has not come as far: records keep to that.
    """

    reached: Verdict
    lines: tuple[Line, ...]
    stands: Earned | None = None

    @property
    def course(self) -> Line:
        """The course as a whole."""
        return self.lines[0]

    @property
    def open_lines(self) -> list[Line]:
        """The lines in which something is missing that is needed, units before what is made of them."""
        found = (one for one in self.lines if one.missing and one.is_needed)
        return sorted(found, key=lambda one: not one.is_unit)


def state_of(*, completed: bool | None, satisfied: bool | None, begun: bool) -> State:
    """Return the word for how something stands; a verdict says more than completion."""
    if satisfied is not None:
        return "passed" if satisfied else "failed"
    return "completed" if completed else "in progress" if begun else "not started"


def explain(
    opened: Opened,
    standing: Standing,
    units: Mapping[str, UnitState],
    *,
    running: Collection[str] = (),
    former: Mapping[str, Earned] | None = None,
) -> Why:
    """Explain a course of SCORM or of single files.

    In *standing* everything counts that was reported (``moving.at_rest``); *units* is what each unit has stored, by
    identifier, and *running* are those whose session has begun and has not ended. *former* is what units came to in
    attempts before their present one.
    """
    explained = _Explained(opened, standing, units, running, former or {})
    return Why(reached=explained.reached, lines=tuple(explained.lines()))


class _Explained:
    def __init__(
        self,
        opened: Opened,
        standing: Standing,
        units: Mapping[str, UnitState],
        running: Collection[str],
        former: Mapping[str, Earned],
    ) -> None:
        self._opened, self._units, self._running, self._former = opened, units, running, former
        # People are told what was heard of units; ways are open or closed by what sequencing takes for granted.
        self._sequenced, self._tracking = standing.state, heard_of(opened, standing)
        self._standing = replace(standing, state=self._tracking.state())
        self.reached = verdict_on(opened, standing)
        self._judged = judged(opened, standing)
        self._titles = {node.identifier: node.title for node in opened.tree.activities}
        self._ways: Ways | None = None
        self._known: dict[str, tuple[Reason, Reason]] = {}
        self._needs: dict[str, frozenset[str]] = {}

    def lines(self) -> Iterator[Line]:
        for node in self._opened.tree.activities:
            activity = self._opened.activities[node.identifier]
            if node.is_leaf:
                yield self._unit_12(node, activity) if self._opened.is_scorm12 else self._unit(node, activity)
            else:
                yield self._cluster_12(node) if self._opened.is_scorm12 else self._cluster(node)

    # ---------------------------------------------------------------- SCORM 2004, and single files

    def _unit(self, node: Node, activity: Activity) -> Line:
        completion, success = self._reasons(node)
        kept = self._units.get(node.identifier)
        values = kept.values if kept else {}
        rules = [(_rule_of_completion(completion, activity), completion.process)]
        is_judged = node.identifier in self._judged
        if isinstance(success.by, Measured) or is_judged or success.shared:
            rules += _rules_of_success(success)
        missing: list[Fact] = []
        if not all(map(self._tracking.is_available, node.up())):
            return self._line(node, rules, [Fact("not-drawn")], sent=_sent(values, _ELEMENTS_2004), kept=kept)
        if not self._tracking.attempts(node):
            missing += self._closed(node) or [Fact("not-opened")]
        else:
            if completion.answer is not True:
                missing.append(_unfinished(completion, activity, values.get("cmi.completion_status", "")))
            if success.answer is not True:
                missing += self._not_passed(node, success)
            if missing:
                missing += self._left(node, values.get("cmi.entry", ""))
                if node.identifier in self._former:
                    missing.append(Fact(f"before-{self._former[node.identifier]}"))
                missing += self._shut(node)
        if missing and not node.visible and not any(one.code.startswith("closed-") for one in missing):
            missing.append(Fact("not-listed"))
        return self._line(
            node, rules, missing or self._to_do_again(node), sent=_sent(values, _ELEMENTS_2004), kept=kept
        )

    def _cluster(self, node: Node) -> Line:
        completion, success = self._reasons(node)
        rules = list(_rules_of_cluster(completion))
        missing = list(self._parts_missing(completion))
        if isinstance(success.by, Measured) or node.identifier in self._judged:
            rules += _rules_of_cluster(success)
            missing += self._parts_missing(success)
        return self._line(node, rules, missing or self._of_before(node))

    def _of_before(self, node: Node) -> list[Fact]:
        """Say that what was done counts no more, where what is around it counts its current attempt only."""
        around, primary = node.parent, node.primary
        if around is None:
            return []
        for name in ("completed", "satisfied"):
            is_open = getattr(self._tracking, name)(around, around.primary) is not True
            known = self._tracking.value(node, primary, name)
            if is_open and known is not None and self._tracking.is_of_an_earlier_attempt(node, name):
                return [Fact("earlier-attempt", {"around": around.title})]
        return []

    def _to_do_again(self, lesson: Node) -> list[Fact]:
        """Say that a lesson was done and counts no more, and what keeps her from doing it again."""
        before = self._of_before(lesson)
        return [*before, *_with_end(self._closed(lesson))] if before else []

    def _closed(self, node: Node) -> list[Fact]:
        """Say what keeps her out of a lesson, and what opens it."""
        self._ways = self._ways or Ways(self._opened.tree, self._sequenced)
        closed = self._ways.closed(node)
        return [] if closed is None else list(what_closes(closed, node))

    def _shut(self, node: Node) -> list[Fact]:
        """Say what will not let her finish a lesson that she has begun, and what lets her."""
        closed = self._closed(node)
        if not closed or closed[0].code not in _SHUT:
            return []
        return _with_end(closed)

    def _parts_missing(self, why: Reason) -> Iterator[Fact]:
        if why.answer is True:
            return
        if isinstance(why.by, Measured):
            yield _below(why.question, why.by)
            return
        for ruled in why.by or ():
            yield from self._to_meet(ruled, why.question)
        if not why.by:
            yield Fact(f"no-rule-{why.question}")

    def _to_meet(self, ruled: Ruled, question: Question) -> Iterator[Fact]:
        asked = [one for one in ruled.asked if one.takes_part]
        kind = ruled.rule.child_activity_set
        if kind is ChildActivitySet.NONE:
            titles = [self._titles[one.activity] for one in asked if one.meets is not False]
        else:
            titles = [self._titles[one.activity] for one in asked if one.meets is not True]
        meeting = sum(one.meets is True for one in asked)
        if kind in {ChildActivitySet.AT_LEAST_COUNT, ChildActivitySet.AT_LEAST_PERCENT}:
            yield Fact("parts-so-far", {"met": meeting, "all": len(asked)})
        if titles:
            code = "parts" if question == "completed" else "parts-to-pass"
            yield Fact("parts-against" if kind is ChildActivitySet.NONE else code, {"titles": titles})

    def _done_without(self, node: Node) -> Node | None:
        """Return the innermost cluster around a node that does not wait for it, or for what it is a part of."""
        if self._opened.is_scorm12:
            return None
        for one in node.up():
            if one.parent is not None and one.identifier not in self._needed_in(one.parent):
                return one.parent
        return None

    def _needed_in(self, cluster: Node) -> frozenset[str]:
        """Return the children of a cluster for which it still waits."""
        if cluster.identifier not in self._needs:
            completion, success = self._reasons(cluster)
            asks = [completion]
            if isinstance(success.by, Measured) or cluster.identifier in self._judged:
                asks.append(success)
            found = {child for why in asks if why.answer is not True for child in _needed(why, cluster)}
            self._needs[cluster.identifier] = frozenset(found)
        return self._needs[cluster.identifier]

    def _not_passed(self, node: Node, success: Reason) -> Iterator[Fact]:
        if isinstance(success.by, Measured):
            yield _below(success.question, success.by)
        elif success.answer is False and success.shared:
            yield Fact("shared-failed", {"objective": success.shared})
        elif success.answer is False and node.identifier in self._judged:
            yield Fact("says-failed")

    def _reasons(self, node: Node) -> tuple[Reason, Reason]:
        """Return why a node is completed or not, and satisfied or not: of a cluster its parts ask as well."""
        known = self._known.get(node.identifier)
        if known is None:
            tree, state = self._opened.tree, self._standing.state
            known = self._known[node.identifier] = (
                reason(tree, state, node.identifier, "completed"),
                reason(tree, state, node.identifier, "satisfied"),
            )
        return known

    # ---------------------------------------------------------------- SCORM 1.2

    def _unit_12(self, node: Node, activity: Activity) -> Line:
        kept = self._units.get(node.identifier)
        values = kept.values if kept else {}
        mastery, raw = activity.mastery_score, values.get("cmi.core.score.raw", "")
        status = values.get(STATUS_12, "")
        sent = _sent_by_unit(kept) if kept else {}
        rules = [(Fact("asset" if activity.kind == "asset" else "status-12"), "RTE 3.4.4")]
        if mastery:
            rules.append((Fact("mastery-12", {"least": mastery}), "RTE 3.4.4"))
        missing: list[Fact] = []
        if kept is None:
            missing.append(Fact("not-opened"))
        elif status == "failed":
            below = mastery and raw
            missing.append(
                Fact("below-12", {"score": raw, "least": mastery}) if below else Fact("says-failed")
            )
        elif (
            status not in {"completed", "passed"} and self._tracking.completed(node, node.primary) is not True
        ):
            missing.append(_silent_or_unfinished(sent.get(STATUS_12, "")))
        if kept is not None and missing:
            missing += self._left(node, values.get("cmi.core.entry", ""))
        return self._line(node, rules, missing, sent=_sent(sent, _ELEMENTS_12), kept=kept)

    def _cluster_12(self, node: Node) -> Line:
        units = [one for one in self._opened.tree.activities if one.is_leaf and node.contains(one)]
        rules = [(Fact("parts-12" if node.parent else "course-12"), "RTE 3.4.4")]
        tracking = self._tracking
        open_ones = [one.title for one in units if tracking.completed(one, one.primary) is not True]
        failed = [one.title for one in units if tracking.satisfied(one, one.primary) is False]
        missing = [Fact("parts", {"titles": open_ones})] if open_ones else []
        if failed:
            missing.append(Fact("parts-failed", {"titles": failed}))
        return self._line(node, rules, missing)

    # ---------------------------------------------------------------- of all

    def _left(self, node: Node, entry: str) -> list[Fact]:
        """Say how the last session was left, where that tells what to do."""
        if node.identifier in self._running:
            return [Fact("left-open")]
        return [Fact("suspended")] if entry == "resume" else []

    def _line(
        self,
        node: Node,
        rules: Sequence[tuple[Fact, str]],
        missing: Sequence[Fact],
        *,
        sent: tuple[tuple[str, str], ...] = (),
        kept: UnitState | None = None,
    ) -> Line:
        tracking, primary = self._tracking, node.primary
        satisfied = tracking.satisfied(node, primary) if node.identifier in self._judged else None
        completed = tracking.completed(node, primary)
        if node.parent is None:
            satisfied, completed = self.reached.satisfied, self.reached.completed
        begun = self._tracking.attempts(node) > 0
        standard = Standard(self._opened.package.data_model)
        around = self._done_without(node) if missing else None
        is_asked = around is None and not self.reached.is_final
        says_so = bool(missing) and missing[0].code == "not-drawn"
        if around is not None and not says_so:
            missing = [Fact("not-needed", {"around": around.title}), *missing]
        elif missing and not is_asked and not says_so:
            missing = [self._no_longer_asked(), *(_told_as_open(one) for one in missing)]
        return Line(
            identifier=node.identifier,
            title=node.title,
            depth=node.depth,
            state=state_of(completed=completed, satisfied=satisfied, begun=begun),
            rules=tuple(rules),
            sent=sent,
            made=tuple(_made(kept)) if kept else (),
            beyond=tuple(_beyond(standard, kept.values)) if kept else (),
            refused=tuple(_refused(standard, kept.refused)) if kept else (),
            missing=tuple(missing),
            is_unit=node.is_leaf,
            is_needed=is_asked,
        )

    def _no_longer_asked(self) -> Fact:
        """Say that the course waits for nothing more, though it may be passed without being complete."""
        return Fact("not-asked-passed" if self.reached.satisfied else "not-asked-completed")


_ELEMENTS_12 = (STATUS_12, "cmi.core.score.raw", "cmi.core.score.min", "cmi.core.score.max")
_ELEMENTS_2004 = (
    "cmi.completion_status",
    "cmi.success_status",
    "cmi.progress_measure",
    "cmi.score.scaled",
    "cmi.score.raw",
)
_MOST_BEYOND = 3
# Of a page of ours that shows a file; what people do with it.
_SEEN: Mapping[Viewer, str] = {"pdf": "pages", "video": "watched", "audio": "heard", "epub": "read"}


def _sent(values: Mapping[str, str], elements: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((element, values[element]) for element in elements if values.get(element))


def _set_at_end(kept: UnitState) -> Iterator[tuple[str, str | None]]:
    """Yield each element that was set as a session ended, with what the unit had sent, unless it has sent it since."""
    for element, one in kept.made.items():
        if kept.values.get(element) == one["set"]:
            yield element, one["sent"]


def _sent_by_unit(kept: UnitState) -> dict[str, str]:
    """Return the values of a unit as it has sent them."""
    return {**kept.values, **{element: sent or "" for element, sent in _set_at_end(kept)}}


def _made(kept: UnitState) -> Iterator[Fact]:
    """Yield what was set for a unit as it ended: a mastery score judges, or it had sent no status."""
    for element, _ in _set_at_end(kept):
        value = kept.values[element]
        code = "made-by-mastery" if value in VERDICTS else "made-at-end"
        yield Fact(code, {"element": element, "value": value})


def _beyond(standard: Standard, values: Mapping[str, str]) -> Iterator[Fact]:
    found = beyond_spm(standard, values)
    for one in found[:_MOST_BEYOND]:
        yield Fact("beyond-spm", {"element": one.element, "length": one.length, "spm": one.spm})
    if len(found) > _MOST_BEYOND:
        yield Fact("beyond-spm-more", {"count": len(found) - _MOST_BEYOND})


def _refused(standard: Standard, refused: Mapping[str, Mapping[str, Any]]) -> Iterator[Fact]:
    for element, one in refused.items():
        most = most_characters(standard, element)
        if most is not None and one["length"] > most:
            yield Fact("refused-long", {"element": element, "length": one["length"], "most": most})
        else:
            yield Fact("refused-value", {"element": element, "value": one["value"], "code": one["code"]})


def _rule_of_completion(why: Reason, activity: Activity) -> Fact:
    if isinstance(why.by, Measured):
        seen = _SEEN[activity.viewer] if activity.viewer else "progress"
        return Fact(f"rule-{seen}", {"least": Share(why.by.least)})
    if why.shared:
        return Fact("shared-completes" if why.answer else "shared-completes-not", {"objective": why.shared})
    if activity.kind == "asset":
        return Fact("asset")
    return Fact("status-or-silence" if why.silence_counts else "status-only")


def _rules_of_success(why: Reason) -> Iterator[tuple[Fact, str]]:
    if isinstance(why.by, Measured):
        yield Fact("rule-score", {"least": Share(why.by.least)}), why.process
        if why.shared:
            facts = {"objective": why.shared, "score": Share(why.by.reached or 0.0)}
            yield Fact("shared-score", facts), "SN 3.10"
    elif why.shared:
        yield Fact("shared-passes" if why.answer else "shared-fails", {"objective": why.shared}), why.process
    else:
        yield Fact("judges"), why.process


_SHUT = frozenset({"closed-disabled", "closed-disabled-around", "closed-attempts", "closed-attempts-around"})


def _with_end(closed: list[Fact]) -> list[Fact]:
    """Add to what closes a lesson that it is closed for good, where no attempt is left."""
    is_used_up = bool(closed) and closed[0].code.startswith("closed-attempts")
    return [*closed, Fact("attempts-used")] if is_used_up else closed


def what_closes(closed: Closed, lesson: Node) -> Iterator[Fact]:
    """Yield what keeps a learner out of a lesson, and what opens it."""
    facts: dict[str, Any] = {}
    around = ""
    if closed.at is not lesson:
        facts["at"], around = closed.at.title, "-around" * (closed.by != "order")
    if closed.rule is not None:
        facts["combination"] = closed.rule.condition_combination.value
        facts["asked"] = [
            (one.condition.value, one.operator.value, Share(one.measure_threshold), objective)
            for one, objective in zip(closed.rule.conditions, closed.objectives, strict=True)
        ]
    if closed.by == "attempts":
        facts["count"] = closed.attempts
    yield Fact(f"closed-{closed.by}{around}", facts)
    if closed.writers:
        yield Fact("opened-by", {"titles": [one.title for one in closed.writers]})
    for objective in closed.shared:
        yield Fact("opened-elsewhere", {"objective": objective})


def _rules_of_cluster(why: Reason) -> Iterator[tuple[Fact, str]]:
    if isinstance(why.by, Measured):
        code = "cluster-progress" if why.question == "completed" else "cluster-score"
        yield Fact(code, {"least": Share(why.by.least)}), why.process
        return
    for ruled in why.by or ():
        rule = ruled.rule
        facts = {
            "conditions": [(one.condition.value, one.operator.value) for one in rule.conditions],
            "combination": rule.condition_combination.value,
            "count": rule.minimum_count,
            "percent": Share(rule.minimum_percent),
        }
        yield Fact(f"{why.question}-{rule.child_activity_set.value}", facts), why.process
    if not why.by:
        yield Fact(f"no-rule-{why.question}"), why.process


def _needed(why: Reason, cluster: Node) -> Iterator[str]:
    """Yield the children that a question about a cluster waits for; all that count, where no rule tells them apart."""
    if isinstance(why.by, Measured) or not why.by:
        yield from (child.identifier for child in cluster.children if child.is_tracked)
        return
    for ruled in why.by:
        met = ruled.rule.child_activity_set is not ChildActivitySet.NONE
        yield from (one.activity for one in ruled.asked if one.takes_part and one.meets is not met)


def _told_as_open(missing: Fact) -> Fact:
    """Say of parts that they are open, where nobody misses them."""
    return Fact("parts-open", missing.facts) if missing.code == "parts" else missing


def _unfinished(why: Reason, activity: Activity, status: str) -> Fact:
    if isinstance(why.by, Measured):
        seen = _SEEN[activity.viewer] if activity.viewer else "progress"
        done = why.by.reached or 0.0
        return Fact(f"less-{seen}", {"done": Share(done), "least": Share(why.by.least)})
    return _silent_or_unfinished(status)


def _silent_or_unfinished(status: str) -> Fact:
    if status in {"", "unknown", "not attempted"}:
        return Fact("says-nothing")
    return Fact("says-unfinished", {"status": status})


def _below(question: Question, measured: Measured) -> Fact:
    facts = {"least": Share(measured.least)}
    if question == "completed":
        return Fact("less-progress", {**facts, "done": Share(measured.reached or 0.0)})
    if measured.reached is None:
        return Fact("no-score", facts)
    return Fact("below", {**facts, "score": Share(measured.reached)})
