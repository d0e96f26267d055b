"""Read the ``tincan.xml`` of an xAPI package: activities, of which those with a launch become units.

There is no schema that tools keep to, so what can be understood is taken, and the rest is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from content_packages.errors import PackageRefusedError
from content_packages.findings import finding
from content_packages.manifest.addresses import Address, judge
from content_packages.manifest.document import FAMILIES, Node
from content_packages.manifest.langstrings import NO_LANGUAGE, by_language, heading, titles
from content_packages.manifest.launching import unfit
from content_packages.manifest.lexical import is_absolute_iri
from content_packages.manifest.names import FileNames
from content_packages.manifest.source import Source
from content_packages.package import Activity, Described, LaunchTarget, Metadata, Package

_NAMESPACE = next(address for address, family in FAMILIES.items() if family == "tincan")
_COURSE_TYPES: Final = frozenset({"course", "http://adlnet.gov/expapi/activities/course"})
_LONGEST_ID = 2000  # in bytes: longer ones do not fit into an index of PostgreSQL


def read(source: Source) -> Package:
    """Return the package, still without files.

    Raises:
        PackageRefusedError: it is no ``tincan.xml``, or nothing in it can be launched.
    """
    root = source.document().root
    if root.name != "tincan":
        raise PackageRefusedError(
            [
                finding(
                    "xapi.not_a_package", file=source.main, line=root.line, name=source.main, found=root.name
                )
            ]
        )
    source.standard = ("xapi", "")
    if root.family != "tincan":
        source.note("xapi.namespace", line=root.line, namespace=root.namespace, usual=_NAMESPACE)
    _put_launch_right(root, source)
    described = list(_activities(root, source))
    launched = [(node, one) for node, one in described if _launches(node)]
    if not launched:
        source.note("xapi.no_launch", line=root.line, name=source.main)
        raise PackageRefusedError(())
    files = FileNames(source.names)
    units = tuple(_unit(node, one, files, source) for node, one in launched)
    course = next((one for _, one in described if one.activity_type in _COURSE_TYPES), launched[0][1])
    title = heading(course.titles, course.identifier)
    languages = {tag for _, one in described for tag in (*one.titles, *one.descriptions)}
    return Package(
        standard="xapi",
        edition="",
        identifier=course.identifier,
        title=title,
        root=Activity(identifier="tincan", title=title, children=units),
        languages=tuple(sorted(languages - {NO_LANGUAGE})),
        metadata=Metadata(titles=course.titles, descriptions=course.descriptions),
        other_activities=tuple(one for node, one in described if not _launches(node)),
    )


def _put_launch_right(root: Node, source: Source) -> None:
    """Give a launch that stands beside the activities to the first of them, as who wrote it meant."""
    misplaced = list(_children(root, "launch"))
    activities = [one for block in _children(root, "activities") for one in _children(block, "activity")]
    if misplaced and activities and not any(_launches(one) for one in activities):
        source.note("xapi.launch_misplaced", line=misplaced[0].line, name=activities[0].get("id") or "?")
        activities[0].children += misplaced


def _activities(root: Node, source: Source) -> Iterator[tuple[Node, Described]]:
    """Return the activities with an id, each id once."""
    seen: set[str] = set()
    repeated: list[str] = []
    nameless = 0
    for block in _children(root, "activities"):
        for node in _children(block, "activity"):
            identifier = (node.get("id") or "").strip()
            names = titles(_children(node, "name"))
            if not identifier and _launches(node):
                source.note("xapi.no_id", line=node.line, name=heading(names, "?"))
            nameless += not identifier
            if identifier in seen:
                repeated.append(identifier)
            if not identifier or identifier in seen:
                continue
            seen.add(identifier)
            if len(identifier.encode()) > _LONGEST_ID:
                source.note("xapi.id_too_long", line=node.line, name=identifier, limit=_LONGEST_ID)
            elif _launches(node) and not is_absolute_iri(identifier):
                source.note("xapi.iri", line=node.line, name=identifier)
            yield (
                node,
                Described(
                    identifier=identifier,
                    titles=names,
                    descriptions=by_language(_children(node, "description")),
                    activity_type=(node.get("type") or "").strip() or None,
                ),
            )
    if repeated:
        source.note("xapi.duplicate_id", line=root.line, name=repeated[0], count=len(repeated))
    if nameless:
        source.note("xapi.ignored", line=root.line, count=nameless)


def _unit(node: Node, described: Described, files: FileNames, source: Source) -> Activity:
    title = heading(described.titles, described.identifier)
    return Activity(
        identifier=described.identifier,
        title=title,
        kind="tincan",
        launch=_launch(node, title, files, source),
        titles=described.titles,
        descriptions=described.descriptions,
        publisher_id=described.identifier,
        activity_type=described.activity_type,
    )


def _launch(node: Node, title: str, files: FileNames, source: Source) -> LaunchTarget | None:
    found = _launches(node)
    if len(found) > 1:
        source.note("xapi.launches", line=found[1].line, name=title, count=len(found))
    launch = found[0]
    written = launch.text.strip()
    # Tools write names of files as they are; a sign in one is no reason to refuse what would run.
    text = written.replace(" ", "%20")
    address = judge(text, files)
    if address.fault in {"missing", "characters"} and (as_it_is := files.find_from("", written)):
        source.note("launch.unescaped", line=launch.line, name=as_it_is)
        address = Address(target=LaunchTarget(path=as_it_is))
    if address.fault == "missing":
        source.note("xapi.launch_not_in_package", line=launch.line, url=text, name=title)
    elif address.fault is not None:
        source.note("xapi.launch_address", line=launch.line, url=text, name=title)
    elif address.host:
        source.note("xapi.launch_elsewhere", line=launch.line, name=title, host=address.host)
    elif address.part:
        source.note("xapi.launch_differs", line=launch.line, url=text, other=address.part)
    for code, facts in unfit(address.target, title):
        source.note(code, line=launch.line, **facts)
    return address.target


def _launches(node: Node) -> list[Node]:
    return [launch for launch in _children(node, "launch") if launch.text.strip()]


def _children(node: Node, name: str) -> Iterator[Node]:
    """Return the children of this name in the namespace of their parent, whichever that is."""
    return (child for child in node.children if child.name == name and child.namespace == node.namespace)
