"""``lms support``: a file for whoever helps from afar, without anything about people."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from lms.cli.console import Data, Json, fail, tell
from lms.cli.opening import require_node, settings_of
from lms.node import Node
from lms.support.actions import write_support

app = typer.Typer()

Target = Annotated[
    Path, typer.Argument(help="Where to write it: a zip file.", metavar="FILE", dir_okay=False)
]


@app.command()
def support(file: Target, data: Data = None, as_json: Json = False) -> None:
    """Write how this node is into FILE, for whoever helps: nothing about people. May run beside the server."""
    settings = settings_of(data)
    require_node(settings)
    with closing(Node(settings)) as node:
        try:
            names = write_support(node, file)
        except OSError as error:
            fail(f"{file} cannot be written ({error.strerror}).")
    tell(
        {"file": str(file), "members": names},
        f"{file} is written. Its README.txt says what is in it; read it before you give it to anybody.",
        as_json=as_json,
    )
