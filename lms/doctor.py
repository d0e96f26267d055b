"""A check of everything a node keeps, in plain words: ``lms doctor``.

Each check looks at one thing and says what it found. A trouble is what somebody must see to; what is merely told is
left to the worker, which takes litter away by itself a day later. Mending does what cannot do harm: it takes away what
nothing names, sets damaged files of courses aside, and has those and missing ones asked for again at the next sync.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import migrations
from content_packages.errors import FileMissingError, ShelfError, StoredPackageError
from content_packages.shelf import FileRef, Shelf
from lms.certificates.authority import NoRootError, open_authority
from lms.courses.importing import JOB as IMPORT_JOB
from lms.courses.queries import imports_under_way
from lms.courses.shelving import GRACE, editions_here, files_of_edition, files_of_original, named_files
from lms.courses.subjects import SubjectsUnreadableError, load_subjects
from lms.courses.tables import Course, Edition
from lms.evidence.queries import check
from lms.node import Node, utc_now
from lms.nodes.roots import FOLDER as PEER_ROOTS
from lms.nodes.roots import Root
from lms.queue import Job
from lms.streams.course_files import manifests_on_offer
from lms.web.content_ports import FILE_NAME as PORTS_FILE
from lms.web.content_ports import ContentPorts
from sync import identity, ledger
from sync.errors import KeyLostError
from sync.node import standing
from sync.rot import mend_some
from sync.verification import Verified, verify
from xapi_store.tables import AttachmentRow, StatementRow

LEAST_FREE_BYTES = 500_000_000
MOST_SKEW = timedelta(minutes=5)
MANY_TRIES = 3
MOST_JOBS_NAMED = 5
MOST_STRAYS_NAMED = 3
MOST_FINDINGS_NAMED = 20


class State(StrEnum):
    """What became of a check."""

    WELL = "well"
    TOLD = "told"  # worth knowing; nothing to do
    MENDED = "mended"
    TROUBLE = "trouble"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one check found: the thing it looked at, how it is, and a sentence with what to do."""

    about: str
    state: State
    sentence: str


class _UnreachableError(Exception):
    """The database cannot be asked anything more."""


def examine(
    node: Node,
    *,
    repair: bool = False,
    reads_files: bool = True,
    all_records: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Finding]:
    """Look at everything, one thing after the other.

    Args:
        node: opened, and not upgraded.
        repair: mend what can be mended without harm.
        reads_files: read every file of every edition through; otherwise only see that it is there, with its size.
        all_records: hold every record against what was signed, from the first on; otherwise those that came since the
            last time. Goes on where it was stopped.
        progress: told which course is being read, and how many records were.
    """
    try:
        yield _database(node)
        yield _schema(node)
    except _UnreachableError as trouble:
        yield Finding(about="database", state=State.TROUBLE, sentence=str(trouble))
        return
    yield _key(node)
    yield from _records(node, repair=repair, everything=all_records, progress=progress)
    yield from _courses(node, repair=repair, reads_files=reads_files, progress=progress)
    yield _unnamed(node, repair=repair)
    yield _strays(node)
    yield _set_aside(node)
    yield _imports(node, repair=repair)
    yield _jobs(node)
    yield _uploads(node, repair=repair)
    yield _attachments(node, repair=repair)
    yield _certificates(node)
    yield _ports(node)
    yield _subjects(node)
    yield _disk(node)
    yield _clock(node)


# ---------------------------------------------------------------- database and identity


def _database(node: Node) -> Finding:
    try:
        with node.database.engine.connect() as connection:
            if not node.database.is_sqlite:
                version = connection.execute(text("SHOW server_version")).scalar()
                return _well("database", f"PostgreSQL {version} answers.")
            found = [row[0] for row in connection.exec_driver_sql("PRAGMA quick_check")]
            astray = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    except DBAPIError as error:
        helps = _from_a_copy(node) if node.database.is_sqlite else "Start the database server."
        raise _UnreachableError(f"The database does not answer ({error.orig}). {helps}") from error
    if found != ["ok"]:
        raise _UnreachableError(f"The database is damaged ({found[0]}). {_from_a_copy(node)}")
    if astray:
        return _trouble(
            "database",
            f"{_some(len(astray), 'row')} {_are(len(astray))} left without what they belong to. {_from_a_copy(node)}",
        )
    return _well("database", "The database is whole.")


