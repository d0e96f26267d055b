"""Who looks after whom: the pages of people and groups."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from lms.database import Database
from lms.people.directory_pages import router
from lms.people.pages import router as own_pages
from lms.people.passwords import Cost, Passwords
from lms.people.queries import members, person, person_signing_in
from lms.people.tables import Person
from tests.school_builders import School, a_school, counted, token

FIRST_PASSWORD = re.compile(r'data-testid="first-password">([^<]+)<')


@pytest.fixture
def school(database: Database, tmp_path: Path) -> School:
    made = a_school(database, tmp_path)
    made.app.routes.extend([*router.routes, *own_pages.routes])
    made.app.state.passwords = Passwords(Cost(1024, 1))
    return made


def added(client: TestClient, number: str = "B-7", **fields: object) -> str:
    """Add a person by the page and return her first password."""
    form = token(client, "/people/new") | {"personnel_number": number, "name": "Björk", "roles": ["officer"]}
    answer = client.post("/people/new", data=form | fields)
    shown = FIRST_PASSWORD.search(answer.text)
    assert shown is not None, answer.text
    return shown[1]


def kept(school: School, number: str) -> Person | None:
    with school.database.read() as session:
        return person_signing_in(session, number)


def sign_in(school: School, number: str, password: str) -> tuple[TestClient, int]:
    client = TestClient(school.app, base_url="http://localhost:8000", follow_redirects=False)
    form = token(client, "/sign-in") | {"personnel_number": number, "password": password}
    return client, client.post("/sign-in", data=form).status_code


def test_a_new_person_signs_in_with_the_password_shown_and_must_choose_her_own(school: School) -> None:
    password = added(school.client("instructor"))

    client, status = sign_in(school, "b-7", password)

    assert status == 303
    assert client.get("/people").headers["location"] == "/account"


def test_a_first_password_is_shown_once(school: School) -> None:
    client = school.client("instructor")

    password = added(client)

    found = kept(school, "B-7")
    assert found is not None
    assert password not in client.get(f"/people/{found.public_id}").text
    assert password not in client.get("/people").text


def test_a_number_that_is_taken_keeps_what_was_typed(school: School) -> None:
    client = school.client("instructor")
    added(client)

    form = token(client, "/people/new") | {"personnel_number": " b-7 ", "name": "Somebody else"}
    answer = client.post("/people/new", data=form)

    assert answer.status_code == 422
    assert "already has the number b-7" in answer.text
    assert 'value="Somebody else"' in answer.text


@pytest.mark.parametrize("role", ["instructor", "hub_admin", "central_admin", "emperor"])
def test_an_instructor_makes_officers_only(school: School, role: str) -> None:
    client = school.client("instructor")
    form = token(client, "/people/new") | {"personnel_number": "B-7", "name": "B", "roles": role}

    answer = client.post("/people/new", data=form)

    assert answer.status_code == 403
    assert kept(school, "B-7") is None


@pytest.mark.parametrize("above", ["instructor", "hub_admin", "central_admin"])
@pytest.mark.parametrize("path", ["", "/password"])
def test_an_instructor_changes_nobody_above_officers(school: School, above: str, path: str) -> None:
    client = school.client("instructor")
    other = school.person("X-1", role=above, name="Old")

    form = token(client, "/people/new") | {"personnel_number": "X-1", "name": "New", "roles": "officer"}
    answer = client.post(f"/people/{other}{path}", data=form)

    assert answer.status_code == 403
    found = kept(school, "X-1")
    assert found is not None
    assert (found.display_name, found.all_roles, found.password_hash) == ("Old", {above}, None)
    assert "You may look at this person" in client.get(f"/people/{other}").text


def test_an_officer_sees_no_list_of_people(school: School) -> None:
    client = school.client("officer")

    assert [client.get(path).status_code for path in ("/people", "/people/new", "/groups")] == [403] * 3


def test_an_administrator_corrects_name_number_and_roles(school: School) -> None:
    client = school.client("hub_admin")
    other = school.person("B-7")

    form = token(client, f"/people/{other}") | {"personnel_number": "B-8", "name": "Björk G."}
    answer = client.post(f"/people/{other}", data=form | {"roles": ["officer", "instructor"]})

    assert answer.status_code == 303
    assert "The changes are saved." in client.get(answer.headers["location"]).text
    found = kept(school, "b-8")
    assert found is not None
    assert (found.display_name, found.all_roles) == ("Björk G.", {"officer", "instructor"})


def test_who_is_disabled_is_signed_out_and_stays_out(school: School) -> None:
    instructor = school.client("instructor")
    password = added(instructor)
    officer, _ = sign_in(school, "B-7", password)
    found = kept(school, "B-7")
    assert found is not None

    form = token(instructor, "/people/new") | {"personnel_number": "B-7", "name": "B", "roles": "officer"}
    instructor.post(f"/people/{found.public_id}", data=form | {"disabled": "true"})

    assert officer.get("/account").headers["location"].startswith("/sign-in")
    assert sign_in(school, "B-7", password)[1] == 422
    assert "May not sign in" in instructor.get("/people").text


@pytest.mark.parametrize("change", [{"disabled": "true", "roles": "hub_admin"}, {"roles": "officer"}])
def test_nobody_shuts_herself_out(school: School, change: dict[str, str]) -> None:
    own = school.person("A-1", role="hub_admin")
    client = school.signed_in(own)

    form = token(client, f"/people/{own}") | {"personnel_number": "A-1", "name": "Ada"}
    answer = client.post(f"/people/{own}", data=form | change)

    assert answer.status_code == 409
    assert client.get(f"/people/{own}").status_code == 200


def test_a_new_first_password_ends_the_old_one_and_its_sessions(school: School) -> None:
    instructor = school.client("instructor")
    old = added(instructor)
    officer, _ = sign_in(school, "B-7", old)
    found = kept(school, "B-7")
    assert found is not None

    form = token(instructor, f"/people/{found.public_id}")
    answer = instructor.post(f"/people/{found.public_id}/password", data=form)

    shown = FIRST_PASSWORD.search(answer.text)
    assert shown is not None
    assert officer.get("/account").headers["location"].startswith("/sign-in")
    assert sign_in(school, "B-7", old)[1] == 422
    assert sign_in(school, "B-7", shown[1])[1] == 303


def test_people_are_found_by_a_part_of_name_or_number_without_accents(school: School) -> None:
    school.person("B-7", name="Björk Guðmundsdóttir")
    school.person("C-9", name="Percent 100%")
    client = school.client("instructor")

    assert "B-7" in client.get("/people?search=bjork").text
    assert "Björk" in client.get("/people?search=b-7").text
    assert "C-9" not in client.get("/people?search=bjork").text
    assert "B-7" not in client.get("/people?search=%25").text


def test_a_stranger_is_not_found(school: School) -> None:
    assert school.client("instructor").get(f"/people/{uuid4()}").status_code == 404


# ---------------------------------------------------------------- groups


def a_group(client: TestClient) -> str:
    answer = client.post("/groups", data=token(client, "/groups") | {"name": "Gate 4"})
    assert answer.status_code == 303
    return answer.headers["location"]


def in_group(school: School, path: str) -> list[str]:
    with school.database.read() as session:
        return [one.personnel_number for one in members(session, UUID(path.rsplit("/", 1)[1]))]


def test_people_are_put_into_a_group_by_number_and_taken_out(school: School) -> None:
    client = school.client("instructor")
    taken_out = school.person("B-7")
    school.person("C-9")
    path = a_group(client)
    form = token(client, path)

    client.post(f"{path}/members", data=form | {"numbers": "b-7, C-9"})
    both = in_group(school, path)
    client.post(f"{path}/members/{taken_out}/remove", data=form)

    assert both == ["B-7", "C-9"]
    assert in_group(school, path) == ["C-9"]
    assert "Gate 4" not in client.get(f"/people/{taken_out}").text


def test_an_unknown_number_adds_nobody(school: School) -> None:
    client = school.client("instructor")
    school.person("B-7")
    path = a_group(client)

    answer = client.post(f"{path}/members", data=token(client, path) | {"numbers": "B-7 Q-99"})

    assert answer.status_code == 422
    assert "Nobody has these personnel numbers: Q-99" in answer.text
    assert in_group(school, path) == []


def test_a_removed_group_is_gone_and_its_people_stay(school: School) -> None:
    client = school.client("instructor")
    stays = school.person("B-7")
    path = a_group(client)
    client.post(f"{path}/members", data=token(client, path) | {"numbers": "B-7"})

    client.post(f"{path}/remove", data=token(client, path))

    assert client.get(path).status_code == 404
    assert "Gate 4" not in client.get("/groups").text
    with school.database.read() as session:
        assert person(session, stays).disabled is False


def test_a_group_needs_a_name(school: School) -> None:
    client = school.client("instructor")

    answer = client.post("/groups", data=token(client, "/groups") | {"name": "  "})

    assert answer.status_code == 422
    assert "Fill in the name." in answer.text


# ---------------------------------------------------------------- what it costs


@pytest.mark.parametrize("path", ["/people", "/groups", "{group}", "/people/{person}"])
def test_pages_cost_the_same_however_many_people_there_are(school: School, path: str) -> None:
    client = school.client("instructor")
    group, one = a_group(client), school.person("B-7")
    path = path.format(group=group, person=one)
    client.post(f"{group}/members", data=token(client, group) | {"numbers": "B-7"})
    with counted(school.database) as few:
        client.get(path)
    for n in range(60):
        school.person(f"C-{n}")
    form = token(client, group) | {"numbers": " ".join(f"C-{n}" for n in range(60))}
    client.post(f"{group}/members", data=form)
    for _ in range(5):
        client.post(f"{a_group(client)}/members", data=form | {"numbers": "B-7"})

    with counted(school.database) as many:
        page = client.get(path)

    assert page.status_code == 200
    assert len(many) == len(few)
    assert len(page.content) < 100_000
