"""Every rule of cmi5 is broken once: the package is refused with its code, the line, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from content_packages.limits import Limits
from content_packages.rules import RULES, Severity
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
from tests.package_builders import codes, imported, zipped

U = "\n"
OBJECTIVE = f"<objectives>{an_objective()}</objectives>"
TITLE, DESCRIPTION = TEXTS.format("A unit").split("</title>")
TITLE += "</title>"

# What is wrong, its rule, and its line; a structure has the course in line 3, objectives in 4, units from 5.
FAULTS: dict[str, tuple[str, str, int]] = {
    "another root": ("<course/>", "cmi5.not_a_course_structure", 1),
    "no namespace": (a_structure().replace("xmlns=", "x="), "cmi5.not_a_course_structure", 2),
    "another namespace": (a_structure().replace("/v1/", "/v2/"), "cmi5.not_a_course_structure", 2),
    "an undeclared prefix": (a_structure(an_au(after_url="<v:x/>")), "cmi5.undeclared_prefix", 5),
    # The elements of the schema.
    "an element nobody knows": (a_structure(an_au(after_url="<price/>")), "cmi5.unexpected_element", 5),
    "a unit in a unit": (a_structure(an_au(after_url=an_au())), "cmi5.unexpected_element", 5),
    "an element of no namespace": (
        a_structure(an_au(after_url='<x xmlns=""/>')),
        "cmi5.unexpected_element",
        5,
    ),
    "an extension in an objective": (
        a_structure(
            objectives=OBJECTIVE.replace("</objective>", '<v:x xmlns:v="urn:v"/></objective>'),
        ),
        "cmi5.unexpected_element",
        4,
    ),
    "an extension in a text": (
        a_structure(course=COURSE.replace("A course<", 'A course<v:x xmlns:v="urn:v"/><', 1)),
        "cmi5.unexpected_element",
        3,
    ),
    "the address before the title": (
        a_structure(f'<au id="https://e.org/1"><url>index.html</url>\n{TITLE}{DESCRIPTION}</au>'),
        "cmi5.element_order",
        6,
    ),
    "the description before the title": (
        a_structure(an_au(texts=DESCRIPTION + TITLE)),
        "cmi5.element_order",
        5,
    ),
    "the key before the parameters": (
        a_structure(
            an_au(after_url="<entitlementKey>k</entitlementKey><launchParameters>p</launchParameters>")
        ),
        "cmi5.element_order",
        5,
    ),
    "objectives after the units": (a_structure(an_au() + OBJECTIVE), "cmi5.element_order", 5),
    "an element after an extension": (
        a_structure(an_au(before_url='<v:x xmlns:v="urn:v"/>')),
        "cmi5.element_order",
        5,
    ),
    "two titles": (a_structure(an_au(texts=TITLE + TITLE + DESCRIPTION)), "cmi5.element_repeated", 5),
    "two courses": (a_structure(course=COURSE + COURSE), "cmi5.element_repeated", 3),
    "two addresses": (a_structure(an_au(after_url="<url>index.html</url>")), "cmi5.element_repeated", 5),
    "no course": (a_structure(course=""), "cmi5.element_missing", 2),
    "no unit": (a_structure(""), "cmi5.no_units", 2),
    "a block without units": (a_structure(a_block("")), "cmi5.no_units", 5),
    "no description": (a_structure(an_au(texts=TITLE)), "cmi5.element_missing", 5),
    "no address": (
        a_structure(f'<au id="https://e.org/1">{TITLE}{DESCRIPTION}</au>'),
        "cmi5.element_missing",
        5,
    ),
    "a title without texts": (a_structure(an_au(texts=f"<title/>{DESCRIPTION}")), "cmi5.element_missing", 5),
    "objectives without one": (a_structure(objectives="<objectives/>"), "cmi5.element_missing", 4),
    "text where elements stand": (a_structure("Read this first:" + an_au()), "cmi5.stray_text", 2),
    "a title that is text": (
        a_structure(an_au(texts=f"<title>A unit</title>{DESCRIPTION}")),
        "cmi5.stray_text",
        5,
    ),
    # The attributes of the schema.
    "an attribute nobody knows": (
        a_structure(an_au(attributes='price="3"')),
        "cmi5.unexpected_attribute",
        5,
    ),
    "an attribute on the wrong element": (
        a_structure(f'<block id="https://e.org/b" moveOn="Passed">{TITLE}{DESCRIPTION}{an_au()}</block>'),
        "cmi5.unexpected_attribute",
        5,
    ),
    "an extension attribute on an objective": (
        a_structure(objectives=OBJECTIVE.replace("<objective ", '<objective xml:lang="en" ')),
        "cmi5.unexpected_attribute",
        4,
    ),
    "no id": (a_structure(an_au().replace('id="https://example.org/au/1"', "")), "cmi5.attribute_missing", 5),
    "a moveOn nobody knows": (a_structure(an_au(attributes='moveOn="passed"')), "cmi5.move_on", 5),
    "a mastery score above 1": (
        a_structure(an_au(attributes='masteryScore="1.1"')),
        "cmi5.mastery_score",
        5,
    ),
    "a mastery score below 0": (
        a_structure(an_au(attributes='masteryScore="-0.1"')),
        "cmi5.mastery_score",
        5,
    ),
    "a mastery score in per cent": (
        a_structure(an_au(attributes='masteryScore="80%"')),
        "cmi5.mastery_score",
        5,
    ),
    "a mastery score with an exponent": (
        a_structure(an_au(attributes='masteryScore="1e-1"')),
        "cmi5.mastery_score",
        5,
    ),
    "a mastery score that is no number": (
        a_structure(an_au(attributes='masteryScore="NaN"')),
        "cmi5.mastery_score",
        5,
    ),
    "a launch method nobody knows": (
        a_structure(an_au(attributes='launchMethod="Popup"')),
        "cmi5.launch_method",
        5,
    ),
    "a language that is none": (
        a_structure(course=COURSE.replace('"en"', '"en_US"', 1)),
        "cmi5.language",
        3,
    ),
    # 3.0: fully qualified
    "a course id without a scheme": (
        a_structure(course=COURSE.replace("https://example.org/course", "example.org/course")),
        "cmi5.iri",
        3,
    ),
    "a block id without a scheme": (a_structure(a_block(an_au(), "block/1")), "cmi5.iri", 5),
    "a unit id without a scheme": (a_structure(an_au("example.org/1")), "cmi5.iri", 5),
    "a unit id that is empty": (a_structure(an_au("")), "cmi5.iri", 5),
    "a unit id with a space": (a_structure(an_au("https://example.org/a unit")), "cmi5.iri", 5),
    "a unit id without a host": (a_structure(an_au("https:///1")), "cmi5.iri", 5),
    "a unit id whose port is a word": (a_structure(an_au("https://example.org:http/1")), "cmi5.iri", 5),
    "a unit id with half an IPv6 address": (a_structure(an_au("https://[fe80::1/1")), "cmi5.iri", 5),
    "an objective id without a scheme": (
        a_structure(objectives=f"<objectives>{an_objective('one')}</objectives>"),
        "cmi5.iri",
        4,
    ),
    "a reference without a scheme": (
        a_structure(an_au(before_url='<objectives><objective idref="one"/></objectives>')),
        "cmi5.iri",
        5,
    ),
    "an activity type without a scheme": (
        a_structure(an_au(attributes='activityType="quiz"')),
        "cmi5.iri",
        5,
    ),
    "an id of more bytes than an index takes": (
        a_structure(an_au("https://example.org/" + "\N{ARABIC LETTER MEEM}" * 1000)),
        "cmi5.id_too_long",
        5,
    ),
    # 13.1.2 to 13.1.4: unique in the whole tree
    "the id of a block in another block": (
        a_structure(
            a_block(a_block(an_au(), "https://e.org/b"), "https://e.org/a")
            + U
            + a_block(an_au("https://e.org/2"), "https://e.org/b")
        ),
        "cmi5.duplicate_block",
        6,
    ),
    "the id of a unit in another block": (
        a_structure(a_block(an_au()) + U + an_au()),
        "cmi5.duplicate_au",
        6,
    ),
    "an id that differs by white space": (
        a_structure(an_au() + U + an_au(" https://example.org/au/1 ")),
        "cmi5.duplicate_au",
        6,
    ),
    "two objectives of one id": (
        a_structure(objectives=f"<objectives>{an_objective()}{an_objective()}</objectives>"),
        "cmi5.duplicate_objective",
        4,
    ),
    # 13.1.4, 8.1, 14.1: the address of a unit
    "an empty address": (a_structure(an_au(url=" ")), "cmi5.url_empty", 5),
    "an address with a space": (a_structure(an_au(url="index .html")), "cmi5.url_characters", 5),
    "an address with a line feed": (a_structure(an_au(url="index\n.html")), "cmi5.url_characters", 5),
    "an address with a backslash": (a_structure(an_au(url="a\\index.html")), "cmi5.url_characters", 5),
    "an address with half an escape": (a_structure(an_au(url="index%2.html")), "cmi5.url_characters", 5),
    "an address without a host": (a_structure(an_au(url="https:///index.html")), "cmi5.url_form", 5),
    "an address with half a host": (a_structure(an_au(url="https://[::1/index.html")), "cmi5.url_form", 5),
    "an address without a scheme": (a_structure(an_au(url="//example.org/index.html")), "cmi5.url_form", 5),
    "an address that is a script": (
        a_structure(an_au(url="javascript://x/%0aalert(1)")),
        "cmi5.url_scheme",
        5,
    ),
    "an address on the disk": (a_structure(an_au(url="file:///etc/passwd")), "cmi5.url_scheme", 5),
    "no file of this name": (a_structure(an_au(url="other.html")), "cmi5.url_not_in_package", 5),
    "a file outside": (a_structure(an_au(url="../index.html")), "cmi5.url_not_in_package", 5),
    "a query and no file": (a_structure(an_au(url="?a=1")), "cmi5.url_not_in_package", 5),
    **{
        f"the parameter {name}": (
            a_structure(an_au(url=f"index.html?a=1&amp;{name}=x#end")),
            "cmi5.url_parameter",
            5,
        )
        for name in ("endpoint", "fetch", "actor", "registration", "activityId", "%61ctor")
    },
    "a parameter of an address elsewhere": (
        a_structure(an_au(url="https://example.org/?fetch")),
        "cmi5.url_parameter",
        5,
    ),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_structure_with_a_fault_is_refused(tmp_path: Path, what: str) -> None:
    structure, code, line = FAULTS[what]

    report = imported(tmp_path, a_cmi5_package(structure))

    assert report.package is None
    fault = next(one for one in report.findings if one.code == code)
    assert (fault.file, fault.line) == ("cmi5.xml", line)
    assert fault.severity is Severity.ERROR
    assert fault.requirement
    assert fault.remedy
    assert not (tmp_path / "shelf").exists() or not [*(tmp_path / "shelf").rglob("*.xml")]


def test_an_undeclared_prefix_is_told_once(tmp_path: Path) -> None:
    report = imported(tmp_path, a_cmi5_package(a_structure(an_au(after_url="\n<v:x/><v:y/>"))))

    assert [(one.code, one.line) for one in report.findings] == [("cmi5.undeclared_prefix", 6)]


@pytest.mark.parametrize(
    "url", ["index.html", "path/1/index.html", "index.html?a=b", "/index.html", "//host"]
)
def test_without_a_zip_each_address_must_be_complete(tmp_path: Path, url: str) -> None:
    report = imported_bare(tmp_path, a_structure(an_au(url=url)))

    assert codes(report) == ["cmi5.url_form" if url == "//host" else "cmi5.url_relative"]


def test_a_structure_in_a_folder_of_the_zip_is_refused(tmp_path: Path) -> None:
    files = {f"course/{name}": data for name, data in a_cmi5_package().items()}

    report = imported(tmp_path, files)

    assert codes(report) == ["cmi5.not_at_root"]
    assert report.findings[0].location == "course/cmi5.xml"


def test_a_zip_that_lost_its_structure_is_no_plain_site(tmp_path: Path) -> None:
    page = b'<html><head><script src="a.js"></script></head><body></body></html>'

    assert codes(imported(tmp_path, {"index.html": page, "a.js": b""})) == ["site.empty", "site.no_title"]


def test_every_fault_is_told_at_once_in_the_order_of_its_lines(tmp_path: Path) -> None:
    units = "\n".join([an_au("one", url="a b"), an_au("two", attributes='moveOn="x"'), an_au("two")])

    report = imported(tmp_path, a_cmi5_package(a_structure(units)))

    assert [(one.code, one.line) for one in report.findings] == [
        ("cmi5.iri", 5),
        ("cmi5.url_characters", 5),
        ("cmi5.iri", 6),
        ("cmi5.move_on", 6),
        ("cmi5.iri", 7),
        ("cmi5.duplicate_au", 7),
    ]


def test_of_many_faults_of_a_rule_some_are_listed_and_the_rest_counted(tmp_path: Path) -> None:
    units = "\n".join(an_au("https://example.org/same") for _ in range(5000))

    report = imported(tmp_path, a_cmi5_package(a_structure(units)))

    assert report.refused
    assert len(report.findings) == 21
    assert found(report.findings, "cmi5.more_faults").facts == {"count": 4999 - 20}


def test_blocks_nested_deeper_than_a_document_may_are_refused(tmp_path: Path) -> None:
    structure = an_au()
    for depth in range(100):
        structure = a_block(structure, f"https://example.org/{depth}")

    report = imported_bare(tmp_path, a_structure(structure))

    assert codes(report) == ["xml.too_deep"]


def test_an_element_of_very_many_attributes_is_refused_at_once(tmp_path: Path) -> None:
    attributes = " ".join(f'a{n}="1"' for n in range(90_000))

    report = imported_bare(tmp_path, a_structure(an_au(attributes=attributes)))

    assert codes(report) == ["xml.too_many_attributes"]


def test_a_structure_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    report = imported(tmp_path, a_cmi5_package(), limits=Limits(max_xml_bytes=100))

    assert codes(report) == ["xml.too_large"]


@pytest.mark.parametrize(
    "data",
    [
        b"# A course\n",
        b"<!doctype html><title>A page</title>",
        b"PK",
        b"\x00\x01",
        a_structure()[:300].encode(),
    ],
)
def test_what_is_neither_zip_nor_structure_is_refused(tmp_path: Path, data: bytes) -> None:
    report = imported_bare(tmp_path, data)

    assert report.refused
    assert all(one.remedy for one in report.findings)


def test_the_zip_of_a_refused_structure_leaves_nothing_on_the_shelf(tmp_path: Path) -> None:
    imported(tmp_path, zipped(a_cmi5_package(a_structure(""))))

    assert [path for path in (tmp_path / "shelf").rglob("*") if path.is_file()] == []


def test_each_rule_that_refuses_is_broken_above() -> None:
    rules = {
        code for code, rule in RULES.items() if code.startswith("cmi5.") and rule.severity is Severity.ERROR
    }

    assert rules - {code for _, code, _ in FAULTS.values()} == {"cmi5.not_at_root", "cmi5.url_relative"}
