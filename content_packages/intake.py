"""Import a package: judge it, keep its files on the shelf, and report what an instructor should know."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from content_packages.authoring_tool import authoring_tool
from content_packages.content_scan import ContentScan, type_of
from content_packages.detect import find_root
from content_packages.errors import PackageRefusedError
from content_packages.files.container import Container, SingleFile, open_container
from content_packages.findings import Finding, blocking, finding, legible
from content_packages.limits import Limits
from content_packages.manifest.source import Source
from content_packages.opening import Opening
from content_packages.original import OriginalBuilder
from content_packages.package import Activity, Package
from content_packages.rules import Severity
from content_packages.schema_org import MOST_SAID_BYTES, SUFFIX, read_json_ld
from content_packages.shelf import Delivery, FileRef, Readable, Shelf
from content_packages.texts import cut_texts

_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far an import is."""

    files: int
    files_total: int
    size: int
    size_total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """An imported file that was kept: `digest` says how it is put together, `size` is its own."""

    digest: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What came of an import.

    Args:
        package: ``None`` when it was refused.
        standard: of which standard it is and of which edition; ``None`` where the file was not read so far.
        title: what it is called, likewise.
        digest: SHA-256 of ``package.to_json()``, which is on the shelf under it; names the edition.
        tool: the authoring tool, as far as it left a sign of itself.
        sizes: unpacked bytes by kind of file.
        external_hosts: other hosts the content names, with how often.
        original: the imported file, if it was kept too.
        came: digests of what the shelf had not had before, or only damaged.
    """

    package: Package | None = None
    digest: str | None = None
    standard: tuple[str, str] | None = None
    title: str | None = None
    findings: tuple[Finding, ...] = ()
    tool: str | None = None
    sizes: Mapping[str, int] = field(default_factory=dict, hash=False)
    external_hosts: Mapping[str, int] = field(default_factory=dict, hash=False)
    original: Kept | None = None
    came: frozenset[str] = field(
        default=frozenset(), compare=False
    )  # it tells of the shelf, not of the package

    @property
    def refused(self) -> bool:
        """Whether nothing was kept."""
        return self.package is None

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of one severity, in the order they were made."""
        return tuple(found for found in self.findings if found.severity is severity)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values."""
        package = self.package
        standard, edition = self.standard or (None, None)
        return {
            "digest": self.digest,
            "errors": [found.to_json() for found in self.of(Severity.ERROR)],
            "warnings": [found.to_json() for found in self.of(Severity.WARNING)],
            "notes": [found.to_json() for found in self.of(Severity.NOTE)],
            "standard": standard,
            "edition": edition,
            "tool": self.tool,
            "title": self.title,
            "languages": list(package.languages) if package else [],
            "sizes": dict(self.sizes),
            "external_hosts": dict(self.external_hosts),
            "outline": _outline(package.root) if package else None,
        }


def read_package(
    path: Path,
    shelf: Shelf,
    *,
    file_name: str | None = None,
    limits: Limits | None = None,
    keep_original: bool = False,
    catalogue_data: bytes | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> ImportReport:
    """Import a zip or a single file: all of it and a description are on the shelf afterwards, or nothing is.

    Args:
        path: an untrusted file.
        shelf: where the files go.
        file_name: what whoever gave it calls it, where that is not the name it lies under; empty where nobody said.
        limits: the most that is taken; the defaults when left out.
        keep_original: whether the file itself is kept too, as ``content_packages.original`` does.
        catalogue_data: what a catalogue says of it (schema.org, as JSON-LD), where that came beside it.
        progress: told after each file, and in large ones after each piece; what it raises cancels the import.
    """
    limits = limits or Limits()
    findings: list[Finding] = []
    try:
        with open_container(path, limits) as container:
            findings += container.findings
            name = path.name if file_name is None else file_name
            return _take(
                container,
                shelf,
                limits,
                findings,
                progress or (lambda _: None),
                given_name=name,
                kept_from=path if keep_original else None,
                catalogue_data=catalogue_data,
            )
    except PackageRefusedError as refusal:
        return ImportReport(findings=legible((*refusal.findings, *findings)))


def _take(
    container: Container,
    shelf: Shelf,
    limits: Limits,
    findings: list[Finding],
    progress: Callable[[Progress], None],
    *,
    given_name: str,
    kept_from: Path | None,
    catalogue_data: bytes | None,
) -> ImportReport:
    root = find_root(container.members)
    findings += root.findings
    paths = {
        path.removeprefix(root.prefix): path for path in container.members if path.startswith(root.prefix)
    }
    source = Source(
        main=root.main.removeprefix(root.prefix),
        names=paths,
        open=lambda path: container.open(paths[path]),
        limits=limits,
        findings=findings,
        sizes={path: container.members[original].size for path, original in paths.items()},
        alone=isinstance(container, SingleFile),
        given_name=given_name,
    )
    sizes: Counter[str] = Counter()
    for path, original in paths.items():
        sizes[type_of(path)] += container.members[original].size
    try:
        package = cut_texts(_with_catalogue_data(root.read(source), source, catalogue_data), findings)
    except PackageRefusedError as refusal:
        return ImportReport(
            findings=legible((*refusal.findings, *findings)),
            standard=source.standard,
            sizes=sizes,
            tool=_tool(source, None, paths),
        )
    told = ImportReport(
        standard=(package.standard, package.edition),
        title=package.title,
        sizes=sizes,
        tool=_tool(source, package, paths),
    )
    findings += _empty(package.root, container, paths)
    findings += _no_room(container, shelf, limits, paths.values(), twice=kept_from is not None)
    if blocking(findings):
        return replace(told, findings=legible(findings))
    scan = ContentScan()
    try:
        with shelf.delivery() as delivery:
            builder = OriginalBuilder(delivery=delivery) if kept_from is not None else None
            files = _deliver(container, delivery, paths, scan, progress, builder=builder)
            _require_enough(scan, source)
            kept = _keep(builder, kept_from) if builder is not None and kept_from is not None else None
            package = replace(package, files=files)
            digest = delivery.put(BytesIO(package.to_json())).digest
    except PackageRefusedError as refusal:
        return replace(told, findings=legible((*refusal.findings, *findings)))
    findings += container.findings  # more, now that all is unpacked
    findings += scan.findings(files, lambda path: source.called if path == source.main else path)
    findings += Opening(source, package.root, scan.reaching).findings()
    return replace(
        told,
        package=package,
        digest=digest,
        findings=legible(findings),
        external_hosts=scan.hosts,
        original=kept,
        came=frozenset(delivery.came),
    )


def _with_catalogue_data(package: Package, source: Source, beside: bytes | None) -> Package:
    """Return the package with what came beside it, or lies in it, said over what its manifest says."""
    if beside is not None:
        name, data = f"{source.given_name}{SUFFIX}", beside
    else:
        within = sorted(name for name in source.names if name.endswith(SUFFIX) and "/" not in name)
        if not within:
            return package
        name, data = within[0], source.head(within[0], MOST_SAID_BYTES)
    said = read_json_ld(data)
    if said is None:
        source.findings.append(finding("catalogue.unreadable", name=name))
        return package
    source.findings.append(finding("catalogue.read", name=name))
    languages = tuple(sorted({*package.languages, *said.languages}))
    return replace(package, metadata=said.over(package.metadata), languages=languages)


def _empty(root: Activity, container: Container, paths: Mapping[str, str]) -> Iterator[Finding]:
    """Tell of lessons that begin with a file in which nothing is."""
    for unit in root.units():
        path = unit.launch.path if unit.launch is not None else ""
        if path and container.members[paths[path]].size == 0:
            yield finding("launch.empty", file=path, name=path, title=unit.title)


def _no_room(
    container: Container, shelf: Shelf, limits: Limits, paths: Iterable[str], *, twice: bool
) -> Iterator[Finding]:
    """Judge whether the disk has room for all files, and with *twice* for what is packed in the original too."""
    needed = 0
    for path in paths:
        extent = container.extent(path)
        needed += container.members[path].size + extent.size * (twice and extent.packed)
    free = shelf.free()
    if needed + limits.min_free_bytes > free:
        yield finding("shelf.no_room", size=needed, free=free, **limits.facts("min_free_bytes"))


def _tool(source: Source, package: Package | None, paths: Collection[str]) -> str | None:
    """Return which tool made it; in a refused package even the beginning of a file may not be readable."""
    try:
        return authoring_tool(_beginnings(source, package), paths, partial(_beginning, source))
    except PackageRefusedError:
        return None


def _beginnings(source: Source, package: Package | None) -> Iterator[str]:
    """Return the beginnings of the files in which a tool leaves its name."""
    units = package.root.units()[:1] if package is not None else ()
    pages = [unit.launch.path for unit in units if unit.launch is not None]
    for path in dict.fromkeys([source.main, *pages]):
        if path in source.names:
            yield _beginning(source, path)


def _beginning(source: Source, path: str) -> str:
    return source.head(path, _HEAD_BYTES).replace(b"\0", b"").decode("utf-8", "replace")


def _deliver(
    container: Container,
    delivery: Delivery,
    paths: Mapping[str, str],
    scan: ContentScan,
    progress: Callable[[Progress], None],
    *,
    builder: OriginalBuilder | None,
) -> dict[str, FileRef]:
    """Bring every file to the shelf in one pass over its bytes, in the order in which they stand."""
    files: dict[str, FileRef] = {}
    total = sum(container.members[original].size for original in paths.values())
    done = 0

    def tell(part: int) -> None:
        progress(Progress(files=len(files), files_total=len(paths), size=done + part, size_total=total))

    extents = {path: container.extent(original) for path, original in paths.items()}
    for path in sorted(paths, key=lambda path: extents[path].at):
        extent, taken = extents[path], None
        if builder is not None and extent.packed:
            builder.begin(extent)
            taken = builder.take
        files[path] = delivery.put(scan.watch(_Told(container.open(paths[path], taken), tell), path))
        if builder is not None:
            builder.end(extent, files[path])
        done += files[path].size
        tell(0)
    return dict(sorted(files.items()))


def _require_enough(scan: ContentScan, source: Source) -> None:
    """Refuse a film or a recording that is the course, and that nobody could complete."""
    if scan.media.lacks_too_much(source.main):
        raise PackageRefusedError([finding("media.too_short", file=source.called, name=source.called)])


def _keep(builder: OriginalBuilder, path: Path) -> Kept:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        return Kept(digest=builder.finish(file, size).digest, size=size)


class _Told:
    """A stream that tells how much of it was read, so that a large file is seen to move, and can be stopped."""

    def __init__(self, stream: Readable, tell: Callable[[int], None]) -> None:
        self._stream = stream
        self._tell = tell
        self._read = 0

    def read(self, size: int, /) -> bytes:
        piece = self._stream.read(size)
        self._read += len(piece)
        if len(piece) == size:  # more may follow; the end of a file is told by whoever counts files
            self._tell(self._read)
        return piece


def _outline(activity: Activity) -> dict[str, Any]:
    return {
        "identifier": activity.identifier,
        "title": activity.title,
        "kind": activity.kind,
        "children": [_outline(child) for child in activity.children],
    }
