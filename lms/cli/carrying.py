"""``lms course assign`` and the like: which courses go to which nodes, and which are on this one."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy.orm import Session

from lms.carrying import here
from lms.carrying.actions import AssignedElsewhereError, assign
from lms.carrying.queries import assignments, decides_here, find_assignment, orders_in
from lms.carrying.rules import Mode, Orders
from lms.cli.console import Data, Json, fail, failing_on, show_rows, tell
from lms.cli.opening import opened
from lms.courses.actions import CourseNotFoundError, ask_for
from lms.courses.queries import courses_not_here, find_course
from lms.node import Node, utc_now
from lms.nodes.actions import PeerNotFoundError, node_called
from lms.people.errors import GroupNotFoundError
from lms.people.queries import group as find_group
from lms.streams.course_files import manifests_on_offer
from lms.web.wording import Bytes
from sync.node import names_of

commands = typer.Typer()

CourseId = Annotated[UUID, typer.Argument(help="The course, by its id.", metavar="COURSE")]
CourseIds = Annotated[list[UUID] | None, typer.Argument(help="Courses, by their ids.", metavar="COURSE...")]
NodeName = Annotated[
    str | None, typer.Option("--node", help="A node, by name or id; a hub stands for its laptops, too.")
]
AllNodes = Annotated[bool, typer.Option("--all-nodes", help="All nodes of which nothing else is said.")]
_REFUSED = (
    AssignedElsewhereError,
    CourseNotFoundError,
    GroupNotFoundError,
    PeerNotFoundError,
    here.InTheMiddleError,
    here.OnlyHereError,
)


@commands.command(name="assign")
def assign_(
    courses: CourseIds = None,
    *,
    node: NodeName = None,
    all_nodes: AllNodes = False,
    all_courses: Annotated[bool, typer.Option("--all", help="All courses.")] = False,
    language: Annotated[
        list[str] | None, typer.Option(help="Courses in this language, and those that say none; repeatable.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Only what people there take.")] = False,
    as_above: Annotated[
        bool, typer.Option("--as-above", help="Those of the node that admitted it; what is said first.")
    ] = False,
    group: Annotated[
        list[UUID] | None,
        typer.Option(help="This group learns there: what its members take comes; repeatable."),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say which courses go to a node; courses that are named are added to those chosen before, and no others come.

    What somebody takes who has signed in there comes in any case.
    """
    ways = (
        (Mode.CHOSEN, bool(courses) or none),
        (Mode.ALL, all_courses),
        (Mode.LANGUAGES, bool(language)),
        (Mode.ABOVE, as_above),
    )
    said = [mode for mode, is_said in ways if is_said]
    if len(said) > 1 or not (said or group):
        fail("Say which: COURSE..., --all, --language, --none or --as-above; or --group alone.", status=2)
    with opened(data) as opened_node, failing_on(*_REFUSED), opened_node.database.write() as session:
        target = _target(session, opened_node, node, all_nodes=all_nodes)
        row = find_assignment(session, target)
        before = orders_in(row) if row else Orders(mode=Mode.ABOVE)
        mode = said[0] if said else before.mode
        named = frozenset(_known(session, courses or []))
        learning = frozenset(find_group(session, one).public_id for one in group or ())
        orders = Orders(
            mode=mode,
            courses=frozenset() if none else before.courses | named,
            languages=frozenset(language or before.languages),
            groups=before.groups | learning,
        )
        made = assign(session, target, orders, by=None, now=utc_now())
        facts = _facts(session, target, orders_in(made))
    tell(facts, f"Saved. {facts['name']} learns it when it is met next.", as_json=as_json)


