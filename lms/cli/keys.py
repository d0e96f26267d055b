"""``lms lrs-key`` and ``lms token``: credentials for other programs."""

from __future__ import annotations

from typing import Annotated

import typer

from lms.cli.console import Data, Json, failing_on, say, show, show_rows, tell
from lms.cli.opening import opened
from lms.keys.actions import KeyNotFoundError, create_key, revoke_key
from lms.keys.queries import list_keys
from lms.keys.scopes import EVERYTHING, KNOWN_SCOPES, LRS_SCOPES
from lms.node import utc_now
from lms.web.wording import FieldError

app = typer.Typer(no_args_is_help=True)

Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scope", metavar="SCOPE", help=f"What it opens; may be repeated; {EVERYTHING} unless said."
    ),
]


def _credentials(command: str, kind: str, about: str) -> None:
    """Add ``create``, ``list`` and ``revoke`` for one kind of credential."""
    group = typer.Typer(help=about, no_args_is_help=True)
    app.add_typer(group, name=command)

    @group.command(epilog=_scopes_told(kind))
    def create(name: str, scope: Scopes = None, data: Data = None, as_json: Json = False) -> None:
        """Make one and show its secret, this once."""
        with failing_on(FieldError), opened(data) as node, node.database.write() as session:
            made = create_key(session, kind, name, scope or [EVERYTHING], now=utc_now())
        facts = {"name": name, "key": made.key, "secret": made.secret, "scopes": scope or [EVERYTHING]}
        if kind == "lrs":
            facts["endpoint"] = f"{node.settings.public_url}/xapi"
        else:
            facts["token"] = f"{made.key}.{made.secret}"
        show(facts, as_json=as_json)
        if not scope and not as_json:
            say(
                f"No --scope was given, so it opens everything. `lms {command} create --help` lists the scopes."
            )

    @group.command(name="list")
    def list_(data: Data = None, as_json: Json = False) -> None:
        """List them; secrets are kept nowhere."""
        with opened(data) as node, node.database.read() as session:
            rows = [
                {
                    "name": key.name,
                    "key": key.key,
                    "scopes": key.scopes,
                    "created": key.created,
                    "revoked": key.revoked,
                }
                for key in list_keys(session, kind)
            ]
        show_rows(rows, as_json=as_json, empty=f"None yet. `lms {command} create NAME` makes one.")

    @group.command()
    def revoke(key: str, data: Data = None, as_json: Json = False) -> None:
        """Put one out of force, at once."""
        with failing_on(KeyNotFoundError), opened(data) as node, node.database.write() as session:
            revoke_key(session, key, now=utc_now(), kind=kind)
        tell({"revoked": key}, f"Key {key} no longer opens anything.", as_json=as_json)


def _scopes_told(kind: str) -> str:
    sentences = LRS_SCOPES if kind == "lrs" else {}  # the rights of the API explain themselves
    lines = [f"  {scope:<22}{sentences.get(scope, '')}".rstrip() for scope in KNOWN_SCOPES[kind]]
    return "\n".join(["\b", "Scopes:", *lines])  # \b: line by line, as it stands


_credentials("lrs-key", "lrs", "Keys of the record store for other programs (Basic, or Bearer KEY.SECRET).")
_credentials("token", "token", "Bearer tokens of the API.")
