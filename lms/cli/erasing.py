"""``lms people``: have somebody erased on every node, and see which have not done it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from lms.cli.console import Data, Json, fail, print_json, say, show_rows, tell
from lms.cli.opening import opened
from lms.erasure.queries import orders, traces_of
from lms.people.queries import person_signing_in
from sync import erasures

app = typer.Typer()
people_app = typer.Typer(help="Erase people, and see which nodes have done it.", no_args_is_help=True)
app.add_typer(people_app, name="people")


@people_app.command()
def erase(
    number: Annotated[str, typer.Argument(help="Personnel number of the person.")],
    *,
    reason: Annotated[str, typer.Option(help="Why. Every node keeps it; do not name the person.")] = "",
    order: Annotated[bool, typer.Option("--order", help="Do it; without, only tell what would go.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Tell what is kept of a person, and with --order have every node erase it; nobody can undo that."""
    with opened(data) as node:
        with node.database.read() as session:
            found = person_signing_in(session, number)
            if found is None:
                fail(f"Nobody on this node has the number {number!r}.")
            if not erasures.may_order(session, node.sync):
                fail("Only the centre of the network has people erased. Ask its administrator.")
            traces = traces_of(session, found.public_id)
        if order and not reason.strip():
            fail("Say why with --reason.", status=2)
        made = None
        if order:
            with node.database.write() as session:
                made = erasures.order(session, node.sync, str(found.public_id), reason=reason.strip())
            while erasures.carry_out_some(node.sync):
                pass
            erasures.carry_out_some(node.sync)  # and say so
    forwarded = f" Forwarded, and not erased there: {', '.join(traces.targets)}." if traces.targets else ""
    kept = (
        f"{traces.statements} records, {traces.in_passing} records of others that name this person, "
        f"{traces.documents} saved states and {traces.enrolments} enrolments"
    )
    tell(
        {"order": made, **asdict(traces)},
        f"{kept} are erased on this node; the others follow as they are met, see `lms people erasures`.{forwarded}"
        if made
        else f"{kept} would be erased on every node, and nobody could undo that. Add --order to do it.{forwarded}",
        as_json=as_json,
    )


@people_app.command(name="erasures")
def list_erasures(data: Data = None, as_json: Json = False) -> None:
    """List the orders, and by name the nodes that have not confirmed."""
    with opened(data) as node, node.database.read() as session:
        found = orders(session, node.sync)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    for one in found:
        say(f"{one.ordered:%Y-%m-%d %H:%M} UTC  {one.id}  {one.reason}")
        rows = [
            {
                "not_confirmed": each.name,
                "last_seen": f"{each.last_seen:%Y-%m-%d}" if each.last_seen else "never",
                "trusted": not each.withdrawn,
            }
            for each in one.outstanding
        ]
        show_rows(rows, as_json=False, empty="All nodes have confirmed.")
    if not found:
        say("Nobody was erased so far.")
