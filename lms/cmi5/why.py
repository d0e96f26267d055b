"""Why a course of cmi5 or xAPI units is not complete: moveOn, mastery score, what units reported, what is missing.

Pure, as ``lms.launch.why`` is, and of the same shape.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal

from content_packages.cmi5.move_on import UNTOUCHED, WITHOUT_CRITERION, UnitState, satisfied
from content_packages.package import Activity, MoveOn, Package
from lms.launch.verdict import Verdict
from lms.launch.why import Fact, Line, Share, State, Why, state_of

_PLACE_OF_CRITERION, _PLACE_OF_MASTERY, _PLACE_OF_BLOCKS = "cmi5 13.1.4", "cmi5 9.6.3.2", "cmi5 9.3.9"
_PLACE_OF_WAIVED = "cmi5 9.3.7"
_LACKS: Mapping[MoveOn, tuple[str, ...]] = {
    "NotApplicable": (),
    "Passed": ("passed",),
    "Completed": ("completed",),
    "CompletedAndPassed": ("completed", "passed"),
    "CompletedOrPassed": ("either",),
}


def explain_units(
    package: Package,
    states: Mapping[str, UnitState],
    scores: Mapping[str, float],
    *,
    reached: Verdict,
    running: Collection[str] = (),
    begun: Collection[str] = (),
    marks: Mapping[str, Decimal] | None = None,
    passed_at: Mapping[str, Decimal] | None = None,
) -> Why:
    """Explain a course of this package, of which *reached* is what it amounts to.

    *states* are what counts of each unit that has said something and *scores* the best of each that has one (0 to
    1), by identifier; *running* are the units whose session has not ended,
    *begun* those that were opened; *marks* are the pass marks that instructors want in the place of the package's,
    and *passed_at* those with which the sessions were launched in which units were passed.
    """
    explained = _Explained(
        package,
        reached=reached,
        states=states,
        scores=scores,
        running=running,
        begun={*states, *running, *begun},
        marks=marks or {},
        passed_at=passed_at or {},
    )
    return Why(reached=reached, lines=tuple(explained.lines(package.root, depth=0)))


class _Explained:
    def __init__(
        self,
        package: Package,
        *,
        reached: Verdict,
        states: Mapping[str, UnitState],
        scores: Mapping[str, float],
        running: Collection[str],
        begun: Collection[str],
        marks: Mapping[str, Decimal],
        passed_at: Mapping[str, Decimal],
    ) -> None:
        self._package, self._states, self._scores, self._running = package, states, scores, running
        self._met = {one.identifier for one in satisfied(package.root, states)}
        self._reached, self._begun = reached, begun
        self._marks, self._passed_at = marks, passed_at

    def lines(self, one: Activity, *, depth: int) -> Iterator[Line]:
        yield self._unit(one, depth) if one.launch is not None else self._block(one, depth)
        for child in one.children:
            yield from self.lines(child, depth=depth + 1)

    def _unit(self, unit: Activity, depth: int) -> Line:
        state, score = self._state(unit), self._scores.get(unit.identifier)
        criterion = unit.au.move_on if unit.au is not None else WITHOUT_CRITERION
        mastery = unit.au.mastery_score if unit.au is not None else None
        place = _PLACE_OF_CRITERION if self._package.standard == "cmi5" else "xAPI"
        rules = [(Fact(f"move-{criterion}"), place)]
        if mastery is not None:
            wanted = self._marks.get(unit.identifier)
            code, mastery = ("mastery", mastery) if wanted is None else ("pass-mark", wanted)
            rules.append((Fact(code, {"least": Share(mastery)}), _PLACE_OF_MASTERY))
            then = self._passed_at.get(unit.identifier, mastery)
            if state.passed and then != mastery:
                rules.append((Fact("mark-then", {"least": Share(then)}), _PLACE_OF_MASTERY))
        if state.waived:
            rules.append((Fact("waived"), _PLACE_OF_WAIVED))
        is_begun = unit.identifier in self._begun
        missing: list[Fact] = []
        if not state.waived:
            missing = list(_missing(criterion, state, score, mastery, is_begun=is_begun))
            if missing and unit.identifier in self._running:
                missing.append(Fact("left-open"))
        sent = [(verb, "") for verb in ("completed", "passed", "failed") if getattr(state, verb)]
        if score is not None:
            sent.append(("score.scaled", f"{score:g}"))
        return Line(
            identifier=unit.identifier,
            title=unit.title,
            depth=depth,
            state=_word(state, is_begun=is_begun),
            rules=tuple(rules),
            sent=tuple(sent),
            missing=tuple(missing),
        )

    def _block(self, block: Activity, depth: int) -> Line:
        lacking = [child.title for child in block.children if child.identifier not in self._met]
        units = block.units()
        failed = [one.title for one in units if self._state(one).verdict is False]
        missing = [Fact("parts", {"titles": lacking})] if lacking else []
        if depth == 0 and failed:
            missing.append(Fact("parts-failed", {"titles": failed}))
        met = self._reached.completed if depth == 0 else block.identifier in self._met
        if not met and not missing:
            missing = [Fact("not-opened")]  # its units ask for nothing, and nobody has begun
        return Line(
            identifier=block.identifier,
            title=block.title,
            depth=depth,
            state=state_of(
                completed=met,
                satisfied=self._reached.satisfied if depth == 0 else None,
                begun=any(one.identifier in self._begun for one in units),
            ),
            rules=((Fact("all-satisfied"), _PLACE_OF_BLOCKS),),
            missing=tuple(missing),
            is_unit=False,
        )

    def _state(self, unit: Activity) -> UnitState:
        return self._states.get(unit.identifier, UNTOUCHED)


def _word(state: UnitState, *, is_begun: bool) -> State:
    if state.waived and not state.passed:
        return "waived"
    return state_of(completed=state.completed, satisfied=state.verdict, begun=is_begun)


def _missing(
    criterion: MoveOn, state: UnitState, score: float | None, mastery: Decimal | None, *, is_begun: bool
) -> Iterator[Fact]:
    lacks = [
        one
        for one in _LACKS[criterion]
        if not (state.completed or state.passed if one == "either" else getattr(state, one))
    ]
    failed = state.verdict is False
    if lacks and not is_begun:
        yield Fact("not-opened")
        return
    for one in lacks:
        if one != "passed" or not failed:
            yield Fact(f"no-{one}")
    if failed:
        if not lacks:
            yield Fact("failed-though-met")
        below = score is not None and mastery is not None and score < mastery
        facts = {"score": Share(score or 0.0), "least": Share(mastery or 0)}
        if below:
            yield Fact("below", facts)
        elif lacks:
            yield Fact("says-failed")
