"""The catalogue entry of a course: from the package, over it what people write, and out as JSON-LD."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest

from lms.courses.actions import apply_course
from lms.courses.catalogue_pages import api, router
from lms.courses.queries import describe_course, find_course
from lms.courses.subjects import SubjectsUnreadableError, load_subjects
from lms.courses.tables import Course
from lms.database import Database
from tests.package_builders import a_zip
from tests.school_builders import School, a_school, token

MANIFEST = """<?xml version="1.0"?>
<manifest identifier="search" xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2"
  xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2">
 <metadata><schema>ADL SCORM</schema><schemaversion>1.2</schemaversion>
  <lom xmlns="http://www.imsglobal.org/xsd/imsmd_rootv1p2p1">
   <general><title><langstring xml:lang="en">Search of vehicles</langstring>
     <langstring xml:lang="fr">Fouille de véhicules</langstring></title>
    <description><langstring xml:lang="en">How to search a vehicle.</langstring></description></general>
   <lifecycle><contribute><role><value><langstring xml:lang="x-none">Publisher</langstring></value></role>
    <centity><vcard>BEGIN:VCARD
FN:Jo
ORG:Border Academy
END:VCARD</vcard></centity></contribute></lifecycle>
   <educational><typicallearningtime><datetime>01:30:00</datetime></typicallearningtime></educational>
   <rights><description><langstring xml:lang="en">CC BY 4.0</langstring></description></rights>
  </lom></metadata>
 <organizations><organization identifier="o"><title>Vehicles</title>
  <item identifier="i" identifierref="r"><title>One</title></item></organization></organizations>
 <resources><resource identifier="r" type="webcontent" adlcp:scormtype="sco" href="a.html"><file href="a.html"/>
 </resource></resources></manifest>"""


@pytest.fixture
def school(database: Database, tmp_path: Path) -> School:
    made = a_school(database, tmp_path)
    made.app.state.subjects = load_subjects(tmp_path)
    made.app.include_router(api)
    made.app.include_router(router)
    return made


@pytest.fixture
def course(school: School, tmp_path: Path) -> UUID:
    path = a_zip(tmp_path / "course.zip", {"imsmanifest.xml": MANIFEST.encode(), "a.html": b"<p>"})
    done = school.importer.import_file(path, by=None, publish_it=True)
    assert done.course is not None
    return done.course


def test_what_the_package_says_is_the_entry(school: School, course: UUID) -> None:
    entry = school.client("instructor").get(f"/api/v1/courses/{course}/catalogue").json()

    assert entry == {
        "titles": {"en": "Search of vehicles", "fr": "Fouille de véhicules"},
        "descriptions": {"en": "How to search a vehicle."},
        "minutes": 90,
        "licence": "CC BY 4.0",
        "owner": "Border Academy",
    }


def test_what_people_write_goes_before_it_and_nothing_else_is_lost(school: School, course: UUID) -> None:
    client, page = school.client("instructor"), f"/courses/{course}/catalogue"
    typed = token(client, page) | {
        "title_ar": "تفتيش المركبات",
        "title_en": " ",
        "new_language": "km",
        "new_title": "ការឆែកឆេរ",
        "subjects": ["human-rights", "concealment-and-interdiction"],
        "minutes": "45",
        "contact": "training@example.org",
    }

    saved = client.post(page, data=typed)
    shown = client.get(saved.headers["location"]).text
    entry = client.get(f"/api/v1/courses/{course}/catalogue").json()

    assert "The entry is saved." in shown
    assert entry["titles"] == {
        "ar": "تفتيش المركبات", "en": "Search of vehicles", "fr": "Fouille de véhicules", "km": "ការឆែកឆេរ",
    }  # fmt: skip
    assert (entry["minutes"], entry["owner"]) == (45, "Border Academy")
    assert entry["subjects"] == ["human-rights", "concealment-and-interdiction"]


@pytest.mark.parametrize(
    ("field", "text"),
    [("minutes", "soon"), ("minutes", "0"), ("new_language", "not a tag"), ("owner", "x" * 301)],
)
def test_what_cannot_be_taken_is_said_and_what_was_typed_stays(
    school: School, course: UUID, field: str, text: str
) -> None:
    client, page = school.client("instructor"), f"/courses/{course}/catalogue"
    typed = token(client, page) | {"contact": "training@example.org", "new_title": "T", field: text}

    answer = client.post(page, data=typed)

    assert answer.status_code == 422
    assert "The catalogue cannot take this" in answer.text
    assert "training@example.org" in answer.text
    with school.database.read() as session:
        found = find_course(session, course)
    assert found is not None
    assert found.catalogue is None


def test_it_goes_out_as_schema_org_has_it(school: School, course: UUID) -> None:
    client = school.client("instructor")
    written = {"subjects": ["gender", "urn:x:unknown"], "audience": "Border officers", "contact": "Unit 3"}
    assert client.put(f"/api/v1/courses/{course}/catalogue", json=written).status_code == 200

    answer = client.get(f"/courses/{course}/catalogue.jsonld")

    made = json.loads(answer.text)
    assert answer.headers["content-type"] == "application/ld+json"
    assert (made["@context"], made["@type"], made["timeRequired"]) == (
        "https://schema.org",
        "Course",
        "PT90M",
    )
    assert {"@value": "Fouille de véhicules", "@language": "fr"} in made["name"]
    assert made["about"][0]["termCode"] == "gender"
    assert {"@value": "المنظور الجنساني", "@language": "ar"} in made["about"][0]["name"]
    assert made["about"][1]["name"] == [{"@value": "urn:x:unknown"}]
    assert made["provider"]["name"] == "Border Academy"
    assert made["provider"]["contactPoint"]["name"] == "Unit 3"
    assert made["version"] == 1
    assert made["inLanguage"] == ["en", "fr"]


def test_a_program_is_told_what_is_wrong(school: School, course: UUID) -> None:
    client = school.client("instructor")

    answer = client.put(f"/api/v1/courses/{course}/catalogue", json={"titles": {"??": "x"}, "minutes": 1})

    assert answer.status_code == 422
    assert "titles" in answer.text


def test_only_who_manages_courses_sees_and_writes_it(school: School, course: UUID) -> None:
    officer = school.client("officer")

    for path in (f"/courses/{course}/catalogue", f"/courses/{course}/catalogue.jsonld"):
        assert officer.get(path).status_code == 403
    assert officer.put(f"/api/v1/courses/{course}/catalogue", json={}).status_code == 403


def test_it_travels_with_the_course(school: School, course: UUID) -> None:
    client = school.client("instructor")
    client.put(f"/api/v1/courses/{course}/catalogue", json={"owner": "Academy"})
    with school.database.write() as session:
        described = describe_course(session, course)
        session.get_one(Course, 1).catalogue = None
        session.flush()
        assert described is not None
        apply_course(session, school.site.shelf, course, described, new_id=lambda: course)

    assert client.get(f"/api/v1/courses/{course}/catalogue").json()["owner"] == "Academy"


def test_a_node_adds_subjects_and_words_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "subjects.toml").write_text(
        '[gender]\nkm = "យេនឌ័រ"\n\n[canine-units]\nen = "Canine units"\n', "utf-8"
    )

    subjects = load_subjects(tmp_path)

    assert len(subjects) == 13
    assert (subjects["gender"].label("km"), subjects["gender"].label("fr")) == (
        "យេនឌ័រ",
        "Perspective de genre",
    )
    assert (subjects["canine-units"].label("ar"), subjects["gender"].label("xx")) == (
        "Canine units",
        "Gender perspective",
    )


@pytest.mark.parametrize("text", ["[gender", "gender = 1", "[gender]\nen = 1", "[gender]\nen = ['x']"])
def test_a_file_of_subjects_that_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "subjects.toml").write_text(text, "utf-8")

    with pytest.raises(SubjectsUnreadableError, match=r"subjects\.toml"):
        load_subjects(tmp_path)