def _from_a_copy(node: Node) -> str:
    """Say how a file of SQLite is mended: by a whole one, without the log that belongs to the damaged one."""
    file = node.database.url.database
    return (
        f"Stop the server, move {file} and the files {file}-wal and {file}-shm elsewhere, and put {file} back from "
        "your last copy of the data folder; what was sent to other nodes since comes back with the next syncs."
    )


def _schema(node: Node) -> Finding:
    current, known = node.database.revision(), migrations.revisions()
    if current == known[-1]:
        return _well("schema", f"Its schema is {current}, as this version wants it.")
    if current is None or current in known:
        raise _UnreachableError(
            f"Its schema is {current}, this version wants {known[-1]}. `lms serve` or any other "
            "command upgrades it, after a copy."
        )
    raise _UnreachableError(
        f"This data was last used by a newer Outpost (schema {current}). Install that version again."
    )


def _key(node: Node) -> Finding:
    try:
        key = identity.load_key(node.settings.data)
    except KeyLostError as error:
        return _trouble("key", str(error))
    with node.database.read() as session:
        me = standing(session).certificate.node
    if key is None:
        return _trouble(
            "key", "The node's key is missing. Put node.key back from a backup; nobody can make it anew."
        )
    if key.node != me:
        return _trouble(
            "key", f"The key here is of another node: this data is of {me}. Put its node.key back."
        )
    return _well("key", f"The key is that of this node, {me}.")


# ---------------------------------------------------------------- records, and what was signed


def _records(
    node: Node, *, repair: bool, everything: bool, progress: Callable[[str], None]
) -> Iterator[Finding]:
    try:
        sync = node.sync
    except KeyLostError:
        return  # told already

    def tell(stands: Verified) -> None:
        if everything:
            progress(f"{stands.entries:,} of {_some(stands.of_entries, 'signed record')}")

    verify(sync, everything=everything, told=tell)
    if repair:
        while mend_some(sync):
            pass
        verify(sync)  # what was mended is read again
    with node.database.read() as session:
        stands = check(session)
    for one in stands.findings[:MOST_FINDINGS_NAMED]:
        which = (
            ""
            if not one.first
            else f", {one.first}"
            if one.first == one.last
            else f", {one.first}–{one.last}"
        )
        said = f" ({one.origin}{which}{f'; {one.key}' if one.key else ''}{f'; {one.detail}' if one.detail else ''})"
        yield _trouble("records", f"{one.meaning.what.rstrip('.')}{said}. {one.meaning.remedy}")
    more = len(stands.findings) - MOST_FINDINGS_NAMED + stands.unlisted
    if more > 0:
        yield _trouble("records", f"{_some(more, 'more finding')}; the page “Check of records” lists them.")
    lost = [one for one in stands.losses if not one.found]
    for loss in lost[:MOST_FINDINGS_NAMED]:
        yield _told(
            "records",
            f"{_some(loss.count, 'record')} of {loss.recorded:%Y-%m-%d} could not be read on {loss.origin}: "
            "disk damage. A copy that turns up is taken.",
        )
    if stands.findings or lost:
        return
    erased = (
        f" {_some(stands.erased, 'record')} {_were(stands.erased)} erased by order." if stands.erased else ""
    )
    whole = f"all were last read on {stands.whole:%Y-%m-%d}" if stands.whole else "`--all` reads them all"
    yield _well(
        "records",
        f"{_some(stands.of_entries, 'signed record')}: nothing was removed, changed, reordered or back-dated; "
        f"{whole}.{erased}",
    )


# ---------------------------------------------------------------- the shelf


def _courses(
    node: Node, *, repair: bool, reads_files: bool, progress: Callable[[str], None]
) -> Iterator[Finding]:
    checked: dict[str, bool] = {}
    with node.database.read() as session:
        editions = editions_here(session)
    titles = Counter(title for _, title in {(course.public_id, course.title) for _, course in editions})
    whole = 0
    for edition, course in editions:
        alike = f" ({course.public_id})" if titles[course.title] > 1 else ""
        name = f"“{course.title}”{alike}, edition {edition.number}"
        progress(name)
        lost = _lost_files(node.shelf, edition, checked, reads_files=reads_files)
        if not lost:
            whole += 1
            continue
        yield _told_lost(node, name, edition, course, lost, repair=repair)
    if whole == len(editions):
        yield _well("courses", f"All files of {_some(whole, 'edition')} are here and whole.")


