"""Write a bundle: what its recipients lack, sealed to them, in files that a drive or a letter can carry.

What goes out is decided first, in a plan that names segments and files by digest (``make_plan``); then it is laid
out in parts and written (``write_bundle``). A plan is kept beside memory, so any number of records takes the same.
A bundle for several recipients holds what all of them may see, from where the least advanced of them stands.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

from sqlalchemy.orm import Session

from sync import identity, ledger, log, quarantine, renewal, rot, scopes, segment, sequencer
from sync.bundle_files import FAT32_BYTES, Writing, parts_of_name
from sync.bundle_lines import Announced, Heads, Line, Opening, Papers, Wants, written
from sync.bundle_seal import MOST_PARTS, MOST_RECIPIENTS, Header, Sealer, content_room, sealed_size
from sync.canonical import base32
from sync.errors import BundleError, CertificateError, SegmentError
from sync.messages import Certificate, Frame, SegmentRef, Signed
from sync.node import (
    Node,
    Standing,
    certificate_of,
    chain_of,
    known_certificates,
    past_lives,
    remember_generation,
    sight_of,
    standing,
)
from sync.outbox import read_frames
from sync.ports import BlobRef, NamesFiles
from sync.vector import NOTHING, Head, LogKey, Vector, rows

LEAST_PART_BYTES = 256 * 1024
_PAPERS_BYTES = 32 * 1024
_HEADS_AT_ONCE = 200
_MOST_WANTED = 100_000
_WANTS_AT_ONCE = 500
_WORTH_SPLITTING = 4 * 1024  # a frame is not begun in less room than this


@dataclass(kw_only=True)
class Plan:
    """What a bundle will hold. Close it when done.

    Attributes:
        segments, records, files: how many of each.
        size: bytes of the segments and files, which is nearly the size of the bundle.
    """

    set: str
    me: Standing
    made_ms: int
    recipients: Sequence[Certificate]
    opening: Opening
    first_lines: list[Line]
    spool: IO[str] = field(default_factory=lambda: tempfile.TemporaryFile("w+", encoding="ascii"))  # noqa: SIM115 - the plan is what is closed
    segments: int = 0
    records: int = 0
    files: int = 0
    size: int = 0

    def close(self) -> None:
        """Let go of what was kept."""
        self.spool.close()

    def note(self, what: str, digest: str, size: int) -> None:
        """Add a segment or file at the end."""
        self.spool.write(f"{what} {digest} {size}\n")
        self.size += size

    def frames(self) -> Iterator[Announced]:
        """Return what is to be sent, each segment and file whole."""
        self.spool.seek(0)
        for line in self.spool:
            what, digest, size = line.split()
            yield Announced.model_validate(
                {"what": what, "digest": digest, "size": size, "offset": 0, "length": size}
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A bundle as it lies there: its files, read back and compared, and how many bytes they have together."""

    set: str
    paths: Sequence[Path]
    size: int


def make_plan(
    node: Node,
    to: Sequence[str],
    *,
    with_records: bool = True,
    with_files: bool = True,
    from_start: bool = False,
    new_set: Callable[[], str] = lambda: base32(secrets.token_bytes(16)),
) -> Plan:
    """Decide what these nodes are to be given.

    Args:
        node: the one that writes.
        to: ids of nodes that this one knows.
        with_records: without, the bundle is a receipt: how far things are held here, and signed so.
        with_files: without, records that name files go, and the files do not.
        from_start: send all that they may see, whatever they are known to hold: to one that lost its database.
        new_set: names the bundle.

    Raises:
        BundleError: ``alone``, ``recipient`` or ``revoked``.
    """
    sequencer.number_changes(node)
    with node.write() as session:
        ledger.reissue_receipts(session, node, now_ms=node.clock())
        for one in to:
            renewal.renew_if_due(session, node, one, now_ms=node.clock())
    remember_generation(node)
    with node.read() as session:
        me = standing(session)
        recipients = _recipients(session, me, to)
        sights = [sight_of(session, node, one) for one in recipients]
        held = {
            key: head for key, head in log.held(session).items() if all(one.covers(key) for one in sights)
        }
        plan = Plan(
            set=new_set(),
            me=me,
            made_ms=node.clock(),
            recipients=recipients,
            opening=_opening(session, node, me),
            first_lines=list(_first_lines(session, node, me, recipients, held)),
        )
        if with_records:
            theirs = [{} if from_start else ledger.held_by(session, one.node) for one in recipients]
            named = _plan_segments(session, node, plan, held, theirs)
            if with_files:
                _plan_files(session, node, plan, named)
    return plan