@commands.command()
def unassign(
    courses: Annotated[list[UUID], typer.Argument(help="Courses, by their ids.", metavar="COURSE...")],
    *,
    node: NodeName = None,
    all_nodes: AllNodes = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take courses out of those chosen for a node; what is there stays there."""
    with opened(data) as opened_node, failing_on(*_REFUSED), opened_node.database.write() as session:
        target = _target(session, opened_node, node, all_nodes=all_nodes)
        row = find_assignment(session, target)
        if row is None or row.mode != Mode.CHOSEN:
            fail("No courses were chosen for this node.")
        before = orders_in(row)
        orders = Orders(mode=Mode.CHOSEN, courses=before.courses - frozenset(courses), groups=before.groups)
        made = assign(session, target, orders, by=None, now=utc_now())
        facts = _facts(session, target, orders_in(made))
    tell(facts, f"Saved. {facts['name']} learns it when it is met next.", as_json=as_json)


@commands.command()
def assigned(data: Data = None, as_json: Json = False) -> None:
    """List what was said of which node."""
    with opened(data) as node, node.database.read() as session:
        rows = [_facts(session, row.target, orders_in(row)) for row in assignments(session)]
    show_rows(rows, as_json=as_json, empty="Nothing was said of any node: all courses come to all.")


@commands.command(name="here")
def here_(data: Data = None, as_json: Json = False) -> None:
    """List the courses whose files are on this node, the least needed first, and those that are not."""
    with opened(data) as node, node.database.read() as session:
        found = here.courses_here(session, node.shelf, offered=manifests_on_offer(session))
        decides = decides_here(session)
        rows = [
            {
                "course": str(one.public_id),
                "title": one.title,
                "here": True,
                "use": one.use.name.lower(),
                "enrolled": one.enrolled,
                "begun": one.begun,
                "last": one.last,
                "frees": one.frees,
                "assigned": one.is_assigned,
                "may_go": not (one.only_here or decides),
            }
            for one in found
        ]
        rows += [
            {
                "course": str(one.public_id),
                "title": one.title,
                "here": False,
                "use": "",
                "enrolled": None,
                "begun": None,
                "last": None,
                "frees": 0,
                "assigned": one.coming,
                "may_go": False,
            }
            for one in courses_not_here(session)
            if one.number is None
        ]
    show_rows(rows, as_json=as_json, empty="There is no course yet.")


@commands.command()
def remove(
    course: CourseId,
    *,
    all_the_same: Annotated[
        bool, typer.Option("--all-the-same", help="Though somebody here is in the middle of it.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take a course's files off this node; it stays listed, and `lms course fetch` has them again."""
    now = utc_now()
    with opened(data) as node, failing_on(*_REFUSED):
        with node.database.write() as session:
            offered = manifests_on_offer(session)
            files = here.remove(
                session, node.shelf, course, all_the_same=all_the_same, offered=offered, now=now
            )
        swept = here.let_go(node.shelf, files, now=now)
        left = sum(node.shelf.path(one).stat().st_size for one in files if node.shelf.has(one))
    more = f" {Bytes(left)} more within a day: those files came only now." if left else ""
    tell(
        {"removed": str(course), "freed": swept.size, "left": left},
        f"The course is no longer on this node; {Bytes(swept.size)} are free.{more}",
        as_json=as_json,
    )


@commands.command()
def fetch(course: CourseId, data: Data = None, as_json: Json = False) -> None:
    """Have a course's files on this node, whatever is assigned to it."""
    with opened(data) as node, failing_on(*_REFUSED), node.database.write() as session:
        ask_for(session, course, now=utc_now())
        node.directory.wishes.look(session)
        found = find_course(session, course)
        is_here = found is not None and found.coming_edition is None
    sentence = "The course is here." if is_here else "Its files come with the next meetings with other nodes."
    tell({"course": str(course), "here": is_here}, sentence, as_json=as_json)


def _target(session: Session, node: Node, called: str | None, *, all_nodes: bool) -> str:
    if (called is None) != all_nodes:
        fail("Say for which node: --node NAME, or --all-nodes.", status=2)
    return node.sync.id if called is None else node_called(session, called)


def _known(session: Session, courses: list[UUID]) -> list[UUID]:
    for one in courses:
        if find_course(session, one) is None:
            raise CourseNotFoundError(one)
    return courses


def _facts(session: Session, target: str, orders: Orders) -> dict[str, Any]:
    return {
        "node": target,
        "name": names_of(session, [target]).get(target, target),
        "mode": orders.mode.value,
        "courses": sorted(str(one) for one in orders.courses),
        "languages": sorted(orders.languages),
        "groups": sorted(str(one) for one in orders.groups),
    }
