"""Which package files a course from elsewhere still needs here: first its manifest, then what that names."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy.orm import Session

from content_packages.errors import FileMissingError, StoredPackageError
from content_packages.package import Package, load_package
from content_packages.shelf import Shelf
from sync.chunks import LARGE_BYTES
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
    package = _package(shelf, digest)
    return [] if package is None else [BlobRef(ref.digest, ref.size) for ref in package.files.values()]


def lacking(
    shelf: Shelf,
    described: Mapping[str, Any],
    sizes: Mapping[str, int],
    *,
    editions: Container[str] | None = None,
) -> tuple[BlobRef, ...] | None:
    """Return the files to ask for; empty when all are here, ``None`` when something lacks and cannot be named.

    Without *editions*, by their public ids, all are asked for that are not withdrawn: whoever decides needs those that
    learners are not given too, to be able to give them one day.

    Raises:
        StoredPackageError: a newer release wrote a manifest.
        FileMissingError: what is named as a manifest is no digest.
    """
    if described["deleted"] is not None:
        return ()
    wanted: dict[str, BlobRef] = {}
    for edition in described["editions"]:
        if edition["withdrawn"] is None and (editions is None or edition["public_id"] in editions):
            missing = _missing(shelf, edition["manifest"], sizes)
            if missing is None:
                return None
            wanted |= missing
    others = [edition["manifest"] for edition in described["editions"]]
    like = (
        _likenesses(shelf, wanted, others) if any(one.size >= LARGE_BYTES for one in wanted.values()) else {}
    )
    return tuple(replace(one, like=like.get(digest)) for digest, one in wanted.items())


def manifests_on_offer(session: Session) -> frozenset[str]:
    """Return the manifests of courses that wait for files and stand in no row yet: no sweep may take those."""
    found: set[str] = set()
    for body in waiting_bodies(session, "course"):
        with suppress(ValueError, KeyError, TypeError):  # another node wrote nonsense: it names nothing
            entry = json.loads(body)["entry"]
            found |= {str(edition["manifest"]) for edition in entry["editions"]}
    return frozenset(one for one in found if _DIGEST.fullmatch(one))


def _missing(shelf: Shelf, manifest: str, sizes: Mapping[str, int]) -> dict[str, BlobRef] | None:
    shelf.path(manifest)  # what is no digest is refused, and not waited for
    try:
        package = load_package(shelf, manifest)
    except FileMissingError:  # not here, or it was damaged
        return {manifest: BlobRef(manifest, sizes[manifest])} if manifest in sizes else None
    named = {ref.digest: BlobRef(ref.digest, ref.size) for ref in package.files.values()}
    # Claimed, because no row may name them yet: a sweep between now and then must leave them alone.
    return {digest: named[digest] for digest in shelf.claim([*named, manifest]) if digest in named}


def _likenesses(shelf: Shelf, wanted: Collection[str], manifests: Sequence[str]) -> dict[str, str]:
    """Return, of large files that are wanted, the file that stood in the same place in another edition and is here.

    Else it is the one of their kind that is nearest in size: a film that was called otherwise.
    """
    packages = [package.files for manifest in manifests if (package := _package(shelf, manifest)) is not None]
    here = {
        path: ref
        for files in packages
        for path, ref in files.items()
        if ref.size >= LARGE_BYTES and ref.digest not in wanted and shelf.has(ref.digest)
    }
    found = dict[str, str]()
    for files in packages:
        for path, ref in files.items():
            if ref.digest in wanted and ref.size >= LARGE_BYTES:
                suffix = PurePosixPath(path).suffix
                same_kind = [one for name, one in here.items() if PurePosixPath(name).suffix == suffix]
                nearest = min(same_kind, key=lambda one: abs(one.size - ref.size), default=None)
                if (other := here.get(path, nearest)) is not None:
                    found[ref.digest] = other.digest
    return found


def _package(shelf: Shelf, manifest: str) -> Package | None:
    with suppress(FileMissingError, StoredPackageError):
        return load_package(shelf, manifest)
    return None
