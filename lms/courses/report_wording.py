"""Say the report of an import, kept as plain values, in the language of whoever reads it.

A finding keeps the code of its rule and its facts; the sentence is made here from the rule's template. Where a
release that knew other rules wrote the report, its English sentence is shown as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from content_packages.content_scan import MOST_HOSTS
from content_packages.findings import Writing, fill
from content_packages.package import standard_name
from content_packages.rules import RULES
from content_packages.rules.rule import NOTHING
from lms.web.locale import Language
from lms.web.wording import isolated, mark

_MORE = "report.more"
KINDS_OF_FINDINGS = ("errors", "warnings", "notes")
KINDS_OF_FILES: Mapping[str, str] = {  # those of ``content_packages.content_scan.type_of``
    "pages": mark("Pages"),
    "scripts": mark("Scripts"),
    "styles": mark("Style sheets"),
    "images": mark("Images"),
    "video": mark("Films"),
    "audio": mark("Recordings"),
    "fonts": mark("Fonts"),
    "documents": mark("Documents"),
    "data": mark("Data"),
    "flash": mark("Flash"),
    "other": mark("Other files"),
}


def say_report(report: Mapping[str, Any], spoken: Language) -> dict[str, Any]:
    """Return the report with its sentences and names in a language; what it does not say is empty."""
    return {
        "title": report.get("title"),
        "standard": standard_name(report["standard"], report["edition"]) if report.get("standard") else None,
        "tool": report.get("tool"),
        "outline": report.get("outline"),
        "lessons": lessons_in(report),
        "counts": counts_in(report),
        "mended": is_mended(report),
        "languages": [spoken.language_name(tag) for tag in report.get("languages") or ()],
        "sizes": [
            (spoken.gettext(KINDS_OF_FILES.get(kind, kind)), size)
            for kind, size in sorted((report.get("sizes") or {}).items(), key=lambda pair: -pair[1])
            if size
        ],
        "hosts_left_out": len(report.get("external_hosts") or {}) >= MOST_HOSTS,
        "hosts": sorted((report.get("external_hosts") or {}).items(), key=lambda pair: -pair[1]),
        **{kind: [say_finding(one, spoken) for one in report.get(kind) or ()] for kind in KINDS_OF_FINDINGS},
    }


def lessons_in(report: Mapping[str, Any]) -> int:
    """Return how many lessons the outline of a report has."""
    waiting, found = [report.get("outline")], 0
    while waiting:
        one = waiting.pop() or {}
        found += one.get("kind", "block") != "block"
        waiting += one.get("children", ())
    return found


def is_mended(report: Mapping[str, Any]) -> bool:
    """Say whether an import made an edition that was here whole again, and nothing new."""
    return any(one["code"] == "edition.whole_again" for one in report.get("notes") or ())


def counts_in(report: Mapping[str, Any]) -> dict[str, int]:
    """Return how many errors, warnings and notes an import had, those included that were too many to be told."""
    counts = {kind: len(report.get(kind) or ()) for kind in KINDS_OF_FINDINGS}
    for one in report.get("notes") or ():
        rule = RULES.get(one["facts"].get("name")) if one["code"] == _MORE else None
        if rule is not None:
            counts["notes"] -= 1
            counts[f"{rule.severity}s"] += one["facts"]["count"]
    return counts


def say_finding(one: Mapping[str, Any], spoken: Language) -> dict[str, Any]:
    """Return a finding with its sentences in a language."""
    rule = RULES.get(one["code"])
    writing = Writing(
        number=spoken.number,
        size=spoken.size,
        phrase=lambda phrase: isolated(spoken.gettext(phrase)) if phrase else phrase,
    )
    try:
        if rule is None:
            return dict(one)
        return {
            **one,
            "detail": fill(spoken.gettext(rule.text), one["facts"], writing),
            "remedy": ""
            if rule.remedy == NOTHING
            else fill(spoken.gettext(rule.remedy), one["facts"], writing),
            "requirement": spoken.gettext(rule.requirement),
        }
    except KeyError:
        return dict(one)
