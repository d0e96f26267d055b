"""Which kind of package it is, and where in the archive its root lies."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from content_packages import site
from content_packages.errors import PackageRefusedError
from content_packages.files import course, epub
from content_packages.findings import Finding, finding
from content_packages.manifest import aicc, cmi5, scorm, tincan
from content_packages.manifest.source import Source
from content_packages.package import Package

Reader = Callable[[Source], Package]

#: The file that says what a package is, and who reads it; what stands first decides. A plain site is what has no
#: manifest at all, however deep.
MARKERS: tuple[tuple[str, Reader], ...] = (
    ("cmi5.xml", cmi5.read),
    ("imsmanifest.xml", scorm.read),
    ("tincan.xml", tincan.read),
    ("index.html", site.read),
    ("index.htm", site.read),
)


#: What is known by a file at its root, and not read: other systems' own forms.
_FOREIGN = {"h5p.json": "package.h5p", "moodle_backup.xml": "package.moodle"}
_MANIFESTS = frozenset(marker for marker, read in MARKERS if read is not site.read)


@dataclass(frozen=True, kw_only=True, slots=True)
class Root:
    """Where the package lies.

    Args:
        main: the path of the file that says what it is.
        prefix: the folder, with its slash, to take off all paths.
    """

    main: str
    prefix: str
    read: Reader
    findings: tuple[Finding, ...] = ()


def find_root(paths: Collection[str]) -> Root:
    """Find the package: at the root or, where somebody zipped the folder, in the only outermost place.

    Raises:
        PackageRefusedError: there is none, or there are several packages side by side.
    """
    if {epub.MAIN, epub.MIMETYPE} <= set(paths):
        return Root(main=epub.MAIN, prefix="", read=epub.read)
    misplaced = ""
    for marker, read in MARKERS:
        found = sorted(
            (path for path in paths if path.rpartition("/")[2].casefold() == marker),
            key=lambda path: (path.count("/"), path),
        )
        if read is cmi5.read and found and "/" in found[0]:  # it lies at the root or nowhere (cmi5 14.1)
            misplaced = found[0]
        elif found and not (misplaced and read is site.read):
            return _root(found, marker, read, paths)
    if misplaced:
        raise PackageRefusedError([finding("cmi5.not_at_root", file=misplaced, name=misplaced)])
    course_file = aicc.find_main(paths)
    if course_file is not None:
        return Root(main=course_file, prefix="", read=aicc.read)
    foreign = next((main for main in _FOREIGN if main in paths), None)  # it may hold a film, too
    if foreign is not None:
        raise PackageRefusedError([finding(_FOREIGN[foreign], file=foreign, name=foreign)])
    alone = course.find_main(paths)
    if alone is not None:
        return Root(main=alone, prefix="", read=course.read)
    zips = sorted(path for path in paths if path.lower().endswith(".zip"))
    if zips:
        inside = finding("package.zip_inside", file=zips[0], name=zips[0], count=len(zips))
        raise PackageRefusedError([inside])
    raise PackageRefusedError([finding("package.no_manifest")])


def _root(found: list[str], marker: str, read: Reader, paths: Collection[str]) -> Root:
    main = found[0]
    if len(found) > 1 and found[1].count("/") == main.count("/"):
        raise PackageRefusedError([finding("package.several_manifests", name=main, other=found[1])])
    prefix = main[: -len(marker)]
    notes = []
    if prefix:
        notes.append(finding("package.nested_root", name=prefix))
    if not main.endswith(marker):
        code = "site.name_case" if read is site.read else "package.manifest_case"
        notes.append(finding(code, name=main, usual=marker))
    notes += [
        finding("package.other_manifest", name=main, other=other)
        for other in sorted(paths)
        if other != main
        and other.startswith(prefix)
        and other[len(prefix) :].casefold() in _MANIFESTS - {marker}
    ]
    course_file = aicc.find_main(paths)
    if course_file is not None:
        code = "package.aicc_site" if read is site.read else "package.other_manifest"
        notes.append(finding(code, name=main, other=course_file))
    return Root(main=main, prefix=prefix, read=read, findings=tuple(notes))
