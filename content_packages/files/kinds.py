"""What a file is by its first bytes; a name only says what somebody believed.

PDF: ISO 32000-1 §7.5.2 and Annex H (implementation note 13). MP4: ISO/IEC 14496-12 §4.3. WebM: RFC 8794 §11.2.
MP3: ISO/IEC 11172-3 §2.4.2.3, ID3v2 §3.1. XML that comes without a zip is a course structure (cmi5 14.2).
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass

from content_packages.package import Viewer

HEAD_BYTES = 64 * 1024

#: The name a course structure has in packages.
STRUCTURE = "cmi5.xml"

_XML_WITHIN = 256
_HTML = (b"<!doctype html", b"<html")
_PDF_WITHIN = 1024
_EBML = b"\x1aE\xdf\xa3"
_WEBM_VIDEO, _WEBM_AUDIO = (b"V_VP8", b"V_VP9", b"V_AV1"), (b"A_OPUS", b"A_VORBIS")
_MP4_AUDIO = frozenset({b"M4A ", b"M4B ", b"F4A "})
_PICTURES = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"crx "}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of file that is a course by itself.

    Args:
        name: what people call it.
        path: the name a package knows it by, whatever it was called before.
    """

    name: str
    viewer: Viewer
    path: str


PDF = Kind(name="PDF", viewer="pdf", path="document.pdf")
MP4 = Kind(name="MP4", viewer="video", path="video.mp4")
M4A = Kind(name="MP4", viewer="audio", path="audio.m4a")
WEBM = Kind(name="WebM", viewer="video", path="video.webm")
WEBA = Kind(name="WebM", viewer="audio", path="audio.weba")
MP3 = Kind(name="MP3", viewer="audio", path="audio.mp3")


def kind_of(head: bytes) -> Kind | None:
    """Return what a file is, ``None`` for a zip and for everything that is no course by itself.

    >>> kind_of(b"%PDF-1.7").name, kind_of(b"PK" + bytes(30)), kind_of(b"GIF89a")
    ('PDF', None, None)
    """
    if head.startswith(b"PK") or is_xml(head[:_XML_WITHIN]):
        return None
    return next((kind for sign in _SIGNS if (kind := sign(head)) is not None), None)


def path_of(head: bytes) -> str | None:
    """Return the name a package knows a single file by; ``None`` for a zip and for everything else."""
    kind = kind_of(head)
    if kind is not None:
        return kind.path
    return STRUCTURE if is_xml(head[:_XML_WITHIN]) else None


def is_xml(head: bytes) -> bool:
    """Tell by its first bytes, in whatever encoding, whether a file is XML other than a web page.

    >>> is_xml(b"<?xml version='1.0'?>"), is_xml("<a/>".encode("utf-16")), is_xml(b"<!DOCTYPE html>"), is_xml(b"PK")
    (True, True, False, False)
    """
    return _start(head).startswith(b"<") and not is_web_page(head)


def is_web_page(head: bytes) -> bool:
    """Tell by its first bytes whether a file is HTML."""
    return _start(head[:_XML_WITHIN]).startswith(_HTML)


def _start(head: bytes) -> bytes:
    """Return the first letters of a text in whatever encoding, small ones."""
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        head = head.removeprefix(mark)
    return head.replace(b"\0", b"").lstrip().lower()


def _pdf(head: bytes) -> Kind | None:
    return PDF if b"%PDF-" in head[:_PDF_WITHIN] else None


def _mp4(head: bytes) -> Kind | None:
    brand = head[8:12]
    if head[4:8] != b"ftyp" or brand in _PICTURES:
        return None
    return M4A if brand in _MP4_AUDIO else MP4


def _webm(head: bytes) -> Kind | None:
    if not head.startswith(_EBML) or b"webm" not in head[:64]:
        return None
    heard, seen = (any(codec in head for codec in codecs) for codecs in (_WEBM_AUDIO, _WEBM_VIDEO))
    return WEBA if heard and not seen else WEBM


def _mp3(head: bytes) -> Kind | None:
    if head.startswith(b"ID3") and len(head) > 10 and max(head[3], head[4]) < 0xFF:
        return MP3
    return MP3 if _begins_sound(head) else None


_SIGNS: tuple[Callable[[bytes], Kind | None], ...] = (_pdf, _mp4, _webm, _mp3)


# ---------------------------------------------------------------------- frames of MPEG audio, layer III


def holds_sound(data: bytes) -> bool:
    """Say whether two frames of sound follow one another anywhere in *data*."""
    at = data.find(0xFF)
    while at >= 0:
        if _begins_sound(data[at : at + _FRAME_AND_MORE]):
            return True
        at = data.find(0xFF, at + 1)
    return False


def _begins_sound(data: bytes) -> bool:
    frame = frame_bytes(data)
    return frame > 0 and frame_bytes(data[frame : frame + 4]) > 0


_BITRATES = {  # kbit/s by the index in the header
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),  # MPEG 1
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),  # MPEG 2 and 2.5
}
_FRAME_AND_MORE = 2048  # the longest frame has 1,441 bytes: 320 kbit/s at 32 kHz, padded
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # Hz, by version


def frame_bytes(head: bytes) -> int:
    """Return how long the frame at the start is; 0 where there is none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer != 1 or bitrate in {0, 15} or rate == 3:
        return 0
    bits = _BITRATES[version == 3][bitrate] * 1000
    return (144 if version == 3 else 72) * bits // _RATES[version][rate] + padding
