"""What SCORM 1.2 and SCORM 2004 share: IMS Content Packaging, organizations, items, resources.

A standard adds its own by a ``Dialect``: what an item says beyond title and resource, and whether an item
may have a page and sub-items at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from content_packages.errors import PackageRefusedError
from content_packages.findings import Finding, blocking, finding
from content_packages.limits import Limits
from content_packages.manifest.document import Document, Node, collapse
from content_packages.manifest.item_values import ItemValues
from content_packages.manifest.launching import unfit
from content_packages.manifest.lom import NO_LANGUAGE, read_metadata, unread_times
from content_packages.manifest.names import (
    FileNames,
    Outside,
    OutsideError,
    merge_parameters,
    resolve,
    same_letters,
    split_href,
)
from content_packages.package import Activity, Kind, LaunchTarget, Package, Standard

_XML_BASE = ("xml", "base")
_OUTSIDE: dict[Outside, str] = {
    "above": "launch.outside",
    "elsewhere": "launch.external",
    "scheme": "launch.scheme",
    "disk": "launch.disk",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """How one standard extends an item.

    Args:
        cluster_with_page: the rule for an item that has both a page and sub-items.
        extend: given an activity and its item or organization, returns the activity with all it says.
    """

    standard: Standard
    cluster_with_page: str
    extend: Callable[[Activity, Node], Activity]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Resource:
    """A resource with the base its addresses start from."""

    node: Node
    base: str

    @property
    def identifier(self) -> str:
        return collapse(self.node.get("identifier") or "")


@dataclass(kw_only=True, slots=True)
class _Reading:
    """One reading of one manifest: what is looked up, and what was found."""

    document: Document
    names: FileNames
    dialect: Dialect
    limits: Limits
    findings: list[Finding]
    resources: dict[str, _Resource] = field(default_factory=dict)
    manifests: dict[str, Node] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    clusters: list[tuple[str, Node]] = field(
        default_factory=list
    )  # with a page; what stands inside comes first
    items: int = 0

    def note(self, code: str, node: Node, **facts: str | int) -> None:
        """Add a finding at an element."""
        self.findings.append(finding(code, file=self.document.file, line=node.line, **facts))

    def refused(self, code: str, node: Node, **facts: str | int) -> PackageRefusedError:
        """Return a refusal at an element."""
        return PackageRefusedError([finding(code, file=self.document.file, line=node.line, **facts)])


def read(
    document: Document,
    names: Iterable[str],
    dialect: Dialect,
    *,
    edition: str,
    limits: Limits,
    findings: list[Finding],
) -> Package:
    """Return the package a manifest describes, still without files; findings are added to the list."""
    root = document.root
    if root.name != "manifest":
        raise PackageRefusedError(
            [finding("package.not_a_manifest", file=document.file, line=root.line, name=root.name)]
        )
    reading = _Reading(
        document=document, names=FileNames(names), dialect=dialect, limits=limits, findings=findings
    )
    _collect(reading, root, base="")
    _check_files(reading)
    _check_dependencies(reading)
    organization, others = _choose_organization(reading, root)
    tree = _flat(reading) if organization is None else _organization(reading, organization)
    if reading.clusters:
        title, node = min(reading.clusters, key=lambda cluster: cluster[1].line)
        reading.note(dialect.cluster_with_page, node, name=title, count=len(reading.clusters))
    if not tree.units() and not blocking(findings):  # otherwise it is said already why
        reading.note("organization.empty", organization or root)
    metadata = read_metadata(root, organization)
    for node in unread_times(root, organization):
        reading.note("catalogue.learning_time", node, value=collapse(node.text))
    return Package(
        standard=dialect.standard,
        edition=edition,
        identifier=collapse(root.get("identifier") or ""),
        title=tree.title,
        root=tree,
        languages=_languages(root),
        metadata=metadata,
        other_organizations=tuple(others),
    )


def _collect(reading: _Reading, manifest: Node, *, base: str) -> None:
    """Take in the resources of a manifest and of those inside it, each with its xml:base."""
    base += manifest.attributes.get(_XML_BASE, "")
    for block in manifest.all("resources"):
        block_base = base + block.attributes.get(_XML_BASE, "")
        for node in block.all("resource"):
            resource = _Resource(node=node, base=block_base + node.attributes.get(_XML_BASE, ""))
            if resource.identifier in reading.resources:
                reading.note("resource.duplicate", node, name=resource.identifier)
            else:
                reading.resources[resource.identifier] = resource
    for inner in manifest.all("manifest"):
        name = collapse(inner.get("identifier") or "")
        reading.note("manifest.submanifest", inner, name=name)
        reading.manifests[name] = inner
        _collect(reading, inner, base=base)


def _check_files(reading: _Reading) -> None:
    """Count listed files that are absent; the launch files are looked at with their items."""
    missing: list[tuple[str, Node]] = []
    for resource in reading.resources.values():
        for file in resource.node.all("file"):
            href = (file.get("href") or "").strip()
            path, _, _ = split_href(href)
            if path and not any(reading.names.find_from(resource.base, one) for one in (path, href)):
                missing.append((resource.base + href, file))
    if missing:
        reading.note("file.missing", missing[0][1], count=len(missing), name=missing[0][0])


def _check_dependencies(reading: _Reading) -> None:
    """Count resources that others say they need, and that are not there."""
    missing = [
        (resource, node)
        for resource in reading.resources.values()
        for node in resource.node.all("dependency")
        if collapse(node.get("identifierref") or "") not in reading.resources
    ]
    if missing:
        resource, node = missing[0]
        reading.note(
            "resource.dependency_missing",
            node,
            name=resource.identifier,
            reference=collapse(node.get("identifierref") or ""),
            count=len(missing),
        )


def _choose_organization(reading: _Reading, root: Node) -> tuple[Node | None, list[str]]:
    """Return the default organization, and the titles of the others."""
    block = root.first("organizations")
    found = [] if block is None else list(block.all("organization"))
    if block is None or not found:
        return None, []
    default = collapse(block.get("default") or "")
    chosen = next((o for o in found if collapse(o.get("identifier") or "") == default), None)
    if chosen is None:
        chosen = found[0]
        if default:
            reading.note("organization.default_dangling", block, name=default)
    others = [o.value("title") or o.get("identifier") or "" for o in found if o is not chosen]
    if others:
        reading.note("organization.others", block, count=len(others), name=chosen.value("title") or default)
    return chosen, others


def _organization(reading: _Reading, node: Node) -> Activity:
    identifier = _identifier(reading, node)
    title = node.value("title")
    if not title:
        title = collapse(reading.document.root.get("identifier") or "") or identifier
        reading.note("organization.no_title", node, name=title)
    children = tuple(_item(reading, item, depth=1, seen=frozenset()) for item in node.all("item"))
    return reading.dialect.extend(Activity(identifier=identifier, title=title, children=children), node)


def _flat(reading: _Reading) -> Activity:
    """Make an outline where there is none: what can be launched, in the order of the manifest."""
    launchable = [r for r in reading.resources.values() if r.node.get("href")]
    scos = [r for r in launchable if _is_sco(r.node)]
    chosen = scos or launchable[:1]
    root = reading.document.root
    if len(chosen) > reading.limits.max_items:
        raise reading.refused("manifest.too_many_items", root, **reading.limits.facts("max_items"))
    reading.note("organization.missing", root, count=len(chosen))
    children = []
    for resource in chosen:
        launch = _launch(reading, resource, "", resource.node, title=resource.identifier)
        title = launch.path.rpartition("/")[2] if launch else resource.identifier
        activity = Activity(
            identifier=f"item-{resource.identifier}", title=title, kind=_kind(resource.node), launch=launch
        )
        children.append(
            reading.dialect.extend(activity, Node(family="cp", name="item", attributes={}, text="", line=1))
        )
    titles = read_metadata(root, None).titles
    name = next(iter(titles.values()), "") or collapse(root.get("identifier") or "")
    return Activity(identifier="organization", title=name or "Untitled", children=tuple(children))


def _item(reading: _Reading, node: Node, *, depth: int, seen: frozenset[str]) -> Activity:
    """Read one item and all beneath it; ``seen`` guards against sub-manifests that contain themselves.

    Sub-manifests that name one another twice double the outline with each, so what comes out is counted.
    """
    reading.items += 1
    if reading.items > reading.limits.max_items:
        raise reading.refused("manifest.too_many_items", node, **reading.limits.facts("max_items"))
    if depth > reading.limits.max_xml_depth:
        raise reading.refused("manifest.too_deep", node, **reading.limits.facts("max_xml_depth"))
    identifier = _identifier(reading, node)
    title = node.value("title") or ""
    if not title:
        reading.note("item.no_title", node, name=identifier)
    children = tuple(_item(reading, child, depth=depth + 1, seen=seen) for child in node.all("item"))
    reference = collapse(node.get("identifierref") or "")
    kind: Kind = "block"
    launch = None
    if reference in reading.manifests and reference not in seen:
        organization, _ = _choose_organization(reading, reading.manifests[reference])
        inner = () if organization is None else organization.all("item")
        children += tuple(_item(reading, child, depth=depth + 1, seen=seen | {reference}) for child in inner)
    elif reference in reading.resources:
        resource = reading.resources[reference]
        launch = _launch(reading, resource, node.get("parameters") or "", node, title=title or identifier)
        kind = _sco_or_asset(reading, resource)
    elif reference in reading.manifests:
        reading.note("item.manifest_in_itself", node, name=title or identifier, resource=reference)
    elif reference:
        reading.note("item.resource_missing", node, name=title or identifier, resource=reference)
    elif not children:
        reading.note("item.heading", node, name=title or identifier)
    said = ItemValues(file=reading.document.file, name=title or identifier, findings=reading.findings)
    activity = Activity(
        identifier=identifier,
        title=title or identifier,
        kind=kind,
        launch=launch,
        children=children,
        visible=said.is_true(node, "isvisible"),
    )
    activity = reading.dialect.extend(activity, node)
    return _without_page(reading, activity, node) if activity.children and launch is not None else activity


def _without_page(reading: _Reading, activity: Activity, node: Node) -> Activity:
    """Move the page of an item that also has sub-items into a sub-item of its own."""
    reading.clusters.append((activity.title, node))
    page = replace(
        activity,
        identifier=_unused(reading, f"{activity.identifier}-page"),
        children=(),
        sequencing=None,
        prerequisites=None,
    )
    return replace(activity, kind="block", launch=None, children=(page, *activity.children))


def _identifier(reading: _Reading, node: Node) -> str:
    written = collapse(node.get("identifier") or "")
    if not written:
        given = _unused(reading, f"{node.name}-{len(reading.used) + 1}")
        reading.note("item.no_identifier", node, name=given)
        return given
    taken = _unused(reading, written)
    if taken != written:
        reading.note("item.duplicate_identifier", node, name=written, other=taken)
    return taken


def _unused(reading: _Reading, wanted: str) -> str:
    """Return an identifier that no activity has yet, and take it."""
    name = wanted
    while name in reading.used:
        reading.used[wanted] += 1  # counted on from the last time: ten thousand may have one name
        name = f"{wanted}-{reading.used[wanted]}"
    reading.used[name] = 1
    return name


def _launch(
    reading: _Reading, resource: _Resource, parameters: str, at: Node, *, title: str
) -> LaunchTarget | None:
    href = resource.node.get("href") or ""
    if not href.strip():
        reading.note("resource.no_href", at, name=resource.identifier)
        return None
    path, query, fragment = split_href(href.strip())
    try:
        wanted = resolve(resource.base, path)
    except OutsideError as outside:
        reading.note(_OUTSIDE[outside.where], resource.node, name=href)
        return None
    found = reading.names.find(wanted)
    if found is None and (found := reading.names.find_from(resource.base, href.strip())) is not None:
        reading.note("launch.unescaped", resource.node, name=found)
        wanted, query, fragment = found, "", ""
    if found is None:
        is_folder = not path or path.endswith(("/", "\\")) or reading.names.holds_folder(wanted)
        named = resource.base + href.strip() if is_folder else wanted
        reading.note("launch.no_file" if is_folder else "launch.missing", resource.node, name=named)
        return None
    if found != wanted:
        reading.note(_code_of(wanted, found), resource.node, name=wanted, other=found)
    elif "\\" in (written := (resource.base + path).strip()) or written.startswith("/"):
        reading.note("file.name_written", resource.node, name=written, other=found)
    if query or fragment:
        reading.note("launch.parameters", resource.node, name=href.strip())
    query, fragment = merge_parameters(query, fragment, parameters)
    launch = LaunchTarget(path=found, query=query, fragment=fragment)
    for code, facts in unfit(launch, title):
        reading.note(code, at, **facts)
    return launch


def _code_of(written: str, found: str) -> str:
    """Return how a file's name differs from the one that was written for it."""
    if found == unquote(written):
        return "file.name_encoded"
    return "file.name_composed" if same_letters(found, written) else "file.name_differs"


def _sco_or_asset(reading: _Reading, resource: _Resource) -> Kind:
    written = resource.node.get("scormType", "adlcp")
    if written is None:
        reading.note("resource.no_type", resource.node, name=resource.identifier)
    elif written.strip().lower() not in {"sco", "asset"}:
        reading.note("resource.bad_type", resource.node, name=resource.identifier, value=written)
    return _kind(resource.node)


def _kind(node: Node) -> Kind:
    return "asset" if (node.get("scormType", "adlcp") or "").strip().lower() == "asset" else "sco"


def _is_sco(node: Node) -> bool:
    return (node.get("scormType", "adlcp") or "").strip().lower() == "sco"


def _languages(root: Node) -> tuple[str, ...]:
    found = {node.attributes.get(("xml", "lang"), "") for node in root.walk()}
    found |= {collapse(n.text) for n in root.walk() if n.family == "lom" and n.name == "language"}
    return tuple(sorted(tag for tag in found if tag.lower() not in NO_LANGUAGE))
