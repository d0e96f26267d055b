"""``lms records``: statements of the record store, as a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

from lms.cli.console import Data, Json, fail, failing_on, progress_bar, show
from lms.cli.opening import opened
from lms.node import Node
from lms.records.export import Place, span_of, write_file
from lms.records.filters import Asked, read_filter
from lms.records.tables import ExportFormat
from lms.web.wording import FieldError
from xapi_store.query import StatementFilter

app = typer.Typer()
records_app = typer.Typer(help="Statements of the record store.", no_args_is_help=True)
app.add_typer(records_app, name="records")

Format = Annotated[
    ExportFormat, typer.Option("--format", help="A table, or whole statements, one in each line.")
]


@records_app.command()
def export(  # noqa: PLR0917 - typer reads options from positional parameters
    file: Annotated[Path, typer.Argument(dir_okay=False, help="What to write; it appears once it is whole.")],
    kind: Format = ExportFormat.CSV,
    user: Annotated[str, typer.Option(help="Of this officer: her number, or her name.")] = "",
    agent: Annotated[str, typer.Option(help="Of this agent: a mail address, or JSON.")] = "",
    verb: Annotated[str, typer.Option(help="With this verb: its IRI, or passed, completed…")] = "",
    activity: Annotated[str, typer.Option(help="About this activity (IRI).")] = "",
    registration: Annotated[str, typer.Option(help="Of this registration (UUID).")] = "",
    since: Annotated[
        str, typer.Option(help="Stored from this day on, 2026-05-12, or after an instant.")
    ] = "",
    until: Annotated[str, typer.Option(help="Stored up to this day, or to an instant.")] = "",
    related: Annotated[bool, typer.Option("--related", help="Also where they are only mentioned.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write statements to FILE, newest first; voided ones are left out. It holds no officers' names."""
    asked = Asked(
        who=user,
        agent=agent,
        verb=verb,
        activity=activity,
        registration=registration,
        since=since,
        until=until,
        related="on" if related else "",
    )
    with opened(data) as node, failing_on(FieldError):
        place = _write(node, _filter(node, asked), kind, file)
    show({"file": str(file), "statements": place.statements, "bytes": place.size}, as_json=as_json)


def _filter(node: Node, asked: Asked) -> StatementFilter:
    with node.database.read() as session:
        wanted = read_filter(session, asked)
    for error in wanted.errors.values():
        raise error
    if wanted.people:
        numbers = ", ".join(person.personnel_number for person in wanted.people)
        fail(f"Several people are called so; say which by her number: {numbers}.")
    return wanted.filter


def _write(node: Node, wanted: StatementFilter, kind: ExportFormat, file: Path) -> Place:
    beside = file.with_name(f".{file.name}.{os.getpid()}.part")
    with node.database.read() as session:
        span = span_of(session, wanted)
    place = Place(position=span.highest + 1)
    columns = (TextColumn("{task.fields[statements]:,} statements"), BarColumn(), TimeRemainingColumn())
    try:
        with (
            beside.open("wb") as target,
            progress_bar(*columns) as progress,
        ):
            bar = progress.add_task("", total=max(span.highest - span.lowest + 1, 1), statements=0)
            for place in write_file(node.database, wanted, kind, target, place):  # noqa: B020 - the first one begins it
                progress.update(bar, completed=span.highest - place.position + 1, statements=place.statements)
            target.flush()
            os.fsync(target.fileno())
        beside.replace(file)
    except OSError as error:
        fail(f"{file} could not be written: {error.strerror or error}.")
    finally:
        beside.unlink(missing_ok=True)
    return place
