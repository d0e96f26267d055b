"""Read a SCORM 2004 manifest, 2nd to 4th edition (SCORM 2004 Content Aggregation Model 3.4 and 5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from content_packages.findings import Finding, blocking, finding
from content_packages.limits import DEFAULTS, Limits
from content_packages.manifest import ims
from content_packages.manifest.document import Document, Node
from content_packages.manifest.item_values import ItemValues
from content_packages.manifest.sequencing import SequencingReader
from content_packages.package import Activity, Package, SharedDataMap, activity_tree
from content_packages.sequencing.controls import controls
from content_packages.sequencing.definition import ActivityNode, without_limits, without_pre_conditions
from content_packages.sequencing.event import Request
from content_packages.sequencing.tracking import new_state
from content_packages.sequencing.tree import ActivityTree

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

    dialect = ims.Dialect(standard="scorm2004", cluster_with_page="item.cluster_resource", extend=extend)
    package = ims.read(document, names, dialect, edition=edition, limits=limits, findings=findings)
    block = document.root.first("organizations")
    organizations = [] if block is None else list(block.all("organization"))
    if not blocking(findings):
        _judge_the_way_in(package.root, document, findings)
    chosen = next((o for o in organizations if o.get("identifier") == package.root.identifier), None)
    if chosen is None:
        return package
    said = ItemValues(file=document.file, name=package.title, findings=findings)
    return replace(
        package,
        objectives_global_to_system=said.is_true(chosen, "objectivesGlobalToSystem", "adlseq"),
        shared_data_global_to_system=said.is_true(chosen, "sharedDataGlobalToSystem", "adlcp"),
    )


def _extend(
    activity: Activity, item: Node, sequencing: SequencingReader, *, file: str, findings: list[Finding]
) -> Activity:
    """Add what adlcp, adlnav and imsss say of an item or of the organization (CAM 3.4.1, 5)."""
    said = ItemValues(file=file, name=activity.title, findings=findings)
    data = item.first("dataFromLMS", "adlcp")
    presentation = item.first("presentation", "adlnav")
    interface = None if presentation is None else presentation.first("navigationInterface", "adlnav")
    hiding = () if interface is None else interface.all("hideLMSUI", "adlnav")
    hidden = [said.text(node, _CONTROLS.__contains__) for node in hiding]
    shared = item.first("data", "adlcp")
    maps = [] if shared is None else list(shared.all("map", "adlcp"))
    return replace(
        activity,
        time_limit_action=said.time_limit_action(item.first("timeLimitAction", "adlcp")),
        data_from_lms=None if data is None else data.text,
        hide_lms_ui=tuple(dict.fromkeys(filter(None, hidden))),
        shared_data=tuple(_data_map(node, said) for node in maps if _has_target(node, said)),
        sequencing=sequencing.read(item, name=activity.title),
    )


def _judge_the_way_in(root: Activity, document: Document, findings: list[Finding]) -> None:
    """Ask the engine whether a learner who has not begun could open anything (SN 4.3, SB.2.5, SB.2.9).

    Rules may close a course until another one has set an objective, and are told; control modes stay as they are.
    """
    tree = activity_tree(root)
    if _can_begin(tree):
        return
    code = "sequencing.no_way_in"
    if _can_begin(without_pre_conditions(tree)):
        code = "sequencing.closed_at_first"
    elif _can_begin(without_limits(tree)):
        code = "sequencing.no_attempts"
    findings.append(finding(code, file=document.file, line=document.root.line, name=root.title))


def _can_begin(tree: ActivityNode) -> bool:
    ways = controls(ActivityTree(tree), new_state())
    return Request.START in ways.requests or bool(ways.choices)


def _has_target(node: Node, said: ItemValues) -> bool:
    if (node.get("targetID") or "").strip():
        return True
    said.tell("sequencing.map_without_target", node)
    return False


def _data_map(node: Node, said: ItemValues) -> SharedDataMap:
    return SharedDataMap(
        target_id=(node.get("targetID") or "").strip(),
        read_shared_data=said.is_true(node, "readSharedData"),
        write_shared_data=said.is_true(node, "writeSharedData"),
    )
