"""Read a SCORM 1.2 manifest (SCORM 1.2 Content Aggregation Model 2.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from content_packages.cmi.durations import hundredths_of_timespan
from content_packages.findings import Finding, finding
from content_packages.limits import DEFAULTS, Limits
from content_packages.manifest import ims
from content_packages.manifest.document import Document, Node
from content_packages.manifest.lexical import decimal
from content_packages.package import Activity, Package

_TIME_LIMIT_ACTIONS = frozenset(
    {"exit,message", "exit,no message", "continue,message", "continue,no message"}
)


def read(
    document: Document,
    names: Iterable[str],
    *,
    edition: str,
    limits: Limits = DEFAULTS,
    findings: list[Finding],
) -> Package:
    """Return the package; what was put right or is wrong is added to ``findings``."""

    def extend(activity: Activity, item: Node) -> Activity:
        return _extend(activity, item, file=document.file, findings=findings)

    dialect = ims.Dialect(standard="scorm12", extend=extend)
    return ims.read(document, names, dialect, edition=edition, limits=limits, findings=findings)


def _extend(activity: Activity, item: Node, *, file: str, findings: list[Finding]) -> Activity:
    """Add what adlcp says of an item: prerequisites, mastery score, times, launch data (2.3.2.5.1)."""

    def checked(name: str, *, good: bool, value: str | None) -> str | None:
        if value and not good:
            findings.append(
                finding(
                    "item.bad_value", file=file, line=item.line, name=activity.title, value=value, field=name
                )
            )
            return None
        return value or None

    mastery = item.value("masteryscore", "adlcp")
    allowed = item.value("maxtimeallowed", "adlcp")
    action = (item.value("timelimitaction", "adlcp") or "").lower().replace(", ", ",")
    data = item.first("datafromlms", "adlcp")
    return replace(
        activity,
        prerequisites=item.value("prerequisites", "adlcp") or None,
        mastery_score=checked("masteryscore", good=_is_score(mastery or ""), value=mastery),
        max_time_allowed=checked("maxtimeallowed", good=_is_time_span(allowed or ""), value=allowed),
        time_limit_action=checked("timelimitaction", good=action in _TIME_LIMIT_ACTIONS, value=action),
        data_from_lms=None if data is None else data.text,
    )


def _is_score(text: str) -> bool:
    score = decimal(text)
    return score is not None and 0 <= score <= 100


def _is_time_span(text: str) -> bool:
    try:
        hundredths_of_timespan(text)
    except ValueError:
        return False
    return True
