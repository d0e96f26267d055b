"""An officer is posted elsewhere in the middle of a course: what she did is there, and she goes on from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from lms.database import Database
from lms.people.presence import is_awaited
from lms.people.sessions import open_session
from lms.progress.actions import advance
from lms.progress.queries import progress_of_person, status
from sync import log
from sync.scopes import PEOPLE, parts_of
from tests.nodes_builders import Place, a_place, a_small_node, answering, meet, opens, pair
from xapi_store.feed import statements_after

Network = dict[str, Place]
HUBS = ("hub1", "hub2")


@pytest.fixture
def network(database: Database, tmp_path: Path) -> Iterator[Network]:
    """A centre, two hubs below it, and a laptop below each."""
    with ExitStack() as stack:
        places = {"centre": a_place(database, tmp_path / "central", "central")}
        for number in ("1", "2"):
            hub = stack.enter_context(a_small_node(tmp_path, f"hub{number}", "hub"))
            laptop = stack.enter_context(a_small_node(tmp_path, f"laptop{number}", "laptop"))
            places |= {f"hub{number}": hub, f"laptop{number}": laptop}
        addresses = {name: stack.enter_context(answering(places[name])) for name in ("centre", *HUBS)}
        for number in ("1", "2"):
            pair(places[f"hub{number}"], places["centre"], addresses["centre"], role="hub")
            pair(places[f"laptop{number}"], places[f"hub{number}"], addresses[f"hub{number}"])
        places["centre"].folder.with_name("addresses").write_text(
            "\n".join(f"{k} {v}" for k, v in addresses.items())
        )
        yield places


def signs_in(place: Place, person: UUID) -> None:
    with place.database.write() as session:
        open_session(session, person, now=datetime.now(UTC))


def rounds(network: Network, number: str, times: int = 1) -> None:
    """Have a laptop meet its hub, and that hub the centre."""
    lines = network["centre"].folder.with_name("addresses").read_text().splitlines()
    addresses = dict(line.split() for line in lines)
    for _ in range(times):
        meet(network[f"laptop{number}"], addresses[f"hub{number}"])
        meet(network[f"hub{number}"], addresses["centre"])


def standing_at(place: Place, person: UUID) -> set[str]:
    with place.database.write() as session:
        while advance(session):
            pass
    with place.database.read() as session:
        found = progress_of_person(session, person)
    return {status(one) for known in found.values() for one in known.values()}


def of_people(place: Place, child: Place) -> int:
    """Count what a node tells another one of people."""
    with place.database.read() as session:
        held = log.held(session, origins=[place.node.id])
    return sum(head.seq for key, head in held.items() if parts_of(key.scope) == (PEOPLE, child.node.id))


def statements_at(place: Place) -> int:
    with place.database.read() as session:
        return len(statements_after(session, 0, limit=1000))


def test_who_is_posted_elsewhere_goes_on_where_she_stopped(network: Network) -> None:
    centre, first, second = network["centre"], network["laptop1"], network["laptop2"]
    officer, other, course = centre.person("A-1"), centre.person("A-2"), centre.course("Border control")
    centre.enrol(officer, course)
    centre.enrol(other, course)
    for number in ("1", "2"):
        rounds(network, number, 3)
    for person in (officer, other):
        signs_in(first, person)
        opens(first, person, course, status="completed")
    before = opens(first, officer, course)
    rounds(network, "1", 2)

    signs_in(second, officer)
    with second.database.read() as session:
        assert is_awaited(session, officer)
    assert standing_at(second, officer) == set()
    rounds(network, "2", 3)

    with second.database.read() as session:
        assert not is_awaited(session, officer)
    assert standing_at(second, officer) == standing_at(centre, officer) != set()
    assert standing_at(second, other) == set()
    goes_on = opens(second, officer, course)
    assert goes_on.standing.state["activities"] == before.standing.state["activities"]


def test_nobody_is_told_what_came_from_below_it(network: Network) -> None:
    centre, hub, laptop = network["centre"], network["hub1"], network["laptop1"]
    officer, course = centre.person("A-1"), centre.course("Border control")
    centre.enrol(officer, course)
    rounds(network, "1", 3)
    signs_in(laptop, officer)
    opens(laptop, officer, course, status="completed")  # before anybody knows that she is there
    rounds(network, "1", 3)
    told = of_people(centre, hub), of_people(hub, laptop)

    opens(laptop, officer, course, status="completed")
    rounds(network, "1", 3)

    assert told == (1, 1)  # that there is nothing more
    assert (of_people(centre, hub), of_people(hub, laptop)) == told
    assert statements_at(centre) == statements_at(laptop) > 0


def test_what_goes_on_elsewhere_keeps_coming(network: Network) -> None:
    centre, first, second = network["centre"], network["laptop1"], network["laptop2"]
    officer, course = centre.person("A-1"), centre.course("Border control")
    centre.enrol(officer, course)
    for number in ("1", "2"):
        rounds(network, number, 3)
    signs_in(second, officer)
    signs_in(first, officer)
    for number in ("2", "1"):
        rounds(network, number, 3)

    opens(first, officer, course, status="completed")
    rounds(network, "1", 2)
    rounds(network, "2", 2)

    assert standing_at(second, officer) == standing_at(centre, officer) != set()


def test_what_was_done_at_the_centre_itself_comes_too(network: Network) -> None:
    centre, laptop = network["centre"], network["laptop1"]
    officer, course = centre.person("A-1"), centre.course("Border control")
    centre.enrol(officer, course)
    opens(centre, officer, course, status="completed")
    rounds(network, "1", 3)
    signs_in(laptop, officer)
    rounds(network, "1", 3)
    assert standing_at(laptop, officer) == standing_at(centre, officer) != set()

    opens(centre, officer, course, status="completed")
    rounds(network, "1", 2)

    assert statements_at(laptop) == statements_at(centre)
