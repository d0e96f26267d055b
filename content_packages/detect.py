"""Which kind of package it is, and where in the archive its root lies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from content_packages import site
from content_packages.errors import PackageRefusedError
from content_packages.files import course, epub
from content_packages.findings import Finding, finding
from content_packages.manifest import aicc, cmi5, scorm, tincan
from content_packages.manifest.names import extension_of
from content_packages.manifest.source import Source
from content_packages.package import Package
from content_packages.page_files import PAGES

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
_FOREIGN = {
    "h5p.json": "package.h5p",
    "moodle_backup.xml": "package.moodle",
    ".bb-package-info": "package.blackboard",
}
#: What authoring tools keep their own work in, by the end of the name or the whole of it.
_PROJECTS = {
    ".story": "Articulate Storyline",
    ".cptx": "Adobe Captivate",
    ".cpvc": "Adobe Captivate",
    ".awt": "Lectora",
    ".tscproj": "Camtasia",
    ".camproj": "Camtasia",
    ".elp": "eXeLearning",
    ".elpx": "eXeLearning",
    "contentv3.xml": "eXeLearning",
    ".h5p": "H5P",
}
_FIRST_PAGES = frozenset({"story", "start", "default", "home", "main", "launch", "launcher", "presentation"})
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
    book = _find_book(paths)
    if book is not None:
        return book
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
    raise PackageRefusedError([_nothing_known(paths)])


def _find_book(paths: Collection[str]) -> Root | None:
    """Return an EPUB, by what it says first or by its package document; somebody may have zipped its folder."""
    types = {path for path in paths if f"/{path}".endswith(f"/{epub.MIMETYPE}")}
    described = {folder for path in paths if path.endswith(".opf") for folder in _folders(path)}
    for main in sorted((path for path in paths if f"/{path}".endswith(f"/{epub.MAIN}")), key=_depth):
        prefix = main.removesuffix(epub.MAIN)
        if prefix + epub.MIMETYPE in types or prefix in described:
            notes = (finding("package.nested_root", name=prefix),) if prefix else ()
            return Root(main=main, prefix=prefix, read=epub.read, findings=notes)
    return None


def _folders(path: str) -> Iterator[str]:
    """Yield the folders a file stands in, each with the slash that ends it; the root is empty."""
    yield ""
    for at, sign in enumerate(path, 1):
        if sign == "/":
            yield path[:at]


def _how_unlikely(path: str) -> tuple[int, bool, str]:
    """Return what sorts the page first that a course may begin with."""
    stem = path.rpartition("/")[2].rpartition(".")[0].casefold()
    return _depth(path), stem not in _FIRST_PAGES, path


def _depth(path: str) -> int:
    return path.count("/")


def _nothing_known(paths: Collection[str]) -> Finding:
    """Return what the files are, where they are no course."""
    if not paths:
        return finding("package.empty")
    for path in sorted(paths):
        tool = next((tool for end, tool in _PROJECTS.items() if path.lower().endswith(end)), None)
        if tool is not None:
            return finding("package.project", file=path, name=path, tool=tool)
    pages = sorted((path for path in paths if extension_of(path) in PAGES), key=_how_unlikely)
    if pages:
        return finding("site.no_first_page", file=pages[0], name=pages[0], count=len(pages))
    return finding("package.no_manifest")


def _root(found: list[str], marker: str, read: Reader, paths: Collection[str]) -> Root:
    main = found[0]
    if len(found) > 1 and found[1].count("/") == main.count("/"):
        code = "site.several" if read is site.read else "package.several_manifests"
        raise PackageRefusedError([finding(code, name=main, other=found[1])])
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
