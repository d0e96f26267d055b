"""What a file is by its extension, from our own table: what the operating system believes differs by node.

Anything else is handed over as a download, so that nothing unknown runs.
"""

from __future__ import annotations

from pathlib import PurePosixPath

UNKNOWN = "application/octet-stream"

MEDIA_TYPES = {
    "html": "text/html", "htm": "text/html", "xhtml": "application/xhtml+xml", "xml": "text/xml",
    "xsl": "text/xml", "xsd": "text/xml", "dtd": "application/xml-dtd", "css": "text/css",
    "js": "text/javascript", "mjs": "text/javascript", "json": "application/json", "map": "application/json",
    "txt": "text/plain", "csv": "text/csv", "vtt": "text/vtt", "srt": "text/plain", "wasm": "application/wasm",
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
    "avif": "image/avif", "svg": "image/svg+xml", "ico": "image/x-icon", "bmp": "image/bmp", "cur": "image/x-icon",
    "mp3": "audio/mpeg", "weba": "audio/webm", "m4a": "audio/mp4", "aac": "audio/aac", "ogg": "audio/ogg",
    "oga": "audio/ogg", "opus": "audio/ogg", "wav": "audio/wav", "flac": "audio/flac",
    "mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "ogv": "video/ogg", "mov": "video/quicktime",
    "woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf", "otf": "font/otf",
    "eot": "application/vnd.ms-fontobject", "pdf": "application/pdf", "swf": "application/x-shockwave-flash",
}  # fmt: skip


XHTML = "application/xhtml+xml"


def media_type(path: str) -> str | None:
    """Return the type of a file, or ``None`` for one that is only to be downloaded.

    >>> media_type("a/Page.HTM"), media_type("setup.exe")
    ('text/html', None)
    """
    return MEDIA_TYPES.get(PurePosixPath(path).suffix.removeprefix(".").lower())
