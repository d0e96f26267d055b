"""``lms archive``: old statements of a centre on PostgreSQL, put away and brought back by whole parts."""

from __future__ import annotations

import typer
from sqlalchemy.orm import Session

from lms.cli.console import Data, Json, fail, failing_on, show_rows, tell
from lms.cli.opening import opened
from lms.node import Node, utc_now
from lms.progress.actions import is_behind
from xapi_store.archive import Part, PartError, bring_back, list_parts, put_away

app = typer.Typer(no_args_is_help=True)
group = typer.Typer(
    help="Old statements, by whole parts of a month or more (PostgreSQL only).", no_args_is_help=True
)
app.add_typer(group, name="archive")


@group.command(name="list")
def list_(data: Data = None, as_json: Json = False) -> None:
    """List the parts: since when, until when, how large, and whether new statements go there."""
    with opened(data) as node:
        _require_parts(node)
        with node.database.read() as session:
            rows = [_facts(part) for part in list_parts(session)]
    show_rows(rows, as_json=as_json, empty="The store has no parts.")


@group.command(name="put-away")
def put_away_(part: int, data: Data = None, as_json: Json = False) -> None:
    """Take a closed part out of the store. Its statements are found no more; results and certificates stay."""
    with failing_on(PartError), opened(data) as node:
        _require_parts(node)
        with node.database.write() as session:
            if is_behind(session):
                fail(
                    "The results of some statements are not worked out yet. Let the server run for a minute."
                )
            put_away(session, part)
            facts = _facts_of(session, part)
    tell(
        facts,
        f"Part {part} is in the schema xapi_archive now. `pg_dump --schema=xapi_archive` copies it elsewhere; "
        f"`lms archive bring-back {part}` returns it.",
        as_json=as_json,
    )


@group.command(name="bring-back")
def bring_back_(part: int, data: Data = None, as_json: Json = False) -> None:
    """Return an archived part to the store."""
    with failing_on(PartError), opened(data) as node:
        _require_parts(node)
        with node.database.write() as session:
            bring_back(session, part)
            facts = _facts_of(session, part)
    tell(
        facts,
        f"The statements of part {part} are found again, as of {utc_now():%Y-%m-%d %H:%M} UTC.",
        as_json=as_json,
    )


def _facts(part: Part) -> dict[str, object]:
    return {
        "part": part.number,
        "oldest": part.oldest,
        "newest": part.newest,
        "bytes": part.bytes,
        "state": "archived" if part.is_archived else "open" if part.is_open else "closed",
    }


def _facts_of(session: Session, number: int) -> dict[str, object]:
    return next(_facts(part) for part in list_parts(session) if part.number == number)


def _require_parts(node: Node) -> None:
    if node.database.is_sqlite:
        fail("On SQLite the store is one file and has no parts; archives are for a centre on PostgreSQL.")
