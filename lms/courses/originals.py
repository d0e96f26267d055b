"""The packages editions were imported from, byte for byte, and what a catalogue says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from content_packages.errors import ShelfError, StoredPackageError
from content_packages.original import Original, load_original
from content_packages.shelf import Shelf
from lms.courses.catalogue import json_ld, packaged_entry, written_entry
from lms.courses.subjects import Subject
from lms.courses.tables import Course, Edition


class OriginalMissingError(Exception):
    """The package an edition was imported from is not on this node."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(
            f"The package edition {number} was imported from is not on this node. It is kept at the node of the "
            "import, by releases that keep originals and where `keep_originals` is on; import it again here to have it."
        )


class OriginalDamagedError(Exception):
    """The package an edition was imported from was kept on this node, and not all of it is here any more."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(
            f"The package edition {number} was imported from is damaged on this node. Import the same package again: "
            "that mends it."
        )


def original_of(shelf: Shelf, edition: Edition) -> tuple[Original, str]:
    """Return the original of an edition, and what it was called.

    Raises:
        OriginalMissingError: it was not kept here.
        OriginalDamagedError: it was, and pieces of it are lost.
    """
    if edition.original is None:
        raise OriginalMissingError(edition.number)
    try:
        original = load_original(shelf, edition.original)
    except (ShelfError, StoredPackageError):
        raise OriginalDamagedError(edition.number) from None
    if not all(shelf.has(file.digest) for file in original.files()):
        raise OriginalDamagedError(edition.number)
    return original, edition.original_name or f"{edition.title}.zip"


def catalogue_data(
    shelf: Shelf,
    course: Course,
    edition: Edition,
    subjects: Mapping[str, Subject],
    *,
    sha256: str | None = None,
) -> dict[str, Any]:
    """Return a catalogue's entry for the package of one edition, as a schema.org Course in JSON-LD.

    What people wrote and what the package says are in it, for whoever takes the package over; *sha256* is of its bytes.
    """
    entry = written_entry(course, edition).over(packaged_entry(shelf, edition, subjects))
    made = json_ld(
        entry,
        course=course.public_id,
        languages=tuple(course.languages),
        subjects=subjects,
    )
    package = {
        "@type": "MediaObject",
        "name": edition.original_name,
        "version": edition.number,  # of the package here, whatever its makers call it
        "contentSize": edition.original_size,
        "sha256": sha256,
        "encodingFormat": edition.standard_name,
        "uploadDate": edition.imported.isoformat(),
    }
    return made | {
        "courseCode": course.identifier,  # as the package calls it
        "encoding": {name: value for name, value in package.items() if value},
    }