def _lost_files(
    shelf: Shelf, edition: Edition, checked: dict[str, bool], *, reads_files: bool
) -> list[FileRef]:
    try:
        shelf.verify(edition.manifest)
        refs = dict.fromkeys([*files_of_edition(shelf, edition), *files_of_original(shelf, edition)])
    except (ShelfError, StoredPackageError):
        return [FileRef(digest=edition.manifest, size=_size(shelf, edition.manifest))]
    for ref in refs:
        if ref.digest not in checked:
            checked[ref.digest] = _is_whole(shelf, ref, reads_files=reads_files)
    return [ref for ref in refs if not checked[ref.digest]]


def _told_lost(
    node: Node, name: str, edition: Edition, course: Course, lost: Sequence[FileRef], *, repair: bool
) -> Finding:
    only_original = not _is_needed(node.shelf, edition, lost)
    files = "1 file is" if len(lost) == 1 else f"{len(lost)} files are"
    what = "The package it was imported from is" if only_original else files
    given = " Learners are given it." if course.current_edition == edition.public_id else ""
    remedy = (
        "Import the package again, or run `lms doctor --repair` and sync with a node that has the course."
    )
    if lost[0].size == 0:  # its manifest is gone altogether: nobody here knows how long it was
        remedy = "Import the package again."
    elif repair:
        for ref in lost:
            _note_lost(node.shelf, ref)
        remedy = "They are asked for at the next sync; to import the package again mends it at once."
    return _trouble("courses", f"{name}: {what} missing or damaged.{given} {remedy}")


def _note_lost(shelf: Shelf, ref: FileRef) -> None:
    """Set aside what is left of a lost file, unless it has come again since it was looked at."""
    seen = shelf.stamp(ref.digest)
    if not _is_whole(shelf, ref, reads_files=True):
        shelf.note_lost(ref, seen=seen)


def _is_needed(shelf: Shelf, edition: Edition, lost: Sequence[FileRef]) -> bool:
    """Say whether learners need one of the lost files: the others are of the original only."""
    try:
        needed = {ref.digest for ref in files_of_edition(shelf, edition)}
    except (ShelfError, StoredPackageError):
        return True
    return any(ref.digest in needed for ref in lost)


def _is_whole(shelf: Shelf, ref: FileRef, *, reads_files: bool) -> bool:
    if not shelf.has(ref.digest) or _size(shelf, ref.digest) != ref.size:
        return False
    if reads_files:
        try:
            shelf.verify(ref.digest)
        except ShelfError:
            return False
    return True


def _size(shelf: Shelf, digest: str) -> int:
    try:
        return shelf.path(digest).stat().st_size
    except (FileNotFoundError, FileMissingError):
        return 0


def _unnamed(node: Node, *, repair: bool) -> Finding:
    before = utc_now() - GRACE
    with node.database.read() as session:
        named = named_files(session, node.shelf, offered=manifests_on_offer(session))
    if named.unreadable:
        return _told("litter", "The shelf is not swept while the list of files of a course is missing.")
    swept = node.shelf.sweep(named.files, before=before, dry=not repair)
    litter = node.shelf.sweep_incoming(before=before, dry=not repair)
    files, size = swept.files + litter.files, swept.size + litter.size
    if not files:
        return _well("litter", "Nothing lies on the shelf that nothing names.")
    if repair:
        return Finding(
            about="litter",
            state=State.MENDED,
            sentence=f"{_some(files, 'file')} that nothing named {_were(files)} removed: {_in_words(size)}.",
        )
    return _told(
        "litter",
        f"{_some(files, 'file')} {_are(files)} named by nothing: {_in_words(size)}. The server takes "
        f"{'it' if files == 1 else 'them'} away by itself.",
    )


