"""``lms doctor``: a check of everything in plain words."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from lms.cli.console import Data, Json, print_json, say, warn
from lms.cli.opening import require_node, settings_of
from lms.doctor import State, examine
from lms.node import Node

app = typer.Typer()


@app.command()
def doctor(
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Mend what can be mended without harm; the rest is told."),
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="See that the files of courses are there, without reading them.")
    ] = False,
    all_records: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Check every record against what was signed, not only what came since the last time.",
        ),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check everything this node keeps; exit with 1 where something needs you. May run beside the server."""
    settings = settings_of(data)
    require_node(settings)
    with closing(Node(settings)) as node:
        found = []
        for finding in examine(
            node,
            repair=repair,
            reads_files=not quick,
            all_records=all_records,
            progress=lambda name: None if as_json else warn(f"… {name}"),
        ):
            found.append(finding)
            if not as_json:
                say(f"{finding.state.value:>8}  {finding.about}: {finding.sentence}")
    is_well = all(finding.state is not State.TROUBLE for finding in found)
    if as_json:
        checks = [{"about": one.about, "state": one.state.value, "sentence": one.sentence} for one in found]
        print_json({"well": is_well, "checks": checks})
    elif is_well:
        say("Nothing needs you.")
    if not is_well:
        raise typer.Exit(1)
