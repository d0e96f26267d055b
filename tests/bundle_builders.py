"""Bundles for tests: written and taken as the commands do, taken apart and put together as an attacker would."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from sync.bundle_export import Written, make_plan, write_bundle
from sync.bundle_files import FAT32_BYTES
from sync.bundle_import import BundleReport, take_bundle
from sync.bundle_lines import Announced, Line, Opening, written
from sync.bundle_seal import Header, Sealer
from sync.canonical import base32
from sync.identity import NodeKey, read_certificate
from sync.messages import Certificate
from sync.node import certificate_of, chain_of, standing
from tests.sync_builders import NoteRow, Place


def write(
    here: Place,
    to: Place | Sequence[Place],
    target: Path,
    *,
    most_bytes: int = FAT32_BYTES,
    with_records: bool = True,
    with_files: bool = True,
) -> Written:
    """Write a bundle from one node to others."""
    recipients = [to] if isinstance(to, Place) else to
    ids = [one.node.id for one in recipients]
    with closing(make_plan(here.node, ids, with_records=with_records, with_files=with_files)) as plan:
        return write_bundle(here.node, plan, target, most_bytes=most_bytes)


def take(here: Place, *paths: Path) -> BundleReport:
    """Take a bundle."""
    return take_bundle(here.node, paths)


def carry(here: Place, there: Place, folder: Path, **how: bool | int) -> BundleReport:
    """Write a bundle, and take it on the other side."""
    return take(there, *write(here, there, folder / "carried.outpost", **how).paths)  # type: ignore[arg-type]


def write_notes(place: Place, notes: Mapping[str, str]) -> None:
    """Write many notes at once."""
    with place.database.write() as session:
        session.add_all(
            NoteRow(key=key, scope="up", text=text, made_here=True) for key, text in notes.items()
        )


def certificate(place: Place) -> Certificate:
    """Return what a node's certificate says."""
    with place.database.read() as session:
        signed = certificate_of(session, place.node.id)
    assert signed is not None
    return read_certificate(signed)


def opening_of(place: Place) -> Opening:
    """Return how a bundle of this node begins."""
    with place.database.read() as session:
        return Opening(
            node=place.node.id,
            epoch=standing(session).epoch,
            time_ms=place.now[0],
            certificates=tuple(chain_of(session, place.node.id)),
        )


def sealed(
    writer: Place,
    recipients: Sequence[Certificate],
    content: bytes,
    *,
    key: NodeKey | None = None,
    change: Callable[[Header], Header] = lambda header: header,
) -> bytes:
    """Return a bundle with whatever content and header, sealed and signed by the rules."""
    key = key or writer.node.key
    template = Header.model_construct(
        set=base32(hashlib.sha256(content).digest()[:16]),
        part=1,
        parts=1,
        writer=key.node,
        key=key.public_key,
        made_ms=writer.now[0],
        size=len(content),
        ephemeral="",
        recipients=(),
    )
    file = io.BytesIO()
    sealer = Sealer(file.write, key, change(template), recipients)
    sealer.write(content)
    sealer.close()
    return file.getvalue()


def content_of(opening: Opening, *lines: Line | bytes) -> bytes:
    """Return content: an opening, lines, and bytes as they are."""
    return b"".join((written(opening), *(one if isinstance(one, bytes) else written(one) for one in lines)))


def frame_of(data: bytes, *, what: str = "segment", **other: object) -> Announced:
    """Return what announces bytes; any of its facts can be made a lie."""
    told = {"what": what, "digest": hashlib.sha256(data).hexdigest(), "size": len(data), "offset": 0}
    return Announced.model_construct(**{**told, "length": len(data), **other})
