"""Packages for tests: the sample courses, manifests by hand, and zips no honest tool would write."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from content_packages.findings import Finding
from content_packages.intake import ImportReport, read_package
from content_packages.limits import Limits
from content_packages.shelf import Shelf
from lms.demo.packages import (
    RIGHT_ANSWERS,
    scorm12_many_scos,
    scorm12_single_sco,
    scorm2004_many_scos,
    scorm2004_single_sco,
    zipped,
)

__all__ = [
    "RIGHT_ANSWERS",
    "RawEntry",
    "a_manifest_12",
    "a_manifest_2004",
    "a_package",
    "codes",
    "deflated",
    "demo_showing",
    "everything_under",
    "imported",
    "raw_zip",
    "refused",
    "scorm12_many_scos",
    "scorm12_single_sco",
    "scorm2004_many_scos",
    "scorm2004_single_sco",
    "stored",
    "zipped",
]

UTF8 = 0x0800
STORED, DEFLATED = 0, 8

# ------------------------------------------------------------------ manifests and packages

ITEM = '<item identifier="one" identifierref="page"><title>One</title></item>'
RESOURCE_12 = '<resource identifier="page" type="webcontent" adlcp:scormtype="sco" href="index.html"/>'
RESOURCE_2004 = RESOURCE_12.replace("scormtype", "scormType")


def demo_showing(page: bytes, beside: Mapping[str, bytes] | None = None) -> bytes:
    """Return the demo course of one SCO with another page in it, and with files beside that page."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(scorm12_single_sco())) as demo, zipfile.ZipFile(made, "w") as out:
        start = re.search(r'<resource [^>]*href="([^"?#]+)', demo.read("imsmanifest.xml").decode())
        assert start is not None
        for name in demo.namelist():
            out.writestr(name, page if name == start[1] else demo.read(name))
        folder = start[1].rpartition("/")[0]
        for name, content in (beside or {}).items():
            out.writestr(f"{folder}/{name}".lstrip("/"), content)
    return made.getvalue()


def a_manifest_12(items: str = ITEM, resources: str = RESOURCE_12, *, metadata: str = "") -> str:
    """Return a SCORM 1.2 manifest around items and resources."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<manifest identifier="m" xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2" '
        'xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2" '
        'xmlns:imsmd="http://www.imsglobal.org/xsd/imsmd_rootv1p2p1">'
        f"<metadata><schema>ADL SCORM</schema><schemaversion>1.2</schemaversion>{metadata}</metadata>"
        '<organizations default="o"><organization identifier="o"><title>A course</title>'
        f"{items}</organization></organizations>"
        f"<resources>{resources}</resources></manifest>"
    )


def a_manifest_2004(
    items: str = ITEM,
    resources: str = RESOURCE_2004,
    *,
    edition: str = "2004 4th Edition",
    organization: str = "",
    after: str = "",
) -> str:
    """Return a SCORM 2004 manifest; ``organization`` follows its items, ``after`` follows the resources."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<manifest identifier="m" xmlns="http://www.imsglobal.org/xsd/imscp_v1p1" '
        'xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_v1p3" '
        'xmlns:adlseq="http://www.adlnet.org/xsd/adlseq_v1p3" '
        'xmlns:adlnav="http://www.adlnet.org/xsd/adlnav_v1p3" '
        'xmlns:imsss="http://www.imsglobal.org/xsd/imsss">'
        f"<metadata><schema>ADL SCORM</schema><schemaversion>{edition}</schemaversion></metadata>"
        '<organizations default="o"><organization identifier="o"><title>A course</title>'
        f"{items}{organization}</organization></organizations>"
        f"<resources>{resources}</resources>{after}</manifest>"
    )


def a_package(manifest: str | bytes = "", /, **files: bytes) -> dict[str, bytes]:
    """Return the files of a package with a page ``index.html``; further files by name."""
    data = manifest.encode() if isinstance(manifest, str) else manifest
    return {"imsmanifest.xml": data or a_manifest_12().encode(), "index.html": b"<p>Hello</p>", **files}


def imported(
    folder: Path, archive: bytes | Mapping[str, bytes], *, limits: Limits | None = None
) -> ImportReport:
    """Import a zip, or a zip of the files, onto a shelf in the folder."""
    path = folder / "package.zip"
    path.write_bytes(archive if isinstance(archive, bytes) else zipped(archive))
    return read_package(path, Shelf(folder / "shelf"), limits=limits)


def everything_under(folder: Path) -> set[Path]:
    """Return every file and folder beneath."""
    return set(folder.rglob("*"))


