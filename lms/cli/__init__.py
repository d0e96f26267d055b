"""The ``lms`` command: nouns and verbs, ``--json`` on everything that prints facts, exit status 0, 1 or 2.

Each module holds the commands of one subject; every command opens one node, does one thing in one
transaction, and says in a sentence what came of it.
"""

from __future__ import annotations

import gc
from collections import UserDict
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from lms.cli.logs import begin_log

#: What is typed, the module it is in, and the first sentence of its help; in the order of the help.
COMMANDS = {
    "init": ("node", "Make the data folder, the database, the node's identity and its first administrator."),
    "serve": ("node", "Serve until SIGTERM or Ctrl-C; the schema is upgraded first if need be."),
    "status": (
        "node",
        "Tell how this node stands: its role, what waits to be delivered, peers, disk, clock.",
    ),
    "doctor": ("doctor", "Check everything this node keeps; exit with 1 where something needs you."),
    "support": (
        "support",
        "Write how this node is into FILE, for whoever helps: nothing about people.",
    ),
    "demo": ("demo", "Fill the node with people, courses and enrolments to look around with."),
    "user": ("people", "People who sign in on this node."),
    "people": ("erasing", "Erase people, and see which nodes have done it."),
    "import": ("courses", "Import course packages or single files and print what was found in them."),
    "enrol": ("courses", "Let people take a course."),
    "report": ("courses", "Print a report: who stands how in which course."),
    "course": ("editions", "Editions of a course, officers in mid-course, and which courses go where."),
    "export": ("export", "Write the package a course was imported from, byte for byte."),
    "lrs-key": ("keys", "Keys of the record store for other programs."),
    "token": ("keys", "Bearer tokens of the API."),
    "records": ("records", "Statements of the record store."),
    "sync": ("nodes", "Meet paired nodes and exchange what is missing."),
    "node": ("nodes", "This node and those it is paired with."),
    "bundle": ("bundles", "Sync by stick, disc or mail."),
    "forward": ("forwarding", "Other record stores that are given statements of this one."),
    "certificate": ("certificates", "The root certificate of a node that serves HTTPS by itself."),
    "retention": ("retention", "For how long records are kept that are no facts."),
    "archive": ("archive", "Old statements, by whole parts of a month or more (PostgreSQL only)."),
}


class _Loaded(UserDict[str, Any]):
    """The commands by name. Each loads its module when it is asked for: all modules are the whole program."""

    def __getitem__(self, name: str) -> Any:
        module, _ = COMMANDS[name]
        subject = typer.Typer(rich_markup_mode=None)
        subject.add_typer(import_module(f"{__name__}.{module}").app)
        return get_group(subject).commands[name]


class _Commands(TyperGroup):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "commands": _Loaded(COMMANDS)})

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        """Write the help without loading what it tells of."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])


app = typer.Typer(
    name="lms",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _lms() -> None:
    """Outpost: courses, records and sync for places where the network is the exception."""


def main() -> None:
    """Run the command named on the command line."""
    # What is loaded stays: to look through it time and again is an eighth of what loading takes, and finds nothing.
    gc.set_threshold(50_000, 20, 20)
    begin_log()
    app()
