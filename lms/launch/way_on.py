"""Where a request was refused: what could not be done, by which rule, and what can be gone on with all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from content_packages.sequencing.closed import Ways
from content_packages.sequencing.controls import OutlineEntry
from content_packages.sequencing.errors import MEANINGS
from content_packages.sequencing.event import Request
from content_packages.sequencing.tracking import Tracking
from lms.launch.course import Refused, Standing, Taking
from lms.launch.next_opening import resumes_lesson
from lms.launch.why import what_closes
from lms.launch.why_wording import say, say_titles
from lms.web.locale import Language
from lms.web.wording import isolated, mark

_IN_VAIN: dict[str, str] = {
    Request.CONTINUE: mark("The next lesson could not be opened."),
    Request.PREVIOUS: mark("The lesson before could not be opened."),
    Request.EXIT: mark("The lesson was left, and nothing after it could be opened."),
}
_NOT_OF_THE_COURSE = mark("The lesson that was asked for is not part of this course.")
_NOT_OPENED = mark("%(title)s could not be opened.")
_OF_THE_WAY = frozenset({"order", "no-way"})  # the exception says more exactly what she met on it
_MOST_REASONS = 5
_LESSON, _COURSE = mark("Open %(title)s again"), mark("Go through this course from its start")


@dataclass(frozen=True, kw_only=True, slots=True)
class WayOn:
    """What stands on the page.

    Attributes:
        refused: what could not be done, and the rule; empty where nothing was refused.
        code: of the exception that the rule is known by in the standard (SN, Appendix C).
        choice: the activity that can be gone on with; ``None`` where she goes on by herself, or nothing can be.
        label: what the button says that chooses it.
        closed: where no lesson at all can be opened: which are closed, and by what.
    """

    refused: str
    code: str
    choice: str | None
    label: str
    closed: tuple[tuple[str, str], ...] = ()


def way_on(
    taking: Taking, standing: Standing, outline: Sequence[OutlineEntry], spoken: Language
) -> WayOn | None:
    """Return what to say where nothing is delivered by itself; ``None`` where it goes without saying.

    Args:
        taking: the course.
        standing: where she stands, at rest (``moving.at_rest``).
        outline: the table of contents as of then.
        spoken: the language of the page.
    """
    goes_on = resumes_lesson(taking.opened, standing)
    choice = None if goes_on else _choice(taking, outline)
    closed = () if goes_on or choice is not None else _closed(taking, standing, spoken)
    if standing.refused is None and not closed and (choice is None or choice.depth != 0):
        return None
    return WayOn(
        refused=_say(standing.refused, taking, standing, spoken) if standing.refused else "",
        code=standing.refused.code if standing.refused else "",
        choice=choice.identifier if choice else None,
        label=_label(choice, spoken) if choice else "",
        closed=closed,
    )


def _closed(taking: Taking, standing: Standing, spoken: Language) -> tuple[tuple[str, str], ...]:
    """Return which lessons are closed and by what, the same said once; nothing where one can be opened."""
    ways = Ways(taking.opened.tree, standing.state)
    if not ways.are_none:
        return ()
    tracking = Tracking(taking.opened.tree, standing.state)
    titles: dict[str, list[str]] = {}
    for lesson in (one for one in taking.opened.tree.activities if one.is_leaf):
        closed = ways.closed(lesson)
        if closed is not None and all(map(tracking.is_available, lesson.up())):
            said = " ".join(say(fact, spoken) for fact in what_closes(closed, lesson))
            titles.setdefault(said, []).append(lesson.title)
    return tuple((say_titles(found, spoken), said) for said, found in islice(titles.items(), _MOST_REASONS))


def _choice(taking: Taking, outline: Sequence[OutlineEntry]) -> OutlineEntry | None:
    """Return the last lesson she was in that can be chosen, or else the course as a whole, if it can."""
    choosable = [entry for entry in outline if entry.choosable]
    begun = [entry for entry in choosable if taking.opened.tree[entry.identifier].is_leaf and entry.attempts]
    return next(iter((*begun[::-1], *(entry for entry in choosable if entry.depth == 0))), None)


def _say(refused: Refused, taking: Taking, standing: Standing, spoken: Language) -> str:
    if refused.target is not None:  # a choice and a jump have one always
        activity = taking.opened.activities.get(refused.target)
        if activity is None:  # a unit may ask for any name, and an identifier says nothing to a learner
            return spoken.gettext(_NOT_OF_THE_COURSE)
        happened = spoken.gettext(_NOT_OPENED) % {"title": isolated(activity.title)}
    else:
        sentence = _IN_VAIN[refused.request]
        happened = spoken.gettext(sentence)
    return f"{happened} {_say_rule(refused, taking, standing, spoken)}"


def _say_rule(refused: Refused, taking: Taking, standing: Standing, spoken: Language) -> str:
    """Say what keeps the target closed, and what opens it; or else what the exception means, which knows no course."""
    tree = taking.opened.tree
    target = tree.find(refused.target)
    closed = Ways(tree, standing.state).closed(target) if target is not None else None
    if target is None or closed is None or closed.by in _OF_THE_WAY:
        meaning = MEANINGS[refused.code]
        return spoken.gettext(meaning)
    return " ".join(say(fact, spoken) for fact in what_closes(closed, target))


def _label(choice: OutlineEntry, spoken: Language) -> str:
    if choice.depth == 0:
        return spoken.gettext(_COURSE)
    return spoken.gettext(_LESSON) % {"title": isolated(choice.title)}
