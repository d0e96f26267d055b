"""Small SCORM packages and courses for tests; a test names only what matters to it."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy.orm import Session

from content_packages.intake import read_package
from content_packages.shelf import Shelf
from lms.courses.actions import add_edition
from lms.courses.tables import Course, Edition

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_scorm_file(
    folder: Path,
    *,
    name: str = "course.zip",
    title: str = "Precursors",
    units: Sequence[str] = ("One", "Two"),
    text: str = "Hello",
    language: str = "",
) -> Path:
    """Write a SCORM 1.2 package with one SCO per unit; unit *n* has the identifier ``item-<title>``."""
    spoken = f' xml:lang="{language}"' if language else ""
    items = "".join(
        f'<item identifier="item-{unit}" identifierref="res-{n}"><title>{unit}</title></item>'
        for n, unit in enumerate(units)
    )
    resources = "".join(
        f'<resource identifier="res-{n}" type="webcontent" adlcp:scormtype="sco" href="unit{n}.html">'
        f'<file href="unit{n}.html"/></resource>'
        for n in range(len(units))
    )
    manifest = (
        '<manifest identifier="precursors" version="1.0" xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2" '
        'xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2"><metadata><schema>ADL SCORM</schema>'
        '<schemaversion>1.2</schemaversion></metadata><organizations default="org"><organization identifier="org">'
        f"<title{spoken}>{title}</title>{items}</organization></organizations><resources>{resources}</resources></manifest>"
    )
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("imsmanifest.xml", manifest)
        for n, unit in enumerate(units):
            archive.writestr(f"unit{n}.html", f"<!doctype html><title>{unit}</title><p>{text}")
    return path


def an_edition(
    session: Session, shelf: Shelf, package: Path, *, of: Course | None = None
) -> tuple[Course, Edition]:
    """Import a package into a new course, or as the next edition of one."""
    report = read_package(package, shelf)
    assert report.package is not None, report.findings
    assert report.digest is not None
    return add_edition(
        session,
        report.package,
        report.digest,
        report.to_json(),
        into=of.public_id if of else None,
        by=None,
        now=NOON,
        new_id=uuid4,
    )
