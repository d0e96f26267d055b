"""Course structures of cmi5 and manifests of xAPI packages for tests; a test names only what matters to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from content_packages.findings import Finding
from content_packages.intake import ImportReport, read_package
from content_packages.shelf import Shelf

NAMESPACE = "https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd"
TEXTS = (
    '<title><langstring lang="en">{0}</langstring></title>'
    '<description><langstring lang="en">About {0}</langstring></description>'
)
COURSE = f'<course id="https://example.org/course">{TEXTS.format("A course")}</course>'


def an_au(
    identifier: str = "https://example.org/au/1",
    *,
    url: str = "index.html",
    attributes: str = "",
    texts: str | None = None,
    before_url: str = "",
    after_url: str = "",
) -> str:
    """Return an assignable unit."""
    written = TEXTS.format("A unit") if texts is None else texts
    return f'<au id="{identifier}" {attributes}>{written}{before_url}<url>{url}</url>{after_url}</au>'


def a_block(inside: str, identifier: str = "https://example.org/block/1", *, references: str = "") -> str:
    """Return a block."""
    return f'<block id="{identifier}">{TEXTS.format("A block")}{references}{inside}</block>'


def an_objective(identifier: str = "https://example.org/objective/1") -> str:
    """Return an objective."""
    return f'<objective id="{identifier}">{TEXTS.format("An objective")}</objective>'


def a_structure(
    units: str | None = None, *, course: str = COURSE, objectives: str = "", root: str = ""
) -> str:
    """Return a course structure, a line for each part of it."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<courseStructure xmlns="{NAMESPACE}" {root}>\n'
        f"{course}\n{objectives}\n{an_au() if units is None else units}\n</courseStructure>"
    )


def a_cmi5_package(structure: str | bytes = "", **files: bytes) -> dict[str, bytes]:
    """Return the files of a package with a page ``index.html``."""
    data = structure.encode() if isinstance(structure, str) else structure
    return {"cmi5.xml": data or a_structure().encode(), "index.html": b"<p>Hello</p>", **files}


def a_tincan(activities: str | None = None) -> str:
    """Return a ``tincan.xml``."""
    inside = an_activity() if activities is None else activities
    return f'<tincan xmlns="http://projecttincan.com/tincan.xsd">\n<activities>\n{inside}\n</activities>\n</tincan>'


def an_activity(
    identifier: str = "https://example.org/activity",
    *,
    kind: str = "http://adlnet.gov/expapi/activities/course",
    launch: str = '<launch lang="en">index.html</launch>',
) -> str:
    """Return an activity."""
    return (
        f'<activity id="{identifier}" type="{kind}"><name lang="en">An activity</name>'
        f'<description lang="en">About it</description>{launch}</activity>'
    )


def imported_bare(folder: Path, structure: str | bytes) -> ImportReport:
    """Import a course structure without a zip onto a shelf in the folder."""
    path = folder / "upload"
    path.write_bytes(structure.encode() if isinstance(structure, str) else structure)
    return read_package(path, Shelf(folder / "shelf"))


def found(findings: Sequence[Finding], code: str) -> Finding:
    """Return the one finding of a code."""
    (one,) = [one for one in findings if one.code == code]
    return one
