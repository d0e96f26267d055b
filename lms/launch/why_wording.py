"""The sentences of ``why``: plain, for an officer who is tired, and the same for her instructor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lms.launch.why import Earned, Fact, Line, Share, State, Why
from lms.web.locale import Language
from lms.web.wording import isolated, mark

MOST_TITLES = 5  # of parts that a sentence names

WORDS: Mapping[State, tuple[str, str]] = {
    "not started": ("information", mark("Not started")),
    "in progress": ("waiting", mark("In progress")),
    "completed": ("done", mark("Completed")),
    "waived": ("done", mark("Waived")),
    "passed": ("done", mark("Passed")),
    "failed": ("refused", mark("Not passed")),
}

SENTENCES: Mapping[str, str] = {
    # what decides, of units
    "asset": mark("It is complete once it has been shown."),
    "status-12": mark("The lesson itself says when it is complete."),
    "status-only": mark("Only the lesson itself can say that it is complete."),
    "status-or-silence": mark(
        "The lesson itself says whether it is complete. If it says nothing, it counts as complete once it has ended."
    ),
    "mastery-12": mark("It is passed with a score of at least %(least)s: the package's mastery score."),
    "judges": mark("The lesson itself says whether it was passed."),
    "shared-passes": mark(
        "A shared objective says that it was passed, whatever the lesson itself sent: %(objective)s."
    ),
    "shared-fails": mark(
        "A shared objective says that it was not passed, whatever the lesson itself sent: %(objective)s."
    ),
    "shared-completes": mark(
        "A shared objective says that it is complete, whatever the lesson itself sent: %(objective)s."
    ),
    "shared-completes-not": mark(
        "A shared objective says that it is not complete, whatever the lesson itself sent: %(objective)s."
    ),
    "shared-score": mark("Its score is %(score)s, that of a shared objective: %(objective)s."),
    "rule-score": mark("It is passed with a score of at least %(least)s."),
    "rule-progress": mark("It is complete when at least %(least)s of it is done."),
    "rule-pages": mark("It is complete when at least %(least)s of its pages have been shown."),
    "rule-watched": mark("It is complete when at least %(least)s of it has been watched."),
    "rule-heard": mark("It is complete when at least %(least)s of it has been heard."),
    "rule-read": mark("It is complete when at least %(least)s of it has been read."),
    # what decides, of what is made of units
    "course-12": mark("It is complete with all of its lessons, and passed with all of those that judge."),
    "parts-12": mark("It is complete with all of its lessons."),
    "cluster-progress": mark("It is complete when, over all of its parts, at least %(least)s is done."),
    "cluster-score": mark("It is passed when the scores of its parts together come to at least %(least)s."),
    "completed-all": mark("It is complete when all of its parts are: %(conditions)s."),
    "completed-any": mark("It is complete when one of its parts is: %(conditions)s."),
    "completed-none": mark("It is complete when none of its parts is: %(conditions)s."),
    "completed-atLeastCount": mark(
        "It is complete when at least %(count)s of its parts are: %(conditions)s."
    ),
    "completed-atLeastPercent": mark(
        "It is complete when at least %(percent)s of its parts are: %(conditions)s."
    ),
    "satisfied-all": mark("It is passed when all of its parts are: %(conditions)s."),
    "satisfied-any": mark("It is passed when one of its parts is: %(conditions)s."),
    "satisfied-none": mark("It is passed when none of its parts is: %(conditions)s."),
    "satisfied-atLeastCount": mark("It is passed when at least %(count)s of its parts are: %(conditions)s."),
    "satisfied-atLeastPercent": mark(
        "It is passed when at least %(percent)s of its parts are: %(conditions)s."
    ),
    "no-rule-completed": mark("The package has no rule by which it ever becomes complete."),
    "no-rule-satisfied": mark("The package has no rule by which it is ever passed."),
    # what decides, where lessons speak to the record store
    "move-NotApplicable": mark("Nothing is asked of it."),
    "move-Passed": mark("It is satisfied when the lesson reports that it was passed."),
    "move-Completed": mark("It is satisfied when the lesson reports that it is completed."),
    "move-CompletedAndPassed": mark("It is satisfied when the lesson reports both, completed and passed."),
    "move-CompletedOrPassed": mark(
        "It is satisfied when the lesson reports that it is completed, or passed."
    ),
    "mastery": mark("Passed means a score of at least %(least)s: the package's mastery score."),
    "pass-mark": mark("Passed means a score of at least %(least)s: the pass mark set by instructors."),
    "mark-then": mark(
        "It was passed when %(least)s was asked for. What was passed stays so, whatever is asked for now."
    ),
    "waived": mark("An instructor has waived it: nothing more is asked of it."),
    "all-satisfied": mark("It is satisfied when all of its parts are."),
    # what was sent
    "made-at-end": mark(
        "The lesson ended without sending %(element)s. By the standard it was then set to “%(value)s”."
    ),
    "made-by-mastery": mark(
        "As the lesson ended, %(element)s was set to “%(value)s” by the mastery score, as the standard asks."
    ),
    "beyond-spm": mark(
        "%(element)s has %(length)s characters. The standard promises it %(spm)s; here it is kept whole, elsewhere it "
        "may be cut."
    ),
    "beyond-spm-more": mark("Longer than the standard promises, and kept whole: %(count)s values more."),
    "refused-long": mark(
        "It wanted to store %(length)s characters in %(element)s, which holds no more than %(most)s. It was told so; "
        "what was there before is kept."
    ),
    "refused-value": mark(
        "It wanted to store “%(value)s” in %(element)s, which the standard does not allow there (error %(code)s). It "
        "was told so."
    ),
    # what is missing
    "not-opened": mark("It has not been opened yet."),
    "not-drawn": mark(
        "The package draws some of its lessons for each attempt, and this one is not among them: it is not asked for."
    ),
    "closed-disabled": mark(
        "It is closed: the package keeps it shut as long as this holds of it: %(asked)s."
    ),
    "closed-disabled-around": mark(
        "It is closed: the package keeps “%(at)s”, of which it is a part, shut as long as this holds of that: "
        "%(asked)s."
    ),
    "closed-attempts": mark("It is closed: no attempt is left, of %(count)s that the package allows."),
    "closed-attempts-around": mark(
        "It is closed: no attempt is left at “%(at)s”, of which it is a part, of %(count)s that the package allows."
    ),
    "closed-hiddenFromChoice": mark(
        "It is closed: the package keeps it out of the outline as long as this holds of it: %(asked)s."
    ),
    "closed-hiddenFromChoice-around": mark(
        "It is closed: the package keeps “%(at)s”, of which it is a part, out of the outline as long as this holds of "
        "that: %(asked)s."
    ),
    "closed-skip": mark("It is closed: the package passes over it as long as this holds of it: %(asked)s."),
    "closed-skip-around": mark(
        "It is closed: the package passes over “%(at)s”, of which it is a part, as long as this holds of that: "
        "%(asked)s."
    ),
    "closed-stopForwardTraversal-around": mark(
        "It is closed: the package lets nobody go on past “%(at)s” as long as this holds of that: %(asked)s."
    ),
    "closed-order": mark("It cannot be chosen from the outline: Next opens it, after “%(at)s”."),
    "closed-no-way": mark(
        "It is closed: neither the outline nor Next leads to it now. Another lesson can lead to it."
    ),
    "attempts-used": mark("What it lacks can no longer be made up for."),
    "not-needed": mark("Not needed: “%(around)s” does not wait for it."),
    "not-asked-passed": mark("No longer asked for: this course is passed."),
    "not-asked-completed": mark("No longer asked for: this course is complete."),
    "not-listed": mark("The package does not list it in the outline. Next and Previous can lead to it."),
    "opened-by": mark("What was reached in these lessons can open it: %(titles)s."),
    "opened-elsewhere": mark(
        "A shared objective can open it, which no other lesson of this course sets: %(objective)s."
    ),
    "shared-failed": mark("The shared objective says: not passed (%(objective)s)."),
    "earlier-attempt": mark(
        "It was done in an earlier attempt at “%(around)s”. By the rules of the package only what is done in the "
        "present attempt counts there."
    ),
    "before-passed": mark(
        "It was passed in an earlier attempt. Opened again, it has begun anew: only the present attempt counts."
    ),
    "before-completed": mark(
        "It was completed in an earlier attempt. Opened again, it has begun anew: only the present attempt counts."
    ),
    "says-nothing": mark("The lesson has not said that it is complete."),
    "says-unfinished": mark(
        "The lesson says that it is not finished (%(status)s), and has not said otherwise since."
    ),
    "says-failed": mark("The lesson says: not passed."),
    "failed-though-met": mark(
        "It is satisfied. But the lesson says: not passed. That stands until it reports that it was passed."
    ),
    "left-open": mark("It was left without being ended. What it had saved is kept; it goes on from there."),
    "suspended": mark("It was interrupted and goes on from there when it is opened again."),
    "below-12": mark("The score is %(score)s; at least %(least)s is needed."),
    "below": mark("The score is %(score)s; at least %(least)s is needed."),
    "no-score": mark("No score has been reported; at least %(least)s is needed."),
    "less-progress": mark("So far %(done)s is done; at least %(least)s is needed."),
    "less-pages": mark("So far %(done)s of the pages have been shown; at least %(least)s is needed."),
    "less-watched": mark("So far %(done)s has been watched; at least %(least)s is needed."),
    "less-heard": mark("So far %(done)s has been heard; at least %(least)s is needed."),
    "less-read": mark("So far %(done)s has been read; at least %(least)s is needed."),
    "parts": mark("Still missing: %(titles)s."),
    "parts-open": mark("Not complete: %(titles)s."),
    "parts-to-pass": mark("Not passed yet: %(titles)s."),
    "parts-failed": mark("Not passed: %(titles)s."),
    "parts-against": mark("Against the rule: %(titles)s."),
    "parts-so-far": mark("So far %(met)s of %(all)s."),
    "no-completed": mark("The lesson has not reported that it is completed."),
    "no-passed": mark("The lesson has not reported that it was passed."),
    "no-either": mark("The lesson has reported neither that it is completed nor that it was passed."),
}

CONDITIONS: Mapping[tuple[str, str], str] = {
    ("satisfied", "noOp"): mark("marked as passed"),
    ("satisfied", "not"): mark("not marked as passed"),
    ("objectiveStatusKnown", "noOp"): mark("judged"),
    ("objectiveStatusKnown", "not"): mark("not judged"),
    ("objectiveMeasureKnown", "noOp"): mark("scored"),
    ("objectiveMeasureKnown", "not"): mark("not scored"),
    ("completed", "noOp"): mark("complete"),
    ("completed", "not"): mark("not complete"),
    ("activityProgressKnown", "noOp"): mark("known to be complete or not"),
    ("activityProgressKnown", "not"): mark("not known to be complete or not"),
    ("attempted", "noOp"): mark("opened"),
    ("attempted", "not"): mark("not opened"),
    ("attemptLimitExceeded", "noOp"): mark("without attempts left"),
    ("attemptLimitExceeded", "not"): mark("not without attempts left"),
    ("never", "noOp"): mark("(never)"),
}
#: What rules on the way through a course ask besides; what is never known there never holds.
RULE_CONDITIONS: Mapping[tuple[str, str], str] = {
    **CONDITIONS,
    ("objectiveMeasureGreaterThan", "noOp"): mark("scored above %(threshold)s"),
    ("objectiveMeasureGreaterThan", "not"): mark("not scored above %(threshold)s"),
    ("objectiveMeasureLessThan", "noOp"): mark("scored below %(threshold)s"),
    ("objectiveMeasureLessThan", "not"): mark("not scored below %(threshold)s"),
    ("always", "noOp"): mark("(always)"),
}
_OBJECTIVE = mark("its objective “%(objective)s” %(asked)s")
_AND, _OR, _MORE = mark("and"), mark("or"), mark("%(count)s more")


_NOTHING_MISSING = mark("Nothing is missing: this course is complete.")
_PASSED = mark(
    "This course is passed, and nothing more is asked for. What is named below need not be made up for."
)
_COMPLETE = mark(
    "This course is complete, and nothing more is asked for. What is named below need not be made up for."
)
_STANDS: Mapping[Earned, str] = {
    "passed": mark("This course was passed before. That stands, whatever comes of the present attempt."),
    "completed": mark(
        "This course was completed before. That stands, whatever comes of the present attempt."
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SaidLine:
    """A line in words."""

    title: str
    depth: int
    kind: str
    word: str
    rules: Sequence[tuple[str, str]]
    sent: Sequence[tuple[str, str]]
    made: Sequence[str]
    beyond: Sequence[str]
    refused: Sequence[str]
    missing: Sequence[str]
    is_unit: bool


def say_whole(why: Why, spoken: Language) -> str:
    """Say that nothing is missing, or why nothing is asked for though something is open; else nothing."""
    if why.stands is not None:
        return spoken.gettext(_STANDS[why.stands])
    if not why.reached.is_final:
        return ""
    if why.course.missing:
        return spoken.gettext(_PASSED) if why.reached.satisfied else spoken.gettext(_COMPLETE)
    return spoken.gettext(_NOTHING_MISSING)


def say_lines(why: Why, spoken: Language) -> list[SaidLine]:
    """Put an explanation into words, the course as a whole first."""
    return [say_line(one, spoken) for one in why.lines]


def say_line(line: Line, spoken: Language) -> SaidLine:
    """Put a line into words."""
    kind, word = WORDS[line.state]
    return SaidLine(
        title=line.title,
        depth=line.depth,
        kind=kind,
        word=spoken.gettext(word),
        rules=[(say(fact, spoken), place) for fact, place in line.rules],
        sent=line.sent,
        made=[say(fact, spoken) for fact in line.made],
        beyond=[say(fact, spoken) for fact in line.beyond],
        refused=[say(fact, spoken) for fact in line.refused],
        missing=[say(fact, spoken) for fact in line.missing],
        is_unit=line.is_unit,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class SaidMissing:
    """What is missing in few words: titles of units, each with what it lacks first, and how many more lack any."""

    units: tuple[tuple[str, str], ...]
    more: int


def say_missing(why: Why, spoken: Language, *, most: int) -> SaidMissing:
    """Say what is missing in *most* units."""
    units = [one for one in why.open_lines if one.is_unit]
    said = tuple((one.title, _say_first(one.missing, spoken)) for one in units[:most])
    return SaidMissing(units=said, more=len(units) - len(said))


def _say_first(missing: Sequence[Fact], spoken: Language) -> str:
    """Say the first thing that is missing, with what was there before, and what can open it or that nothing can."""
    more = ("before-", "opened-", "attempts-used")
    shown = [missing[0], *(one for one in missing[1:] if one.code.startswith(more))]
    return " ".join(say(one, spoken) for one in shown)


def say(fact: Fact, spoken: Language) -> str:
    """Return the sentence of a fact."""
    facts = {name: _said(name, value, fact.facts, spoken) for name, value in fact.facts.items()}
    sentence = spoken.gettext(SENTENCES[fact.code])
    return sentence % facts if facts else sentence


def say_titles(titles: Sequence[str], spoken: Language) -> str:
    """Name some parts, and how many more there are."""
    named = [isolated(title) for title in titles[:MOST_TITLES]]
    if len(titles) > MOST_TITLES:
        named.append(spoken.gettext(_MORE) % {"count": spoken.number(len(titles) - MOST_TITLES)})
    return " · ".join(named)


def _said(name: str, value: Any, around: Mapping[str, Any], spoken: Language) -> str:
    if name == "titles":
        return say_titles(value, spoken)
    if name == "conditions":
        return _joined([spoken.gettext(CONDITIONS.get(one, one[0])) for one in value], around, spoken)
    if name == "asked":
        said = [
            (RULE_CONDITIONS.get((kind, operator), kind), threshold, objective)
            for kind, operator, threshold, objective in value
        ]
        return _joined(
            [
                _of(objective, spoken.gettext(text) % {"threshold": spoken.percent(threshold)}, spoken)
                for text, threshold, objective in said
            ],
            around,
            spoken,
        )
    if isinstance(value, Share):
        return spoken.percent(value)
    if isinstance(value, int | float):
        return spoken.number(value)
    return isolated(str(value))


def _of(objective: str | None, asked: str, spoken: Language) -> str:
    if objective is None:
        return asked
    return spoken.gettext(_OBJECTIVE) % {"objective": isolated(objective), "asked": asked}


def _joined(conditions: Sequence[str], around: Mapping[str, Any], spoken: Language) -> str:
    joint = _AND if around["combination"] == "all" else _OR
    return f" {spoken.gettext(joint)} ".join(conditions)
