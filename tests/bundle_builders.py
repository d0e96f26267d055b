"""Bundles for tests: written and taken as the commands do, taken apart and put together as an attacker would."""

from __future__ import annotations

import hashlib
import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from lms.node import Node
from lms.settings import Settings
from sync import pairing
from sync.bundle_export import Written, make_plan, write_bundle
from sync.bundle_files import FAT32_BYTES
from sync.bundle_import import BundleReport, take_bundle
from sync.bundle_lines import Announced, Line, Opening, written
from sync.bundle_seal import Header, Sealer
from sync.canonical import base32
from sync.identity import NodeKey, read_certificate
from sync.messages import Certificate
from sync.node import certificate_of, chain_of, standing
from sync.responder import Responder
from tests.sync_builders import NoteRow, Place
from xapi_store import ingest


def write(
    here: Place,
    to: Place | Sequence[Place],
    target: Path,
    *,
    most_bytes: int = FAT32_BYTES,
    with_records: bool = True,
    with_files: bool = True,
    from_start: bool = False,
) -> Written:
    """Write a bundle from one node to others."""
    recipients = [to] if isinstance(to, Place) else to
    ids = [one.node.id for one in recipients]
    planned = make_plan(
        here.node, ids, with_records=with_records, with_files=with_files, from_start=from_start
    )
    with closing(planned) as plan:
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


def noise(dice: random.Random, name: str, count: int, *, letters: int = 2000) -> dict[str, str]:
    """Return notes that hardly get smaller; like all the product tells they are JSON, here a string."""
    return {f"{name}{number}": json.dumps(dice.randbytes(letters // 2).hex()) for number in range(count)}


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


# ---------------------------------------------------------------- whole nodes, as commands open them


def pair_data(above: Path, below: Path, *, above_url: str = "") -> None:
    """Pair the nodes of two data folders as the commands do, without a network."""
    where = {"database_url": above_url} if above_url else {}
    with closing(Node(Settings(data=above, **where))) as one, closing(Node(Settings(data=below))) as two:
        with one.database.read() as session:
            theirs = standing(session).certificate
        with two.database.read() as session:
            me = standing(session).certificate
        assert theirs.role != "laptop"
        with one.database.write() as session:
            code = pairing.invite(session, role=me.role, units=("*",), now_ms=one.sync.clock())
        question, code_key = pairing.ask_to_join(two.sync.key, name=me.name, role=me.role, code=code)
        answer = Responder(one.sync).join(question)
        with two.database.write() as session:
            pairing.accept(session, two.sync, question, answer, code_key=code_key, address="")


def record(data: Path, count: int, *, text: str = "") -> None:
    """Record statements on the node of a data folder."""
    made = [
        {
            "id": str(uuid4()),
            "actor": {"account": {"homePage": "https://outpost.invalid/people", "name": "p1"}},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
            "object": {"id": f"https://outpost.invalid/courses/c{number}"},
            "result": {"response": text},
        }
        for number in range(count)
    ]
    with closing(Node(Settings(data=data))) as node, node.database.write() as session:
        ingest.store_statements(session, made, authority=_AUTHORITY, now=datetime.now(UTC))


_AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/nodes", "name": "n1"}}
