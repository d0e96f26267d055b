"""Which files of an edition were found missing or damaged here, by the names its package gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from content_packages.errors import ShelfError, StoredPackageError
from content_packages.intake import load_package
from content_packages.shelf import Shelf
from lms.courses.shelving import files_of_original
from lms.courses.tables import Edition


@dataclass(frozen=True, kw_only=True, slots=True)
class Damage:
    """What an edition lost.

    Attributes:
        names: of the files that learners need, in order.
        has_manifest: whether what says which files there are is still here. If not, nothing of the edition opens.
    """

    edition: Edition
    names: tuple[str, ...] = ()
    has_manifest: bool = True

    @property
    def is_of_package(self) -> bool:
        """Whether it is the package it was imported from that is damaged, which no learner needs."""
        return self.has_manifest and not self.names


def damage_of(shelf: Shelf, editions: Iterable[Edition]) -> Iterator[Damage]:
    """Return what was lost of editions, of each that lost anything.

    Costs nothing to speak of while nothing is lost: packages are read only where something is.
    """
    lost = {ref.digest for ref in shelf.lost()}
    for edition in editions if lost else ():
        if edition.manifest in lost:
            yield Damage(edition=edition, has_manifest=False)
            continue
        try:
            files = load_package(shelf, edition.manifest).files
        except (ShelfError, StoredPackageError):
            continue  # on its way here, or of a newer release: not damaged as far as is known
        names = tuple(sorted(name for name, ref in files.items() if ref.digest in lost))
        if names or any(ref.digest in lost for ref in files_of_original(shelf, edition)):
            yield Damage(edition=edition, names=names)
