"""The catalogue entry of a course: from the package, over it what people write, and out as JSON-LD."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from content_packages.schema_org import read_json_ld
from lms.courses.actions import apply_course, publish
from lms.courses.catalogue import Entry, entry_of_package, json_ld
from lms.courses.catalogue_pages import api, router
from lms.courses.queries import courses_page, describe_course, editions_of, find_course
from lms.courses.subjects import SubjectsUnreadableError, load_subjects, subjects_known, subjects_named
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
    <description><langstring xml:lang="en">How to search a vehicle.</langstring></description>
    <keyword><langstring xml:lang="en">concealment</langstring></keyword>
    <keyword><langstring xml:lang="fr">Droits de l'homme</langstring></keyword></general>
   <lifecycle><contribute><role><value><langstring xml:lang="x-none">Publisher</langstring></value></role>
    <centity><vcard>BEGIN:VCARD
FN:Jo
ORG:Border Academy
EMAIL:jo@example.org
END:VCARD</vcard></centity></contribute></lifecycle>
   <educational><intendedenduserrole><value><langstring>Learner</langstring></value></intendedenduserrole><typicallearningtime><datetime>01:30:00</datetime></typicallearningtime></educational>
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
    made.app.routes.extend(api.routes)
    made.app.routes.extend(router.routes)
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
        "subjects": ["human-rights"],
        "audience": "Learner",
        "contact": "Jo, jo@example.org",
        "minutes": 90,
        "licence": "CC BY 4.0",
        "owner": "Border Academy",
    }


def test_the_form_says_what_the_package_says_of_each_field(school: School, course: UUID) -> None:
    page = school.client("instructor").get(f"/courses/{course}/catalogue").text

    said = re.findall(r"The package says: <bdi>(.*?)</bdi>", page)

    assert said == [
        "Search of vehicles", "How to search a vehicle.", "Fouille de véhicules", "Human rights", "Learner", "90",
        "Border Academy", "Jo, jo@example.org", "CC BY 4.0",
    ]  # fmt: skip


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
    ("given", "wrong", "said"),
    [
        ({"minutes": "soon"}, "minutes", "Write a whole number of minutes, from 1 to 100,000."),
        ({"minutes": "0"}, "minutes", "Write a whole number of minutes, from 1 to 100,000."),
        ({"minutes": "9" * 30}, "minutes", "Write a whole number of minutes, from 1 to 100,000."),
        (
            {"new_language": "not a tag!", "new_title": "T"},
            "new_language",
            "“not a tag!” is not the tag of a language. Write one such as fr, km or pt-BR.",
        ),
        ({"new_language": "km"}, "new_title", "Write the title in this language too."),
        (
            {"new_language": "km", "new_description": "D"},
            "new_title",
            "Write the title in this language too.",
        ),
        ({"new_title": "T"}, "new_language", "Write which language this is, by its tag."),
        ({"owner": "x" * 301}, "owner", "Write at most 300 characters; these are 301."),
        ({"title_fr": "x" * 301}, "title_fr", "Write at most 300 characters; these are 301."),
        (
            {"new_language": "km", "new_title": "x" * 301},
            "new_title",
            "Write at most 300 characters; these are 301.",
        ),
        (
            {"description_ar": "x" * 5001},
            "description_ar",
            "Write at most 5,000 characters; these are 5,001.",
        ),
    ],
)
def test_what_cannot_be_taken_is_said_beside_its_field_and_what_was_typed_stays(
    school: School, course: UUID, given: dict[str, str], wrong: str, said: str
) -> None:
    client, page = school.client("instructor"), f"/courses/{course}/catalogue"
    typed = token(client, page) | {"contact": "training@example.org"} | given

    answer = client.post(page, data=typed)

    assert answer.status_code == 422
    beside = re.findall(
        r'<p class="field-error" id="([\w-]+)-error">.*?</svg>(.*?)</p>', answer.text, re.DOTALL
    )
    assert beside == [(wrong, said)]
    for text in typed.values():
        assert text in answer.text
    with school.database.read() as session:
        found = find_course(session, course)
    assert found is not None
    assert found.catalogue is None


def test_all_that_is_wrong_is_said_at_once(school: School, course: UUID) -> None:
    client, page = school.client("instructor"), f"/courses/{course}/catalogue"
    typed = token(client, page) | {"minutes": "soon", "new_language": "not a tag!", "owner": "x" * 301}

    answer = client.post(page, data=typed)

    wrong = re.findall(r'class="field-error" id="([\w-]+)-error"', answer.text)
    assert wrong == ["new_language", "new_title", "minutes", "owner"]


def test_it_is_said_in_the_language_of_the_reader(school: School, course: UUID) -> None:
    client, page = school.client("instructor"), f"/courses/{course}/catalogue"
    typed = token(client, page) | {"minutes": "soon"}

    answer = client.post(page, data=typed, headers={"Accept-Language": "ar"})

    assert "اكتب عدد الدقائق رقمًا صحيحًا" in answer.text


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
    assert made["about"][1]["name"] == [{"@value": "urn:x:unknown", "@language": "und"}]
    assert made["provider"]["name"] == "Border Academy"
    assert made["provider"]["contactPoint"]["name"] == "Unit 3"
    assert "version" not in made  # the number of the edition is no name that anybody gave it
    assert made["inLanguage"] == ["en", "fr"]


def test_a_program_is_told_what_is_wrong(school: School, course: UUID) -> None:
    client = school.client("instructor")

    answer = client.put(f"/api/v1/courses/{course}/catalogue", json={"titles": {"??": "x"}, "minutes": 1})

    assert answer.status_code == 422
    assert "“??” is not the tag of a language" in answer.text


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


def test_a_node_with_a_wrong_file_of_subjects_knows_those_that_ship(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "subjects.toml").write_text("[gender\n", "utf-8")

    subjects = subjects_known(tmp_path)

    assert len(subjects) == 12
    assert [record.message for record in caplog.records] == ["subjects_unreadable"]


def test_words_name_subjects_in_any_language_and_however_they_are_written(tmp_path: Path) -> None:
    subjects = load_subjects(tmp_path)

    words = [
        "Money laundering",
        "DROITS DE L'HOMME",
        "التعرف على المخدرات",
        "gender",
        "Gender",
        "borders",
        "",
    ]

    assert subjects_named(words, subjects) == (
        "money-laundering",
        "human-rights",
        "drug-identification",
        "gender",
    )


WHOLE = Entry(
    titles={"en": "Search of vehicles", "ar": "تفتيش المركبات", "pt-BR": "Busca", "und": "Search"},
    descriptions={"en": "How to search.\n\nIn three parts.", "ar": "كيف تُفتَّش المركبات"},
    subjects=("gender", "canine-units", "human-rights"),
    audience="Officers at land borders, and their instructors",
    minutes=125,
    licence="CC BY 4.0",
    owner="Border Academy, Nyeri",
    contact="Jo Doe, training@example.org, +254 20 1",
    version="2.1 beta",
    version_notes="New films.\nThe test is shorter.",
)


@pytest.mark.parametrize(
    "entry", [WHOLE, Entry(titles={"fr": "Fouille"}, contact="Jo"), Entry(owner="Academy")]
)
def test_what_goes_out_comes_back_the_same(tmp_path: Path, entry: Entry) -> None:
    subjects = load_subjects(tmp_path)

    made = json_ld(entry, course=uuid4(), languages=("en", "ar", "km"), subjects=subjects)
    said = read_json_ld(json.dumps(made), language="fr")  # as in a page that is in French

    assert said is not None
    assert entry_of_package(said, subjects) == entry
    assert said.languages == ("en", "ar", "km")


def test_a_package_taken_over_with_its_catalogue_data_has_the_same_entry(
    school: School, course: UUID, tmp_path: Path
) -> None:
    client = school.client("instructor")
    client.put(f"/api/v1/courses/{course}/catalogue", json=WHOLE.to_json())
    before = client.get(f"/api/v1/courses/{course}/catalogue").json()
    package = tmp_path / "course.zip"
    package.with_name("course.zip.jsonld").write_bytes(
        client.get(f"/courses/{course}/catalogue.jsonld").content
    )

    done = school.importer.import_file(package, by=None, publish_it=True)

    assert client.get(f"/api/v1/courses/{done.course}/catalogue").json() == before


def another_edition(school: School, tmp_path: Path, course: UUID) -> UUID:
    path = a_zip(tmp_path / "2.zip", {"imsmanifest.xml": MANIFEST.encode(), "a.html": b"<p>2"})
    done = school.importer.import_file(path, by=None, into=course)
    assert done.edition is not None
    return done.edition


def editions(school: School, course: UUID) -> list[Any]:
    with school.database.read() as session:
        found = find_course(session, course)
        assert found is not None
        return [*editions_of(session, found)]


def test_what_is_new_is_said_of_each_edition_alone(school: School, course: UUID, tmp_path: Path) -> None:
    client, page = school.client("instructor"), f"/courses/{course}/catalogue"
    first, second = editions(school, course)[0].public_id, another_edition(school, tmp_path, course)
    typed = token(client, page) | {
        f"version_notes_{first}": "New films",
        f"version_notes_{second}": "A shorter test",
        f"version_{second}": "2.0",
    }

    assert client.post(page, data=typed).status_code == 303

    told = [
        client.get(f"/courses/{course}/editions/{one}/catalogue.jsonld").json() for one in (first, second)
    ]
    assert [one["releaseNotes"] for one in told] == ["New films", "A shorter test"]
    assert [one.get("version") for one in told] == [None, "2.0"]
    assert [one["encoding"]["version"] for one in told] == [1, 2]
    assert client.get(f"/api/v1/courses/{course}/catalogue").json()["version_notes"] == "New films"


def arrives(school: School, course: UUID, described: dict[str, Any]) -> None:
    with school.database.write() as session:
        apply_course(session, school.site.shelf, course, described, new_id=uuid4)


def described(school: School, course: UUID) -> dict[str, Any]:
    with school.database.read() as session:
        made = describe_course(session, course)
    assert made is not None
    return made


def test_what_is_new_travels_with_its_edition_and_can_be_taken_back(
    school: School, course: UUID, tmp_path: Path
) -> None:
    client = school.client("instructor")
    plain = described(school, course)
    client.put(f"/api/v1/courses/{course}/catalogue", json={"version_notes": "New films"})
    written = described(school, course)
    client.put(f"/api/v1/courses/{course}/catalogue", json={})
    taken_back = described(school, course)

    assert "catalogue" not in plain["editions"][0]  # as nodes of before write it
    assert written["catalogue"] == {"version_notes": "New films"}  # where they look for it
    for one, notes in ((written, "New films"), (plain, "New films"), (taken_back, None)):
        arrives(school, course, one)
        assert client.get(f"/api/v1/courses/{course}/catalogue").json().get("version_notes") == notes


def test_a_node_of_before_says_what_is_new_in_the_edition_it_gives(
    school: School, course: UUID, tmp_path: Path
) -> None:
    second = another_edition(school, tmp_path, course)
    with school.database.write() as session:
        publish(session, school.site.shelf, second, now=datetime.now(UTC))
    client = school.client("instructor")
    of_before = described(school, course) | {
        "catalogue": {"version_notes": "A shorter test", "owner": "Academy"}
    }

    arrives(school, course, of_before)
    arrives(school, course, of_before | {"current_edition": of_before["editions"][0]["public_id"]})

    notes = {one.number: (one.catalogue or {}).get("version_notes") for one in editions(school, course)}
    assert notes == {1: None, 2: "A shorter test"}
    assert client.get(f"/api/v1/courses/{course}/catalogue").json()["owner"] == "Academy"


def test_lists_and_searches_know_a_course_by_all_its_titles(school: School, course: UUID) -> None:
    client = school.client("instructor")
    client.put(
        f"/api/v1/courses/{course}/catalogue", json={"titles": {"ar": "تفتيش المركبات", "en-GB": "Cars"}}
    )

    arabic = client.get("/courses", headers={"Accept-Language": "ar"}).text
    with school.database.read() as session:
        found = {
            search: courses_page(session, search=search).total
            for search in ("مركبات", "FOUILLE vehicules", "vehicles search", "cars", "boats")
        }
        (line,) = courses_page(session, language="ar").rows

    assert "تفتيش المركبات" in arabic
    assert found == {"مركبات": 1, "FOUILLE vehicules": 1, "vehicles search": 1, "cars": 1, "boats": 0}
    assert [line.title_in(one) for one in ("ar", "fr", "km")] == [
        "تفتيش المركبات",
        "Fouille de véhicules",
        "Vehicles",
    ]


def test_an_officer_reads_title_and_description_in_her_language(school: School, course: UUID) -> None:
    client, officer = school.client("instructor"), school.person("A-1")
    written = {"titles": {"ar": "تفتيش المركبات"}, "descriptions": {"ar": "كيف تُفتَّش المركبات"}}
    client.put(f"/api/v1/courses/{course}/catalogue", json=written)
    client.post(
        f"/courses/{course}/people", data=token(client, f"/courses/{course}/people") | {"numbers": "A-1"}
    )
    hers = school.signed_in(officer)

    home, page = (hers.get(at, headers={"Accept-Language": "ar"}).text for at in ("/", f"/courses/{course}"))
    english = hers.get(f"/courses/{course}", headers={"Accept-Language": "en"}).text

    assert "تفتيش المركبات" in home
    assert "تفتيش المركبات" in page
    assert "كيف تُفتَّش المركبات" in page
    assert "Search of vehicles" in english
    assert "How to search a vehicle." in english


def test_a_course_that_arrives_is_known_by_its_titles_too(school: School, course: UUID) -> None:
    told = described(school, course) | {"catalogue": {"titles": {"km": "ការឆែកឆេរ"}}}

    arrives(school, course, told)

    with school.database.read() as session:
        (line,) = courses_page(session, search="ឆែកឆេរ").rows
    assert line.titles == {"en": "Search of vehicles", "fr": "Fouille de véhicules", "km": "ការឆែកឆេរ"}


def test_what_a_package_says_too_much_of_is_left_out(tmp_path: Path) -> None:
    tags = [f"x{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(300)]
    own = "https://outpost.invalid/subjects"
    said = {
        "@type": "Course",
        "name": [{"@value": "T", "@language": tag} for tag in tags],
        "inLanguage": tags,
        "about": [{"termCode": code, "inDefinedTermSet": own} for code in ("x" * 301, *tags)],
    }

    metadata = read_json_ld(json.dumps(said))
    assert metadata is not None
    entry = entry_of_package(metadata, load_subjects(tmp_path))

    assert (len(entry.titles), len(entry.subjects), len(metadata.languages)) == (100, 100, 100)


def test_an_entry_holds_nothing_that_no_database_takes(school: School, course: UUID) -> None:
    client = school.client("instructor")

    client.put(f"/api/v1/courses/{course}/catalogue", json={"titles": {"ar": "تف\u0000تيش"}})

    assert "تفتيش" in client.get("/courses", headers={"Accept-Language": "ar"}).text
