"""The ``lms`` command: nouns and verbs, ``--json`` on everything that prints facts, exit status 0, 1 or 2.

Each module holds the commands of one subject; every command opens one node, does one thing in one
transaction, and says in a sentence what came of it.
"""

from __future__ import annotations

import typer

from lms.cli import (
    archive,
    bundles,
    certificates,
    courses,
    demo,
    doctor,
    editions,
    export,
    forwarding,
    keys,
    node,
    nodes,
    people,
    records,
)
from lms.cli.logs import begin_log

app = typer.Typer(
    name="lms",
    help="Outpost: courses, records and sync for places where the network is the exception.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (
    node,
    doctor,
    demo,
    people,
    courses,
    editions,
    export,
    keys,
    records,
    nodes,
    bundles,
    forwarding,
    certificates,
    archive,
):
    app.add_typer(module.app)


def main() -> None:
    """Run the command named on the command line."""
    begin_log()
    app()
