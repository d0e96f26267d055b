"""Look through content as it passes by: addresses on other hosts, and how much there is of what.

A heuristic for the report, never a reason to refuse: quoted addresses in pages, scripts and style sheets.
"""

from __future__ import annotations

import re
from collections import Counter

from content_packages.shelf import Readable

_ADDRESS = re.compile(rb"""["'(=]\s*(?:https?:)?//([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)[/"'):?#]""")
_OVERLAP = 300
_MOST_HOSTS = 200
# Names of vocabularies and licences: written in content, never fetched.
_NEVER_FETCHED = re.compile(
    r"(^|\.)(w3\.org|adlnet\.(org|gov)|imsglobal\.org|imsproject\.org|ieee\.org|purl\.org|xml\.org|"
    r"openxmlformats\.org|ns\.adobe\.com|schema\.org|w3id\.org|id\.tincanapi\.com|activitystrea\.ms|"
    r"creativecommons\.org|example\.(com|org)|mozilla\.org|opensource\.org)$"
)
_SCANNED = frozenset({"html", "htm", "xhtml", "js", "mjs", "css", "json"})
_TYPES = {
    "pages": ("html", "htm", "xhtml"),
    "scripts": ("js", "mjs", "wasm"),
    "styles": ("css",),
    "images": ("png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "bmp", "ico"),
    "video": ("mp4", "webm", "m4v", "mov", "ogv", "flv"),
    "audio": ("mp3", "m4a", "ogg", "oga", "wav", "aac"),
    "fonts": ("woff", "woff2", "ttf", "otf", "eot"),
    "documents": ("pdf", "doc", "docx", "ppt", "pptx", "xls", "xlsx", "epub", "txt"),
    "data": ("xml", "json", "xsd", "dtd", "vtt", "srt"),
    "flash": ("swf",),
}
_TYPE_OF = {extension: name for name, extensions in _TYPES.items() for extension in extensions}


def type_of(path: str) -> str:
    """Return the kind of a file by its extension, ``other`` if it is none we know."""
    return _TYPE_OF.get(_extension(path), "other")


class ExternalAddresses:
    """Counts addresses on other hosts over all files of a package."""

    def __init__(self) -> None:
        self.hosts: Counter[str] = Counter()

    def watch(self, stream: Readable, path: str) -> Readable:
        """Return a stream of the same bytes that is looked through while it is read."""
        return _Watched(stream, self) if _extension(path) in _SCANNED else stream

    def take(self, host: str) -> None:
        """Count one address."""
        if not _NEVER_FETCHED.search(host) and (host in self.hosts or len(self.hosts) < _MOST_HOSTS):
            self.hosts[host] += 1


class _Watched:
    def __init__(self, stream: Readable, addresses: ExternalAddresses) -> None:
        self._stream = stream
        self._addresses = addresses
        self._tail = b""

    def read(self, size: int, /) -> bytes:
        piece = self._stream.read(size)
        window = self._tail + piece
        # What begins in the overlap is counted with the next piece, when it is whole.
        counted_to = len(window) - _OVERLAP if piece else len(window)
        for match in _ADDRESS.finditer(window):
            if match.start() < counted_to:
                self._addresses.take(match.group(1).decode("ascii").lower())
        self._tail = window[max(0, counted_to) :]
        return piece


def _extension(path: str) -> str:
    return path.rpartition(".")[2].lower()
