"""What is in the file for whoever helps: one table, from which it is written, listed on the page, and explained in it.

Each member is made of what cannot name anybody: numbers, moments, versions, ids of nodes, codes from tables of this
program. Nothing that people wrote is taken along and then looked through for names: it is not taken.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import ByteSize
from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session

from lms import doctor
from lms.evidence import wording
from lms.node import Node, utc_now
from lms.nodes.queries import overview
from lms.nodes.tables import Meeting
from lms.queue import Job
from lms.settings import Role, Settings
from lms.support.log import harmless, log_lines
from lms.support.sentences import own_words
from lms.web.wording import mark
from sync.log import held
from sync.scopes import parts_of
from sync.tables import EpochRow, QuarantineRow, RefusedRow
from sync.verification import verified

MOST_MEETINGS = 500
_LIBRARIES = (
    "fastapi",
    "starlette",
    "uvicorn",
    "sqlalchemy",
    "alembic",
    "pydantic",
    "cryptography",
    "psycopg",
    "zstandard",
    "httpx",
)
_FOLDERS = ("shelf", "attachments", "uploads", "exports", "bundles", "trials", "log")


@dataclass(frozen=True, slots=True)
class Member:
    """One file in the file: its name, in a sentence what is in it, and what makes it (text, UTF-8)."""

    name: str
    says: str
    make: Callable[[Node], str]


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n"


# ---------------------------------------------------------------- program and machine


def _versions(_node: Node) -> str:
    return _as_json(
        {
            "outpost": version("outpost-lms"),
            "python": platform.python_version(),
            "system": platform.system(),
            "release": platform.release(),
            "machine": platform.machine(),
            "libraries": {name: _version_of(name) for name in _LIBRARIES},
        }
    )


def _version_of(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _settings(node: Node) -> str:
    """Tell numbers and switches as they are; of what is text, only whether it is as it came."""
    return _as_json({name: _setting(node.settings, name) for name in sorted(Settings.model_fields)})


def _setting(settings: Settings, name: str) -> object:
    value = getattr(settings, name)
    if isinstance(value, bool | int | float | ByteSize):
        return value
    if isinstance(value, Role):
        return value.value
    return "set" if name in settings.model_fields_set and value else "as it came"


def _machine(node: Node) -> str:
    now, data = utc_now(), node.settings.data
    disk = shutil.disk_usage(data)
    return _as_json(
        {
            "clock": now,
            "offset_of_zone_s": int((datetime.now().astimezone().utcoffset() or now - now).total_seconds()),
            "processors": os.cpu_count(),
            "disk": {"total": disk.total, "free": disk.free},
            "encoding": sys.getfilesystemencoding(),
            "folders": {name: _size_of(data / name) for name in _FOLDERS},
            "database_files": {
                path.suffix or path.name: path.stat().st_size for path in _database_files(node)
            },
        }
    )


def _size_of(folder: Path) -> Mapping[str, int]:
    files = [path.stat().st_size for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    return {"files": len(files), "bytes": sum(files)}


def _database_files(node: Node) -> Sequence[Path]:
    name = node.database.url.database
    if not node.database.is_sqlite or not name:
        return ()
    return [path for end in ("", "-wal", "-shm") if (path := Path(f"{name}{end}")).is_file()]


# ---------------------------------------------------------------- database


def _schema(node: Node) -> str:
    with node.database.read() as session:
        found = inspect(session.connection())
        tables = {
            name: {
                "columns": [f"{one['name']} {one['type']}" for one in found.get_columns(name)],
                "indexes": sorted(str(one["name"]) for one in found.get_indexes(name)),
            }
            for name in sorted(found.get_table_names())
        }
    kind = node.database.url.get_backend_name()
    return _as_json({"database": kind, "revision": node.database.revision(), "tables": tables})


def _counts(node: Node) -> str:
    with node.database.read() as session:
        return _as_json(_rows_by_table(session, is_sqlite=node.database.is_sqlite))


def _rows_by_table(session: Session, *, is_sqlite: bool) -> Mapping[str, int]:
    """Count the rows of each table; PostgreSQL, where they are many, is asked what it reckons."""
    if not is_sqlite:
        rows = session.execute(
            text(
                "SELECT relname, GREATEST(reltuples, 0)::bigint FROM pg_class "
                "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
            )
        )
        return {name: count for name, count in rows}  # noqa: C416 - rows are not pairs to the type checker
    names = sorted(inspect(session.connection()).get_table_names())
    return {name: session.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0 for name in names}  # noqa: S608 - names of our own tables


# ---------------------------------------------------------------- how it stands


def _status(node: Node) -> str:
    with node.database.read() as session:
        seen = overview(session, node.sync)
        stands = verified(session)
    return _as_json(
        {
            "node": seen.me.node,
            "role": seen.me.role,
            "root": seen.root,
            "admitted_until": seen.admission.until,
            "records": {
                kind: {"waiting": one.waiting, "at_hub": one.at_hub, "delivered": one.delivered}
                for kind, one in seen.counts.items()
            },
            "no_room": seen.no_room,
            "signed_records": stands.of_entries,
            "checked": stands.entries,
        }
    )


def _doctor(node: Node) -> str:
    """Tell what each check found: the state, and of its sentence what is the program's own."""
    found = doctor.examine(node, reads_files=False)
    said = [
        {"about": one.about, "state": one.state.value, "sentence": own_words(one.sentence, (doctor, wording))}
        for one in found
    ]
    return _as_json(said)


