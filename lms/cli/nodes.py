"""``lms node`` and ``lms sync``: pair with other nodes and meet them, on which terms."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, time
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Annotated, Any, Literal

import typer

from lms.cli.console import (
    Data,
    Json,
    bytes_of,
    fail,
    failing_on,
    print_json,
    progress_bar,
    say,
    show,
    show_rows,
    tell,
    warn,
)
from lms.cli.opening import opened
from lms.nodes import actions
from lms.nodes.actions import Held, NobodyPairedError, PeerBusyError, PeerNotFoundError
from lms.nodes.admission import admit_again
from lms.nodes.links import instant, link_to, set_terms, standing_of, terms_of, turn_of
from lms.nodes.meter import Occasion
from lms.nodes.pace import LEAST_BUDGET, Quiet, Terms, Why
from lms.nodes.queries import last_meetings, overview
from lms.nodes.roots import Root, keep_root, root_needed
from lms.nodes.tables import Ending
from lms.nodes.withdrawn import trust_in
from lms.settings import Role
from sync.engine import SyncReport
from sync.errors import SyncError
from sync.node import Node
from sync.ports import Traffic
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
def renew(
    peer: Annotated[str, typer.Argument(help="Name or id.")], data: Data = None, as_json: Json = False
) -> None:
    """Admit a node again that was away until its certificate ended.

    One that is met before that is renewed by itself.
    """
    with opened(data) as node, failing_on(PeerNotFoundError, SyncError), node.database.write() as session:
        renewed = admit_again(session, node.sync, peer)
    until = datetime.fromtimestamp((renewed.expires_ms or 0) / 1000).astimezone()
    tell(
        {"renewed": renewed.node, "name": renewed.name, "until": until.isoformat()},
        f"{renewed.name} is admitted until {until:%Y-%m-%d}. It learns so when it is met next.",
        as_json=as_json,
    )


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


@node_app.command()
def terms(  # noqa: PLR0917 - typer reads options from positional parameters
    peer: Annotated[str, typer.Argument(help="Name or id.")],
    by_hand: Annotated[
        bool | None, typer.Option("--by-hand/--by-itself", help="Whether it is met only when asked for.")
    ] = None,
    quiet: Annotated[
        str | None,
        typer.Option(
            help="Hours in which nothing passes, by this node's clock, such as 22:00-06:00; none for none."
        ),
    ] = None,
    bytes_per_day: Annotated[
        str | None, typer.Option(help="The most that passes in a day, both ways, such as 5MB; none for any.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Tell on which terms a paired node is met, or set them: by hand only, quiet hours, bytes of a day."""
    with opened(data) as node, failing_on(NobodyPairedError, PeerNotFoundError):
        now = instant(node.sync)
        with node.database.write() as session:
            ((found, name, _),) = actions.addresses(session, peer)
            link = link_to(session, found)
            before = terms_of(link)
            wanted = Terms(
                by_hand=before.by_hand if by_hand is None else by_hand,
                quiet=before.quiet if quiet is None else _quiet(quiet),
                bytes_per_day=before.bytes_per_day if bytes_per_day is None else _budget(bytes_per_day),
            )
            if wanted != before:
                set_terms(link, wanted, now=now)
            turn, spent = turn_of(link, now=now), standing_of(link, now=now).spent
    told = {
        "peer": name,
        "by_hand": wanted.by_hand,
        "quiet": str(wanted.quiet) if wanted.quiet else None,
        "bytes_per_day": wanted.bytes_per_day,
        "bytes_today": spent,
        "next": turn.at.isoformat(timespec="minutes") if turn.at else None,
        "waits_for": turn.why.value,
    }
    show(told, as_json=as_json)


