"""Watch a step: which processes of the pseudo-code ran, on which activity, and what each came to.

``step`` is pure, so a step that was taken once can be taken again and watched; the one that is taken in earnest pays
nothing. Every process stands in this package under its name and number, in the first line of its docstring, and that
is what is read here: there is no second list that could fall behind.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import CodeType, FrameType
from typing import Any

import content_packages.sequencing as engine
from content_packages.sequencing.event import Event, Outcome
from content_packages.sequencing.step import step
from content_packages.sequencing.tracking import State
from content_packages.sequencing.tree import Activity, ActivityTree

_NUMBERED = re.compile(r"(?P<name>[A-Z][\w' -]*[pP]rocess) \((?P<number>[A-Z]{2}\.\d[\d.]*(?: [a-z])?)\)")
MOST_PROCESSES = 400  # of one step that are told


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the pseudo-code: ``TB.2.3``, ``Termination Request Process``."""

    number: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """One run of a process: how deep inside others, on which activity, and what it came to.

    Attributes:
        about: what it was asked besides: a request, the action of a rule.
        answer: what it gave back, in the words of the standard; empty where it gives nothing back.
        exception: the code with which it stopped.
    """

    process: Process
    depth: int
    activity: str
    about: str
    answer: str
    exception: str

    @property
    def has_decided(self) -> bool:
        """Whether what follows depends on it: it stopped, a rule acted, an activity was found or delivered."""
        acted = self.process.number in {"UP.2", "TB.2.3", "SB.2.12", "SR.1", "SR.2"} and self.answer
        rolled_up = self.process.number == "RB.1.4" and self.answer == "true"
        return bool(self.exception or acted or rolled_up or self.process.number == "DB.2")


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """A step taken again: what it came to, and how; ``is_whole`` unless more ran than is told."""

    state: State
    outcome: Outcome
    ran: tuple[Ran, ...]
    is_whole: bool


def watch(tree: ActivityTree, state: State, event: Event) -> Watched:
    """Take a step and watch it; the state is left as it was."""
    known, runs, stack = processes(), list[dict[str, Any]](), list[dict[str, Any] | None]()

    def look(frame: FrameType, what: str, value: Any) -> None:
        if what == "call":
            process = known.get(frame.f_code)
            run = None
            if process is not None and len(runs) <= MOST_PROCESSES:
                depth = sum(one is not None for one in stack)
                run = {
                    "process": process,
                    "depth": depth,
                    **_asked(frame.f_locals),
                    "answer": "",
                    "exception": "",
                }
                runs.append(run)
            stack.append(run)
        elif what == "return" and stack:
            run = stack.pop()
            if run is not None:
                run["answer"] = _word(value)

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        after, outcome = step(tree, state, event)
    finally:
        sys.setprofile(before)
    told = runs[:MOST_PROCESSES]
    _name_where_it_stopped(told, outcome.exception)
    return Watched(
        state=after,
        outcome=outcome,
        ran=tuple(Ran(**one) for one in told),
        is_whole=len(runs) <= MOST_PROCESSES,
    )


@cache
def processes() -> Mapping[CodeType, Process]:
    """Return every process of this package by the code that carries it out."""
    found = {}
    for module in pkgutil.iter_modules(engine.__path__):
        loaded = importlib.import_module(f"{engine.__name__}.{module.name}")
        for _, function in inspect.getmembers(loaded, inspect.isfunction):
            numbered = _NUMBERED.match(function.__doc__ or "")
            if numbered and function.__module__ == loaded.__name__:
                found[function.__code__] = Process(numbered["number"], numbered["name"])
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """One value of the state that a step has changed; empty where there is none.

    ``place`` is an activity, a global objective, or empty for the state as a whole.
    """

    place: str
    name: str
    before: Any
    after: Any


def changes(before: State, after: State) -> Iterator[Change]:
    """Yield what differs between two states, value by value."""
    was, now = dict(_values(before)), dict(_values(after))
    for place, name in dict.fromkeys((*was, *now)):
        one, other = was.get((place, name)), now.get((place, name))
        if one != other:
            yield Change(place, name, one, other)


def _values(state: State) -> Iterator[tuple[tuple[str, str], Any]]:
    for name in ("current", "suspended", "draws"):
        yield ("", name), dict(state)[name]
    yield from _inside("", "pending", state["pending"] or {})
    for places in (state["activities"], state["globals"]):
        for place, record in places.items():
            yield from _inside(place, "", record)


def _inside(place: str, name: str, value: Any) -> Iterator[tuple[tuple[str, str], Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _inside(place, f"{name}.{key}".strip("."), inner)
    else:
        yield (place, name), value


def _asked(given: Mapping[str, Any]) -> dict[str, str]:
    """Return on what a process was called, from its arguments."""
    names = ("activity", "cluster", "child", "current", "start", "target")
    on = next((given[name] for name in names if isinstance(given.get(name), Activity)), None)
    about = given.get("request") or given.get("action") or getattr(given.get("rule"), "action", None)
    return {"activity": on.identifier if on is not None else "", "about": _word(about)}


def _word(value: Any) -> str:
    """Return a value as the standard writes it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Activity():
            return value.identifier
        case Enum():
            return value.value if isinstance(value.value, str) else value.name.lower().replace("_", " ")
        case str():
            return value
    return ""


def _name_where_it_stopped(runs: list[dict[str, Any]], code: str | None) -> None:
    """Put the code of an exception on the process that raised it: its number is the code's beginning."""
    if code is None:
        return
    number = code.rpartition("-")[0]
    at = next((one for one in reversed(runs) if one["process"].number == number), None)
    if at is None and runs:
        at = runs[-1]
    if at is not None:
        at["exception"] = code
