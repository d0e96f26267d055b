"""``lms bundle``: sync by stick, disc or mail, in files that only their recipients can open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn

from lms.bundles.actions import RecipientUnclearError, chosen, chosen_for_receipt
from lms.cli.console import Data, Json, bytes_of, fail, failing_on, progress_bar, show
from lms.cli.opening import opened
from sync.bundle_files import FAT32_BYTES
from sync.bundle_import import find_bundle, look_into
from sync.errors import SyncError
from sync.node import names_of

app = typer.Typer()
group = typer.Typer(help="Sync by stick, disc or mail.", no_args_is_help=True)
app.add_typer(group, name="bundle")

Target = Annotated[Path, typer.Argument(help="Where to write it.", metavar="FILE", dir_okay=False)]
To = Annotated[
    list[str] | None,
    typer.Option(help="A node it is for, by name or id; several may be named. The root when left out."),
]
Files = Annotated[
    list[Path],
    typer.Argument(help="The bundle; of one in parts, any part or all of them.", metavar="FILE..."),
]


@group.command()
def export(  # noqa: PLR0917 - typer reads options from positional parameters
    file: Target,
    to: To = None,
    split: Annotated[
        str | None, typer.Option(help="The largest file, such as 20MB; 4 GiB when left out, as FAT32 takes.")
    ] = None,
    with_files: Annotated[
        bool, typer.Option("--files/--no-files", help="Take along the files of courses and statements.")
    ] = True,
    from_start: Annotated[
        bool, typer.Option("--all", help="Everything they may see, as for a node that lost its database.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write what other nodes lack into FILE, sealed to them."""
    with opened(data) as node, failing_on(RecipientUnclearError, SyncError), _progress() as told:
        with node.database.read() as session:
            nodes = chosen(session, to or ())
        facts = node.bundles.export(
            file,
            nodes,
            with_files=with_files,
            from_start=from_start,
            most_bytes=FAT32_BYTES if split is None else bytes_of(split),
            told=told,
        )
    show(facts, as_json=as_json)


@group.command()
def receipt(
    file: Target,
    to: Annotated[
        list[str] | None,
        typer.Option(
            help="A node it is for; those whose bundles were taken since the last one when left out."
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write into FILE, signed, how far this node holds what others sent; they take it as they take a bundle."""
    with opened(data) as node, failing_on(RecipientUnclearError, SyncError):
        with node.database.read() as session:
            nodes = chosen_for_receipt(session, to or ())
        facts = node.bundles.receipt(file, nodes)
    show(facts, as_json=as_json)


@group.command(name="import")
def import_(files: Files, data: Data = None, as_json: Json = False) -> None:
    """Take a bundle or a receipt; to take one twice changes nothing."""
    with opened(data) as node, failing_on(SyncError), _progress() as told:
        facts = node.bundles.take(files, told=told)
    show(facts if as_json else _in_short(facts), as_json=as_json)
    if facts["missing"]:
        listed = ", ".join(str(part) for part in facts["missing"])
        fail(f"Of {facts['parts']} parts these are missing: {listed}. Bring them, then take all parts again.")
    if facts["early"]:
        fail(
            "Some of it follows on what is not here yet; take the bundle that came before, then this one again."
        )
    if facts["refused"]:
        fail("Some of it was refused; the rest was taken.")


@group.command()
def inspect(files: Files, data: Data = None, as_json: Json = False) -> None:
    """Tell what a bundle says of itself, and what it holds if it is for this node; nothing is changed."""
    with opened(data) as node, failing_on(SyncError):
        found = find_bundle(files)
        header = found.header
        nodes = [header.writer, *(one for one, _ in header.recipients)]
        with node.database.read() as session:
            names = names_of(session, nodes)
        facts: dict[str, Any] = {
            "set": header.set,
            "from": names.get(header.writer, header.writer),
            "to": [names.get(one, one) for one in nodes[1:]],
            "made": datetime.fromtimestamp(header.made_ms / 1000, UTC).isoformat(timespec="seconds"),
            "parts": header.parts,
            "missing": list(found.missing),
            "bytes": sum(path.stat().st_size for path in found.paths.values()),
            "opens_here": any(one == node.sync.id for one in nodes[1:]),
        }
        if facts["opens_here"]:
            contents = look_into(node.sync, found)
            facts |= {
                "records": contents.records,
                "segments": contents.segments,
                "course_files": contents.files,
                "course_file_bytes": contents.file_bytes,
                "receipts": contents.receipts,
            }
    show(facts, as_json=as_json)


def _in_short(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what a person asks about."""
    reasons = {one["code"]: one["detail"] for one in facts["refusals"]}
    short = {name: facts[name] for name in ("name", "accepted", "duplicate", "refused", "receipts")}
    return short | {
        "kept_aside": facts["kept_aside"] or 0,
        "course_files": facts["course_files"],
        **(
            {"why_refused": "; ".join(f"{code}: {detail}" for code, detail in reasons.items())}
            if reasons
            else {}
        ),
    }


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    bar = progress_bar(BarColumn(), DownloadColumn(), TimeRemainingColumn(), transient=True)
    with bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
