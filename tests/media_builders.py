"""Files an instructor has at hand, made byte by byte: nothing of somebody else's is kept with the tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

from pypdf import PdfWriter

# ------------------------------------------------------------------ PDF


_SHEET = "/MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>"


def a_pdf(pages: int = 3, *, title: str = "Border posts", language: str = "en") -> bytes:
    """Return a PDF of pages with a line of text each (ISO 32000-1 §7.5)."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(pages))
    bodies = [
        f"<< /Type /Catalog /Pages 2 0 R /Lang ({language}) >>",
        f"<< /Type /Pages /Count {pages} /Kids [{kids}] {_SHEET} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n in range(pages):
        text = f"BT /F1 36 Tf 72 700 Td (Page {n + 1} of the handbook) Tj ET"
        bodies += [
            f"<< /Type /Page /Parent 2 0 R /Contents {5 + 2 * n} 0 R >>",
            f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        ]
    bodies.append(f"<< /Title ({title}) >>")
    out, starts = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(bodies, 1):
        starts.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = len(out)
    out += f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n".encode()
    out += "".join(f"{start:010} 00000 n \n" for start in starts).encode()
    out += (
        f"trailer\n<< /Size {len(bodies) + 1} /Root 1 0 R /Info {len(bodies)} 0 R >>\n"
        f"startxref\n{table}\n%%EOF\n"
    ).encode()
    return bytes(out)


def a_locked_pdf(*, user: str, algorithm: str = "AES-256") -> bytes:
    """Return a PDF that opens with the password *user*; with an empty one it only forbids what its owner may do."""
    writer, out = PdfWriter(clone_from=io.BytesIO(a_pdf())), io.BytesIO()
    writer.encrypt(user, "owner", algorithm=algorithm)
    writer.write(out)
    return out.getvalue()


# ------------------------------------------------------------------ sound and film


def an_mp3(seconds: float = 4, *, title: str = "", counted: bool = False) -> bytes:
    """Return silence: one frame of MPEG 1 layer III, 32 kbit/s, 44.1 kHz, mono, again and again.

    In the first, an encoder may have *counted* the bytes of all.
    """
    frame = b"\xff\xfb\x10\xc4" + bytes(104 - 4)
    tag = b""
    if title:
        text = b"\3" + title.encode()
        body = b"TIT2" + len(text).to_bytes(4, "big") + b"\0\0" + text
        tag = b"ID3\4\0\0" + bytes([0, 0, len(body) >> 7, len(body) & 0x7F]) + body
    frames = round(seconds * 44100 / 1152)
    if counted:
        first = frame[:21] + b"Info\0\0\0\3" + frames.to_bytes(4, "big") + (104 * frames).to_bytes(4, "big")
        return tag + first.ljust(104, b"\0") + frame * (frames - 1)
    return tag + frame * frames


def a_box(name: bytes, *content: bytes) -> bytes:
    """Return a box of an MP4."""
    body = b"".join(content)
    return (8 + len(body)).to_bytes(4, "big") + name + body


def an_mp4(
    *, brand: bytes = b"isom", codec: bytes = b"avc1", handler: bytes = b"vide", title: str = ""
) -> bytes:
    """Return the frame of an MP4 with one track; it holds no picture and cannot be played."""
    sample = a_box(codec, bytes(70))
    track = a_box(
        b"trak",
        a_box(
            b"mdia",
            a_box(b"hdlr", bytes(8), handler, bytes(12)),
            a_box(b"minf", a_box(b"stbl", a_box(b"stsd", bytes(4), b"\0\0\0\1", sample))),
        ),
    )
    named = a_box(b"ilst", a_box(b"\xa9nam", a_box(b"data", b"\0\0\0\1", bytes(4), title.encode())))
    meta = a_box(b"udta", a_box(b"meta", bytes(4), a_box(b"hdlr", bytes(24)), named)) if title else b""
    return a_box(b"ftyp", brand, bytes(4)) + a_box(b"mdat", bytes(100)) + a_box(b"moov", track, meta)


WEBM_HEAD = b"\x1aE\xdf\xa3\x9fB\x82\x84webm" + bytes(40)


def a_webm(blocks: int = 20, *, live: bool = False) -> bytes:
    """Return the frame of a WebM of blocks of 100 bytes; who records it *live* does not know how long it will be."""
    cluster = b"".join(_element("A3", bytes(100)) for _ in range(blocks))
    inside = _element("1654AE6B", b"V_VP9") + _element("1F43B675", cluster, unknown=live)
    return b"\x1aE\xdf\xa3" + b"\x87B\x82\x84webm" + _element("18538067", inside, unknown=live)


def _element(name: str, body: bytes, *, unknown: bool = False) -> bytes:
    """Return an element of EBML, its length in eight bytes (RFC 8794 §6)."""
    length = (1 << 56) - 1 if unknown else len(body)
    return bytes.fromhex(name) + (1 << 56 | length).to_bytes(8, "big") + body


# ------------------------------------------------------------------ EPUB

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)


def a_page(body: str, *, language: str = "en", head: str = "") -> str:
    """Return a part of a book."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" '
        f'lang="{language}" xml:lang="{language}"><head><title>x</title>{head}</head><body>{body}</body></html>'
    )


def an_epub(
    parts: Sequence[str] = ("<h1>One</h1>", "<h1>Two</h1>"),
    *,
    title: str = "First aid",
    language: str = "en",
    direction: str = "",
    files: Mapping[str, str] | None = None,
    nav: str | None = None,
) -> bytes:
    """Return a book of parts, in OEBPS/text; *files* replace or join what is in it."""
    numbers = range(1, len(parts) + 1)
    lines = "".join(f'<li><a href="text/part%20{n}.xhtml">Chapter {n}</a></li>' for n in numbers)
    references = "".join(f'<itemref idref="p{n}"/>' for n in numbers)
    progression = f' page-progression-direction="{direction}"' if direction else ""
    items = "".join(
        f'<item id="p{n}" href="text/part%20{n}.xhtml" media-type="application/xhtml+xml"/>' for n in numbers
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:identifier id="id">urn:isbn:1</dc:identifier><dc:title>{title}</dc:title>'
        f"<dc:language>{language}</dc:language></metadata><manifest>"
        f'<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>{items}</manifest>'
        f"<spine{progression}>{references}</spine></package>"
    )
    contents = a_page(
        f'<nav xmlns:epub="http://www.idpf.org/2007/ops" epub:type="toc"><ol>{lines}</ol></nav>'
    )
    plain = {
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": package,
        "OEBPS/nav.xhtml": contents if nav is None else nav,
        **{
            f"OEBPS/text/part {n}.xhtml": a_page(body, language=language)
            for n, body in zip(numbers, parts, strict=True)
        },
        **(files or {}),
    }
    return a_zip_of({"mimetype": "application/epub+zip", **plain})


def a_zip_of(files: Mapping[str, str | bytes]) -> bytes:
    """Return a zip as ordinary tools make it, its files in this order."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return target.getvalue()
