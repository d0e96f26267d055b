"""Which package files a course from elsewhere still needs here: first its manifest, then what that names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy.orm import Session

from content_packages.errors import FileMissingError, StoredPackageError
from content_packages.package import load_package
from content_packages.shelf import Shelf
from sync.ports import BlobRef
from sync.quarantine import waiting_bodies

_DIGEST = re.compile(r"[0-9a-f]{64}")


def manifest_sizes(shelf: Shelf, described: Mapping[str, Any]) -> dict[str, int]:
    """Return the sizes of a described course's manifests, as far as they are here; sync asks by size too."""
    digests = (edition["manifest"] for edition in described["editions"])
    return {digest: shelf.path(digest).stat().st_size for digest in digests if shelf.has(digest)}


def files_here(shelf: Shelf, described: Mapping[str, Any]) -> list[BlobRef]:
    """Return the manifests of a described course's editions that are here, each before the files it names.

    Raises:
        FileMissingError: what is named as a manifest is no digest.
    """
    found: dict[BlobRef, None] = {}
    for edition in described["editions"] if described["deleted"] is None else ():
        digest = edition["manifest"]
        if edition["withdrawn"] is None and shelf.has(digest):
            found[BlobRef(digest, shelf.path(digest).stat().st_size)] = None
            found.update(dict.fromkeys(files_of_manifest(shelf, digest)))
    return list(found)


def files_of_manifest(shelf: Shelf, digest: str) -> list[BlobRef]:
    """Return the files that a manifest names, if it is here and can be read."""
    with suppress(FileMissingError, StoredPackageError):
        return [BlobRef(ref.digest, ref.size) for ref in load_package(shelf, digest).files.values()]
    return []


def lacking(
    shelf: Shelf, described: Mapping[str, Any], sizes: Mapping[str, int], *, only_given: bool
) -> tuple[BlobRef, ...] | None:
    """Return the files to ask for; empty when all are here, ``None`` when something lacks and cannot be named.

    With ``only_given`` editions that learners are not given are left out; whoever decides needs those too, to
    be able to give them one day.

    Raises:
        StoredPackageError: a newer release wrote a manifest.
        FileMissingError: what is named as a manifest is no digest.
    """
    if described["deleted"] is not None:
        return ()
    wanted: dict[str, int] = {}
    for edition in described["editions"]:
        given = edition["public_id"] == described["current_edition"]
        if edition["withdrawn"] is None and (given or not only_given):
            missing = _missing(shelf, edition["manifest"], sizes)
            if missing is None:
                return None
            wanted |= missing
    return tuple(BlobRef(digest, size) for digest, size in wanted.items())


def manifests_on_offer(session: Session) -> frozenset[str]:
    """Return the manifests of courses that wait for files and stand in no row yet: no sweep may take those."""
    found: set[str] = set()
    for body in waiting_bodies(session, "course"):
        with suppress(ValueError, KeyError, TypeError):  # another node wrote nonsense: it names nothing
            entry = json.loads(body)["entry"]
            found |= {str(edition["manifest"]) for edition in entry["editions"]}
    return frozenset(one for one in found if _DIGEST.fullmatch(one))


def _missing(shelf: Shelf, manifest: str, sizes: Mapping[str, int]) -> dict[str, int] | None:
    shelf.path(manifest)  # what is no digest is refused, and not waited for
    try:
        package = load_package(shelf, manifest)
    except FileMissingError:  # not here, or it was damaged
        return {manifest: sizes[manifest]} if manifest in sizes else None
    sizes = {ref.digest: ref.size for ref in package.files.values()}
    # Claimed, because no row may name them yet: a sweep between now and then must leave them alone.
    return {digest: sizes[digest] for digest in shelf.claim([*sizes, manifest]) if digest in sizes}
