"""Whether an answer is the one ADL's suite expects, compared as the suite compares (``TestCaseEvaluator``)."""

from __future__ import annotations

import re
from typing import Any

from content_packages.cmi.durations import hundredths_of_duration
from tests.conformance.shim import Answer

LONGEST_SENTENCE = 255
SENTENCES = {"less255", "A characterstring value less than 255 characters"}  # in the place of an error's text
OPTIONS = re.compile(r"\{(case_matters|order_matters|lang)=([^}]*)\}")
USUAL = {"case_matters": "false", "order_matters": "true", "lang": "en"}


def differs(call: dict[str, Any], element: str, answer: Answer, learner: str) -> str:
    """Return in what an answer differs; nothing where it is as expected."""
    expected, codes = call["expect"], {call["error"]}
    if call["fn"] == "doGetValue":
        if element == "cmi.learner_id":
            expected = learner
        if "comments_from_lms" in element and "_children" not in element:
            codes = {"0", "301", "401", "403"}  # an LMS need not have any
        is_right = _is_left_open(call, element) or same_value(element, expected, answer.value)
    elif call["fn"] == "doGetDiagnostic" or expected in SENTENCES:
        is_right = len(answer.value) < LONGEST_SENTENCE
    else:
        is_right = answer.value == (expected if expected != "emptyCS" else "")
    if is_right and answer.code in codes:
        return ""
    asked = f"{call['fn']}({element[:80]!r}, {str(call['value'])[:80]!r})"
    return f"{asked}: expected {expected!r}/{call['error']}, found {answer.value!r}/{answer.code}"


def _is_left_open(call: dict[str, Any], element: str) -> bool:
    by_its_id = "&" in call["arg"] and element.endswith(".id") and call["expect"] == ""
    return by_its_id or "learner_name" in element or "comments_from_lms" in element


def same_value(element: str, expected: str, found: str) -> bool:
    """Say whether two values mean the same."""
    if expected == found:
        return True
    if element.endswith("_children"):
        return sorted(expected.split(",")) == sorted(found.split(","))
    if element.endswith((".pattern", ".learner_response", ".comment", ".description")):
        return _apart(expected) == _apart(found)
    if element.endswith("total_time"):
        return hundredths_of_duration(expected) == hundredths_of_duration(found)
    try:
        return abs(float(expected) - float(found)) < 5e-8
    except ValueError:
        return False


def _apart(text: str) -> tuple[dict[str, str], list[str]]:
    """Take the options off a text, and its parts apart: their order matters in few types of interaction only."""
    options = dict(USUAL)
    while match := OPTIONS.match(text):
        options[match[1]] = match[2]
        text = text[match.end() :]
    return options, sorted(text.split("[,]"))
