"""Take a bundle: all of it is looked at first, and only a whole one changes anything.

Every file is opened to its end before the first record is applied: its pieces, its signature, every line. Then the
segments and files go through the same intake as those of a link (``inbox``), each segment in one transaction; so a
bundle that is taken twice, after another, or again after its program died changes nothing the second time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sync import identity, inbox, ledger, log, quarantine, rot, segment, sequencer, wishes
from sync.bundle_files import SUFFIX, opened, reading
from sync.bundle_lines import Announced, Heads, Line, Opening, Papers, Reader, Wants, check_content
from sync.bundle_seal import Envelope, Header, check_length, opened_pieces, read_envelope
from sync.canonical import canonical_json
from sync.errors import BundleError, CertificateError, SegmentError
from sync.inbox import Intake, Taken
from sync.messages import Certificate, Frame, Signed
from sync.node import Node, remember_generation, standing, take_certificates, vouched_for
from sync.vector import Head, LogKey, from_rows, merged

_AT_ONCE_BYTES = 1024 * 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A segment that was not taken: who wrote it and why, as over a link. ``records`` is 0 where nobody can tell."""

    origin: str
    scope: str
    code: str
    detail: str
    records: int


@dataclass(kw_only=True, slots=True)
class BundleReport:
    """What became of a bundle.

    Attributes:
        missing: parts that were not given; bring them, then give all again.
        accepted: records that are new here; duplicate: that were here already.
        early: records that follow on some which are not here yet, such as those of a missing part.
        refused: segments not taken.
        kept_aside: records among the accepted that could not be applied, or whose files did not come, by reason.
        files: taken; files_present: here already; files_unneeded: that no record here waits for.
        receipts: good ones that came along.
    """

    set: str
    writer: str
    writer_name: str
    made_ms: int
    parts: int
    missing: tuple[int, ...] = ()
    accepted: int = 0
    duplicate: int = 0
    early: int = 0
    refused: list[Refused] = field(default_factory=list)
    kept_aside: dict[str, int] = field(default_factory=dict)
    files: int = 0
    files_present: int = 0
    files_unneeded: int = 0
    receipts: int = 0
    size: int = 0

    @property
    def is_complete(self) -> bool:
        """Say whether nothing of it is still to come."""
        return not self.missing and not self.early


