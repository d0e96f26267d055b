"""Every manifest of ADL's SCORM 2004 4th Edition suite gives the tree that a plain reading of its XML gives."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from content_packages.findings import Finding
from content_packages.limits import Limits
from content_packages.manifest.document import parse
from content_packages.manifest.scorm import READERS, edition_of
from content_packages.package import Activity

CP = "{http://www.imsglobal.org/xsd/imscp_v1p1}"
MANIFESTS = 189
Tree = tuple[str, str, list["Tree"]]  # identifier, title, children


@pytest.mark.shared
def test_all_manifests_of_the_suite_give_the_right_tree(shared: Path) -> None:
    manifests = sorted((shared / "scorm-cts" / "manifests").glob("*.xml"))
    seen = 0

    for path in manifests:
        findings: list[Finding] = []
        document = parse(path.read_bytes(), file=path.name, limits=Limits(), findings=findings)
        standard, edition = edition_of(document, findings)
        package = READERS[standard](document, [], edition=edition, findings=findings)

        assert edition == "2004 4th Edition"
        assert as_read(package.root) == plainly(organization_of(path)), path.name
        # The suite's manifests come without their content, so only files may be missing.
        assert {found.code for found in findings} <= {"file.missing", "launch.missing", "organization.empty"}
        seen += 1

    assert seen == MANIFESTS


def as_read(activity: Activity) -> Tree:
    return activity.identifier, activity.title, [as_read(child) for child in activity.children]


def plainly(element: ET.Element) -> Tree:
    """Read an organization or item with the standard library, and nothing of ours."""
    identifier = " ".join(element.get("identifier", "").split())
    title = " ".join((element.findtext(f"{CP}title") or "").split())
    return identifier, title, [plainly(item) for item in element.findall(f"{CP}item")]


def organization_of(path: Path) -> ET.Element:
    block = ET.parse(path).getroot().find(f"{CP}organizations")
    assert block is not None
    found = block.findall(f"{CP}organization")
    return next((one for one in found if one.get("identifier") == block.get("default")), found[0])
