"""Write and take bundles: at once for commands, as jobs for pages; each leaves a line in the history.

A job that was killed begins anew: a bundle is written from its first byte, and one that is taken a second time goes on
where the first try stopped, because what is here already is passed over.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from content_packages.errors import ShelfError
from content_packages.limits import Limits
from lms.bundles.queries import Recipient, find_bundle, receipts_due, recipients
from lms.bundles.tables import Bundle, BundleKind, BundleState
from lms.database import Database
from lms.queue import enqueue
from sync.bundle_export import Plan, Written, make_plan, write_bundle
from sync.bundle_files import FAT32_BYTES, SUFFIX
from sync.bundle_import import BundleReport, take_bundle
from sync.errors import BundleError
from sync.node import Node

log = logging.getLogger(__name__)

JOB = "bundle"
KEPT = timedelta(days=7)
_TELL_EVERY_S = 0.5

Told = Callable[[int, int], None]


class RecipientUnclearError(Exception):
    """Nobody said whom a bundle is for, or no node is called so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a bundle would hold."""

    records: int
    files: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """What bundles need of the node they are for.

    Args:
        sync: this node as sync sees it; asked only once a bundle is written or taken.
        folder: where bundles wait that are fetched by a browser, and those that one sent; made for the first of them.
        limits: the most that is taken from a browser.
        tell_every_s: how often progress is written down, and asked whether to go on.
    """

    database: Database
    sync: Callable[[], Node]
    folder: Path
    limits: Limits
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    tell_every_s: float = _TELL_EVERY_S

    # ------------------------------------------------------------ at once

    def export(
        self,
        target: Path,
        to: Sequence[str],
        *,
        with_files: bool = True,
        from_start: bool = False,
        most_bytes: int = FAT32_BYTES,
        by: UUID | None = None,
        told: Told = lambda _done, _total: None,
    ) -> dict[str, Any]:
        """Write a bundle for some nodes, of all they may see if *from_start*; return what was written.

        Raises:
            BundleError: it could not be; the history says so, too.
        """
        row = self._row(
            BundleKind.EXPORT, target, nodes=to, with_files=with_files, most_bytes=most_bytes, by=by
        )
        return self._keeping(row, told, from_start=from_start)

    def receipt(
        self,
        target: Path,
        to: Sequence[str],
        *,
        by: UUID | None = None,
        told: Told = lambda _done, _total: None,
    ) -> dict[str, Any]:
        """Write how far this node holds the records of others, and nothing else.

        Raises:
            BundleError: it could not be written.
        """
        row = self._row(BundleKind.RECEIPT, target, nodes=to, most_bytes=FAT32_BYTES, by=by)
        return self._keeping(row, told)

    def take(
        self, paths: Sequence[Path], *, by: UUID | None = None, told: Told = lambda _done, _total: None
    ) -> dict[str, Any]:
        """Take a bundle; return what became of it.

        Raises:
            BundleError: it was refused.
        """
        row = self._row(BundleKind.IMPORT, paths[0], nodes=(), by=by)
        return self._keeping(row, told, paths=paths)

    def preview(self, to: Sequence[str], *, with_files: bool) -> Preview:
        """Say what a bundle for some nodes would hold.

        Raises:
            BundleError: nothing can be written to them.
        """
        with closing(make_plan(self.sync(), to, with_files=with_files)) as plan:
            return Preview(records=plan.records, files=plan.files, size=plan.size)

    # ------------------------------------------------------------ later

    def queue(
        self,
        kind: BundleKind,
        path: Path,
        *,
        nodes: Sequence[str] = (),
        with_files: bool = True,
        most_bytes: int = FAT32_BYTES,
        by: UUID | None,
    ) -> UUID:
        """Have the worker write or take a bundle; return its public id."""
        row = self._row(kind, path, nodes=nodes, with_files=with_files, most_bytes=most_bytes, by=by)
        with self.database.write() as session:
            session.add(row)
            enqueue(session, JOB, {"bundle": str(row.public_id)}, now=self.now())
        return row.public_id

    def run_job(self, payload: dict[str, Any]) -> None:
        """Do what was queued; once it has ended, running it again does nothing."""
        bundle_id = UUID(payload["bundle"])
        with self.database.read() as session:
            row = find_bundle(session, bundle_id)
        if row is None or row.finished is not None:
            return
        written = 0.0

        def tell(done: int, total: int) -> None:
            nonlocal written
            if time.monotonic() - written < self.tell_every_s:
                return
            written = time.monotonic()
            with self.database.write() as session:
                found = find_bundle(session, bundle_id)
                if found is None or found.finished is not None:
                    raise _CancelledError
                found.state, found.bytes_done, found.bytes_total = BundleState.WORKING, done, total

        try:
            facts = self._carry(row, [Path(row.path)], tell)
        except _CancelledError:
            return
        except BundleError as error:
            self._end(bundle_id, BundleState.REFUSED, error=error)
        else:
            self._end(bundle_id, BundleState.DONE, facts=facts)

    def cancel(self, bundle_id: UUID) -> None:
        """End what is waiting or under way. Of a bundle being written nothing is left; what was taken stays."""
        self._end(bundle_id, BundleState.CANCELLED)

    def place_for(self, file_name: str) -> Path:
        """Return where a file is put that a browser sends: beside those sent before, it may be a part of theirs."""
        folder = self.folder / "sent"
        folder.mkdir(parents=True, exist_ok=True)
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", file_name.removesuffix(SUFFIX)).strip(".-")[-80:]
        return folder / f"{plain or 'bundle'}-{self.new_id().hex[:8]}{SUFFIX}"

    def sweep(self) -> bool:
        """Take away what waited :data:`KEPT` for a browser or came from one; a chore, with never more to do."""
        limit = (self.now() - KEPT).timestamp()
        for path in self.folder.rglob("*"):
            with suppress(OSError):
                if path.is_file() and path.stat().st_mtime < limit:
                    path.unlink()
        return False

    # ------------------------------------------------------------ both

    def _row(
        self,
        kind: BundleKind,
        path: Path,
        *,
        nodes: Sequence[str],
        with_files: bool = True,
        most_bytes: int = 0,
        by: UUID | None,
    ) -> Bundle:
        return Bundle(
            public_id=self.new_id(),
            kind=kind,
            path=str(path),
            nodes=list(nodes),
            with_files=with_files,
            most_bytes=most_bytes,
            started=self.now(),
            started_by=by,
        )

    def _keeping(
        self, row: Bundle, told: Told, *, paths: Sequence[Path] = (), from_start: bool = False
    ) -> dict[str, Any]:
        """Do it now, and leave a line in the history whatever comes of it."""
        with self.database.write() as session:
            session.add(row)
            row.state = BundleState.WORKING
        try:
            facts = self._carry(row, paths, told, from_start=from_start)
        except BundleError as error:
            self._end(row.public_id, BundleState.REFUSED, error=error)
            raise
        except BaseException:
            self._end(row.public_id, BundleState.CANCELLED)
            raise
        self._end(row.public_id, BundleState.DONE, facts=facts)
        return facts

    def _carry(
        self, row: Bundle, paths: Sequence[Path], told: Told, *, from_start: bool = False
    ) -> dict[str, Any]:
        try:
            if row.kind is BundleKind.IMPORT:
                return facts_of(take_bundle(self.sync(), paths, told=told))
            with_records = row.kind is BundleKind.EXPORT
            planned = make_plan(
                self.sync(),
                row.nodes,
                with_records=with_records,
                with_files=with_records and row.with_files,
                from_start=from_start,
            )
            with closing(planned) as plan:
                written = write_bundle(
                    self.sync(), plan, Path(row.path), most_bytes=row.most_bytes, told=told
                )
                return facts_written(plan, written)
        except (OSError, ShelfError) as error:  # what the drive does is a BundleError already
            detail = f"The disk of this node is full or fails ({error}). What was here before is still there."
            raise BundleError("disk", detail) from error

    def _end(
        self,
        bundle_id: UUID,
        state: BundleState,
        *,
        facts: dict[str, Any] | None = None,
        error: BundleError | None = None,
    ) -> None:
        with self.database.write() as session:
            row = find_bundle(session, bundle_id)
            if row is None or row.finished is not None:
                return
            row.state, row.finished, row.report = state, self.now(), facts
            if error is not None:
                row.problem, row.detail = error.code, error.detail
                log.warning("bundle_failed", extra={"kind": row.kind.value, "code": error.code})
            if row.kind is BundleKind.IMPORT and facts is not None:
                row.nodes = [facts["from"]]


class _CancelledError(Exception):
    """Somebody has cancelled the bundle at work."""


def facts_written(plan: Plan, written: Written) -> dict[str, Any]:
    """Return what was written, as programs are told it."""
    return {
        "set": written.set,
        "to": [one.node for one in plan.recipients],
        "files": [str(path) for path in written.paths],
        "bytes": written.size,
        "records": plan.records,
        "segments": plan.segments,
        "course_files": plan.files,
    }


def facts_of(report: BundleReport) -> dict[str, Any]:
    """Return what became of a bundle, as programs are told it."""
    return {
        "state": "done" if report.is_complete else "incomplete",
        "set": report.set,
        "from": report.writer,
        "name": report.writer_name,
        "parts": report.parts,
        "missing": list(report.missing),
        "accepted": report.accepted,
        "duplicate": report.duplicate,
        "early": report.early,
        "refused": sum(max(one.records, 1) for one in report.refused),
        "refusals": [asdict(one) for one in report.refused],
        "kept_aside": report.kept_aside,
        "course_files": report.files,
        "course_files_present": report.files_present,
        "course_files_unneeded": report.files_unneeded,
        "receipts": report.receipts,
        "bytes": report.size,
    }


def chosen(session: Session, wanted: Sequence[str]) -> list[str]:
    """Return the nodes that people name by name or id; the root where nobody is named.

    Raises:
        RecipientUnclearError: none or several are called so, or this node is the root itself.
    """
    known = recipients(session)
    if not wanted:
        roots = [one.node for one in known if one.is_root]
        if not roots:
            raise RecipientUnclearError(_nobody(known))
        return roots
    return [_named(known, one) for one in wanted]


def chosen_for_receipt(session: Session, wanted: Sequence[str]) -> list[str]:
    """Return the nodes named, or else those whose bundles were taken and that were given nothing since.

    Raises:
        RecipientUnclearError: nobody waits for a receipt.
    """
    if wanted:
        return chosen(session, wanted)
    known = {one.node for one in recipients(session)}
    due = [node for node in receipts_due(session) if node in known]
    if not due:
        raise RecipientUnclearError(
            "No bundle was taken since the last receipt. --to names a node to write one for."
        )
    return due


def file_name(node_name: str, kind: BundleKind, now: datetime) -> str:
    """Return what a bundle is called that nobody named.

    >>> file_name("Post 4 (North)", BundleKind.EXPORT, datetime(2026, 11, 27, 9, 5))
    'outpost-post-4-north-2026-11-27-0905.outpost'
    """
    plain = re.sub(r"[^a-z0-9]+", "-", node_name.lower()).strip("-")[:40]
    middle = "receipt-" if kind is BundleKind.RECEIPT else ""
    return f"outpost-{middle}{plain or 'node'}-{now:%Y-%m-%d-%H%M}{SUFFIX}"


def _named(known: Sequence[Recipient], wanted: str) -> str:
    found = [one.node for one in known if wanted in {one.node, one.name}]
    if len(found) == 1:
        return found[0]
    if found:
        raise RecipientUnclearError(
            f"Several nodes are called {wanted!r}; name one by its id: {', '.join(found)}."
        )
    raise RecipientUnclearError(f"No trusted node is called {wanted!r}. {_nobody(known)}")


def _nobody(known: Sequence[Recipient]) -> str:
    if not known:
        return "This node has joined no network yet: `lms node join ADDRESS CODE` comes first."
    return f"Say whom it is for with --to: {', '.join(one.name for one in known[:10])}."
