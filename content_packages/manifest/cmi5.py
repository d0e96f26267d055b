"""Read a cmi5 course structure (cmi5 13 and 14): alone, or at the root of a zip with its media."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, cast

from content_packages.errors import PackageRefusedError
from content_packages.findings import Finding, blocking, finding
from content_packages.manifest import course_structure
from content_packages.manifest.addresses import Fault, judge, parameters
from content_packages.manifest.course_structure import FAMILY
from content_packages.manifest.document import FAMILIES, UNDECLARED, Node
from content_packages.manifest.langstrings import NO_LANGUAGE, by_language, heading, titles
from content_packages.manifest.launching import unfit
from content_packages.manifest.lexical import decimal
from content_packages.manifest.names import FileNames
from content_packages.manifest.source import Source
from content_packages.package import (
    Activity,
    AssignableUnit,
    Described,
    LaunchMethod,
    LaunchTarget,
    Metadata,
    MoveOn,
    Package,
)

#: The parameters that the LMS adds to a unit's address (cmi5 8.1); its own must not be called so.
LAUNCH_PARAMETERS: Final = frozenset({"endpoint", "fetch", "actor", "registration", "activityId"})

EDITION: Final = "Quartz"
_NAMESPACE = next(address for address, family in FAMILIES.items() if family == FAMILY)
_MOST_OF_A_RULE = 20  # a reader needs no more, and a hostile file could break one with each of its elements
_MOST_NAMED = 8
_LONGEST_ID = 2000  # in bytes: longer ones do not fit into an index of PostgreSQL

_MOST_DECIMALS = 4  # of a mastery score (13.1.4)
_RULE_OF: dict[Fault, str] = {
    "empty": "cmi5.url_empty",
    "characters": "cmi5.url_characters",
    "form": "cmi5.url_form",
    "scheme": "cmi5.url_scheme",
    "relative": "cmi5.url_relative",
    "missing": "cmi5.url_not_in_package",
}


def read(source: Source) -> Package:
    """Return the package, still without files.

    Raises:
        PackageRefusedError: it departs from the standard; all that was found is in it.
    """
    document = source.document()
    root = document.root
    reading = _Reading(
        file=source.called,
        files=None if source.alone else FileNames(source.names),
    )
    if source.alone and root.name in {"manifest", "tincan"}:
        alone = finding("file.manifest_alone", file=source.called, line=root.line, name=root.name)
        raise PackageRefusedError([alone])
    if source.alone and root.name != "courseStructure":
        other = finding("file.other_xml", file=source.called, line=root.line, name=root.name)
        raise PackageRefusedError([other])
    if (root.family, root.name) != (FAMILY, "courseStructure"):
        reading.note(
            "cmi5.not_a_course_structure", root, name=root.name, namespace=root.namespace, usual=_NAMESPACE
        )
        raise PackageRefusedError(reading.findings)
    source.standard = ("cmi5", EDITION)
    undeclared = [one for one in source.findings if one.code == "xml.undeclared_prefix"]
    source.findings[:] = [one for one in source.findings if one not in undeclared]
    course_structure.check(root, reading.note)
    package = reading.package(root)
    faults = [replace(one, code="cmi5.undeclared_prefix") for one in undeclared]  # mended nowhere else
    found = sorted([*faults, *reading.findings], key=lambda one: one.line or 0)
    unlisted = reading.counts.total() - len(reading.findings)
    if unlisted:
        found.append(finding("cmi5.more_faults", file=source.called, count=unlisted))
    if blocking(found):
        raise PackageRefusedError(found)
    source.findings += found
    return package


@dataclass(kw_only=True, slots=True)
class _Reading:
    """One reading of one structure: what was met so far, and what there is to say.

    Args:
        files: ``None`` when the structure came without a zip.
    """

    file: str
    files: FileNames | None
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    ids: dict[tuple[str, str], Node] = field(default_factory=dict)
    languages: set[str] = field(default_factory=set)
    hosts: Counter[str] = field(default_factory=Counter)
    namespaces: dict[str, Node] = field(default_factory=dict)
    dangling: list[Node] = field(default_factory=list)

    def note(self, code: str, node: Node, **facts: str | int) -> None:
        """Add a finding at an element."""
        self.counts[code] += 1
        if self.counts[code] <= _MOST_OF_A_RULE:
            self.findings.append(finding(code, file=self.file, line=node.line, **facts))

    def package(self, root: Node) -> Package:
        """Return what the structure describes; one that has faults comes out with gaps."""
        course = root.first("course", FAMILY)
        if course is None:  # said already
            course = Node(family=FAMILY, name="course", attributes={}, text="", line=root.line)
        listed = root.first("objectives", FAMILY)
        objectives = [] if listed is None else list(listed.all("objective", FAMILY))
        self._take_ids(course, objectives, root)
        names, descriptions = self._texts(course)
        title = heading(names, _id(course))
        tree = Activity(
            identifier=self._unshared(course),
            title=title,
            publisher_id=_id(course),
            children=self._children(root),
            extensions=self._extensions(course) + self._extensions(root),
            extension_attributes=_foreign_attributes(course) | _foreign_attributes(root),
        )
        described = tuple(self._objective(node) for node in objectives)
        self._tell_of_the_whole(root)
        return Package(
            standard="cmi5",
            edition=EDITION,
            identifier=_id(course),
            title=title,
            root=tree,
            languages=tuple(sorted(self.languages)),
            metadata=Metadata(titles=names, descriptions=descriptions),
            objectives=described,
        )

    # ------------------------------------------------------------------ ids

    def _take_ids(self, course: Node, objectives: list[Node], root: Node) -> None:
        """Hold every id against the others of its kind, over the whole structure (13.1.2 to 13.1.4)."""
        waiting = [course, *objectives, *_nested(root)][::-1]
        while waiting:
            node = waiting.pop()
            waiting += reversed(_nested(node))
            identifier = _id(node)
            if len(identifier.encode()) > _LONGEST_ID:
                self.note("cmi5.id_too_long", node, name=identifier, limit=_LONGEST_ID)
            elif identifier and (node.name, identifier) in self.ids:
                first = self.ids[node.name, identifier]
                self.note(f"cmi5.duplicate_{node.name}", node, name=identifier, other=first.line)
            self.ids.setdefault((node.name, identifier), node)

    def _unshared(self, node: Node) -> str:
        """Return a name that is unique over all kinds: a unit keeps its id, the others make way for it."""
        identifier = _id(node)
        before = {"au": (), "block": ("au",), "course": ("au", "block")}[node.name]
        taken = any((kind, identifier) in self.ids for kind in before)
        return f"{node.name} {identifier}" if taken else identifier

    # ------------------------------------------------------------------ blocks, units, objectives

    def _children(self, node: Node) -> tuple[Activity, ...]:
        """Read blocks and units; they nest no deeper than a document may (``Limits.max_xml_depth``)."""
        return tuple(self._au(one) if one.name == "au" else self._block(one) for one in _nested(node))

    def _block(self, node: Node) -> Activity:
        names, descriptions = self._texts(node)
        return Activity(
            identifier=self._unshared(node),
            title=heading(names, _id(node)),
            titles=names,
            descriptions=descriptions,
            publisher_id=_id(node),
            objectives=self._references(node),
            children=self._children(node),
            extensions=self._extensions(node),
            extension_attributes=_foreign_attributes(node),
        )

    def _au(self, node: Node) -> Activity:
        names, descriptions = self._texts(node)
        title = heading(names, _id(node))
        return Activity(
            identifier=self._unshared(node),
            title=title,
            kind="au",
            launch=self._launch(node, title),
            titles=names,
            descriptions=descriptions,
            publisher_id=_id(node),
            activity_type=_written(node, "activityType") or None,
            au=AssignableUnit(
                move_on=cast("MoveOn", _written(node, "moveOn") or "NotApplicable"),
                mastery_score=self._mastery_score(node),
                launch_method=cast("LaunchMethod", _written(node, "launchMethod") or "AnyWindow"),
                launch_parameters=_text(node, "launchParameters"),
                entitlement_key=_text(node, "entitlementKey"),
            ),
            objectives=self._references(node),
            extensions=self._extensions(node),
            extension_attributes=_foreign_attributes(node),
        )

    def _mastery_score(self, node: Node) -> Decimal | None:
        score = decimal(_written(node, "masteryScore"))
        if score is not None and -int(score.as_tuple().exponent) > _MOST_DECIMALS:
            self.note("cmi5.mastery_decimals", node, value=str(score), limit=_MOST_DECIMALS)
        return score

    def _launch(self, node: Node, title: str) -> LaunchTarget | None:
        url = node.first("url", FAMILY)
        if url is None:  # said already
            return None
        text = url.text.strip()
        for name in sorted(LAUNCH_PARAMETERS.intersection(parameters(text))):
            self.note("cmi5.url_parameter", url, name=title, url=text, parameter=name)
        address = judge(text, self.files)
        if address.fault is not None:
            self.note(_RULE_OF[address.fault], url, name=title, url=text, part=address.part)
        elif address.application:
            self.note("cmi5.url_application", url, name=title, scheme=address.application)
        elif address.host:
            self.hosts[address.host] += 1
        elif address.part:
            self.note("cmi5.url_differs", url, url=text, other=address.part)
        for code, facts in unfit(address.target, title):
            self.note(code, url, **facts)
        return address.target

    def _objective(self, node: Node) -> Described:
        names, descriptions = self._texts(node)
        return Described(identifier=_id(node), titles=names, descriptions=descriptions)

    def _references(self, node: Node) -> tuple[str, ...]:
        """Return the objectives a block or unit names; one that is not in the structure is told and kept."""
        block = node.first("objectives", FAMILY)
        found = [] if block is None else list(block.all("objective", FAMILY))
        for reference in found:
            if ("objective", _written(reference, "idref")) not in self.ids:
                self.dangling.append(reference)
        return tuple(filter(None, (_written(reference, "idref") for reference in found)))

    # ------------------------------------------------------------------ texts, extensions

    def _texts(self, node: Node) -> tuple[dict[str, str], dict[str, str]]:
        """Return titles and descriptions by language."""
        given = {name: self._langstrings(node, name) for name in ("title", "description")}
        names, descriptions = titles(given["title"]), by_language(given["description"])
        self.languages |= {tag for tag in (*names, *descriptions) if tag != NO_LANGUAGE}
        if not names and _id(node):
            self.note("cmi5.no_title", node, name=_id(node))
        return names, descriptions

    def _langstrings(self, node: Node, name: str) -> list[Node]:
        text = node.first(name, FAMILY)
        found = [] if text is None else list(text.all("langstring", FAMILY))
        seen: set[str] = set()
        for string in found:
            language = _written(string, "lang")
            if language in seen:
                self.note("cmi5.language_twice", string, name=name, language=language or NO_LANGUAGE)
            seen.add(language)
        return found

    def _extensions(self, node: Node) -> tuple[str, ...]:
        found = [child for child in node.children if child.family != FAMILY and child.namespace]
        for child in found:
            self.namespaces.setdefault(child.namespace, child)
        return tuple(child.xml() for child in found)

    def _tell_of_the_whole(self, root: Node) -> None:
        """Say once what is so in many places."""
        if self.hosts:
            hosts = ", ".join(host for host, _ in self.hosts.most_common(_MOST_NAMED))
            self.note("cmi5.url_elsewhere", root, count=self.hosts.total(), hosts=hosts)
        if self.dangling:
            first = self.dangling[0]
            self.note(
                "cmi5.objective_dangling", first, count=len(self.dangling), name=_written(first, "idref")
            )
        located = (root.attributes.get(("xsi", "schemaLocation")) or "").split()
        for namespace, node in self.namespaces.items():
            if namespace not in located and not namespace.startswith(UNDECLARED):
                self.note("cmi5.extension_no_schema", node, namespace=namespace)


def _nested(node: Node) -> list[Node]:
    return [child for child in node.children if child.family == FAMILY and child.name in {"au", "block"}]


def _id(node: Node) -> str:
    return _written(node, "id")


def _written(node: Node, attribute: str) -> str:
    """Return an attribute without white space around it (13.1), empty where there is none."""
    return node.attributes.get(("", attribute), "").strip()


def _text(node: Node, name: str) -> str | None:
    child = node.first(name, FAMILY)
    return None if child is None else child.text.strip() or None


def _foreign_attributes(node: Node) -> dict[str, str]:
    return {
        f"{{{family}}}{name}": value
        for (family, name), value in node.attributes.items()
        if family not in {"", FAMILY, "xsi"}
    }
