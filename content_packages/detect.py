"""Which kind of package it is, and where in the archive its root lies."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from content_packages.errors import PackageRefusedError
from content_packages.findings import Finding, finding
from content_packages.manifest import scorm12, scorm2004
from content_packages.manifest.document import Document
from content_packages.package import Package, Standard

MANIFEST = "imsmanifest.xml"

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
        self, document: Document, names: Iterable[str], *, edition: str, findings: list[Finding]
    ) -> Package: ...


READERS: dict[Standard, Reader] = {"scorm12": scorm12.read, "scorm2004": scorm2004.read}


@dataclass(frozen=True, kw_only=True, slots=True)
class Root:
    """Where the package lies: the manifest's path, and the folder (with its slash) to take off all paths."""

    manifest: str
    prefix: str
    findings: tuple[Finding, ...] = ()


def find_root(paths: Collection[str]) -> Root:
    """Find the manifest: at the root or, where somebody zipped the folder, in the only outermost place.

    Raises:
        PackageRefusedError: there is none, or there are several packages side by side.
    """
    found = sorted(
        (p for p in paths if p.rpartition("/")[2].casefold() == MANIFEST), key=lambda p: p.count("/")
    )
    if not found:
        raise PackageRefusedError([finding("package.no_manifest")])
    manifest = found[0]
    if len(found) > 1 and found[1].count("/") == manifest.count("/"):
        raise PackageRefusedError([finding("package.several_manifests", name=manifest, other=found[1])])
    prefix = manifest[: -len(MANIFEST)]
    notes = []
    if prefix:
        notes.append(finding("package.nested_root", name=prefix))
    if not manifest.endswith(MANIFEST):
        notes.append(finding("package.manifest_case", name=manifest))
    return Root(manifest=manifest, prefix=prefix, findings=tuple(notes))


def detect(document: Document, findings: list[Finding]) -> tuple[Standard, str]:
    """Return standard and edition: by schemaversion, or by the namespaces where it is missing or unknown.

    Raises:
        PackageRefusedError: it is a package of another kind.
    """
    metadata = document.root.first("metadata")
    written = "" if metadata is None else metadata.value("schemaversion") or ""
    schema = "" if metadata is None else metadata.value("schema") or ""
    if "common cartridge" in schema.lower() or any("/imsccv" in space for space in document.namespaces):
        raise PackageRefusedError([finding("package.common_cartridge", file=document.file)])
    known = _EDITIONS.get(written.lower())
    if known is not None:
        return known
    guessed: tuple[Standard, str] = ("scorm12", "1.2")
    if any(space.endswith(("_v1p3", "/imsss", "/imscp_v1p1")) for space in document.namespaces):
        guessed = (
            "scorm2004",
            "2004 4th Edition" if _has_fourth_edition_parts(document) else "2004 3rd Edition",
        )
    findings.append(
        finding(
            "package.edition_guessed",
            file=document.file,
            line=document.root.line,
            written=written,
            edition=guessed[1],
        )
    )
    return guessed


def _has_fourth_edition_parts(document: Document) -> bool:
    fourth = {("adlcp", "data"), ("adlseq", "objectives")}
    return any(
        (node.family, node.name) in fourth or node.get("completedByMeasure") is not None
        for node in document.root.walk()
    )
