"""What a package's record says to catalogues: LOM in both bindings, its vCards, and what lies in a ``.jsonld`` file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from content_packages.intake import ImportReport, read_package
from content_packages.manifest.vcard import Card, read_card
from content_packages.package import Metadata, Package
from content_packages.shelf import Shelf
from content_packages.texts import MOST_TEXT_CHARS, MOST_TITLE_CHARS
from tests.package_builders import a_manifest_12, a_manifest_2004, a_zip

LOM_12 = """<lom xmlns="http://www.imsglobal.org/xsd/imsmd_rootv1p2p1">
 <general><title><langstring xml:lang="en">Search of vehicles</langstring></title>
  <keyword><langstring xml:lang="en">Gender</langstring></keyword>
  <keyword><langstring xml:lang="en">searches</langstring><langstring xml:lang="fr">fouilles</langstring></keyword>
 </general>
 <lifecycle><version><langstring xml:lang="en">2.1</langstring></version>
  <contribute><role><value><langstring xml:lang="x-none">Author</langstring></value></role>
   <centity><vcard>BEGIN:VCARD
FN:Jo
EMAIL;TYPE=INTERNET:jo@example.org
END:VCARD</vcard></centity></contribute>
  <contribute><role><value><langstring xml:lang="x-none">Publisher</langstring></value></role>
   <centity><vcard>BEGIN:VCARD FN:Training unit ORG:Border Academy;Unit 3 EMAIL:training@example.org END:VCARD</vcard>
   </centity></contribute></lifecycle>
 <educational><intendedenduserrole><value><langstring xml:lang="x-none">Learner</langstring></value>
  </intendedenduserrole><context><value><langstring xml:lang="x-none">Training</langstring></value></context>
 </educational>
 <classification><taxonpath><source><langstring>Ours</langstring></source>
  <taxon><id>4</id><entry><langstring xml:lang="en">Law</langstring></entry>
   <taxon><id>4.2</id><entry><langstring xml:lang="en">Human rights</langstring></entry></taxon></taxon></taxonpath>
 </classification></lom>"""

LOM_2004 = """<lom xmlns="http://ltsc.ieee.org/xsd/LOM">
 <general><title><string language="en">Search of vehicles</string></title>
  <keyword><string language="en">Gender</string></keyword></general>
 <lifeCycle><version><string language="en">2.1</string></version>
  <contribute><role><source>LOMv1.0</source><value>publisher</value></role>
   <entity>BEGIN:VCARD&#10;FN:Training unit&#10;ORG:Border Academy&#10;END:VCARD</entity></contribute></lifeCycle>
 <metaMetadata><contribute><role><source>LOMv1.0</source><value>creator</value></role>
   <entity>BEGIN:VCARD&#10;FN:Jo&#10;TEL:+254 20 1&#10;END:VCARD</entity></contribute></metaMetadata>
 <educational><intendedEndUserRole><source>LOMv1.0</source><value>learner</value></intendedEndUserRole>
  <context><source>LOMv1.0</source><value>training</value></context></educational></lom>"""


def imported(folder: Path, files: dict[str, bytes], *, beside: bytes | None = None) -> ImportReport:
    path = a_zip(folder / "course.zip", {"index.html": b"<p>", **files})
    return read_package(path, Shelf(folder / "shelf"), catalogue_data=beside)


def package_of(report: ImportReport) -> Package:
    assert report.package is not None, report.findings
    return report.package


def test_a_record_of_scorm_12_is_read_whole(tmp_path: Path) -> None:
    manifest = a_manifest_12(metadata=LOM_12).encode()

    said = package_of(imported(tmp_path, {"imsmanifest.xml": manifest})).metadata

    assert said == Metadata(
        titles={"en": "Search of vehicles"},
        keywords=("Gender", "searches", "fouilles", "4", "Law", "4.2", "Human rights"),
        audience="Learner, Training",
        version="2.1",
        publisher="Border Academy Unit 3",
        contact="Training unit, training@example.org",
    )


def test_a_record_of_scorm_2004_is_read_whole(tmp_path: Path) -> None:
    manifest = a_manifest_2004().replace("</schemaversion>", f"</schemaversion>{LOM_2004}").encode()

    said = package_of(imported(tmp_path, {"imsmanifest.xml": manifest})).metadata

    assert said == Metadata(
        titles={"en": "Search of vehicles"},
        keywords=("Gender",),
        audience="learner, training",
        version="2.1",
        publisher="Border Academy",
        contact="Jo, +254 20 1",
    )


@pytest.mark.parametrize(
    ("text", "card"),
    [
        ("", Card()),
        ("no card at all", Card()),
        (
            "BEGIN:VCARD\r\n  FN:Jo\r\n  item1.EMAIL;TYPE=work:jo@x.org\r\nEND:VCARD",
            Card(name="Jo", email="jo@x.org"),
        ),
        ("BEGIN:VCARD N:Doe;Jo;;; END:VCARD", Card(name="Jo Doe")),
        ("fn:Acade\n my\\, Unit 3\nend:vcard", Card(name="Academy, Unit 3")),
        ("FN;ENCODING=QUOTED-PRINTABLE:J=C3=B6\nTEL:tel:+1", Card(name="Jö", telephone="+1")),
        ("FN:First\nFN:Second\nORG:A;B", Card(name="First", organization="A B")),
    ],
)
def test_a_card_is_read_however_xml_has_laid_its_lines(text: str, card: Card) -> None:
    assert read_card(text) == card


def test_who_cannot_be_reached_is_nobody_to_ask() -> None:
    assert Card(name="Jo").contact == ""
    assert Card(organization="Academy", telephone="+1").contact == "Academy, +1"


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("PT45M", 45),
        ("P1DT1S", 1441),
        ("01:30:00", 90),
        ("P0Y1M0DT1H0M0S", 43_260),
        ("P3660D", 5_270_400),
        ("P3661D", None),
        ("P", None),
        ("PT0M", None),
        ("PT\u0661M", None),
        ("P9999999999999999D", None),
        (f"PT{'9' * 5000}M", None),
    ],
)
def test_a_learning_time_is_taken_where_a_course_could_last_that_long(
    tmp_path: Path, written: str, minutes: int | None
) -> None:
    lom = (
        '<lom xmlns="http://www.imsglobal.org/xsd/imsmd_rootv1p2p1"><educational><typicallearningtime><datetime>'
        f"{written}</datetime></typicallearningtime></educational></lom>"
    )
    said = json.dumps({**SAID, "timeRequired": written}).encode()

    in_manifest = imported(tmp_path, {"imsmanifest.xml": a_manifest_12(metadata=lom).encode()})
    beside = imported(tmp_path, {}, beside=said)

    assert package_of(in_manifest).metadata.minutes == minutes
    assert package_of(beside).metadata.minutes == minutes


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("Pr\u00c3\u00a9curseurs", ["text.garbled"]),
        ("\u0420\u045f\u0421\u0402", []),  # Cyrillic read as another page of Cyrillic: nobody could be sure
        ("Pr\u00e9curseurs \u00e0 20 \u00b0C", []),
        ("\u0645\u0631\u062d\u0628\u0627", []),
        ("&lt;b&gt;Search&lt;/b&gt;", ["text.markup"]),
        ("Search&amp;nbsp;of vehicles", ["text.markup"]),
        ("1 &lt; 2 &amp; 3 &gt; 2", []),
    ],
)
def test_a_title_that_was_spoilt_on_its_way_is_told(tmp_path: Path, title: str, told: list[str]) -> None:
    manifest = a_manifest_12().replace("A course", title).encode()

    report = imported(tmp_path, {"imsmanifest.xml": manifest})

    assert [one.code for one in report.findings] == told


@pytest.mark.parametrize(
    ("written", "told"), [("an hour", [2]), ("P3661D", [2]), ("PT0M", []), ("00:00:00", []), ("", [])]
)
def test_a_learning_time_that_cannot_be_read_is_told(tmp_path: Path, written: str, told: list[int]) -> None:
    lom = (
        '<lom xmlns="http://www.imsglobal.org/xsd/imsmd_rootv1p2p1"><educational><typicallearningtime><datetime>'
        f"{written}</datetime><description><langstring>About an hour</langstring></description>"
        "</typicallearningtime></educational></lom>"
    )

    report = imported(tmp_path, {"imsmanifest.xml": a_manifest_12(metadata=lom).encode()})

    assert [one.line for one in report.findings if one.code == "catalogue.learning_time"] == told


SAID = {"@type": "Course", "name": [{"@value": "Fouille", "@language": "fr"}], "timeRequired": "PT45M"}


def test_what_a_package_brings_for_catalogues_is_said_over_its_manifest(tmp_path: Path) -> None:
    files = {
        "imsmanifest.xml": a_manifest_12(metadata=LOM_12).encode(),
        "course.jsonld": json.dumps(SAID).encode(),
    }

    report = imported(tmp_path, files)

    said = package_of(report).metadata
    assert said.titles == {"en": "Search of vehicles", "fr": "Fouille"}
    assert (said.minutes, said.version) == (45, "2.1")
    assert ("catalogue.read", {"name": "course.jsonld"}) in [(one.code, one.facts) for one in report.findings]


def test_what_lies_beside_a_package_is_said_over_what_lies_in_it(tmp_path: Path) -> None:
    files = {"course.jsonld": json.dumps({**SAID, "name": "In it"}).encode()}

    report = imported(tmp_path, files, beside=json.dumps(SAID).encode())

    assert package_of(report).metadata.titles["fr"] == "Fouille"
    assert [one.facts["name"] for one in report.findings if one.code == "catalogue.read"] == [
        "course.zip.jsonld"
    ]


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[]", b'{"@type": "Recipe"}', b"[" * 100_000])
def test_a_file_for_catalogues_that_says_nothing_is_told_and_hinders_nobody(
    tmp_path: Path, data: bytes
) -> None:
    report = imported(tmp_path, {"a.jsonld": data})

    assert report.package is not None
    assert "catalogue.unreadable" in [one.code for one in report.findings]


def cmi5(title: str, description: str) -> bytes:
    text = (
        f"<title><langstring lang='en'>{title}</langstring></title>"
        f"<description><langstring lang='en'>{description}</langstring></description>"
    )
    unit = f"<au id='https://x.example/1' moveOn='Completed'>{text}<url>index.html</url></au>"
    return (
        "<courseStructure xmlns='https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd'>"
        f"<course id='https://x.example/c'>{text}</course>{unit}</courseStructure>"
    ).encode()


def tincan(title: str, description: str) -> bytes:
    return (
        "<tincan xmlns='http://projecttincan.com/tincan.xsd'><activities><activity id='https://x.example/1' "
        f"type='http://adlnet.gov/expapi/activities/course'><name>{title}</name><description>{description}</description>"
        "<launch lang='en-us'>index.html</launch></activity></activities></tincan>"
    ).encode()


def lom(title: str, description: str) -> str:
    return (
        f"<imsmd:lom><imsmd:general><imsmd:title><imsmd:langstring>{title}</imsmd:langstring></imsmd:title>"
        f"<imsmd:description><imsmd:langstring>{description}</imsmd:langstring></imsmd:description></imsmd:general></imsmd:lom>"
    )


LONG, LONGER = "t" * (MOST_TITLE_CHARS + 900), "d" * (MOST_TEXT_CHARS + 1)


@pytest.mark.parametrize(
    ("name", "manifest", "findings"),
    [
        (
            "imsmanifest.xml",
            a_manifest_12(metadata=lom(LONG, LONGER)).replace("A course", LONG).replace("One", LONG).encode(),
            2,
        ),
        ("imsmanifest.xml", a_manifest_2004().replace("One", LONG).encode(), 1),
        ("cmi5.xml", cmi5(LONG, LONGER), 2),
        ("tincan.xml", tincan(LONG, LONGER), 2),
        ("index.html", f"<html lang=en><title>{LONG}</title><p>".encode(), 1),
    ],
)
def test_titles_and_descriptions_are_cut_to_what_can_be_shown_and_it_is_told(
    tmp_path: Path, name: str, manifest: bytes, findings: int
) -> None:
    report = imported(tmp_path, {name: manifest})

    package = package_of(report)
    titles = [package.title, *package.metadata.titles.values()]
    texts = [*package.metadata.descriptions.values()]
    for activity in package.root.walk():
        titles += [activity.title, *activity.titles.values()]
        texts += activity.descriptions.values()
    assert max(map(len, titles)) == MOST_TITLE_CHARS
    assert {len(text) for text in texts} <= {MOST_TEXT_CHARS}
    told = [one for one in report.findings if one.code.startswith("text.")]
    assert len(told) == findings
    assert (told[0].facts["length"], told[0].facts["limit"]) == (len(LONG), MOST_TITLE_CHARS)


def test_a_title_of_a_page_is_read_quickly_and_shown_short(tmp_path: Path) -> None:
    manifest = a_manifest_12().replace("A course", "word " * 40_000).encode()

    report = imported(tmp_path, {"imsmanifest.xml": manifest})

    assert package_of(report).title.endswith("word…")
    assert len(json.dumps(report.to_json())) < 10_000


def test_no_title_holds_what_no_database_takes(tmp_path: Path) -> None:
    said = {
        "@type": "Course",
        "name": "Se\u0000arch",
        "description": "One\u0007\n\u200cTwo",
        "provider": "A\u0000",
    }
    page = b"<html lang=en><title>A\0 page</title>"

    report = imported(tmp_path, {"index.html": page, "course.jsonld": json.dumps(said).encode()})

    package = package_of(report)
    assert (package.title, package.root.units()[0].title) == ("A page", "A page")
    assert package.metadata.titles["und"] == "Search"
    assert package.metadata.descriptions["und"] == "One\n\u200cTwo"
    assert package.metadata.publisher == "A"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("CC BY 4.0", "CC BY 4.0"),
        ("https://creativecommons.org/licenses/by/4.0/", "https://creativecommons.org/licenses/by/4.0/"),
        ({"url": "urn:licence:1"}, "urn:licence:1"),
        ("javascript:alert(1)", None),
        ({"@id": " JavaScript:alert(1)"}, None),
    ],
)
def test_a_licence_is_a_name_or_an_address_one_may_follow(
    tmp_path: Path, said: object, kept: str | None
) -> None:
    beside = json.dumps({**SAID, "license": said}).encode()

    assert package_of(imported(tmp_path, {}, beside=beside)).metadata.rights == kept


def test_no_title_turns_the_letters_around_it(tmp_path: Path) -> None:
    turned = "A \u202egpj.exe\u2066"
    manifest = a_manifest_12().replace("A course", turned).replace("One", "\u200fتفتيش\u200f")

    report = imported(tmp_path, {"imsmanifest.xml": manifest.encode()})

    package = package_of(report)
    assert (package.title, package.root.units()[0].title) == ("A gpj.exe", "\u200fتفتيش\u200f")
    (told,) = [one for one in report.findings if one.code == "text.order"]
    assert told.facts == {"name": "A \\u202egpj.exe\\u2066", "count": 1}
