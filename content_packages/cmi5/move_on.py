"""When a unit's requirements are met, and with them its block and the course (cmi5 9.3.9, 9.6.1, 13.1.4)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from content_packages.package import Activity, MoveOn


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitState:
    """What the records of one registration say of one unit."""

    completed: bool = False
    passed: bool = False
    failed: bool = False
    waived: bool = False

    @property
    def verdict(self) -> bool | None:
        """Whether it is passed: a pass stands over any failure, and nothing is held against what was waived."""
        if self.passed:
            return True
        return False if self.failed and not self.waived else None


CRITERIA: Final[Mapping[MoveOn, Callable[[UnitState], bool]]] = {  # 13.1.4, moveOn
    "NotApplicable": lambda _: True,
    "Passed": lambda unit: unit.passed,
    "Completed": lambda unit: unit.completed,
    "CompletedAndPassed": lambda unit: unit.completed and unit.passed,
    "CompletedOrPassed": lambda unit: unit.completed or unit.passed,
}
UNTOUCHED: Final = UnitState()
#: An xAPI package has no criteria; its unit is done once it says anything of the kind.
WITHOUT_CRITERION: Final[MoveOn] = "CompletedOrPassed"


def is_satisfied(unit: Activity, state: UnitState) -> bool:
    """Say whether a unit's criterion is met; one that was waived has met it (9.3.9)."""
    criterion = unit.au.move_on if unit.au is not None else WITHOUT_CRITERION
    return state.waived or CRITERIA[criterion](state)


def satisfied(root: Activity, states: Mapping[str, UnitState]) -> Iterator[Activity]:
    """Yield what is satisfied, the inner before the outer and the course last.

    *states* are by identifier; of a unit that is absent nothing is known.
    """
    met: dict[str, bool] = {}
    for one in _inner_first(root):
        met[one.identifier] = (
            is_satisfied(one, states.get(one.identifier, UNTOUCHED))
            if one.launch is not None
            else all(met[child.identifier] for child in one.children)
        )
        if met[one.identifier]:
            yield one


def newly_satisfied(
    root: Activity, states: Mapping[str, UnitState], told: Collection[str]
) -> tuple[Activity, ...]:
    """Return the blocks and the course that are satisfied and were not told yet, in the order to tell them.

    A block comes before the block around it, the course comes last (9.3.9). Units are not among them.
    """
    return tuple(one for one in satisfied(root, states) if one.launch is None and one.identifier not in told)


def _inner_first(root: Activity) -> Iterator[Activity]:
    for child in root.children:
        yield from _inner_first(child)
    yield root
