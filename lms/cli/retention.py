"""``lms retention``: for how long records are kept that are no facts."""

from __future__ import annotations

from typing import Annotated

import typer

from lms.cli.console import Data, Json, failing_on, show_rows, tell
from lms.cli.opening import opened
from lms.node import utc_now
from lms.retention.actions import RetentionError, decide
from lms.retention.queries import periods
from sync.errors import KeyLostError

app = typer.Typer()
group = typer.Typer(help="For how long records are kept that are no facts.", no_args_is_help=True)
app.add_typer(group, name="retention")


@group.command(name="list")
def list_(data: Data = None, as_json: Json = False) -> None:
    """List the kinds and their periods in days; 0 keeps them for good."""
    with opened(data) as node, node.database.read() as session:
        found = periods(session, launch_log_days=node.settings.launch_log_days)
    rows = [
        {"kind": one.kind.name, "days": one.days, "what": one.kind.label, "decided": one.changed}
        for one in found
    ]
    show_rows(rows, as_json=as_json, empty="There is nothing that goes by itself.")


@group.command(name="set")
def set_(
    kind: Annotated[str, typer.Argument(help="As `lms retention list` names it.", metavar="KIND")],
    days: Annotated[int, typer.Argument(help="7 to 36500, or 0 for good.", metavar="DAYS")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Decide for how many days a KIND is kept, on this node and all below it."""
    with opened(data) as node, failing_on(RetentionError, KeyLostError), node.database.write() as session:
        decide(session, node.sync, kind, days=days, now=utc_now())
    said = f"for {days} days" if days else "for good"
    tell({"kind": kind, "days": days}, f"Records of the kind {kind} are kept {said}.", as_json=as_json)
