"""Look at both ends of a PDF for its title and language (ISO 32000-1 §7.5, §14.3), without a parser of PDF.

What is packed into object streams is not seen; the metadata stream usually is not packed, so that it can be found.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Collection, Iterator
from typing import BinaryIO

from content_packages.files.told import Told
from content_packages.limits import MIB

_INFO = re.compile(rb"/Info\s+(\d{1,10})\s+(\d{1,5})\s+R")
_TITLE = re.compile(rb"/Title\s*(?=[(<])")
_XMP_TITLE = re.compile(rb"<rdf:li[^>]{0,200}>([^<]{0,1000})</rdf:li>")
_LANGUAGE = re.compile(rb"/Lang\s*\(([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\)")
_ENCRYPTED = re.compile(rb"/Encrypt\s{0,8}(?:\d|<<)")
_OBJECT = re.compile(rb"\d\s{1,3}\d{1,5}\s{1,3}obj\b")
_ROOT = re.compile(rb"/Root\s{1,8}(\d{1,10})\s{1,8}(\d{1,5})\s{1,8}R")
_HEAD = re.compile(rb"(?<!\d)(\d{1,10})\s{1,8}(\d{1,5})\s{1,8}obj\b")
_PAGES = re.compile(rb"/Pages\s{1,8}(\d{1,10})\s{1,8}(\d{1,5})\s{1,8}R")
_CATALOGUE_WITHIN = 64 * 1024
_LENGTH = re.compile(rb"/L\s{1,8}(\d{1,12})")
_LINEARIZED_WITHIN = 1024
_END = b"%%EOF"
_START = b"startxref"
_END_WITHIN = 2048
_LONGEST_STRING = 2000
_MOST_TRIED = 8  # a file may name a title or a catalogue very often, to keep us busy
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def told(ends: bytes) -> Told:
    """Return what the ends of the file tell.

    Args:
        ends: its first and last bytes, one after the other.
    """
    language = _LANGUAGE.search(ends)
    return Told(
        title="" if is_encrypted(ends) else _info_title(ends) or _xmp_title(ends),
        language=language[1].decode("ascii") if language else "",
    )


def is_encrypted(ends: bytes) -> bool:
    """Say whether it is encrypted; often that only forbids printing, and it opens without a password."""
    return _ENCRYPTED.search(ends) is not None


def has_objects(ends: bytes) -> bool:
    """Say whether anything in it could be shown: a page is an object, and the first stands near the beginning."""
    return _OBJECT.search(ends) is not None


def can_be_shown(file: BinaryIO, ends: bytes) -> bool:
    """Say whether a reader finds the catalogue and the pages (§7.5.5, §7.7).

    Readers mend a table of cross-references that is broken, from the objects themselves; pdf.js, which shows PDFs
    here, does. What none can do without is a trailer, which names the catalogue. Most PDFs end with the only one, so
    whatever was cut off one of these, nothing of it is shown. In a file without an end, catalogue and pages have to
    stand by themselves, since nothing says where the object streams are.
    """
    roots = _references(_ROOT, iter((ends,))) or _references(_ROOT, _pieces(file))
    if _START in ends[-_END_WITHIN:] and not _lacks_bytes(file, ends):
        return bool(roots)
    return bool(_objects(file, _references(_PAGES, iter(_objects(file, roots)))))


def is_whole(file: BinaryIO, ends: bytes) -> bool:
    """Say whether it ends as a PDF does, and not before."""
    return _END in ends[-_END_WITHIN:] and not _lacks_bytes(file, ends)


def _lacks_bytes(file: BinaryIO, ends: bytes) -> bool:
    """Say whether it is shorter than it says of itself; a linearized one does (Annex F.2)."""
    head = ends[:_LINEARIZED_WITHIN]
    length = _LENGTH.search(head) if b"/Linearized" in head else None
    return length is not None and int(length[1]) > file.seek(0, os.SEEK_END)


_Reference = tuple[bytes, bytes]  # number and generation of an object, as they are written


def _references(pattern: re.Pattern[bytes], pieces: Iterator[bytes]) -> list[_Reference]:
    """Return what the last of those that match refer to, the very last first."""
    found: dict[_Reference, None] = {}
    for piece in pieces:
        for match in pattern.finditer(piece):
            reference = (match[1], match[2])
            found.pop(reference, None)
            found[reference] = None
            if len(found) > _MOST_TRIED:
                found.pop(next(iter(found)))
    return list(reversed(found))


def _objects(file: BinaryIO, references: Collection[_Reference]) -> Collection[bytes]:
    """Return the beginnings of those objects that are there; of what stands under one reference, the last."""
    found: dict[_Reference, bytes] = {}
    for piece in _pieces(file) if references else ():
        for head in _HEAD.finditer(piece):
            reference = (head[1], head[2])
            if reference in references:
                found[reference] = piece[head.start() : head.start() + _CATALOGUE_WITHIN]
    return found.values()


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    """Yield all of the file, in pieces that overlap by what has to be seen in one."""
    file.seek(0)
    before = b""
    while piece := file.read(MIB):
        yield before + piece
        before = piece[-_CATALOGUE_WITHIN:]


def _info_title(ends: bytes) -> str:
    for info in list(_INFO.finditer(ends))[: -_MOST_TRIED - 1 : -1]:  # what was saved last stands last
        at = ends.rfind(b"\n%b %b obj" % (info[1], info[2]))
        body = ends[at : ends.find(b"endobj", at)] if at >= 0 else b""
        title = _TITLE.search(body)
        if title:
            return _text(body[title.end() : title.end() + _LONGEST_STRING])
    return ""


def _xmp_title(ends: bytes) -> str:
    at = ends.find(b"<dc:title>")
    found = _XMP_TITLE.search(ends[at : at + _LONGEST_STRING]) if at >= 0 else None
    return html.unescape(found[1].decode("utf-8", "replace")) if found else ""


def _text(data: bytes) -> str:
    """Read a text string, literal or in hex (§7.3.4, §7.9.2)."""
    raw = _literal(data) if data.startswith(b"(") else _hex(data)
    if raw.startswith((b"\xfe\xff", b"\xff\xfe")):
        return raw.decode("utf-16", "replace")
    if raw.startswith(b"\xef\xbb\xbf"):
        return raw[3:].decode("utf-8", "replace")
    return raw.decode("latin-1")


def _hex(data: bytes) -> bytes:
    digits = re.sub(rb"[^0-9A-Fa-f]", b"", data[1 : data.find(b">")])
    return bytes.fromhex(digits.decode("ascii") + "0" * (len(digits) % 2))


def _literal(data: bytes) -> bytes:
    out, depth, at = bytearray(), 0, 0
    while at < len(data):
        sign = data[at : at + 1]
        at += 1
        if sign == b"\\":
            octal = re.match(rb"[0-7]{1,3}", data[at : at + 3])
            if octal:
                out.append(int(octal[0], 8) & 0xFF)
                at += len(octal[0])
            else:
                escaped = data[at : at + 1]
                out += b"" if escaped in b"\r\n" else _ESCAPES.get(escaped, escaped)
                at += 1
            continue
        depth += (sign == b"(") - (sign == b")")
        if depth == 0:
            break
        if not (sign == b"(" and depth == 1):
            out += sign
    return bytes(out)
