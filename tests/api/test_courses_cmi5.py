"""cmi5 and xAPI courses by the API and on the pages: taken or refused with a reason, and listed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lms.database import Database
from tests.cmi5_builders import a_block, a_cmi5_package, a_structure, a_tincan, an_au
from tests.package_builders import zipped
from tests.school_builders import School, a_school, token

ELSEWHERE = "https://content.example.org/index.html"


@pytest.fixture
def school(database: Database, tmp_path: Path) -> School:
    return a_school(database, tmp_path)


def test_a_zip_becomes_a_course_with_its_units_in_order(school: School) -> None:
    structure = a_structure(a_block(an_au("urn:1") + an_au("urn:2")) + an_au("urn:3"))
    client = school.client("instructor")

    made = client.post("/api/v1/courses?filename=a.zip", content=zipped(a_cmi5_package(structure)))

    course = made.json()
    assert made.status_code == 201
    assert [unit["index"] for unit in course["units"]] == [0, 1, 2]
    assert course["editions"][0]["standard"] == "cmi5 Quartz"
    assert [one["kind"] for one in course["report"]["outline"]["children"]] == ["block", "au"]
    assert client.get("/courses").text.count("cmi5 Quartz") == 1
    assert "A block" in client.get(f"/courses/{course['id']}/editions").text


@pytest.mark.parametrize("content_type", ["text/xml", "application/zip", "application/octet-stream", ""])
def test_a_bare_structure_is_taken_whatever_it_is_called(school: School, content_type: str) -> None:
    made = school.client("instructor").post(
        "/api/v1/courses?filename=cmi5.xml",
        content=a_structure(an_au(url=ELSEWHERE)).encode(),
        headers={"content-type": content_type},
    )

    assert made.status_code == 201
    assert [one["code"] for one in made.json()["report"]["warnings"]] == ["cmi5.url_elsewhere"]


def test_every_fault_has_code_requirement_detail_and_location(school: School) -> None:
    structure = a_structure(an_au("1", attributes='moveOn="x"') + "\n" + an_au("1"))

    answer = school.client("instructor").post("/api/v1/courses", content=structure.encode())

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    faults = answer.json()["errors"]
    assert [(one["code"], one["requirement"], one["location"]) for one in faults] == [
        ("cmi5.iri", "cmi5 3.0", "cmi5.xml:5"),
        ("cmi5.move_on", "cmi5 13.1.4", "cmi5.xml:5"),
        ("cmi5.url_relative", "cmi5 14.2", "cmi5.xml:5"),
        ("cmi5.iri", "cmi5 3.0", "cmi5.xml:6"),
        ("cmi5.duplicate_au", "cmi5 13.1.4", "cmi5.xml:6"),
        ("cmi5.url_relative", "cmi5 14.2", "cmi5.xml:6"),
    ]
    assert all(one["detail"] and one["remedy"] for one in faults)


def test_the_longest_id_and_title_are_no_failure(school: School) -> None:
    identifier = "urn:" + "".join(chr(0x4E00 + n) for n in range(660))
    title = "".join(chr(0x4E00 + n) for n in range(5000))
    structure = a_structure(an_au(identifier, url=ELSEWHERE).replace("A unit", title)).replace(
        "A course", title
    )

    made = school.client("instructor").post("/api/v1/courses", content=structure.encode())

    assert made.status_code == 201
    assert len(made.json()["title"]) == 300


def test_blocks_nested_as_deep_as_they_may_be_are_a_course(school: School) -> None:
    structure = an_au(url=ELSEWHERE)
    for depth in range(58):
        structure = a_block(structure, f"urn:{depth}")
    client = school.client("instructor")

    made = client.post("/api/v1/courses", content=a_structure(structure).encode())

    assert made.status_code == 201
    assert client.get(f"/courses/{made.json()['id']}/editions").status_code == 200


def test_a_thousand_units_are_a_course(school: School) -> None:
    structure = a_structure("".join(an_au(f"urn:{n}", url=ELSEWHERE) for n in range(1001)))

    made = school.client("instructor").post("/api/v1/courses", content=structure.encode())

    assert made.status_code == 201
    assert len(made.json()["units"]) == 1001


def test_an_officer_sees_the_outline_and_may_begin(school: School) -> None:
    teacher, officer = school.client("instructor"), school.person("4712")
    course = teacher.post("/api/v1/courses", content=zipped(a_cmi5_package())).json()["id"]
    form = token(teacher, f"/courses/{course}/people")
    teacher.post(f"/courses/{course}/people", data=form | {"numbers": "4712"})

    page = school.signed_in(officer).get(f"/courses/{course}").text

    assert "A unit" in page
    assert "Not started" in page
    assert f"/learn/{course}" in page


def test_an_xapi_package_is_a_course(school: School) -> None:
    package = zipped({"tincan.xml": a_tincan().encode(), "index.html": b"x"})

    made = school.client("instructor").post("/api/v1/courses", content=package)

    assert made.status_code == 201
    assert made.json()["editions"][0]["standard"] == "xAPI"


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(at=st.integers(0, 600), put=st.binary(max_size=6), cut=st.integers(0, 6), name=st.text(max_size=20))
def test_no_body_and_no_name_is_a_failure(school: School, at: int, put: bytes, cut: int, name: str) -> None:
    body = a_structure(an_au(url=ELSEWHERE)).encode()

    answer = school.client("instructor").post(
        "/api/v1/courses", params={"filename": name}, content=body[:at] + put + body[at + cut :]
    )

    assert answer.status_code in (201, 422)