def _strays(node: Node) -> Finding:
    strays = sorted(node.shelf.strays())
    if not strays:
        return _well("strays", "Nothing lies in the folder of the shelf that is not the shelf's.")
    named = ", ".join(str(one.relative_to(node.settings.data)) for one in strays[:MOST_STRAYS_NAMED])
    more = f" and {len(strays) - MOST_STRAYS_NAMED} more" * (len(strays) > MOST_STRAYS_NAMED)
    return _told(
        "strays",
        f"{_some(len(strays), 'file')} in the folder of the shelf {_are(len(strays))} none of the shelf's: "
        f"{named}{more}. No course has them, and the server leaves them alone. Move them elsewhere, or delete them.",
    )


def _set_aside(node: Node) -> Finding:
    aside = node.shelf.aside()
    if not aside.files:
        return _well("set aside", "No damaged file was set aside.")
    return _well(
        "set aside",
        f"{_some(aside.files, 'damaged file')} {_were(aside.files)} set aside in {node.settings.shelf.name}/damaged: "
        f"{_in_words(aside.size)}. Nobody is given them; delete them once nobody wants to look into them.",
    )


# ---------------------------------------------------------------- what waits, what belongs to statements


def _imports(node: Node, *, repair: bool) -> Finding:
    with node.database.read() as session:
        queued = {
            job.payload.get("import") for job in session.scalars(select(Job).where(Job.kind == IMPORT_JOB))
        }
        stuck = [one for one in imports_under_way(session) if str(one) not in queued]
    if not stuck:
        return _well("imports", "No import was left half-way.")
    if not repair:
        return _trouble(
            "imports",
            f"{_some(len(stuck), 'import')} {_were(len(stuck))} left half-way. `lms doctor --repair` ends "
            f"{'it' if len(stuck) == 1 else 'them'}.",
        )
    for one in stuck:
        node.importer.cancel(one)
    return Finding(
        about="imports",
        state=State.MENDED,
        sentence=f"{_some(len(stuck), 'import')} left half-way {_were(len(stuck))} ended.",
    )


def _jobs(node: Node) -> Finding:
    with node.database.read() as session:
        failing = session.scalars(
            select(Job).where(Job.tries >= MANY_TRIES, Job.problem.is_not(None)).order_by(Job.id)
        ).all()
    if not failing:
        return _well("jobs", "No job fails again and again.")
    named = "; ".join(f"{job.kind}, {job.tries} times: {job.problem}" for job in failing[:MOST_JOBS_NAMED])
    return _trouble(
        "jobs",
        f"Jobs that failed several times and are tried again: {len(failing)} ({named}). The log says more of each try.",
    )


def _uploads(node: Node, *, repair: bool) -> Finding:
    left = node.importer.leftovers()
    if not left:
        return _well("uploads", "No upload was left over.")
    size = sum(path.stat().st_size for path in left)
    if not repair:
        return _told(
            "uploads",
            f"{_some(len(left), 'upload')} {_were(len(left))} left over: {_in_words(size)}. The server takes "
            f"{'it' if len(left) == 1 else 'them'} away.",
        )
    node.importer.sweep_uploads()
    return Finding(
        about="uploads",
        state=State.MENDED,
        sentence=f"{_some(len(left), 'upload')} left over {_were(len(left))} removed.",
    )


def _attachments(node: Node, *, repair: bool) -> Finding:
    """See that files of statements are here which were; of those that have not come yet no row tells."""
    with node.database.read() as session:
        query = select(AttachmentRow.file, AttachmentRow.size).where(AttachmentRow.file.is_not(None))
        lost = [
            (name, size) for name, size in session.execute(query) if name and not node.attachments.has(name)
        ]
    if not lost:
        return _well("attachments", "All large attachments of statements are here.")
    remedy = "Put it back from a backup, or run `lms doctor --repair` and sync with a node that has them."
    if repair:
        for name, size in lost:
            node.attachments.ask_again(name, size)
        remedy = "They are asked for at the next sync; to put it back from a backup mends it at once."
    return _trouble(
        "attachments",
        f"{_some(len(lost), 'attachment')} of statements {_are(len(lost))} missing from the folder `attachments`. "
        f"{remedy}",
    )


# ---------------------------------------------------------------- how it is reached, and reaches others


