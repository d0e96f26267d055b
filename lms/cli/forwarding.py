"""``lms forward``: other record stores that are given statements of this one."""

from __future__ import annotations

import sys
from typing import Annotated
from uuid import UUID

import typer

from lms.cli.console import Data, Json, fail, failing_on, read_secret, show, show_rows, tell
from lms.cli.opening import opened
from lms.forwarding import actions
from lms.forwarding.actions import NewTarget
from lms.forwarding.problems import sentence
from lms.forwarding.queries import Standing, dead_letters, find_target, standing_of, standings
from lms.forwarding.tables import DeadLetter, Target
from lms.node import utc_now
from lms.web.wording import Worded
from xapi_store.model.version import Version

app = typer.Typer()
forward = typer.Typer(help="Other record stores that are given statements of this one.", no_args_is_help=True)
app.add_typer(forward, name="forward")

Name = Annotated[str, typer.Argument(help="What the target is called here.")]
Key = Annotated[str, typer.Option("--key", help="The key (user name) that the other store has given.")]
FromStdin = Annotated[bool, typer.Option("--secret-stdin", help="Read the secret from standard input.")]


@forward.command()
def add(  # noqa: PLR0917 - typer reads options from positional parameters
    name: Name,
    endpoint: Annotated[str, typer.Argument(help="Its address, such as https://lrs.example.org/xapi.")],
    key: Key,
    secret_stdin: FromStdin = False,
    version: Annotated[Version, typer.Option(help="The version of xAPI to speak.")] = Version.V1,
    verb: Annotated[
        list[str] | None, typer.Option(metavar="IRI", help="Only with this verb; may be repeated.")
    ] = None,
    activity: Annotated[
        str, typer.Option(metavar="IRI", help="Only about this activity or one related to it.")
    ] = "",
    agent: Annotated[str, typer.Option(metavar="JSON", help="Only with this agent, in whatever part.")] = "",
    made_here: Annotated[
        bool,
        typer.Option("--made-here/--with-copies", help="Only those made here, or also what sync brought."),
    ] = False,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Only those stored here after this day or instant.")
    ] = "",
    allow_http: Annotated[
        bool, typer.Option("--allow-http", help="Send unprotected, to an address that is not near.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Begin to forward statements, from the first one on."""
    wanted = NewTarget(
        name=name,
        endpoint=endpoint,
        key=key,
        version=version,
        verbs=verb or (),
        activity=activity,
        agent=agent,
        made_here=made_here,
        since=since,
        unprotected_allowed=allow_http,
    )
    with opened(data) as node, failing_on(Worded):
        with node.database.read() as session:
            actions.checked_target(session, wanted)
        secret = read_secret("Secret", from_stdin=secret_stdin)
        with node.database.write() as session:
            target = actions.add_target(
                session, wanted, secret=secret, node_secret=node.secret, now=utc_now()
            )
            facts = _facts(standing_of(session, target))
    show(facts, as_json=as_json)


@forward.command(name="list")
def list_(data: Data = None, as_json: Json = False) -> None:
    """List the targets: how far each is, and what keeps it."""
    with opened(data) as node, node.database.read() as session:
        rows = [_facts(standing) for standing in standings(session)]
    if not as_json:
        rows = [{name: row[name] for name in _IN_A_TABLE} for row in rows]
    show_rows(rows, as_json=as_json, empty="Nothing is forwarded. `lms forward add NAME ENDPOINT` begins.")


@forward.command()
def pause(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Send nothing more for now; a batch that is on its way is finished."""
    with opened(data) as node, failing_on(Worded), node.database.write() as session:
        target = find_target(session, name)
        actions.pause(target)
        facts = _facts(standing_of(session, target))
    tell(facts, f"{name} is paused. `lms forward resume {name}` goes on where it stands.", as_json=as_json)


@forward.command()
def resume(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Go on where it stands, and try at once."""
    with opened(data) as node, failing_on(Worded), node.database.write() as session:
        target = find_target(session, name)
        actions.resume(target)
        facts = _facts(standing_of(session, target))
    tell(facts, f"{name} goes on.", as_json=as_json)


@forward.command()
def credentials(  # noqa: PLR0917 - typer reads options from positional parameters
    name: Name,
    key: Annotated[str | None, typer.Option(help="Another key (user name).")] = None,
    secret_stdin: FromStdin = False,
    version: Annotated[Version | None, typer.Option(help="Another version of xAPI to speak.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Give a target another key and its secret, or speak another version of xAPI; how far it is stays."""
    if key is None and (secret_stdin or version is None):
        fail("Say what changes: the key and its secret with --key, the version with --version.", status=2)
    with opened(data) as node, failing_on(Worded):
        secret = ""
        if key is not None:
            actions.checked_key(key)
            with node.database.read() as session:
                find_target(session, name)
            secret = read_secret("Secret", from_stdin=secret_stdin)
        with node.database.write() as session:
            target = find_target(session, name)
            if key is not None:
                actions.change_credentials(target, key=key, secret=secret, node_secret=node.secret)
            if version is not None:
                actions.change_version(target, version)
            facts = _facts(standing_of(session, target))
    tell(
        facts,
        f"{name} is changed. If it is paused, `lms forward resume {name}` goes on.",
        as_json=as_json,
    )


@forward.command()
def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, even on a terminal.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Forget a target, how far it is, and what it refused. The statements stay here, and there."""
    if not yes and sys.stdin.isatty():
        typer.confirm(
            f"Forget {name}? Added again, it is sent everything from the first statement on", abort=True
        )
    with opened(data) as node, failing_on(Worded), node.database.write() as session:
        target = find_target(session, name)
        facts = _facts(standing_of(session, target))
        actions.remove(session, target)
    tell(facts, f"{name} is removed.", as_json=as_json)


@forward.command()
def dead(
    name: Annotated[str | None, typer.Argument(help="One target; all when left out.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the statements that were refused, and why."""
    with opened(data) as node, failing_on(Worded), node.database.read() as session:
        target = find_target(session, name) if name is not None else None
        rows = [_letter(target, letter) for target, letter in dead_letters(session, target)]
    show_rows(rows, as_json=as_json, empty="No statement was refused.")


@forward.command()
def replay(
    name: Name,
    statement: Annotated[list[UUID] | None, typer.Argument(help="Their ids; all when left out.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Have refused statements sent once more."""
    with opened(data) as node, failing_on(Worded), node.database.write() as session:
        count = actions.replay(session, find_target(session, name), statement or None)
    show({"target": name, "sent_once_more": count}, as_json=as_json)


_IN_A_TABLE = ("name", "endpoint", "state", "lag", "forwarded", "refused", "retry_at", "problem")


def _facts(standing: Standing) -> dict[str, object]:
    target = standing.target
    return {
        "name": target.name,
        "endpoint": target.endpoint,
        "key": target.key,
        "version": target.version,
        "verbs": target.verbs,
        "activity": target.activity,
        "agent": target.agent,
        "made_here": target.made_here,
        "since": target.since,
        "state": "waiting" if target.state == "running" and target.retry_at else str(target.state),
        "cursor": target.cursor,
        "lag": standing.lag,
        "forwarded": target.forwarded,
        "refused": standing.refused,
        "last_delivered": target.last_delivered,
        "retry_at": target.retry_at,
        "tries": target.tries,
        "problem": sentence(target.problem) if target.problem else None,
        "detail": target.detail or None,
    }


def _letter(target: Target, letter: DeadLetter) -> dict[str, object]:
    return {
        "target": target.name,
        "statement": letter.statement_id,
        "position": letter.position,
        "status": letter.status,
        "problem": letter.problem,
        "refused": letter.refused,
        "tries": letter.tries,
        "replay_asked": letter.replay_asked,
    }
