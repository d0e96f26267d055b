"""``lms certificate``: the root that browsers need for a node that serves HTTPS by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lms.certificates.authority import NoRootError, make_authority, open_authority
from lms.certificates.hosts import hosts_of
from lms.cli.console import Data, Json, failing_on, tell
from lms.cli.opening import require_node, settings_of
from lms.node import utc_now

app = typer.Typer()
certificate = typer.Typer(
    help="The root certificate of a node that serves HTTPS by itself.", no_args_is_help=True
)
app.add_typer(certificate, name="certificate")

Out = Annotated[Path | None, typer.Option("--out", help="Write the root to this file, too.")]


@certificate.command()
def show(out: Out = None, data: Data = None, as_json: Json = False) -> None:
    """Show the fingerprint of the root, to compare on every laptop that takes it in."""
    settings = settings_of(data)
    with failing_on(NoRootError):
        root = open_authority(settings.data)
    if out is not None:
        out.write_bytes(root.root_der)
    until = root.root.not_valid_after_utc
    tell(
        {"fingerprint": root.fingerprint, "until": until.isoformat(), "file": str(out) if out else None},
        f"SHA-256 {root.fingerprint}\nGood until {until:%d %B %Y}." + (f" Written to {out}." if out else ""),
        as_json=as_json,
    )


@certificate.command()
def new(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a new root, for other names or after a theft; every laptop needs it before it finds the hub again."""
    settings = settings_of(data)
    require_node(settings)
    if not yes:
        typer.confirm("Every laptop will have to take in the new root. Make it?", abort=True, err=True)
    root = make_authority(settings.data, node_name=settings.name, hosts=hosts_of(settings), now=utc_now())
    tell(
        {"fingerprint": root.fingerprint},
        f"SHA-256 {root.fingerprint}\nThe running server shows it within half a minute, or once started again.",
        as_json=as_json,
    )