@node_app.command()
def meetings(
    peer: Annotated[str | None, typer.Argument(help="Name or id; all when left out.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the last.")] = 20,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the last meetings with paired nodes, and what became of them."""
    with opened(data) as node, failing_on(NobodyPairedError, PeerNotFoundError):
        with node.database.read() as session:
            names = {found: name for found, name, _ in actions.addresses(session, peer)}
            held = last_meetings(session, limit=limit, peers=list(names) if peer else None)
        rows = [
            {
                "started": one.started.isoformat(timespec="seconds"),
                "peer": names.get(one.peer, one.peer),
                "by_hand": one.by_hand,
                "state": one.ending.value if one.ending else None,
                "sent": one.sent,
                "received": one.received,
                "receipts": one.receipts,
                "bytes_up": one.bytes_up,
                "bytes_down": one.bytes_down,
                "detail": one.detail,
            }
            for one in held
        ]
    show_rows(rows, as_json=as_json, empty="No other node was met yet.")


def _quiet(typed: str) -> Quiet | None:
    if typed == "none":
        return None
    begin, _, to = typed.partition("-")
    try:
        return Quiet(
            *(at.hour * 60 + at.minute for at in map(time.fromisoformat, (begin.strip(), to.strip())))
        )
    except ValueError:
        fail(f"{typed!r} are no hours; write them as 22:00-06:00.", status=2)


def _budget(typed: str) -> int | None:
    count = None if typed == "none" else bytes_of(typed)
    if count is not None and count < LEAST_BUDGET:
        fail(f"With less than {LEAST_BUDGET:,} bytes a day nothing can be begun.", status=2)
    return count


@app.command()
def sync(
    peer: Annotated[str | None, typer.Argument(help="Name or id; all when left out.")] = None,
    *,
    watch: Annotated[bool, typer.Option("--watch/--once", help="Go on meeting them.")] = False,
    all_the_same: Annotated[
        bool,
        typer.Option(
            "--all-the-same", help="Meet them in quiet hours, too, and beyond the bytes of the day."
        ),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Meet paired nodes and exchange what is missing. Ctrl-C ends it before the next request."""
    with (
        opened(data) as node,
        failing_on(NobodyPairedError, PeerNotFoundError, PeerBusyError, SyncError),
        _stopping() as stop,
    ):
        while True:
            reports = _meet_all(node.sync, peer, stop=stop, all_the_same=all_the_same, asks=not watch)
            if not watch or stop.is_set():
                break
            show_rows(reports, as_json=as_json, empty="")
            stop.wait(WATCH_PAUSE_S)
    if as_json:
        print_json(reports[0] if peer or len(reports) == 1 else reports)
    else:
        show_rows(reports, as_json=False, empty="")
    if lacking := max((report["no_room"] for report in reports), default=0):
        warn(
            f"Files of courses find no room on this computer: {lacking / 1_000_000:,.0f} MB more must be free. "
            "What there was room for is here; the rest comes by itself once there is."
        )
    if any(report["state"] != "done" for report in reports):
        fail("Not everything was exchanged; the next meeting goes on where this one stopped.")


def _meet_all(
    node: Node, wanted: str | None, *, stop: Event, all_the_same: bool, asks: bool
) -> list[dict[str, Any]]:
    """Meet each peer in turn; where its terms forbid it now, a person at a terminal is asked whether to."""
    with node.read() as session:
        peers = actions.addresses(session, wanted)
        kept_back = {one.peer: one for one in actions.held_back(session, peers, now=instant(node))}
    reports = []
    for peer, name, address in peers:
        kept = None if all_the_same else kept_back.get(peer)
        if kept is not None and not (asks and _meets_all_the_same(kept)):
            report = SyncReport(state=kept.turn.why.value, detail=_until(kept))
        else:
            with _progress(name) as told:
                occasion = Occasion(
                    by_hand=True,
                    all_the_same=all_the_same or kept is not None,
                    stop=stop,
                    stopped_by=Ending.CANCELLED,
                    told=told,
                )
                report = actions.sync_with(node, peer, address, occasion)
        reports.append({"peer": name, **asdict(report)})
        if stop.is_set():
            break
    return reports


def _meets_all_the_same(kept: Held) -> bool:
    return sys.stdin.isatty() and typer.confirm(
        f"{kept.name}: {_until(kept)} Meet it now all the same?", err=True
    )


def _until(kept: Held) -> str:
    what = "These are quiet hours" if kept.turn.why is Why.QUIET else "The bytes of this day are used"
    return f"{what}; it goes on at {kept.turn.at:%Y-%m-%d %H:%M}."


@contextmanager
def _stopping() -> Iterator[Event]:
    """Give what Ctrl-C sets; the second one ends the command at once."""
    stop = Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)
        warn("It ends after the request that is under way. Once more, and it ends at once.")

    before = signal.signal(signal.SIGINT, ask_to_stop)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(name: str) -> Iterator[Callable[[Traffic, SyncReport], None]]:
    from rich.filesize import decimal  # noqa: PLC0415 - what shows progress takes 15 ms, and few commands show any
    from rich.progress import BarColumn, TextColumn  # noqa: PLC0415 - likewise

    bar = progress_bar(BarColumn(), TextColumn("{task.description}"), transient=True)

    def told(traffic: Traffic, report: SyncReport) -> None:
        records = report.sent + report.received
        total = records + report.to_send + report.to_receive
        passed = traffic.bytes_up + traffic.bytes_down
        sizes = f"{decimal(traffic.bytes_up)} sent, {decimal(traffic.bytes_down)} received"
        left = f", {decimal(report.bytes_left)} left" if report.bytes_left else ""
        said = f"{name}: {records} of {total} records, {sizes}{left}"
        bar.update(task, description=said, completed=passed, total=passed + report.bytes_left)

    with bar:
        task = bar.add_task(name, total=None)
        yield told
