"""Whether what opens a unit can be asked for, and is shown by a browser when it comes."""

from __future__ import annotations

from collections.abc import Iterator

from content_packages.manifest.names import extension_of
from content_packages.package import LaunchTarget

_LONGEST_ADDRESS = 8000  # what every server and proxy is asked to take (RFC 9110 §4.1)
#: What a browser shows in a frame by itself; anything else it would offer as a download.
_SHOWN = frozenset(
    {
        *("html", "htm", "xhtml", "xml", "svg", "txt", "csv", "css", "js", "mjs", "json", "pdf"),
        *("png", "jpg", "jpeg", "gif", "webp", "avif", "bmp", "ico"),
        *("mp4", "m4v", "webm", "ogv", "mp3", "m4a", "aac", "ogg", "oga", "opus", "wav", "flac", "weba"),
    }
)


def unfit(launch: LaunchTarget | None, title: str) -> Iterator[tuple[str, dict[str, str | int]]]:
    """Yield what is wrong with the place where a unit begins: the code of its rule, and the facts."""
    if launch is None:
        return
    if launch.length > _LONGEST_ADDRESS:
        yield "launch.too_long", {"name": title, "length": launch.length, "limit": _LONGEST_ADDRESS}
    if launch.path and extension_of(launch.path) not in _SHOWN:
        yield "launch.not_shown", {"name": launch.path, "title": title}
