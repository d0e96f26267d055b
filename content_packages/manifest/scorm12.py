"""Read a SCORM 1.2 manifest (SCORM 1.2 Content Aggregation Model 2.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from content_packages.cmi.durations import hundredths_of_timespan
from content_packages.findings import Finding, finding
from content_packages.limits import DEFAULTS, Limits
from content_packages.manifest import ims
from content_packages.manifest.document import Document, Node, collapse
from content_packages.manifest.item_values import ItemValues
from content_packages.manifest.lexical import decimal
from content_packages.package import Activity, Package


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

    dialect = ims.Dialect(standard="scorm12", cluster_with_page="item.page_of_block", extend=extend)
    package = ims.read(document, names, dialect, edition=edition, limits=limits, findings=findings)
    if any(node.family in {"imsss", "adlseq"} for node in document.root.walk()):
        findings.append(finding("package.edition_mixed", file=document.file, line=document.root.line))
    waiting = [n for n in document.root.walk() if n.name == "prerequisites" and n.text.strip()]
    if waiting:
        named = collapse(waiting[0].text)
        count = len(waiting)
        line = waiting[0].line
        findings.append(finding("item.prerequisites", file=document.file, line=line, name=named, count=count))
    return package


def _extend(activity: Activity, item: Node, *, file: str, findings: list[Finding]) -> Activity:
    """Add what adlcp says of an item: prerequisites, mastery score, times, launch data (2.3.2.5.1)."""
    said = ItemValues(file=file, name=activity.title, findings=findings)
    data = item.first("datafromlms", "adlcp")
    mastery = item.first("masteryscore", "adlcp")
    score = said.text(mastery, _is_score)
    if mastery is not None and _is_share(score):
        said.tell("item.score_as_share", mastery, value=score or "")
    return replace(
        activity,
        prerequisites=item.value("prerequisites", "adlcp") or None,
        mastery_score=score,
        max_time_allowed=said.text(item.first("maxtimeallowed", "adlcp"), _is_time_span),
        time_limit_action=said.time_limit_action(item.first("timelimitaction", "adlcp")),
        data_from_lms=None if data is None else data.text,
    )


def _is_share(score: str | None) -> bool:
    """Tell whether a score of 0 to 100 looks like one of 0 to 1."""
    return score is not None and 0 < (decimal(score) or 0) <= 1


def _is_score(text: str) -> bool:
    score = decimal(text)
    return score is not None and 0 <= score <= 100


def _is_time_span(text: str) -> bool:
    try:
        hundredths_of_timespan(text)
    except ValueError:
        return False
    return True
