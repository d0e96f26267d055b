"""``lms node`` and ``lms sync``: pair with other nodes and meet them."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from lms.cli.console import Data, Json, fail, failing_on, print_json, say, show, show_rows, tell
from lms.cli.opening import opened
from lms.nodes import actions
from lms.nodes.actions import NobodyPairedError, PeerNotFoundError
from lms.nodes.queries import overview
from lms.nodes.roots import Root, keep_root, root_needed
from lms.nodes.withdrawn import trust_in
from lms.settings import Role
from sync.errors import SyncError
from sync.quarantine import retry_waiting

app = typer.Typer()
node_app = typer.Typer(help="This node and those it is paired with.", no_args_is_help=True)
app.add_typer(node_app, name="node")

WATCH_PAUSE_S = 60


@node_app.command(name="show")
def show_node(data: Data = None, as_json: Json = False) -> None:
    """Tell who this node is."""
    with opened(data) as node, failing_on(SyncError), node.database.read() as session:
        seen = overview(session, node.sync)
    facts = {"node": seen.me.node, "name": seen.me.name, "role": seen.me.role, "root": seen.root}
    show(facts, as_json=as_json)


@node_app.command()
def invite(
    role: Annotated[Role, typer.Option(help="What the node that joins is for.")] = Role.LAPTOP,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Give out a code with which one node can join within two days."""
    with opened(data) as node, failing_on(SyncError), node.database.write() as session:
        code = actions.invite(session, node.sync, role=role.value)
    if as_json:
        print_json({"code": code, "role": role.value})
    else:
        say(f"{code}\nOn the other node: lms node join {node.settings.public_url} {code}")


RootFile = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="Root certificate of a node with HTTPS; fetched from its door if left out.",
    ),
]


@node_app.command()
def join(address: str, code: str, root: RootFile = None, data: Data = None, as_json: Json = False) -> None:
    """Pair with the node at ADDRESS by the CODE it gave out; what was made here before is kept."""
    with opened(data) as node, failing_on(SyncError, ValueError):
        given = Root(root.read_bytes()) if root else None
        joined = actions.join(node.sync, address, code, root=given)
    told = {"paired_with": joined.peer, "address": address}
    if joined.root is not None:
        told["root_sha256"] = joined.root.fingerprint
    show(told, as_json=as_json)


@node_app.command(name="root")
def take_root(peer: str, file: RootFile = None, data: Data = None, as_json: Json = False) -> None:
    """Take in the root certificate of a paired node with HTTPS, as after `lms certificate new` there."""
    with opened(data) as node, failing_on(PeerNotFoundError, NobodyPairedError, SyncError, ValueError):
        with node.database.read() as session:
            ((found, _, address),) = actions.addresses(session, peer)
        taken = Root(file.read_bytes()) if file else root_needed(address)
        if taken is not None:
            keep_root(node.sync.folder, found, taken)
    show({"peer": peer, "root_sha256": taken.fingerprint if taken else None}, as_json=as_json)


@node_app.command()
def address(peer: str, url: str, data: Data = None, as_json: Json = False) -> None:
    """Say where a paired node is reached now."""
    with opened(data) as node, failing_on(PeerNotFoundError), node.database.write() as session:
        actions.move(session, peer, url)
    tell({"peer": peer, "address": url}, f"{peer} is now reached at {url}.", as_json=as_json)


@node_app.command(name="list")
def list_(data: Data = None, as_json: Json = False) -> None:
    """List the paired nodes."""
    with opened(data) as node, failing_on(SyncError), node.database.read() as session:
        rows = [asdict(peer) for peer in overview(session, node.sync).peers]
    show_rows(rows, as_json=as_json, empty="Paired with no other node yet.")


@node_app.command()
def revoke(
    peer: Annotated[str, typer.Argument(help="Name or id.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    held: Annotated[bool, typer.Option("--held", help="Trust its records that are here now.")] = False,
    recorded_before: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
            help="Trust those recorded before this moment, in this node's own zone.",
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Stop trusting a node's key, and say which of its records stay trusted.

    Those that are here now, unless said otherwise; later ones are kept aside. Said again, the newer answer counts.
    """
    if held and recorded_before is not None:
        fail("--held and --recorded-before are two answers to one question. Give one.", status=2)
    trusted: Literal["held"] | datetime | None = "held" if held else recorded_before
    with opened(data) as node, failing_on(PeerNotFoundError, SyncError):
        with node.database.write() as session:
            other = actions.revoke(session, node.sync, peer, reason=reason, trusted=trusted)
        retry_waiting(node.sync)
        with node.database.read() as session:
            now = trust_in(session, node.sync, other)
    tell(
        {
            "revoked": other,
            "name": now.name,
            "trusted": now.trusted,
            "kept_aside": now.kept_aside,
            "taken_before": now.taken_before,
        },
        f"{now.name} is no longer trusted. Of its records here {now.trusted} are, {now.kept_aside} are kept aside, and "
        f"{now.taken_before} that are not trusted had been taken before.",
        as_json=as_json,
    )


@app.command()
def sync(
    peer: Annotated[str | None, typer.Argument(help="Name or id; all when left out.")] = None,
    watch: Annotated[bool, typer.Option("--watch/--once", help="Go on meeting them.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Meet paired nodes and exchange what is missing."""
    with opened(data) as node, failing_on(NobodyPairedError, PeerNotFoundError, SyncError):
        while True:
            with node.database.read() as session:
                peers = actions.addresses(session, peer)
            reports = []
            for peer_id, name, url in peers:
                report = actions.sync_with(node.sync, peer_id, url)
                reports.append({"peer": name, **asdict(report)})
            if not watch:
                break
            show_rows(reports, as_json=as_json, empty="")
            time.sleep(WATCH_PAUSE_S)
    if as_json:
        print_json(reports[0] if peer or len(reports) == 1 else reports)
    else:
        show_rows(reports, as_json=False, empty="")
    if any(report["state"] != "done" for report in reports):
        fail("Not everything was exchanged; the next meeting goes on where this one stopped.")