def _certificates(node: Node) -> Finding:
    data, now = node.settings.data, utc_now()
    strange = [path.stem for path in sorted((data / PEER_ROOTS).glob("*.pem")) if not _is_root(path)]
    if strange:
        return _trouble(
            "certificates",
            f"The root certificate kept of {', '.join(strange)} cannot be read. `lms node root NODE` fetches it again.",
        )
    try:
        authority = open_authority(data)
    except NoRootError:
        return _well("certificates", "This node has made no root certificate; serving HTTPS makes one.")
    except ValueError:
        return _trouble("certificates", f"The root certificate cannot be read. {_NEW_ROOT}")
    if not authority.is_whole:
        return _trouble(
            "certificates",
            f"What signs the server's certificates is missing or is another root's. {_NEW_ROOT}",
        )
    ends = authority.root.not_valid_after_utc
    if ends < now:
        return _trouble("certificates", f"The root certificate ended on {ends:%Y-%m-%d}. {_NEW_ROOT}")
    return _well("certificates", f"The root certificate is whole, and good until {ends:%Y-%m-%d}.")


_NEW_ROOT = (
    "Put `certificates` back from a backup; or `lms certificate new` makes another root, "
    "which all laptops have to take in."
)


def _is_root(path: Path) -> bool:
    try:
        Root(path.read_bytes())
    except ValueError:
        return False
    return True


def _ports(node: Node) -> Finding:
    if ContentPorts(node.settings.data, node.settings.ports_of_courses, now=utc_now).is_sound():
        return _well("ports", "The list of ports of courses is in order.")
    return _trouble(
        "ports",
        f"The list of ports of courses, `{PORTS_FILE}`, cannot be read or names one twice. Stop the server and "
        "remove it: ports are then given anew, and courses lose what they kept in browsers.",
    )


def _subjects(node: Node) -> Finding:
    try:
        known = load_subjects(node.settings.data)
    except SubjectsUnreadableError as error:
        return _trouble(
            "subjects",
            f"{error} Until it is put right and the server started again, the catalogue knows only the subjects that "
            "ship.",
        )
    return _well("subjects", f"The catalogue knows {_some(len(known), 'subject')}.")


# ---------------------------------------------------------------- the machine


def _disk(node: Node) -> Finding:
    free = shutil.disk_usage(node.settings.data).free
    if free >= LEAST_FREE_BYTES:
        return _well("disk", f"{_in_words(free)} are free.")
    return _trouble(
        "disk", f"Only {_in_words(free)} are free. Make room: a full disk stops learners from saving."
    )


def _clock(node: Node) -> Finding:
    now = utc_now()
    with node.database.read() as session:
        newest = _newest(session)
        skews = [row.skew_ms or 0 for row, _ in ledger.peers(session)]
    if newest is not None and newest > now + MOST_SKEW:
        return _trouble(
            "clock",
            f"The clock says {now:%Y-%m-%d %H:%M} UTC, but something was stored at {newest:%Y-%m-%d %H:%M}. Set it.",
        )
    worst = max(skews, key=abs, default=0)
    if timedelta(milliseconds=abs(worst)) > MOST_SKEW:
        return _trouble(
            "clock", f"The clock is {abs(worst) // 1000} s away from that of another node. Set it."
        )
    return _well("clock", f"The clock says {now:%Y-%m-%d %H:%M} UTC.")


def _newest(session: Session) -> datetime | None:
    return session.scalar(select(func.max(StatementRow.stored)))


def _well(about: str, sentence: str) -> Finding:
    return Finding(about=about, state=State.WELL, sentence=sentence)


def _told(about: str, sentence: str) -> Finding:
    return Finding(about=about, state=State.TOLD, sentence=sentence)


def _trouble(about: str, sentence: str) -> Finding:
    return Finding(about=about, state=State.TROUBLE, sentence=sentence)


def _some(count: int, noun: str) -> str:
    """Return a number of things.

    >>> _some(1, "file"), _some(2000, "file")
    ('1 file', '2,000 files')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _in_words(size: int) -> str:
    """Return a number of bytes.

    >>> _in_words(1), _in_words(4_700), _in_words(2_300_000)
    ('1 byte', '4.7 kB', '2.3 MB')
    """
    if size < 1000:
        return _some(size, "byte")
    return f"{size / 1000:,.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:,.1f} MB"