def write_bundle(
    node: Node,
    plan: Plan,
    target: Path,
    *,
    most_bytes: int = FAT32_BYTES,
    told: Callable[[int, int], None] = lambda _done, _total: None,
) -> Written:
    """Write what was planned, read it back, and only then call the files by their names.

    Args:
        node: the one that writes.
        plan: of ``make_plan``; may be written several times.
        target: the file's name; of several parts each says which it is (``parts_of_name``).
        most_bytes: of one file; what is longer goes on in the next.
        told: called with the bytes written or read back by now and those of both together; may raise to cancel.

    Raises:
        BundleError: ``full``, ``gone``, ``too_large``, ``differs``, ``changed`` or ``split``. Nothing that looks
            whole is left.
    """
    template = _template(plan)
    room = content_room(template, plan.recipients, most_bytes=most_bytes)
    if most_bytes < LEAST_PART_BYTES or room < LEAST_PART_BYTES // 2:
        raise BundleError("split", f"A part has {LEAST_PART_BYTES // 1024} kB at least.")
    sizes = [0]
    for part, line, frame in _laid_out(plan, room):
        if part > len(sizes):
            sizes.append(0)
        sizes[-1] += len(line) + (frame.length if frame else 0)
    if len(sizes) > MOST_PARTS:
        raise BundleError("split", f"That would be {len(sizes)} parts; choose larger ones.")
    total = sum(sealed_size(size) + 4096 for size in sizes)
    count = _Counting(told, 2 * total)
    with Writing(parts_of_name(target, len(sizes))) as writing:
        writing.check_room(total)
        _write_parts(node, plan, template, writing, sizes, room=room, count=count)
        count.total = 2 * count.done
        writing.read_back(count.add)
        writing.finish()
    return Written(set=plan.set, paths=writing.targets, size=count.total // 2)


# ---------------------------------------------------------------- what goes out


def _recipients(session: Session, me: Standing, to: Sequence[str]) -> list[Certificate]:
    if me.root is None:
        raise BundleError(
            "alone", "This node has not joined a network yet: there is nobody to seal a bundle to."
        )
    known = known_certificates(session)
    found = []
    for node in dict.fromkeys(to):
        try:
            certificate = identity.trusted(known[node], known=known, root=me.root)
        except (KeyError, CertificateError):
            raise BundleError("recipient", f"No node {node} of this network is known here.") from None
        if ledger.is_revoked(session, node):
            raise BundleError("revoked", f"{certificate.name} is no longer trusted; nothing is sealed to it.")
        if node == me.certificate.node:
            raise BundleError("recipient", "A bundle is for other nodes; this one has everything already.")
        found.append(certificate)
    if not 1 <= len(found) <= MOST_RECIPIENTS:
        raise BundleError("recipient", f"A bundle has 1 to {MOST_RECIPIENTS} recipients.")
    return found


def _opening(session: Session, node: Node, me: Standing) -> Opening:
    return Opening(
        node=node.id,
        epoch=me.epoch,
        past=past_lives(session),
        time_ms=node.clock(),
        certificates=tuple(chain_of(session, node.id)),
    )


def _first_lines(
    session: Session, node: Node, me: Standing, recipients: Sequence[Certificate], held: Vector
) -> Iterator[Line]:
    """Return what precedes the segments: revocations cannot come too early, nor the certificates of origins."""
    known = known_certificates(session)
    origins = {key.origin for key in held}
    # Who vouches comes before those vouched for: a certificate is taken once its signer is known.
    named = origins | {one.node for one in recipients}
    lines = [reversed(_line_of(known, one)) for one in sorted(named)]
    for papers in _batches([known[one] for one in dict.fromkeys(node for line in lines for node in line)]):
        yield Papers(certificates=papers)
    listed = rows(held)
    for start in range(0, len(listed), _HEADS_AT_ONCE):
        yield Heads(heads=tuple(listed[start : start + _HEADS_AT_ONCE]))
    theirs = {one.node for one in recipients}
    served = theirs | {key.origin for one in theirs for key in ledger.held_by(session, one)}
    issuers = {node.id, *([me.root] if me.root else [])} - theirs
    receipts, _ = ledger.receipts_after(session, 0, origins=served, issuers=issuers)
    for papers in _batches(receipts):
        yield Papers(receipts=papers)
    wanted = quarantine.wanted_blobs(session, node, limit=_MOST_WANTED)
    for start in range(0, max(len(wanted), 1), _WANTS_AT_ONCE):  # none is told, too: what was asked for came
        yield Wants(files=tuple((one.digest, one.size) for one in wanted[start : start + _WANTS_AT_ONCE]))


def _line_of(known: dict[str, Signed], node: str) -> list[str]:
    """Return a node and those who vouch for it."""
    found: list[str] = []
    while node in known and node not in found:
        found.append(node)
        node = known[node].signer
    return found


def _batches(papers: Sequence[Signed]) -> Iterator[tuple[Signed, ...]]:
    batch: list[Signed] = []
    size = 0
    for paper in papers:
        if batch and size + len(paper.text) > _PAPERS_BYTES:
            yield tuple(batch)
            batch, size = [], 0
        batch.append(paper)
        size += len(paper.text) + 200
    if batch:
        yield tuple(batch)


def _plan_segments(
    session: Session, node: Node, plan: Plan, held: dict[LogKey, Head], theirs: Sequence[Vector]
) -> list[BlobRef]:
    """Plan the segments that some recipient lacks; return the files that their records name."""
    named: dict[BlobRef, None] = {}
    for key in sorted(held, key=scopes.priority):
        after = min(vector.get(key, NOTHING).seq for vector in theirs)
        for ref in log.segments_after(session, key, after):
            if ref.last > held[key].seq or rot.unreadable(session, [ref.digest]):
                break
            plan.note("segment", ref.digest, ref.size)
            plan.segments += 1
            plan.records += ref.last - ref.first + 1
            named.update(dict.fromkeys(_files_named(session, node, ref, plan)))
    return list(named)


def _files_named(session: Session, node: Node, ref: SegmentRef, plan: Plan) -> Iterator[BlobRef]:
    streams = {stream: stream.kinds for stream in node.streams if isinstance(stream, NamesFiles)}
    kinds = log.kinds_of(session, ref)
    if not any(kinds & some for some in streams.values()):
        return
    encoded = log.encoding_of(session, ref.digest)
    if encoded is None:
        return
    parts = segment.take_apart(encoded)
    signed = certificate_of(session, ref.log.origin)
    if signed is None:
        return
    try:
        records = segment.open_segment(parts, public_key=identity.read_certificate(signed).public_key)
    except SegmentError:
        return  # it rotted here; whoever takes it will say so
    recipients = [one.node for one in plan.recipients]
    for stream, some in streams.items():
        if named := [record for record in records if record.kind in some]:
            yield from stream.files_of(session, named, recipients)


def _plan_files(session: Session, node: Node, plan: Plan, named: Sequence[BlobRef]) -> None:
    """Plan what recipients asked for, then what the records name, each file once and only if it is here whole."""
    asked: list[BlobRef] = []
    for ref in dict.fromkeys(ref for one in plan.recipients for ref in ledger.wanted_by(session, one.node)):
        asked.append(ref)
        # Whoever lacks a manifest cannot ask for the rest yet, and the next stick may be a month away.
        for stream in node.streams:
            if isinstance(stream, NamesFiles):
                asked += stream.files_beside(session, ref.digest)
    for ref in dict.fromkeys((*asked, *named)):
        if node.blobs.size(ref.digest) == ref.size:
            plan.note("blob", ref.digest, ref.size)
            plan.files += 1


# ---------------------------------------------------------------- parts


class _Placed(NamedTuple):
    part: int
    line: bytes
    frame: Frame | None


def _laid_out(plan: Plan, room: int) -> Iterator[_Placed]:
    """Return the lines of all parts in order; no part's content is longer than ``room``."""
    opening = written(plan.opening)
    part, left = 0, 0

    def begin() -> _Placed:
        nonlocal part, left
        part, left = part + 1, room - len(opening)
        return _Placed(part, opening, None)

    yield begin()
    for line in plan.first_lines:
        text = written(line)
        if len(text) > left:
            yield begin()
        left -= len(text)
        yield _Placed(part, text, None)
    for whole in plan.frames():
        frame: Announced | None = whole
        while frame is not None:
            length = min(frame.length, left - len(written(frame)))
            fits = length == frame.length
            if not fits and (length < _WORTH_SPLITTING or frame.size <= room // 2):
                yield begin()
                continue
            piece = frame.model_copy(update={"length": length})
            text = written(piece)
            left -= len(text) + length
            yield _Placed(part, text, piece)
            rest = {"offset": frame.offset + length, "length": frame.length - length}
            frame = None if fits else frame.model_copy(update=rest)


def _write_parts(
    node: Node,
    plan: Plan,
    template: Header,
    writing: Writing,
    sizes: Sequence[int],
    *,
    room: int,
    count: _Counting,
) -> None:
    placed = _laid_out(plan, room)
    upcoming = next(placed, None)
    for number, size in enumerate(sizes, start=1):
        header = template.model_copy(update={"part": number, "parts": len(sizes), "size": size})
        with writing.file(number - 1) as write:

            def out(data: bytes, write: Callable[[bytes], None] = write) -> None:
                write(data)
                count.add(len(data))

            sealer = Sealer(out, node.key, header, plan.recipients)
            while upcoming is not None and upcoming.part == number:
                sealer.write(upcoming.line)
                if upcoming.frame is not None:
                    for data in read_frames(node, [upcoming.frame]):
                        sealer.write(data)
                upcoming = next(placed, None)
            sealer.close()


def _template(plan: Plan) -> Header:
    return Header.model_construct(
        set=plan.set,
        part=1,
        parts=1,
        writer=plan.me.certificate.node,
        key=plan.me.certificate.public_key,
        made_ms=plan.made_ms,
        size=1,
        ephemeral="",
        recipients=(),
    )


class _Counting:
    """Adds up what was done and tells it."""

    def __init__(self, told: Callable[[int, int], None], total: int) -> None:
        self.done = 0
        self.total = total
        self._told = told

    def add(self, size: int) -> None:
        self.done += size
        self._told(min(self.done, self.total), self.total)
