"""What a learner may answer and what is correct, per type of interaction (SCORM 2004 RTE 4th Ed. §4.2.9.1).

The player's ``responses.js`` says the same; both are held to the same cases.
"""

import re
from collections.abc import Callable, Mapping

_NAME = r"[^\u0000-\u0020\u007f-\u00a0{}\[\]]+"  # a short identifier: a URI, and letters of any script
_NUMBER = r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_IDENTIFIER = re.compile(_NAME)
_REAL = re.compile(_NUMBER)
_PAIR = re.compile(rf"{_NAME}\[\.\]{_NAME}")
_OPTION = re.compile(r"\{(case_matters|order_matters)=([^}]*)\}")
_LANGUAGE = re.compile(r"\{lang=([^}]*)\}")

ONE_PATTERN = frozenset({"true-false", "likert", "numeric", "other"})
"""Types for which a second correct response makes no sense: index 0 only."""

UNIQUE_PATTERNS = frozenset({"choice", "sequencing"})
"""Types whose correct responses must differ from one another."""


def language_is_known(tag: str, languages: frozenset[str]) -> bool:
    """Tell whether the first part of a language tag is a code of ISO 639-1 or 639-2, or ``i`` or ``x``."""
    return tag.split("-", 1)[0].lower() in languages


def localized_is_right(text: str, languages: frozenset[str]) -> bool:
    """Judge a string that may begin with ``{lang=…}`` (RTE §4.1.1.6)."""
    named = _LANGUAGE.match(text)
    return named is None or language_is_known(named[1], languages)


def language_and_text(text: str) -> tuple[str | None, str]:
    """Take ``{lang=…}`` off the front of a string (RTE §4.1.1.6).

    >>> language_and_text("{lang=fr}Bonjour"), language_and_text("Bonjour")
    (('fr', 'Bonjour'), (None, 'Bonjour'))
    """
    named = _LANGUAGE.match(text)
    return (None, text) if named is None else (named[1], text[named.end() :])


def learner_response_is_right(kind: str, text: str, languages: frozenset[str]) -> bool:
    """Judge ``cmi.interactions.n.learner_response`` for an interaction of type ``kind``."""
    judge = _LEARNER_RESPONSES.get(kind)
    return judge is None or judge(text, languages)


def correct_response_is_right(kind: str, text: str, languages: frozenset[str]) -> bool:
    """Judge ``cmi.interactions.n.correct_responses.n.pattern`` for an interaction of type ``kind``."""
    judge = _CORRECT_RESPONSES.get(kind)
    return judge is None or judge(text, languages)


def _true_false(text: str, _: frozenset[str]) -> bool:
    return text in {"true", "false"}


def _choice(text: str, _: frozenset[str]) -> bool:
    items = text.split("[,]")
    return text == "" or (len(set(items)) == len(items) and all(map(_IDENTIFIER.fullmatch, items)))


def _fill_in(text: str, languages: frozenset[str]) -> bool:
    return all(localized_is_right(item, languages) for item in text.split("[,]"))


def _likert(text: str, _: frozenset[str]) -> bool:
    return _IDENTIFIER.fullmatch(text) is not None


def _matching(text: str, _: frozenset[str]) -> bool:
    return text == "" or all(map(_PAIR.fullmatch, text.split("[,]")))


def _performance(text: str, _: frozenset[str]) -> bool:
    return all(_step_is_right(step, ranges=False) for step in text.split("[,]"))


def _sequencing(text: str, _: frozenset[str]) -> bool:
    return text == "" or all(map(_IDENTIFIER.fullmatch, text.split("[,]")))


def _numeric(text: str, _: frozenset[str]) -> bool:
    return _REAL.fullmatch(text) is not None


def _correct_fill_in(text: str, languages: frozenset[str]) -> bool:
    rest = _without_options(text, {"case_matters", "order_matters"})
    return rest is not None and _fill_in(rest, languages)


def _correct_long_fill_in(text: str, languages: frozenset[str]) -> bool:
    rest = _without_options(text, {"case_matters"})
    return rest is not None and localized_is_right(rest, languages)


def _correct_performance(text: str, _: frozenset[str]) -> bool:
    rest = _without_options(text, {"order_matters"})
    return rest is not None and all(_step_is_right(step, ranges=True) for step in rest.split("[,]"))


def _correct_numeric(text: str, _: frozenset[str]) -> bool:
    return _range_is_right(text)


_LEARNER_RESPONSES: Mapping[str, Callable[[str, frozenset[str]], bool]] = {
    "true-false": _true_false,
    "choice": _choice,
    "fill-in": _fill_in,
    "long-fill-in": localized_is_right,
    "likert": _likert,
    "matching": _matching,
    "performance": _performance,
    "sequencing": _sequencing,
    "numeric": _numeric,
}
_CORRECT_RESPONSES: Mapping[str, Callable[[str, frozenset[str]], bool]] = {
    **_LEARNER_RESPONSES,
    "fill-in": _correct_fill_in,
    "long-fill-in": _correct_long_fill_in,
    "performance": _correct_performance,
    "numeric": _correct_numeric,
}


def _without_options(text: str, allowed: set[str]) -> str | None:
    """Take options such as ``{case_matters=true}`` off the front; ``None`` when one is no boolean.

    What follows a ``{lang=…}`` is text, whatever it looks like.
    """
    while (option := _OPTION.match(text)) and option[1] in allowed:
        if option[2] not in {"true", "false"}:
            return None
        text = text[option.end() :]
    return text


def _step_is_right(step: str, *, ranges: bool) -> bool:
    name, dot, answer = step.partition("[.]")
    if not dot or "[.]" in answer or not (name or answer):
        return False
    if name and not _IDENTIFIER.fullmatch(name):
        return False
    return not (ranges and "[:]" in answer) or _range_is_right(answer)


def _range_is_right(text: str) -> bool:
    """``low[:]high``, either side open, or one number, which then is both."""
    low, between, high = text.partition("[:]")
    if not between:
        return _REAL.fullmatch(low) is not None
    if any(side and not _REAL.fullmatch(side) for side in (low, high)):
        return False
    return not (low and high) or float(low) <= float(high)