def refused(
    folder: Path, archive: bytes | Mapping[str, bytes], *, limits: Limits | None = None
) -> ImportReport:
    """Import what must be refused, deep in the folder, and look that nothing of it lies anywhere."""
    place = folder / "a" / "b"
    place.mkdir(parents=True)
    Shelf(place / "shelf")
    before = everything_under(folder) | {place / "package.zip"}

    report = imported(place, archive, limits=limits)

    assert report.refused
    assert everything_under(folder) == before
    return report


def codes(found: ImportReport | Sequence[Finding]) -> list[str]:
    """Return the codes of the findings."""
    return [one.code for one in (found.findings if isinstance(found, ImportReport) else found)]


# ------------------------------------------------------------------ zips, record by record


@dataclass(frozen=True, kw_only=True, slots=True)
class RawEntry:
    """One file of a zip, each field as it will be written (APPNOTE 4.3.7 and 4.3.12).

    Args:
        packed: the bytes that follow the local header.
        local_name: the name in the local header, where it differs.
        local_size: the size in the local header, where it differs.
        local_flags: the flags in the local header, where they differ.
        after: what follows the packed bytes, such as the sizes of a tool that did not know them before.
        start: where the table of contents says the local header is, where that is a lie.
    """

    name: bytes
    packed: bytes
    size: int
    crc: int
    method: int = STORED
    flags: int = UTF8
    unix_mode: int = 0o100644
    disk: int = 0
    extra: bytes = b""
    packed_size: int | None = None
    local_name: bytes | None = None
    local_size: int | None = None
    local_flags: int | None = None
    after: bytes = b""
    start: int | None = None


def stored(name: str | bytes, data: bytes = b"x") -> RawEntry:
    """Return an honest entry that is not compressed."""
    return RawEntry(name=_bytes(name), packed=data, size=len(data), crc=zlib.crc32(data))


def deflated(name: str | bytes, data: bytes = b"x") -> RawEntry:
    """Return an honest compressed entry."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return replace(stored(name, data), packed=packer.compress(data) + packer.flush(), method=DEFLATED)


def raw_zip(
    *entries: RawEntry,
    claimed_count: int | None = None,
    comment: bytes = b"",
    zip64: bool = False,
    disk: int = 0,
) -> bytes:
    """Write the entries as they are; with ``zip64`` the end record is the wide one."""
    body = io.BytesIO()
    directory = io.BytesIO()
    for entry in entries:
        start = body.tell() if entry.start is None else entry.start
        packed_size = len(entry.packed) if entry.packed_size is None else entry.packed_size
        local_size = entry.size if entry.local_size is None else entry.local_size
        local_name = entry.name if entry.local_name is None else entry.local_name
        shared = (entry.flags, entry.method, 0, 0x5A21, entry.crc, packed_size)
        local_flags = entry.flags if entry.local_flags is None else entry.local_flags
        local = (local_flags, *shared[1:], local_size, len(local_name), 0)
        body.write(struct.pack("<4s5H3L2H", b"PK\3\4", 20, *local))
        body.write(local_name + entry.packed + entry.after)
        directory.write(
            struct.pack(
                "<4s6H3L5H2L",
                b"PK\1\2",
                3 << 8 | 20,
                20,
                *shared,
                entry.size,
                len(entry.name),
                len(entry.extra),
                0,
                entry.disk,
                0,
                entry.unix_mode << 16,
                start,
            )
        )
        directory.write(entry.name + entry.extra)
    count = len(entries) if claimed_count is None else claimed_count
    return body.getvalue() + directory.getvalue() + _end(body, directory, count, comment, disk, zip64=zip64)


def _end(
    body: io.BytesIO, directory: io.BytesIO, count: int, comment: bytes, disk: int, *, zip64: bool
) -> bytes:
    size, start = len(directory.getvalue()), len(body.getvalue())
    if not zip64:
        return (
            struct.pack("<4s4H2LH", b"PK\5\6", disk, disk, count, count, size, start, len(comment)) + comment
        )
    return (
        struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, disk, disk, count, count, size, start)
        + struct.pack("<4sLQL", b"PK\6\7", 0, start + size, 1)
        + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, len(comment))
        + comment
    )


def _bytes(name: str | bytes) -> bytes:
    return name.encode() if isinstance(name, str) else name


#: A manifest with nothing in it.
EMPTY_MANIFEST = b"<manifest identifier='m'><organizations/><resources/></manifest>"


def a_zip(path: Path, files: dict[str, bytes]) -> Path:
    """Write a zip as an ordinary tool does."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return path
