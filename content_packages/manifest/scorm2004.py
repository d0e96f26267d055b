"""Read a SCORM 2004 manifest, 2nd to 4th edition (SCORM 2004 Content Aggregation Model 3.4 and 5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from content_packages.findings import Finding, blocking, finding
from content_packages.limits import DEFAULTS, Limits
from content_packages.manifest import ims
from content_packages.manifest.document import Document, Node, collapse
from content_packages.manifest.sequencing import SequencingReader
from content_packages.package import Activity, Package, SharedDataMap, activity_tree
from content_packages.sequencing.controls import controls
from content_packages.sequencing.definition import ActivityNode, without_pre_conditions
from content_packages.sequencing.event import Request
from content_packages.sequencing.tracking import new_state
from content_packages.sequencing.tree import ActivityTree

_TIME_LIMIT_ACTIONS = frozenset(
    {"exit,message", "exit,no message", "continue,message", "continue,no message"}
)
_CONTROLS = frozenset(  # what a package may hide (CAM 5.2.4; suspendAll and the rest since the 3rd edition)
    {"continue", "previous", "exit", "exitAll", "abandon", "abandonAll", "suspendAll"}
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
    sequencing = SequencingReader(document, findings)

    def extend(activity: Activity, item: Node) -> Activity:
        return _extend(activity, item, sequencing, file=document.file, findings=findings)

    dialect = ims.Dialect(standard="scorm2004", extend=extend)
    package = ims.read(document, names, dialect, edition=edition, limits=limits, findings=findings)
    block = document.root.first("organizations")
    organizations = [] if block is None else list(block.all("organization"))
    if not blocking(findings):
        _judge_the_way_in(package.root, document, findings)
    chosen = next((o for o in organizations if o.get("identifier") == package.root.identifier), None)
    if chosen is None:
        return package
    return replace(
        package,
        objectives_global_to_system=_is_true(chosen.get("objectivesGlobalToSystem", "adlseq")),
        shared_data_global_to_system=_is_true(chosen.get("sharedDataGlobalToSystem", "adlcp")),
    )


def _extend(
    activity: Activity, item: Node, sequencing: SequencingReader, *, file: str, findings: list[Finding]
) -> Activity:
    """Add what adlcp, adlnav and imsss say of an item or of the organization (CAM 3.4.1, 5)."""

    def known(name: str, value: str, vocabulary: frozenset[str]) -> bool:
        if value and value not in vocabulary:
            findings.append(
                finding(
                    "item.bad_value", file=file, line=item.line, name=activity.title, value=value, field=name
                )
            )
        return value in vocabulary

    action = (item.value("timeLimitAction", "adlcp") or "").lower().replace(", ", ",")
    data = item.first("dataFromLMS", "adlcp")
    presentation = item.first("presentation", "adlnav")
    interface = None if presentation is None else presentation.first("navigationInterface", "adlnav")
    hidden = () if interface is None else [collapse(n.text) for n in interface.all("hideLMSUI", "adlnav")]
    shared = item.first("data", "adlcp")
    return replace(
        activity,
        time_limit_action=action if known("timeLimitAction", action, _TIME_LIMIT_ACTIONS) else None,
        data_from_lms=None if data is None else data.text,
        hide_lms_ui=tuple(dict.fromkeys(name for name in hidden if known("hideLMSUI", name, _CONTROLS))),
        shared_data=() if shared is None else tuple(_data_map(node) for node in shared.all("map", "adlcp")),
        sequencing=sequencing.read(item, name=activity.title),
    )


def _judge_the_way_in(root: Activity, document: Document, findings: list[Finding]) -> None:
    """Ask the engine whether a learner who has not begun could open anything (SN 4.3, SB.2.5, SB.2.9).

    Rules may close a course until another one has set an objective, and are told; control modes stay as they are.
    """
    tree = activity_tree(root)
    if _can_begin(tree):
        return
    code = (
        "sequencing.closed_at_first" if _can_begin(without_pre_conditions(tree)) else "sequencing.no_way_in"
    )
    findings.append(finding(code, file=document.file, line=document.root.line, name=root.title))


def _can_begin(tree: ActivityNode) -> bool:
    ways = controls(ActivityTree(tree), new_state())
    return Request.START in ways.requests or bool(ways.choices)


def _data_map(node: Node) -> SharedDataMap:
    return SharedDataMap(
        target_id=(node.get("targetID") or "").strip(),
        read_shared_data=_is_true(node.get("readSharedData")),
        write_shared_data=_is_true(node.get("writeSharedData")),
    )


def _is_true(written: str | None) -> bool:
    """Read a boolean of XML Schema whose default is true."""
    return (written or "true").strip().lower() not in {"false", "0"}