def _jobs(node: Node) -> str:
    with node.database.read() as session:
        jobs = session.execute(select(Job.kind, Job.enqueued, Job.due, Job.tries).order_by(Job.id)).all()
    return _as_json(
        [
            {"kind": kind, "enqueued": enqueued, "due": due, "tries": tries}
            for kind, enqueued, due, tries in jobs
        ]
    )


# ---------------------------------------------------------------- other nodes


def _nodes(node: Node) -> str:
    with node.database.read() as session:
        seen = overview(session, node.sync)
        logs = held(session)
        lives = session.execute(select(EpochRow.epoch, EpochRow.opened_ms).order_by(EpochRow.opened_ms)).all()
    return _as_json(
        {
            "lives": [{"epoch": epoch, "opened": _instant(ms)} for epoch, ms in lives],
            "peers": [
                {
                    "node": peer.node,
                    "role": peer.role,
                    "has_address": peer.address is not None,
                    "paired": peer.paired,
                    "last_seen": peer.last_seen,
                    "clock_apart_s": peer.skew_s,
                    "withdrawn": peer.revoked,
                    "is_root": peer.is_root,
                    "admitted_until": peer.admitted_until,
                }
                for peer in seen.peers
            ],
            # A unit's name stands behind the scope's, and is somebody's.
            "logs": [
                {
                    "origin": key.origin,
                    "epoch": key.epoch,
                    "scope": parts_of(key.scope)[0],
                    "entries": head.seq,
                }
                for key, head in sorted(logs.items())
            ],
        }
    )


_MEETING = (
    "peer", "by_hand", "started", "finished", "ending", "bytes_up", "bytes_down", "bytes_left", "sent", "received",
    "to_send", "to_receive", "receipts",
)  # fmt: skip


def _meetings(node: Node) -> str:
    with node.database.read() as session:
        rows = session.scalars(select(Meeting).order_by(Meeting.id.desc()).limit(MOST_MEETINGS)).all()
        return _as_json([{name: getattr(row, name) for name in _MEETING} for row in rows])


def _refused(node: Node) -> str:
    """Tell why records were kept aside and segments refused: who wrote them, of which kind, by which rule."""
    row = QuarantineRow
    with node.database.read() as session:
        aside = session.execute(
            select(row.origin, row.kind, row.verdict, row.reason, func.count(), func.min(row.since_ms))
            .group_by(row.origin, row.kind, row.verdict, row.reason)
            .order_by(row.origin)
        ).all()
        segments = session.execute(
            select(RefusedRow.peer, RefusedRow.origin, RefusedRow.code, RefusedRow.refused_ms)
        ).all()
    return _as_json(
        {
            "records": [
                harmless({"origin": origin, "kind": kind, "verdict": verdict, "reason": reason})
                | {"count": count, "since": _instant(since)}
                for origin, kind, verdict, reason, count, since in aside
            ],
            "segments": [
                harmless({"peer": peer, "origin": origin, "code": code}) | {"refused": _instant(ms)}
                for peer, origin, code, ms in segments
            ],
        }
    )


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


# ---------------------------------------------------------------- log


def _log(node: Node) -> str:
    return "".join(f"{json.dumps(line)}\n" for line in log_lines(node.settings.data))


def _log_counts(node: Node) -> str:
    counted = Counter(
        (line.get("level", ""), line.get("event", line.get("error", "")))
        for line in log_lines(node.settings.data)
    )
    return _as_json(
        [{"level": level, "what": what, "count": count} for (level, what), count in counted.most_common()]
    )


MEMBERS: Sequence[Member] = (
    Member(
        "versions.json", mark("Versions of this program, of Python, the system and libraries."), _versions
    ),
    Member(
        "settings.json",
        mark("Numbers and switches among the settings; of texts only whether they were set."),
        _settings,
    ),
    Member(
        "machine.json",
        mark("The clock and its zone, processors, the disk, and how large the folders are."),
        _machine,
    ),
    Member(
        "status.json", mark("How many records of each kind wait, are at a hub, and were delivered."), _status
    ),
    Member("doctor.json", mark("What the check of this node found, without names and titles."), _doctor),
    Member("counts.json", mark("How many rows each table of the database has."), _counts),
    Member(
        "schema.json",
        mark("The tables of the database with their columns, without what is in them."),
        _schema,
    ),
    Member(
        "jobs.json",
        mark("Which kinds of work wait in the background, since when, and how often they were tried."),
        _jobs,
    ),
    Member(
        "nodes.json",
        mark("Other nodes by their ids alone, when they were met, and how many of their records are here."),
        _nodes,
    ),
    Member(
        "meetings.json",
        mark("The last 500 meetings with other nodes: when, how much passed, how they ended."),
        _meetings,
    ),
    Member(
        "refused.json",
        mark("How many records were refused, and by which rule; not what is in them."),
        _refused,
    ),
    Member(
        "log.jsonl",
        mark("The newest events of the server by name, and where in the program something failed."),
        _log,
    ),
    Member("events.json", mark("How often each of these events occurred."), _log_counts),
)
