"""What the steps of a launch log say: what happened, what was decided, and what that did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from content_packages.sequencing.errors import MEANINGS
from lms.web.locale import Language
from lms.web.wording import isolated, mark

EVENTS: Mapping[str, str] = {
    "start": mark("The course is started."),
    "resumeAll": mark("The course is resumed."),
    "continue": mark("Next is asked for."),
    "previous": mark("Previous is asked for."),
    "choice": mark("A lesson is chosen: %(target)s."),
    "jump": mark("A lesson is jumped to: %(target)s."),
    "exit": mark("The lesson is to be left."),
    "exitAll": mark("The course is to be left."),
    "abandon": mark("The lesson is to be given up."),
    "abandonAll": mark("The course is to be given up."),
    "suspendAll": mark("The course is interrupted."),
    "commit": mark("The lesson saves."),
    "terminate": mark("The lesson ends its session."),
}
_ALSO = mark("It asks for: %(request)s.")
_NEW, _RESUMED = (
    mark("Opened: %(title)s, attempt %(attempt)s."),
    mark("Opened where it stopped: %(title)s, attempt %(attempt)s."),
)
_REFUSED, _ENDED = mark("Not carried out. %(meaning)s"), mark("The course has ended.")
_LEFT, _KEPT = mark("The lesson is taken away; nothing follows by itself."), mark("Noted; nothing moves.")

VALUES: Mapping[str, str] = {
    "current": mark("current lesson"),
    "suspended": mark("interrupted at"),
    "draws": mark("draws made"),
    "attempts": mark("attempts"),
    "active": mark("active"),
    "completed": mark("complete"),
    "progress": mark("progress"),
    "era": mark("recorded in attempt"),
    "children": mark("parts taking part"),
    "left_open": mark("left open by the lesson"),
    "satisfied": mark("marked as passed"),
    "measure": mark("score"),
}
_TRUE, _FALSE, _NONE = mark("yes"), mark("no"), mark("nothing")
_REPORTED = mark("reported: %(name)s")


@dataclass(frozen=True, kw_only=True, slots=True)
class SaidStep:
    """A step in words; ``code`` is of the exception with which it stopped."""

    event: str
    decision: str
    code: str


def say_step(
    event: Mapping[str, Any], outcome: Mapping[str, Any], titles: Mapping[str, str], spoken: Language
) -> SaidStep:
    """Say what happened and what came of it; *titles* are those of activities, by identifier."""
    target = isolated(titles.get(event.get("target") or "", event.get("target") or ""))
    sentence = EVENTS[event["kind"]]
    happened = spoken.gettext(sentence)
    happened = happened % {"target": target} if "%(target)s" in happened else happened
    asked = (event.get("result") or {}).get("request")
    if asked and event["kind"] == "terminate":
        happened += " " + spoken.gettext(_ALSO) % {"request": isolated(asked)}
    code = outcome.get("exception") or ""
    return SaidStep(event=happened, decision=_decision(outcome, titles, spoken), code=code)


def _decision(outcome: Mapping[str, Any], titles: Mapping[str, str], spoken: Language) -> str:
    delivery, code = outcome.get("delivery"), outcome.get("exception")
    if delivery:
        facts = {
            "title": isolated(titles.get(delivery["activity"], delivery["activity"])),
            "attempt": spoken.number(delivery["attempt"]),
        }
        opened = _RESUMED if delivery["resumed"] else _NEW
        return spoken.gettext(opened) % facts
    if code:
        meaning = MEANINGS[code]
        return spoken.gettext(_REFUSED) % {"meaning": spoken.gettext(meaning)}
    if outcome.get("session_ended"):
        return spoken.gettext(_ENDED)
    nothing = _LEFT if outcome.get("unload") else _KEPT
    return spoken.gettext(nothing)


def say_value(value: Any, titles: Mapping[str, str], spoken: Language) -> str:
    """Say a value of the state."""
    match value:
        case None:
            return spoken.gettext(_NONE)
        case bool():
            return spoken.gettext(_TRUE if value else _FALSE)
        case int() | float():
            return spoken.number(value)
        case dict():
            return " · ".join(f"{key} = {say_value(one, titles, spoken)}" for key, one in value.items())
        case list():
            return " · ".join(say_value(one, titles, spoken) for one in value)
    return isolated(titles.get(str(value), str(value)))


def say_name(name: str, spoken: Language) -> str:
    """Say which value of the state it is."""
    if name.startswith("pending."):
        return spoken.gettext(_REPORTED) % {"name": name.removeprefix("pending.")}
    inner = name.rpartition(".")[2]
    return spoken.gettext(VALUES[inner]) if inner in VALUES else name
