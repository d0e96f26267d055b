"""How commands speak: facts as a table or as JSON, trouble as one sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import orjson
import typer
from pydantic import ByteSize, TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]
Data = Annotated[str | None, typer.Option("--data", help="The node's data folder.", metavar="FOLDER")]

_FILE_WIDTH = 240  # what is not a screen need not be cut to one
_out = Console(
    highlight=False, emoji=False, soft_wrap=True, width=None if sys.stdout.isatty() else _FILE_WIDTH
)
_err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def say(sentence: str) -> None:
    """Tell the person at the terminal something."""
    _out.print(sentence, markup=False)


def warn(sentence: str) -> None:
    """Tell it on standard error."""
    _err.print(sentence, markup=False)


def progress_bar(*columns: ProgressColumn, transient: bool = False) -> Progress:
    """Return a bar for a person at a terminal; where standard error is none, nothing is shown."""
    from rich.progress import Progress  # noqa: PLC0415 - 15 ms that few commands have a use for

    return Progress(
        *columns, console=Console(stderr=True), transient=transient, disable=not sys.stderr.isatty()
    )


def fail(sentence: str, *, status: int = 1) -> NoReturn:
    """End the command with a sentence that says what happened and what to do."""
    warn(sentence)
    raise typer.Exit(status)


@contextmanager
def failing_on(*errors: type[Exception]) -> Iterator[None]:
    """Turn the errors a person can do something about into their sentence and exit status 1."""
    try:
        yield
    except errors as error:
        fail(str(error))


def read_secret(name: str, *, from_stdin: bool, twice: bool = False) -> str:
    """Return a secret: typed unseen on a terminal, or else the next line of standard input.

    Args:
        name: what is asked for, in a word.
        from_stdin: read it from standard input even on a terminal.
        twice: have it typed once more, because nobody could tell a slip.
    """
    if from_stdin or not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt(name, hide_input=True, confirmation_prompt=twice))


def bytes_of(typed: str) -> int:
    """Return the bytes of a size as people write it, or end the command."""
    try:
        return int(_SIZE.validate_python(typed))
    except ValidationError:
        fail(f"{typed!r} is no size; write it as 20MB or 650 MiB.", status=2)


_SIZE: TypeAdapter[ByteSize] = TypeAdapter(ByteSize)


def show(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print named facts."""
    if as_json:
        print_json(facts)
        return
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), _plain(value))
    _out.print(table)


def show_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print a table of rows that share their columns; ``empty`` is the sentence when there are none."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        say(empty)
        return
    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_plain(value) for value in row.values()))
    _out.print(table)


def tell(facts: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """Tell a program the facts, a person what they mean for her."""
    if as_json:
        print_json(facts)
    else:
        say(sentence)


def print_json(facts: Any) -> None:
    """Print facts for a program."""
    typer.echo(orjson.dumps(facts, default=str, option=orjson.OPT_INDENT_2).decode())


def _plain(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case list() | tuple() | set() | frozenset():
            return ", ".join(str(item) for item in value)
        case dict():
            return ", ".join(f"{name} {amount}" for name, amount in value.items())
        case _:
            return str(value)
