"""``lms init``, ``lms serve``, ``lms status``: one node from nothing to running."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lms.cli.console import Data, Json, fail, failing_on, read_secret, show, show_rows, tell, warn
from lms.cli.demo import PASSWORD, PEOPLE
from lms.cli.opening import is_made, opened, require_node, settings_of
from lms.database import DatabaseError
from lms.node import Node, utc_now
from lms.nodes.local import make_identity
from lms.nodes.queries import Overview, overview
from lms.people.actions import create_person
from lms.people.policy import PersonRole
from lms.people.queries import person_signing_in
from lms.settings import Role, Settings, keep_settings
from lms.web.assets import AssetsMissingError
from lms.web.wording import FieldError
from sync.errors import KeyLostError

if TYPE_CHECKING:
    from lms.certificates.pages import Reached

app = typer.Typer()
SETTINGS = "Settings, in the environment or, without LMS_ and in small letters, in lms.toml: " + "; ".join(
    f"LMS_{name.upper()}" for name in sorted(Settings.model_fields)
)

Admin = Annotated[str | None, typer.Option(help="Personnel number of the first administrator.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command()
def init(  # noqa: PLR0917 - typer reads options from positional parameters
    role: Annotated[Role | None, typer.Option(help="What this node is for: a laptop, unless said.")] = None,
    name: Annotated[str, typer.Option(help="What people call this node.")] = "",
    admin: Admin = None,
    password_stdin: FromStdin = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make the data folder, the database, the node's identity and its first administrator. Safe to repeat."""
    before = settings_of(data)
    if role not in {None, before.role} and is_made(before):
        fail(
            f"{before.data} holds a {before.role} already, and a node keeps its role. Name another folder with --data."
        )
    settings = settings_of(data, role=role, name=name or None)
    settings.data.mkdir(parents=True, exist_ok=True)
    keep_settings(settings.data, role=settings.role.value, name=settings.name)
    try:
        node = Node(settings)
        node.database.upgrade()
    except (DatabaseError, OperationalError) as error:
        fail(f"The database does not answer: {error}")
    with failing_on(KeyLostError, FieldError):
        password = None
        if admin:
            password = node.passwords.hash(read_secret("Password", from_stdin=password_stdin, twice=True))
        with node.database.write() as session:
            key = make_identity(session, settings.data, name=settings.name, role=settings.role.value)
            if admin and person_signing_in(session, admin) is None:
                _make_admin(session, node, admin, password)
    node.close()
    tell(
        {"node": key.node, "role": settings.role.value, "data": str(settings.data)},
        f"This {settings.role} is node {key.node}; its data is in {settings.data}.",
        as_json=as_json,
    )


def _make_admin(session: Session, node: Node, number: str, password: str | None) -> None:
    highest = PersonRole.CENTRAL_ADMIN if node.duties.grants_travel else PersonRole.HUB_ADMIN
    create_person(
        session,
        public_id=uuid4(),
        personnel_number=number,
        name=number,
        roles=[PersonRole.OFFICER, PersonRole.INSTRUCTOR, highest],
        password_hash=password,
        now=utc_now(),
        grants_travel=node.duties.grants_travel,
    )


@app.command(epilog=SETTINGS)
def serve(  # noqa: PLR0917 - typer reads options from positional parameters
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the pages.")] = None,
    content_port: Annotated[int | None, typer.Option(help="Port of the course content.")] = None,
    https: Annotated[
        bool | None,
        typer.Option("--https/--http", help="Serve HTTPS, with a root certificate of this node's own."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Server processes (PostgreSQL only).")] = 1,
    show_demo: Annotated[bool, typer.Option("--show-demo", help="Tell the demo sign-ins, too.")] = False,
    data: Data = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; the schema is upgraded first if need be."""
    # Only this command waits for the web to load: every other starts in two thirds of the time.
    from lms.cli.server import ServerError  # noqa: PLC0415
    from lms.cli.server import serve as serve_node  # noqa: PLC0415

    settings = settings_of(data, host=host, port=port, content_port=content_port, https=https)
    require_node(settings)
    if workers > 1 and settings.database_url.startswith("sqlite"):
        fail("Several workers need PostgreSQL: set LMS_DATABASE_URL, or serve with one.", status=2)

    def greet(told: Reached) -> None:
        warn(f"Outpost {version('outpost-lms')}, {settings.role}, at {settings.public_url}")
        others = told.addresses()[1:]
        if others:
            warn("In this network: " + "  ".join(others))
            warn(
                f"Courses: ports {settings.ports_of_courses[0]} to {settings.ports_of_courses[-1]}, one each."
            )
        root = told.root() if settings.https else None
        if root is not None:
            warn("Laptops get the root certificate at: " + "  ".join(told.doors()))
            warn(f"Its SHA-256 fingerprint: {root.fingerprint}")
        elif settings.by_address:
            warn("Not encrypted: anyone in this network can read along. --https is the better way.")
        if show_demo:
            warn("Demo sign-ins: " + ", ".join(f"{person[0]} / {PASSWORD}" for person in PEOPLE))

    with failing_on(ServerError, DatabaseError, KeyLostError, AssetsMissingError):
        serve_node(settings, workers=workers, when_listening=greet)


@app.command()
def status(data: Data = None, as_json: Json = False) -> None:
    """Tell how this node stands: its role, what waits to be delivered, peers, disk, clock."""
    with opened(data) as node, failing_on(KeyLostError):
        with node.database.read() as session:
            seen = overview(session, node.sync)
        facts = {
            "node": seen.me.node,
            "name": seen.me.name,
            "role": node.settings.role.value,
            "version": version("outpost-lms"),
            "database": node.database.url.get_backend_name(),
            "waiting": {kind: count.waiting + count.at_hub for kind, count in seen.counts.items()},
            "delivered": {kind: count.delivered for kind, count in seen.counts.items()},
            "kept_aside": len(seen.refused),
            "no_room_mb": -(-seen.no_room // 1_000_000),
            "disk_free_mb": shutil.disk_usage(node.settings.data).free // 1_000_000,
            "clock": utc_now().isoformat(timespec="seconds"),
        }
    if as_json:
        show({**facts, "peers": _peers(seen)}, as_json=True)
        return
    show(facts, as_json=False)
    show_rows(_peers(seen), as_json=False, empty="Paired with no other node yet.")


def _peers(seen: Overview) -> list[dict[str, object]]:
    return [
        {
            "node": peer.node,
            "name": peer.name,
            "role": peer.role,
            "address": peer.address,
            "last_seen": peer.last_seen,
            "revoked": peer.revoked,
        }
        for peer in seen.peers
    ]
