"""Every manifest of ADL's SCORM 2004 4th Edition suite is read without a complaint about its sequencing."""

from __future__ import annotations

from pathlib import Path

import pytest

from content_packages.findings import Finding
from content_packages.limits import Limits
from content_packages.manifest.document import parse
from content_packages.manifest.scorm import READERS, edition_of


@pytest.mark.shared
def test_all_manifests_of_the_suite_give_a_tree(shared: Path) -> None:
    manifests = sorted((shared / "scorm-cts" / "manifests").glob("*.xml"))
    assert len(manifests) == 189

    for path in manifests:
        findings: list[Finding] = []
        document = parse(path.read_bytes(), file=path.name, limits=Limits(), findings=findings)
        standard, edition = edition_of(document, findings)
        package = READERS[standard](document, [], edition=edition, findings=findings)

        items = [node for node in document.root.walk() if node.name == "item"]
        assert edition == "2004 4th Edition"
        assert len(list(package.root.walk())) == len(items) + 1
        # The suite's manifests come without their content, so only files may be missing.
        assert {found.code for found in findings} <= {"file.missing", "launch.missing", "organization.empty"}
