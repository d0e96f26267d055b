"""What a reader of packages works on: files that were let through, wherever they lie, and what there is to say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from content_packages.findings import Finding, finding
from content_packages.limits import Limits
from content_packages.manifest.document import Document, parse
from content_packages.shelf import Readable


@dataclass(kw_only=True, slots=True)
class Source:
    """A package before it is one.

    Args:
        main: the file that says what it is, such as ``imsmanifest.xml``; a path below the package's root.
        names: all paths below the root.
        open: opens a file by such a path.
        sizes: bytes of the files, where they are known.
        findings: readers add what they put right and what is wrong.
        alone: the main file came by itself, not in a zip.
        given_name: what the file that was given is called; empty where nobody said.
        standard: of which standard it is and of which edition, as far as a reader has come.
    """

    main: str
    names: Collection[str]
    open: Callable[[str], Readable]
    limits: Limits
    findings: list[Finding] = field(default_factory=list)
    sizes: Mapping[str, int] = field(default_factory=dict)
    alone: bool = False
    given_name: str = ""
    standard: tuple[str, str] | None = None

    @property
    def called(self) -> str:
        """What a person knows the main file by: a file that came by itself lies here under a name of ours."""
        return self.given_name if self.alone and self.given_name else self.main

    def note(self, code: str, *, line: int | None = None, **facts: str | int) -> None:
        """Add a finding about the main file."""
        self.findings.append(finding(code, file=self.called, line=line, **facts))

    def head(self, path: str, most: int) -> bytes:
        """Return the first bytes of a file: *most* of them and perhaps a few more."""
        stream, data = self.open(path), bytearray()
        while len(data) < most and (piece := stream.read(most)):
            data += piece
        return bytes(data)

    def document(self) -> Document:
        """Parse the main file.

        Raises:
            PackageRefusedError: it is no XML that may be read.
        """
        data = self.head(self.main, self.limits.max_xml_bytes + 1)  # one too many is refused by ``parse``
        size = self.sizes.get(self.main, 0)
        return parse(data, file=self.called, limits=self.limits, findings=self.findings, size=size)
