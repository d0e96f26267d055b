"""Read an ``imsmanifest.xml``: which SCORM it is, and then by the rules of that one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from content_packages.errors import PackageRefusedError
from content_packages.findings import Finding, finding
from content_packages.limits import Limits
from content_packages.manifest import scorm12, scorm2004
from content_packages.manifest.document import Document
from content_packages.manifest.source import Source
from content_packages.package import Package, Standard

_EDITIONS: dict[str, tuple[Standard, str]] = {
    "1.2": ("scorm12", "1.2"),
    "cam 1.3": ("scorm2004", "2004 2nd Edition"),
    "1.3": ("scorm2004", "2004 2nd Edition"),
    "2004 2nd edition": ("scorm2004", "2004 2nd Edition"),
    "2004 3rd edition": ("scorm2004", "2004 3rd Edition"),
    "2004 4th edition": ("scorm2004", "2004 4th Edition"),
}


class Reader(Protocol):
    """Turns a manifest into a package without files."""

    def __call__(  # noqa: D102 - the class says it
        self,
        document: Document,
        names: Iterable[str],
        *,
        edition: str,
        limits: Limits,
        findings: list[Finding],
    ) -> Package: ...


READERS: dict[Standard, Reader] = {"scorm12": scorm12.read, "scorm2004": scorm2004.read}


def read(source: Source) -> Package:
    """Return the package, still without files.

    Raises:
        PackageRefusedError: the manifest cannot be read, or is of another kind.
    """
    document = source.document()
    standard, edition = edition_of(document, source.findings)
    if document.root.name == "manifest":
        source.standard = (standard, edition)
    reader = READERS[standard]
    return reader(document, source.names, edition=edition, limits=source.limits, findings=source.findings)


def edition_of(document: Document, findings: list[Finding]) -> tuple[Standard, str]:
    """Return standard and edition: by schemaversion, or by the namespaces where it is missing or unknown.

    Raises:
        PackageRefusedError: it is a package of another kind.
    """
    schema, written = _declared(document, "schema"), _declared(document, "schemaversion")
    if "common cartridge" in schema.lower() or any("/imsccv" in space for space in document.namespaces):
        raise _of_another_kind("package.common_cartridge", document, findings)
    if schema.lower().startswith("qti") or _holds_questions_only(document):
        raise _of_another_kind("package.qti", document, findings)
    if any("blackboard.com/content-packaging" in space for space in document.namespaces):
        raise _of_another_kind("package.blackboard", document, findings)
    known = _EDITIONS.get(written.lower())
    if known is not None:
        return known
    guessed: tuple[Standard, str] = ("scorm12", "1.2")
    if any(space.endswith(("_v1p3", "/imsss", "/imscp_v1p1")) for space in document.namespaces):
        guessed = (
            "scorm2004",
            "2004 4th Edition" if _has_fourth_edition_parts(document) else "2004 3rd Edition",
        )
    code = "package.edition_guessed" if written else "package.edition_missing"
    line = document.root.line
    findings.append(finding(code, file=document.file, line=line, written=written, edition=guessed[1]))
    return guessed


def _of_another_kind(code: str, document: Document, findings: list[Finding]) -> PackageRefusedError:
    """Return a refusal; that such a manifest has not the namespaces of SCORM is no news."""
    findings[:] = [one for one in findings if one.code != "xml.missing_namespace"]
    return PackageRefusedError([finding(code, file=document.file)])


def _holds_questions_only(document: Document) -> bool:
    resources = [one for block in document.root.all("resources") for one in block.all("resource")]
    return bool(resources) and all((one.get("type") or "").lower().startswith("imsqti") for one in resources)


def _declared(document: Document, name: str) -> str:
    """Return what the manifest's metadata says, or that of an organization, where some tools put it."""
    root = document.root
    organizations = [one for block in root.all("organizations") for one in block.all("organization")]
    blocks = [block for node in (root, *organizations) for block in node.all("metadata")]
    return next((value for block in blocks if (value := block.value(name))), "")


def _has_fourth_edition_parts(document: Document) -> bool:
    fourth = {("adlcp", "data"), ("adlseq", "objectives")}
    return any(
        (node.family, node.name) in fourth or node.get("completedByMeasure") is not None
        for node in document.root.walk()
    )