@dataclass(kw_only=True, slots=True)
class Contents:
    """What is inside a bundle, by its own account."""

    segments: int = 0
    records: int = 0
    files: int = 0
    file_bytes: int = 0
    receipts: int = 0

    def count(self, line: Line, reader: Reader) -> None:
        """Add what a line announces."""
        if isinstance(line, Papers):
            self.receipts += len(line.receipts)
        elif isinstance(line, Announced):
            begins = line.offset == 0
            if line.what == "segment":
                self.segments += begins
                self.records += _count_records(b"".join(reader.body())) if begins else 0
            else:
                self.files += begins
                self.file_bytes += line.length


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What the outside of a bundle tells anybody."""

    header: Header
    paths: dict[int, Path]

    @property
    def missing(self) -> tuple[int, ...]:
        """Return the parts that are not there."""
        return tuple(part for part in range(1, self.header.parts + 1) if part not in self.paths)


def find_bundle(paths: Sequence[Path]) -> Found:
    """Read the outside of a bundle's files. Of a bundle in parts one file is enough where the others lie beside it.

    Raises:
        BundleError: one of the files is no part of one bundle (``mixed``), or cannot be read.
    """
    envelopes: dict[int, tuple[Path, Envelope]] = {}
    for path in paths:
        _add(envelopes, path, _envelope_of(path))
    header = next(iter(envelopes.values()))[1].header
    if len(paths) == 1 and header.parts > 1:
        for path in sorted(paths[0].parent.glob(f"*{SUFFIX}")):
            envelope = _sibling(path)
            if envelope is not None and envelope.header.set == header.set:
                _add(envelopes, path, envelope)
    return Found(header=header, paths={part: path for part, (path, _) in sorted(envelopes.items())})


def look_into(node: Node, found: Found) -> Contents:
    """Read a bundle to its end, if this node can open it, and say what it holds; nothing is changed.

    Raises:
        BundleError: as when it is taken, but for those that its writer's standing gives.
    """
    contents = Contents()
    for path in found.paths.values():
        with opened(path) as file:
            part = _part_in(path, file)
            part.check(node, lambda _: None)
            for line in (reader := Reader(part.pieces(node, lambda _: None))):
                contents.count(line, reader)
    return contents


def take_bundle(
    node: Node,
    paths: Sequence[Path],
    *,
    told: Callable[[int, int], None] = lambda _done, _total: None,
) -> BundleReport:
    """Take a bundle that lies in these files.

    Args:
        paths: of its parts, in any order, or of one of them.
        told: called with the bytes read by now and those to be read, twice the bundle; may raise to cancel.
        node: the one that takes it.

    Raises:
        BundleError: it is not taken, and nothing was changed, or (``unreadable``, ``damaged``) the drive failed in
            the middle: what was taken by then stays, and taking it again goes on there.
    """
    found = find_bundle(paths)
    try:
        with ExitStack() as stack:
            parts = [_part_in(path, stack.enter_context(opened(path))) for path in found.paths.values()]
            return _Taking(node, found, parts, told).run()
    except BundleError as error:
        logger.warning("bundle_refused", extra={"set": found.header.set, "code": error.code})
        raise


# ---------------------------------------------------------------- which files


def _add(envelopes: dict[int, tuple[Path, Envelope]], path: Path, envelope: Envelope) -> None:
    for other_path, other in envelopes.values():
        if (other.header.set, other.header.parts) != (envelope.header.set, envelope.header.parts):
            raise BundleError(
                "mixed", f"{other_path.name} and {path.name} are of two bundles. Give one at a time."
            )
    present = envelopes.get(envelope.header.part)
    if present is not None and present[1].beginning != envelope.beginning:
        raise BundleError(
            "mixed", f"{present[0].name} and {path.name} both say they are the same part, and differ."
        )
    envelopes.setdefault(envelope.header.part, (path, envelope))


def _envelope_of(path: Path) -> Envelope:
    with opened(path) as file, reading(path):
        return read_envelope(file)


def _sibling(path: Path) -> Envelope | None:
    try:
        return _envelope_of(path)
    except BundleError:
        return None  # something else that lies beside it


# ---------------------------------------------------------------- taking


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """One file, held open from the first look to the last byte taken."""

    path: Path
    file: BinaryIO
    envelope: Envelope

    def check(self, node: Node, told: Callable[[int], None]) -> Opening:
        """Look through all of it."""
        return check_content(self.pieces(node, told), writer=self.envelope.header.writer)

    def pieces(self, node: Node, told: Callable[[int], None]) -> Iterator[bytes]:
        """Return its content, of the very file that was checked: another fits neither its key nor its signature."""
        with reading(self.path):
            for piece in opened_pieces(self.file, self.envelope, node.key):
                told(len(piece))
                yield piece


def _part_in(path: Path, file: BinaryIO) -> _Part:
    with reading(path):
        envelope = read_envelope(file)
        check_length(envelope, file.seek(0, 2))
    return _Part(path=path, file=file, envelope=envelope)


@dataclass(kw_only=True, slots=True)
class _Said:
    """What the first part of a bundle says before it brings anything."""

    heads: dict[LogKey, Head] = field(default_factory=dict)
    wants: list[tuple[str, int]] = field(default_factory=list)
    receipts: list[Signed] = field(default_factory=list)


class _Taking:
    """One bundle on its way in."""

    def __init__(
        self, node: Node, found: Found, parts: Sequence[_Part], told: Callable[[int, int], None]
    ) -> None:
        self._node = node
        self._parts = parts
        self._told = told
        self._done = 0
        self._total = 1
        self._is_revoked = False
        self._origins: set[str] = set()
        self._file_arrived = False
        self._report = BundleReport(
            set=found.header.set,
            writer=found.header.writer,
            writer_name="",
            made_ms=found.header.made_ms,
            parts=found.header.parts,
            missing=found.missing,
        )

    def run(self) -> BundleReport:
        report = self._report
        self._total = 2 * sum(_size_of(part.path) for part in self._parts) or 1
        openings = [part.check(self._node, self._count) for part in self._parts]
        report.size = self._done
        report.writer_name = self._introduce(openings).name
        with self._node.read() as session:
            aside, wished = quarantine.newest(session), wishes.ranks(session).keys()
        for part, opening in zip(self._parts, openings, strict=True):
            self._take_part(part, opening)
        quarantine.retry_waiting(self._node)
        with self._node.write() as session:
            ledger.issue_lacking_receipts(session, self._node, self._origins, now_ms=self._node.clock())
            report.kept_aside = quarantine.reasons_after(session, aside)
            if lacking := len(wishes.ranks(session).keys() - wished):
                report.kept_aside["files"] = report.kept_aside.get("files", 0) + lacking
        remember_generation(self._node)
        self._told(self._total, self._total)
        logger.info(
            "bundle_taken",
            extra={
                "set": report.set,
                "peer": report.writer,
                "accepted": report.accepted,
                "duplicate": report.duplicate,
                "refused": len(report.refused),
            },
        )
        return report

    def _count(self, size: int) -> None:
        self._done += size
        self._told(min(self._done, self._total), self._total)

    # ------------------------------------------------------------ who wrote it

    def _introduce(self, openings: Sequence[Opening]) -> Certificate:
        """Return who wrote it, once that is a node of this network."""
        writer = self._report.writer
        with self._node.write() as session:
            root = standing(session).root
            if root is None:
                raise BundleError(
                    "alone", "This node has not joined a network yet; it cannot tell who wrote this."
                )
            if writer == self._node.id:
                raise BundleError("own", "This node wrote this bundle itself; it is for others.")
            self._is_revoked = ledger.is_revoked(session, writer)
            take_certificates(
                session, [one for opening in openings for one in reversed(opening.certificates)]
            )
            known = vouched_for(session, [writer])
            try:
                return identity.trusted(known[writer], known=known, root=root)
            except (KeyError, CertificateError):
                raise BundleError(
                    "stranger", f"The node {writer}, which wrote this bundle, is not of this network."
                ) from None

    # ------------------------------------------------------------ what it says

    def _take_part(self, part: _Part, opening: Opening) -> None:
        said = _Said() if part.envelope.header.part == 1 else None
        for line in (reader := Reader(part.pieces(self._node, self._count))):
            if isinstance(line, Papers):
                with self._node.write() as session:
                    take_certificates(session, line.certificates)
            if isinstance(line, Announced):
                if said is not None:
                    self._note_said(opening, said)
                    said = None
                self._take_frame(line, reader)
            elif said is not None:
                _gather(said, line)
        if said is not None:
            self._note_said(opening, said)

    def _note_said(self, opening: Opening, said: _Said) -> None:
        """Note what the writer holds and lacks, as a greeting would.

        A bundle from a former life of its writer says nothing of the present one; which of two is the former, its clock
        tells only where no life names the other. What a writer says whose key was withdrawn is not noted at all: what
        it brings was signed by those who recorded it, and is judged by that.
        """
        if self._is_revoked:
            return
        with self._node.write() as session:
            row = ledger.peer_row(session, opening.node, now_ms=self._node.clock())
            heard = ledger.vector_from(row.heard)
            me = standing(session)
            if sequencer.is_overtaken(session, self._node, me, said.heads):
                shared = {key: head for key, head in heard.items() if log.ends_at(session, key, head)}
                reason = f"a bundle of {opening.node} holds our log otherwise than we do"
                sequencer.begin_anew(session, self._node, reason=reason, common=shared)
            same_life = row.epoch in {None, opening.epoch}
            if same_life or row.epoch in opening.past or opening.time_ms > (row.last_seen_ms or 0):
                if not same_life:
                    ledger.forget_receipts(session, opening.node)
                row.epoch = opening.epoch
                row.heard = ledger.vector_kept(merged(heard, said.heads) if same_life else said.heads)
                row.wants = canonical_json(said.wants)
            self._report.receipts = ledger.keep_receipts(session, said.receipts, root=me.root)
        remember_generation(self._node)

    # ------------------------------------------------------------ what it brings

    def _take_frame(self, frame: Announced, reader: Reader) -> None:
        ends = frame.offset + frame.length == frame.size
        if frame.what == "segment":
            self._take_segment(frame, reader, ends=ends)
        else:
            self._take_file(frame, reader, ends=ends)

    def _take_segment(self, frame: Announced, reader: Reader, *, ends: bool) -> None:
        report = self._report
        with self._node.read() as session:
            place = None if rot.is_noted(session, frame.digest) else log.place_of(session, frame.digest)
            held = inbox.held_of(session, frame.digest)
        if place is not None:
            key, first, last = place
            self._origins.add(key.origin)
            report.duplicate += last - first + 1 if ends else 0
            return
        if frame.offset > held:
            report.early += ends
            return
        taken, fed = self._feed(frame, held, reader)
        report.accepted += taken.records
        self._origins |= taken.origins
        header = _header_of(fed)
        for refused in taken.refused:
            if refused.code in inbox.PASSED_OVER:
                report.early += _records_of(header)
            else:
                self._refuse(refused.code, refused.detail, header)
        if ends and not taken.refused and not taken.heads:
            self._refuse("digest", "its bytes are not those that it is called by", header)

    def _take_file(self, frame: Announced, reader: Reader, *, ends: bool) -> None:
        report, blobs = self._report, self._node.blobs
        if blobs.size(frame.digest) is not None:
            report.files_present += ends
            return
        if not self._is_wanted(frame):
            report.files_unneeded += ends
            return
        held = blobs.partial_size(frame.digest)
        if frame.offset > held:
            report.early += ends
            return
        taken, _ = self._feed(frame, held, reader)
        self._origins |= taken.origins
        if not ends:
            return
        if blobs.size(frame.digest) is None:
            self._refuse("digest", "a file is not the one that it is called by", None)
            return
        report.files += 1
        self._file_arrived = True

    def _is_wanted(self, frame: Announced) -> bool:
        """Say whether something here waits for a file; the first files of a course name the others."""
        with self._node.read() as session:
            if quarantine.is_wanted(session, self._node, frame.digest, frame.size):
                return True
        if not self._file_arrived:
            return False
        self._file_arrived = False
        quarantine.retry_waiting(self._node)
        with self._node.read() as session:
            return quarantine.is_wanted(session, self._node, frame.digest, frame.size)

    def _feed(self, frame: Announced, held: int, reader: Reader) -> tuple[Taken, bytes]:
        """Hand on what is not here yet of a frame, in pieces that are each worth a wait for the disk.

        Returns:
            What came of it, and the first bytes handed on.
        """
        passed = min(held - frame.offset, frame.length)
        reader.skip(passed)
        rest = Frame(
            what=frame.what,
            digest=frame.digest,
            size=frame.size,
            offset=frame.offset + passed,
            length=frame.length - passed,
        )
        intake = Intake(self._node, self._report.writer, [rest])
        first, gathered = b"", bytearray()
        try:
            for data in reader.body():
                gathered += data
                if len(gathered) >= _AT_ONCE_BYTES:
                    first = first or bytes(gathered)
                    intake.feed(bytes(gathered))
                    gathered.clear()
            first = first or bytes(gathered)
            intake.feed(bytes(gathered))
        finally:
            intake.stop()
        return intake.taken, first if rest.offset == 0 else b""

    def _refuse(self, code: str, detail: str, header: segment.Header | None) -> None:
        self._report.refused.append(
            Refused(
                origin=header.origin if header else "",
                scope=header.scope if header else "",
                code=code,
                detail=detail,
                records=_records_of(header),
            )
        )


def _gather(said: _Said, line: Line) -> None:
    match line:
        case Heads():
            said.heads.update(from_rows(line.heads))
        case Wants():
            said.wants.extend(line.files)
        case Papers():
            said.receipts.extend(line.receipts)


def _size_of(path: Path) -> int:
    with reading(path):
        return path.lstat().st_size


def _header_of(beginning: bytes) -> segment.Header | None:
    try:
        return segment.take_apart(beginning).header
    except SegmentError:
        return None


def _records_of(header: segment.Header | None) -> int:
    return 0 if header is None else header.last - header.first + 1


def _count_records(beginning: bytes) -> int:
    return _records_of(_header_of(beginning))
