"""What a cmi5 course structure says is kept, whole and as it was meant."""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from content_packages.package import Activity, AssignableUnit, LaunchTarget, Package, from_json
from tests.cmi5_builders import (
    COURSE,
    TEXTS,
    a_block,
    a_cmi5_package,
    a_structure,
    an_au,
    an_objective,
    found,
    imported_bare,
)
from tests.package_builders import codes, imported

ELSEWHERE = "https://content.example.org/unit/index.html"


def read(folder: Path, structure: str, **files: bytes) -> Package:
    report = imported(folder, a_cmi5_package(structure, **files))
    assert report.package is not None, report.findings
    return report.package


def the_unit(package: Package) -> Activity:
    (unit,) = package.root.units()
    return unit


def test_a_unit_has_the_defaults_of_the_standard(tmp_path: Path) -> None:
    package = read(tmp_path, a_structure())

    assert (package.standard, package.title, package.identifier) == (
        "cmi5",
        "A course",
        "https://example.org/course",
    )
    unit = the_unit(package)
    assert unit.au == AssignableUnit()
    assert (unit.au.move_on, unit.au.launch_method) == ("NotApplicable", "AnyWindow")
    assert (unit.kind, unit.launch, unit.publisher_id) == (
        "au",
        LaunchTarget(path="index.html"),
        "https://example.org/au/1",
    )


def test_everything_a_unit_says_is_kept(tmp_path: Path) -> None:
    structure = a_structure(
        an_au(
            url="<![CDATA[\n   a%20b/index.html?x=1&y=2#top\n  ]]>",
            attributes='moveOn="CompletedAndPassed" masteryScore="0.9" launchMethod="OwnWindow" '
            'activityType="http://adlnet.gov/expapi/activities/lesson"',
            before_url='<objectives><objective idref=" https://example.org/objective/1 "/></objectives>',
            after_url="<launchParameters>\n  Start=1 \n</launchParameters>"
            "<entitlementKey>\n xyz-123 </entitlementKey>",
        ),
        objectives=f"<objectives>{an_objective()}</objectives>",
    )

    package = read(tmp_path, structure, **{"a b/index.html": b"x"})

    unit = the_unit(package)
    assert unit.launch == LaunchTarget(path="a b/index.html", query="x=1&y=2", fragment="top")
    assert unit.activity_type == "http://adlnet.gov/expapi/activities/lesson"
    assert unit.objectives == ("https://example.org/objective/1",)
    assert unit.au == AssignableUnit(
        move_on="CompletedAndPassed",
        mastery_score=Decimal("0.9"),
        launch_method="OwnWindow",
        launch_parameters="Start=1",
        entitlement_key="xyz-123",
    )
    assert from_json(package.to_json()) == package


@pytest.mark.parametrize("written", ["0", "1", "0.9", "1.0", ".5", "+0.25", "0.123456789012345678", " 0.7 "])
def test_a_mastery_score_stays_the_decimal_it_was(tmp_path: Path, written: str) -> None:
    package = read(tmp_path, a_structure(an_au(attributes=f'masteryScore="{written}"')))

    au = the_unit(from_json(package.to_json())).au
    assert au is not None
    assert str(au.mastery_score) == str(Decimal(written))


def test_texts_of_all_languages_are_kept_and_the_first_is_shown(tmp_path: Path) -> None:
    texts = (
        '<title><langstring lang="ar"> \N{ARABIC LETTER MEEM} </langstring>'
        '<langstring lang="en-US">Precursor\n      chemicals</langstring></title>'
        "<description><langstring>None\nsaid</langstring></description>"
    )
    package = read(tmp_path, a_structure(an_au(texts=texts)))

    unit = the_unit(package)
    assert unit.titles == {"ar": "\N{ARABIC LETTER MEEM}", "en-US": "Precursor chemicals"}
    assert unit.descriptions == {"und": "None\nsaid"}
    assert unit.title == "\N{ARABIC LETTER MEEM}"
    assert package.languages == ("ar", "en", "en-US")
    assert package.metadata.descriptions == {"en": "About A course"}


def test_ids_that_blocks_and_units_share_are_told_apart(tmp_path: Path) -> None:
    same = "https://example.org/course"

    package = read(tmp_path, a_structure(a_block(an_au(same), same)))

    names = [one.identifier for one in package.root.walk()]
    assert names == [f"course {same}", f"block {same}", same]
    assert {one.publisher_id for one in package.root.walk()} == {same}


def test_extensions_are_kept_as_xml_that_stands_by_itself(tmp_path: Path) -> None:
    structure = a_structure(
        an_au(attributes='v:level="2"', after_url="<v:words><v:word>seizure</v:word> &amp; </v:words>")
        + '<v:price currency="EUR">3</v:price>',
        root='xmlns:v="urn:vendor" xmlns:w="urn:other"',
    )

    report = imported(tmp_path, a_cmi5_package(structure))

    assert report.package is not None
    assert report.package.root.extensions == ('<v:price xmlns:v="urn:vendor" currency="EUR">3</v:price>',)
    unit = the_unit(report.package)
    assert unit.extensions == ('<v:words xmlns:v="urn:vendor"><v:word>seizure</v:word> &amp; </v:words>',)
    assert unit.extension_attributes == {"{urn:vendor}level": "2"}
    assert codes(report) == ["cmi5.extension_no_schema"]


