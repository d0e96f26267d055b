"""``lms user``: people, by hand and by list."""

from __future__ import annotations

import sys
from typing import Annotated
from uuid import uuid4

import typer

from lms.cli.console import Data, Json, fail, failing_on, show
from lms.cli.opening import opened
from lms.node import utc_now
from lms.people.actions import create_person, set_password
from lms.people.passwords import first_password
from lms.people.policy import PersonRole
from lms.people.queries import person_signing_in
from lms.web.wording import Worded

app = typer.Typer()
user_app = typer.Typer(help="People who sign in on this node.", no_args_is_help=True)
app.add_typer(user_app, name="user")

FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@user_app.command()
def create(  # noqa: PLR0917 - typer reads options from positional parameters
    number: Annotated[str, typer.Argument(help="Personnel number, with which she signs in.")],
    name: Annotated[str, typer.Option(help="Name in her own script.")] = "",
    role: Annotated[list[PersonRole] | None, typer.Option(help="May be repeated.")] = None,
    password_stdin: FromStdin = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add a person; without a password given, a first one is made and shown."""
    given = sys.stdin.readline().rstrip("\n") if password_stdin else None
    password = given or first_password()
    with opened(data) as node, failing_on(Worded):
        kept = node.passwords.hash(password)
        with node.database.write() as session:
            made = create_person(
                session,
                public_id=uuid4(),
                personnel_number=number,
                name=name or number,
                roles=role or [PersonRole.OFFICER],
                password_hash=kept,
                password_temporary=given is None,
                now=utc_now(),
                grants_travel=node.duties.grants_travel,
            )
    facts = {
        "user": number,
        "id": str(made.public_id),
        "roles": [str(one) for one in role or [PersonRole.OFFICER]],
    }
    if given is None:
        facts["password"] = password
    show(facts, as_json=as_json)


@user_app.command(name="reset-password")
def reset_password(
    number: str, password_stdin: FromStdin = False, data: Data = None, as_json: Json = False
) -> None:
    """Give a person a new first password; her sessions end."""
    given = sys.stdin.readline().rstrip("\n") if password_stdin else None
    password = given or first_password()
    with opened(data) as node, failing_on(Worded):
        kept = node.passwords.hash(password)
        with node.database.write() as session:
            found = person_signing_in(session, number)
            if found is None:
                fail(f"Nobody on this node has the number {number!r}.")
            set_password(session, found, kept, temporary=given is None, now=utc_now())
    show({"user": number, **({"password": password} if given is None else {})}, as_json=as_json)
