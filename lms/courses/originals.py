"""The packages editions were imported from, byte for byte, and what a catalogue says of them."""

from __future__ import annotations

from typing import Any

from content_packages.errors import PackageError, ShelfError, StoredPackageError
from content_packages.intake import load_package
from content_packages.original import Original, load_original
from content_packages.shelf import Shelf
from lms.courses.tables import Course, Edition


class OriginalMissingError(Exception):
    """The package an edition was imported from is not on this node."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(
            f"The package edition {number} was imported from is not on this node. It is kept at the node of the "
            "import, by releases that keep originals and where `keep_originals` is on; import it again here to have it."
        )


def original_of(shelf: Shelf, edition: Edition) -> tuple[Original, str]:
    """Return the original of an edition, and what it was called.

    Raises:
        OriginalMissingError: it is not here.
    """
    if edition.original is None:
        raise OriginalMissingError(edition.number)
    try:
        original = load_original(shelf, edition.original)
    except (ShelfError, StoredPackageError):
        raise OriginalMissingError(edition.number) from None
    if not all(shelf.has(file.digest) for file in original.files()):
        raise OriginalMissingError(edition.number)
    return original, edition.original_name or f"{edition.title}.zip"


def catalogue_data(shelf: Shelf, course: Course, edition: Edition) -> dict[str, Any]:
    """Return what is known of an edition, for whoever takes the package over."""
    try:
        package = load_package(shelf, edition.manifest)
        described = {
            "titles": dict(package.metadata.titles),
            "descriptions": dict(package.metadata.descriptions),
            "keywords": list(package.metadata.keywords),
            "version": package.metadata.version,
        }
        languages = list(package.languages)
    except PackageError:
        described, languages = {}, list(course.languages)
    return {
        "title": edition.title,
        **described,
        "languages": languages,
        "identifier": course.identifier,
        "standard": edition.standard_name,
        "course": str(course.public_id),
        "edition": edition.number,
        "edition_id": str(edition.public_id),
        "imported": edition.imported.isoformat(),
        "file": edition.original_name,
        "bytes": edition.original_size,
    }