def test_an_extension_whose_schema_is_named_needs_no_word(tmp_path: Path) -> None:
    structure = a_structure(
        an_au(after_url="<v:x/>"),
        root='xmlns:v="urn:v" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="urn:v v.xsd"',
    )

    assert codes(imported(tmp_path, a_cmi5_package(structure))) == []


def test_a_structure_without_a_zip_is_a_course_of_units_elsewhere(tmp_path: Path) -> None:
    report = imported_bare(tmp_path, a_structure(an_au(url=f" {ELSEWHERE}?a=1&amp;b=2#end ")))

    assert report.package is not None
    assert set(report.package.files) == {"cmi5.xml"}
    assert the_unit(report.package).launch == LaunchTarget(address=ELSEWHERE, query="a=1&b=2", fragment="end")
    assert codes(report) == ["cmi5.url_elsewhere"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_bare_structure_is_known_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    structure = a_structure(an_au(url=ELSEWHERE)).replace("utf-8", "utf-16")

    assert imported_bare(tmp_path, structure.encode(encoding)).package is not None


def test_a_zip_of_64_bits_is_read(tmp_path: Path) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, data in a_cmi5_package().items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)

    report = imported(tmp_path, written.getvalue())

    assert report.package is not None
    assert set(report.package.files) == {"cmi5.xml", "index.html"}


# ------------------------------------------------------------------ what is taken with a word


@pytest.mark.parametrize(
    ("structure", "code", "line"),
    [
        (a_structure(an_au(url=ELSEWHERE)), "cmi5.url_elsewhere", 2),
        (a_structure(an_au(url="myapp://content/1")), "cmi5.url_application", 5),
        (a_structure(an_au(url="Index.html")), "cmi5.url_differs", 5),
        (a_structure(an_au(attributes='masteryScore="0.12345"')), "cmi5.mastery_decimals", 5),
        (
            a_structure(an_au(before_url='<objectives><objective idref="urn:none"/></objectives>')),
            "cmi5.objective_dangling",
            5,
        ),
        (
            a_structure(an_au(texts=TEXTS.format("A unit").replace(">A unit<", "> <", 1))),
            "cmi5.no_title",
            5,
        ),
        (
            a_structure(
                course=COURSE.replace("</title>", '<langstring lang="en">Again</langstring></title>', 1)
            ),
            "cmi5.language_twice",
            3,
        ),
        (a_structure(an_au(after_url='<v:x xmlns:v="urn:v"/>')), "cmi5.extension_no_schema", 5),
    ],
)
def test_what_is_allowed_and_may_surprise_is_told(
    tmp_path: Path, structure: str, code: str, line: int
) -> None:
    report = imported(tmp_path, a_cmi5_package(structure))

    assert report.package is not None
    assert found(report.findings, code).line == line
    assert len(report.findings) == 1


def test_units_elsewhere_are_told_once_with_their_hosts(tmp_path: Path) -> None:
    units = "".join(an_au(f"urn:{n}", url=f"https://host-{n % 2}.example/{n}") for n in range(30))

    report = imported(tmp_path, a_cmi5_package(a_structure(units)))

    told = found(report.findings, "cmi5.url_elsewhere")
    assert told.facts == {"count": 30, "hosts": "host-0.example, host-1.example"}


@pytest.mark.parametrize(
    "structure",
    [
        a_structure(an_au() + an_au("urn:2") + a_block(an_au("urn:3")) + an_au("urn:4")),
        a_structure(
            objectives="<objectives><objective id='urn:o'><description><langstring>D</langstring></description>"
            "<title><langstring>T</langstring></title></objective></objectives>"
        ),
        a_structure(an_au(before_url='<objectives><objective idref="https://example.org/objective/1"/></objectives>'),
                    objectives=f"<objectives>{an_objective()}</objectives>"),
        a_structure(an_au(attributes='xml:lang="en" xmlns:v="urn:v" v:x="1"')),
        a_structure(an_au(after_url='<launchParameters a="b"><c xmlns=""/></launchParameters>')),
        a_structure(an_au(url="/index.html")),
        a_structure("<!-- a comment -->" + an_au()),
    ],
)  # fmt: skip
def test_what_the_schema_allows_needs_no_word(tmp_path: Path, structure: str) -> None:
    assert codes(imported(tmp_path, a_cmi5_package(structure))) == []


# ------------------------------------------------------------------ size


def test_a_thousand_units_and_more_are_taken(tmp_path: Path) -> None:
    units = "\n".join(an_au(f"https://example.org/{n}", url=ELSEWHERE) for n in range(3000))

    report = imported_bare(tmp_path, a_structure(units))

    assert report.package is not None
    assert len(report.package.root.units()) == 3000


def test_blocks_nest_as_deep_as_a_document_may(tmp_path: Path) -> None:
    structure = an_au()
    for depth in range(58):
        structure = a_block(structure, f"https://example.org/{depth}")

    package = read(tmp_path, a_structure(structure))

    assert len(list(package.root.walk())) == 60
    assert from_json(package.to_json()) == package


@pytest.mark.parametrize("other", ["imsmanifest.xml", "tincan.xml", "deep/imsmanifest.xml"])
def test_a_structure_at_the_root_goes_before_other_manifests(tmp_path: Path, other: str) -> None:
    assert read(tmp_path, a_structure(), **{other: b"<manifest/>"}).standard == "cmi5"
