"""Look through content as it passes by: other hosts, signs of trouble, and how much there is of what.

A heuristic for the report, never a reason to refuse: quoted addresses and the constructs of ``content_signs``
in pages, scripts and style sheets.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial

from content_packages.content_signs import FACTS, REACHES, SAVES, SETS, SIGNS, SYNC_REQUEST, UNLOAD, Sign
from content_packages.findings import Finding, finding
from content_packages.manifest.names import FileNames, extension_of
from content_packages.media_ends import MediaEnds
from content_packages.page_files import ASKED, PAGES, PICTURES, PageFiles
from content_packages.shelf import Readable

_ADDRESS = re.compile(rb"""["'(=]\s*(?:https?:)?//([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)[/"'):?#]""")
# What stands before an address that a browser asks for by itself; to all others somebody has to go.
_LOADING = re.compile(
    rb"(?:\b(?:src|poster)\s{0,9}[=(]?\s{0,9}|\burl\s{0,9}\(?\s{0,9}|@import\s{0,9}|"
    rb"<(?:link|object|embed)\b[^<>]{0,200}\b(?:href|data)\s{0,9}=?\s{0,9})$"
)
_LOOK_BACK = 256
_OVERLAP = 512
MOST_HOSTS = 200
_MOST_HOSTS_NAMED = 8
# Names of vocabularies and licences: written in content, never fetched.
_NEVER_FETCHED = re.compile(
    r"(^|\.)(w3\.org|adlnet\.(org|gov)|imsglobal\.org|imsproject\.org|ieee\.org|purl\.org|xml\.org|idpf\.org|daisy\.org|"
    r"openxmlformats\.org|ns\.adobe\.com|schema\.org|w3id\.org|id\.tincanapi\.com|activitystrea\.ms|"
    r"creativecommons\.org|example\.(com|org)|mozilla\.org|opensource\.org)$"
)
_SCANNED = PAGES | {"js", "mjs", "css", "json"}
_WITH_SCRIPTS = PAGES | {"js", "mjs"}
_TYPES = {
    "pages": ("html", "htm", "xhtml"),
    "scripts": ("js", "mjs", "wasm"),
    "styles": ("css",),
    "images": PICTURES,
    "video": ("mp4", "webm", "m4v", "mov", "ogv", "flv"),
    "audio": ("mp3", "m4a", "weba", "ogg", "oga", "wav", "aac"),
    "fonts": ("woff", "woff2", "ttf", "otf", "eot"),
    "documents": ("pdf", "doc", "docx", "ppt", "pptx", "xls", "xlsx", "epub", "txt"),
    "data": ("xml", "json", "xsd", "dtd", "vtt", "srt"),
    "flash": ("swf",),
}
_TYPE_OF = {extension: name for name, extensions in _TYPES.items() for extension in extensions}


def type_of(path: str) -> str:
    """Return the kind of a file by its extension, ``other`` if it is none we know."""
    return _TYPE_OF.get(extension_of(path), "other")


def hosts_named(text: str) -> list[str]:
    """Return the other hosts whose addresses stand in a text, each once, in their order."""
    found = (match[1].decode("ascii").lower() for match in _ADDRESS.finditer(text.encode()))
    return list(dict.fromkeys(host for host in found if not _NEVER_FETCHED.search(host)))


@dataclass(kw_only=True, slots=True)
class Sighting:
    """A sign that was seen: how often, where first, and in which files."""

    name: str
    file: str
    line: int
    count: int = 0
    files: set[str] = field(default_factory=set)


@dataclass(kw_only=True, slots=True)
class Addresses:
    """Addresses on other hosts of one kind: how often each host, and where the first."""

    file: str
    line: int
    hosts: Counter[str] = field(default_factory=Counter)


class ContentScan:
    """What is seen over all files of a package."""

    def __init__(self) -> None:
        self.hosts: Counter[str] = Counter()
        self.addresses: dict[str, Addresses] = {}
        self.seen: dict[str, Sighting] = {}
        self.flash: list[str] = []
        self.page_files = PageFiles()
        self.media = MediaEnds()

    def watch(self, stream: Readable, path: str) -> Readable:
        """Return a stream of the same bytes that is looked through while it is read."""
        extension = extension_of(path)
        if extension == "swf":
            self.flash.append(path)
        signs = SIGNS if extension in _WITH_SCRIPTS else ()
        if extension in _SCANNED:
            return _Watched(stream, self, path, signs)
        return self.media.watch(stream, path, extension)

    def take_host(self, host: str, *, loaded: bool, file: str, line: Callable[[], int]) -> None:
        """Count one address; its line is asked for only if it is the first of its kind."""
        if _NEVER_FETCHED.search(host) or (host not in self.hosts and len(self.hosts) == MOST_HOSTS):
            return
        self.hosts[host] += 1
        code = "package.external_addresses" if loaded else "package.external_links"
        if code not in self.addresses:
            self.addresses[code] = Addresses(file=file, line=line())
        self.addresses[code].hosts[host] += 1

    def take_sign(self, code: str, written: str, *, file: str, line: Callable[[], int]) -> None:
        """Count one sign; its line is asked for only if it is the first."""
        if code not in self.seen:
            self.seen[code] = Sighting(name=written, file=file, line=line())
        self.seen[code].count += 1
        self.seen[code].files.add(file)

    @property
    def reaching(self) -> Collection[str]:
        """The files with a sign that a script touches the outermost window."""
        return self.seen[REACHES].files if REACHES in self.seen else ()

    def findings(self, names: Collection[str], called: Callable[[str], str] = str) -> Iterator[Finding]:
        """Return what an instructor should know of it.

        Args:
            names: those of all files.
            called: what whoever gave it calls a file, by its path.
        """
        yield from self.page_files.findings(FileNames(names))
        yield from self.media.findings(called)
        for code, found in sorted(self.addresses.items()):
            named = ", ".join(host for host, _ in found.hosts.most_common(_MOST_HOSTS_NAMED))
            yield finding(code, file=found.file, line=found.line, count=found.hosts.total(), hosts=named)
        if self.flash:
            yield finding("script.flash_files", count=len(self.flash), name=min(self.flash))
        for code, sighting in self.seen.items():
            if code not in FACTS:
                yield finding(
                    self._judged(code),
                    file=sighting.file,
                    line=sighting.line,
                    count=sighting.count,
                    name=sighting.name,
                )

    def _judged(self, code: str) -> str:
        """Return the rule a sign falls under, given what else was seen."""
        if code == UNLOAD and SETS in self.seen and SAVES not in self.seen:
            return "script.unload_only"
        unloading = self.seen[UNLOAD].files if UNLOAD in self.seen else set()
        if code == SYNC_REQUEST and unloading & self.seen[code].files:
            return "script.sync_unload"
        return code


class _Watched:
    def __init__(self, stream: Readable, scan: ContentScan, path: str, signs: tuple[Sign, ...]) -> None:
        self._stream = stream
        self._scan = scan
        self._path = path
        self._signs = signs
        self._is_page = extension_of(path) in PAGES
        self._tail = b""
        self._lines_before = 0

    def read(self, size: int, /) -> bytes:
        piece = self._stream.read(size)
        window = self._tail + piece
        # What begins in the overlap is counted with the next piece, when it is whole.
        counted_to = max(0, len(window) - _OVERLAP) if piece else len(window)
        for match in _ADDRESS.finditer(window):
            if match.start() < counted_to:
                host, start = match.group(1).decode("ascii").lower(), match.start()
                loaded = _LOADING.search(window, max(0, start - _LOOK_BACK), start) is not None
                line = partial(self._line, window, start)
                self._scan.take_host(host, loaded=loaded, file=self._path, line=line)
        for sign in self._signs:
            if not any(needle in window for needle in sign.needles):
                continue
            for match in sign.pattern.finditer(window):
                if match.start() < counted_to:
                    written = match.group().decode("ascii", "replace")
                    written += "…)" * written.endswith("(")  # it is read in a sentence
                    line = partial(self._line, window, match.start())
                    self._scan.take_sign(sign.code, written, file=self._path, line=line)
        if self._is_page:
            for match in ASKED.finditer(window):
                if match.start() < counted_to:
                    line = partial(self._line, window, match.start())
                    self._scan.page_files.take(match, page=self._path, line=line)
        self._lines_before += window.count(b"\n", 0, counted_to)
        self._tail = window[counted_to:]
        return piece

    def _line(self, window: bytes, at: int) -> int:
        return self._lines_before + window.count(b"\n", 0, at) + 1
