"""SCORM 1.2 manifests: every field of an item, the outline, and what is said about mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from content_packages.package import Activity, LaunchTarget, Package
from content_packages.rules import Severity
from tests.package_builders import ITEM, RESOURCE_12, a_manifest_12, a_package, codes, imported


def one_item(folder: Path, inside: str, attributes: str = "") -> tuple[Activity, list[str]]:
    item = f'<item identifier="one" identifierref="page" {attributes}><title>One</title>{inside}</item>'
    report = imported(folder, a_package(a_manifest_12(item)))
    assert report.package is not None, report.findings
    return report.package.root.children[0], codes(report)


def package_of(folder: Path, manifest: str) -> Package:
    report = imported(folder, a_package(manifest))
    assert report.package is not None, report.findings
    return report.package


def test_an_item_says_everything_adlcp_knows(tmp_path: Path) -> None:
    inside = (
        '<adlcp:prerequisites type="aicc_script">zero&amp;(two|~three)</adlcp:prerequisites>'
        "<adlcp:maxtimeallowed>01:30:00.5</adlcp:maxtimeallowed>"
        "<adlcp:timelimitaction>exit,no message</adlcp:timelimitaction>"
        "<adlcp:datafromlms> start=3\n</adlcp:datafromlms>"
        "<adlcp:masteryscore>80</adlcp:masteryscore>"
    )

    activity, found = one_item(tmp_path, inside, 'isvisible="false"')

    assert activity == Activity(
        identifier="one",
        title="One",
        kind="sco",
        launch=LaunchTarget(path="index.html"),
        visible=False,
        prerequisites="zero&(two|~three)",
        mastery_score="80",
        max_time_allowed="01:30:00.5",
        time_limit_action="exit,no message",
        data_from_lms=" start=3\n",
    )
    assert found == ["item.prerequisites"]


@pytest.mark.parametrize(
    ("inside", "field"),
    [
        ("<adlcp:masteryscore>101</adlcp:masteryscore>", "masteryscore"),
        ("<adlcp:masteryscore>most of it</adlcp:masteryscore>", "masteryscore"),
        ("<adlcp:masteryscore>nan</adlcp:masteryscore>", "masteryscore"),
        ("<adlcp:masteryscore>1_0</adlcp:masteryscore>", "masteryscore"),
        ("<adlcp:masteryscore>٨٠</adlcp:masteryscore>", "masteryscore"),
        ("<adlcp:masteryscore>8e1</adlcp:masteryscore>", "masteryscore"),
        ("<adlcp:maxtimeallowed>90 minutes</adlcp:maxtimeallowed>", "maxtimeallowed"),
        ("<adlcp:maxtimeallowed>٠١:٣٠:٠٠</adlcp:maxtimeallowed>", "maxtimeallowed"),
        ("<adlcp:timelimitaction>explode</adlcp:timelimitaction>", "timelimitaction"),
    ],
)
def test_a_value_outside_the_standard_is_left_out_and_told(tmp_path: Path, inside: str, field: str) -> None:
    item = f'<item identifier="one" identifierref="page"><title>One</title>{inside}</item>'

    report = imported(tmp_path, a_package(a_manifest_12(item)))

    assert report.package is not None
    activity = report.package.root.children[0]
    assert (activity.mastery_score, activity.max_time_allowed, activity.time_limit_action) == (None,) * 3
    assert codes(report) == ["item.bad_value"]
    assert field in report.findings[0].detail


@pytest.mark.parametrize(
    "written", ["", "<adlcp:masteryscore/>", "<adlcp:masteryscore> </adlcp:masteryscore>"]
)
def test_an_empty_value_is_no_mistake(tmp_path: Path, written: str) -> None:
    activity, found = one_item(tmp_path, written)

    assert activity.mastery_score is None
    assert found == []


@pytest.mark.parametrize(
    ("attribute", "kind"),
    [
        ('adlcp:scormtype="sco"', "sco"),
        ('adlcp:scormtype="asset"', "asset"),
        ('adlcp:scormType="Asset"', "asset"),
        ('scormtype="asset"', "asset"),
    ],
)
def test_the_type_of_a_resource_is_read_in_every_spelling(tmp_path: Path, attribute: str, kind: str) -> None:
    resource = f'<resource identifier="page" type="webcontent" {attribute} href="index.html"/>'

    package = package_of(tmp_path, a_manifest_12(resources=resource))

    assert package.root.children[0].kind == kind


def test_a_resource_without_a_type_is_taken_for_a_sco(tmp_path: Path) -> None:
    resource = '<resource identifier="page" type="webcontent" href="index.html"/>'

    report = imported(tmp_path, a_package(a_manifest_12(resources=resource)))

    assert report.package is not None
    assert report.package.root.children[0].kind == "sco"
    assert codes(report) == ["resource.no_type"]


def test_the_outline_keeps_its_shape(tmp_path: Path) -> None:
    items = (
        '<item identifier="chapter"><title>Chapter</title>'
        '<item identifier="a" identifierref="page"><title>A</title></item>'
        '<item identifier="b"><title>Only words</title></item></item>' + ITEM
    )

    report = imported(tmp_path, a_package(a_manifest_12(items)))

    assert report.package is not None
    root = report.package.root
    assert [a.identifier for a in root.walk()] == ["o", "chapter", "a", "b", "one"]
    assert [a.identifier for a in root.units()] == ["a", "one"]
    assert root.children[0].kind == "block"
    assert codes(report) == ["item.heading"]


def test_an_item_with_a_page_and_sub_items_keeps_both(tmp_path: Path) -> None:
    items = f'<item identifier="both" identifierref="page"><title>Both</title>{ITEM}</item>'

    report = imported(tmp_path, a_package(a_manifest_12(items)))

    assert report.package is not None
    both = report.package.root.children[0]
    assert (both.kind, both.launch) == ("block", None)
    assert [(child.identifier, child.kind) for child in both.children] == [
        ("both-page", "sco"),
        ("one", "sco"),
    ]
    assert codes(report) == ["item.page_of_block"]
    assert report.findings[0].severity is Severity.NOTE


def test_pages_of_items_with_sub_items_are_counted(tmp_path: Path) -> None:
    inner = f'<item identifier="in" identifierref="page"><title>Inner</title>{ITEM}</item>'
    items = f'<item identifier="out" identifierref="page"><title>Outer</title>\n{inner}</item>'

    report = imported(tmp_path, a_package(a_manifest_12(items)))

    assert codes(report) == ["item.page_of_block"]
    assert report.findings[0].facts == {"name": "Outer", "count": 2}
    assert report.findings[0].line == 2


def test_identifiers_are_unique_afterwards(tmp_path: Path) -> None:
    nameless = '<item identifierref="page"><title>No name</title></item>'

    report = imported(tmp_path, a_package(a_manifest_12(ITEM + ITEM + nameless)))

    assert report.package is not None
    assert [a.identifier for a in report.package.root.children] == ["one", "one-2", "item-4"]
    assert codes(report) == ["item.duplicate_identifier", "item.no_identifier"]


@pytest.mark.parametrize("written", ["true", "1", "TRUE"])
def test_an_item_is_shown_unless_it_says_otherwise(tmp_path: Path, written: str) -> None:
    activity, _ = one_item(tmp_path, "", f'isvisible="{written}"')

    assert activity.visible


def test_the_default_organization_is_taken_and_the_others_named(tmp_path: Path) -> None:
    second = '<organization identifier="o2"><title>Short version</title></organization>'
    manifest = a_manifest_12().replace("</organizations>", f"{second}</organizations>")

    report = imported(tmp_path, a_package(manifest))

    assert report.package is not None
    assert report.package.title == "A course"
    assert report.package.other_organizations == ("Short version",)
    assert codes(report) == ["organization.others"]


def test_a_default_that_does_not_exist_means_the_first(tmp_path: Path) -> None:
    report = imported(tmp_path, a_package(a_manifest_12().replace('default="o"', 'default="lost"')))

    assert report.package is not None
    assert codes(report) == ["organization.default_dangling"]


def test_without_an_organization_the_scos_are_listed(tmp_path: Path) -> None:
    manifest = (
        '<manifest identifier="m" xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2" '
        'xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2"><metadata><schemaversion>1.2</schemaversion>'
        f"</metadata><organizations/><resources>{RESOURCE_12}</resources></manifest>"
    )

    report = imported(tmp_path, a_package(manifest))

    assert report.package is not None
    assert [a.title for a in report.package.root.units()] == ["index.html"]
    assert codes(report) == ["organization.missing"]


def test_an_item_that_refers_to_nothing_refuses(tmp_path: Path) -> None:
    item = '<item identifier="one" identifierref="lost"><title>One</title></item>'

    report = imported(tmp_path, a_package(a_manifest_12(item)))

    assert report.refused
    assert "item.resource_missing" in codes(report)
    assert report.findings[0].location == "imsmanifest.xml:2"


def test_listed_files_that_are_missing_are_counted(tmp_path: Path) -> None:
    files = '<file href="a.css"/><file href="index.html"/><file href="b.js"/><file href="../../c.js"/>'
    resource = RESOURCE_12.replace("/>", f">{files}</resource>")

    report = imported(tmp_path, a_package(a_manifest_12(resources=resource)))

    assert codes(report) == ["file.missing"]
    assert report.findings[0].facts == {"count": 3, "name": "a.css"}


def test_the_catalogue_gets_titles_by_language(tmp_path: Path) -> None:
    record = (
        "<imsmd:lom><imsmd:general><imsmd:title>"
        '<imsmd:langstring xml:lang="en">At the  border</imsmd:langstring>'
        '<imsmd:langstring xml:lang="ar">على الحدود</imsmd:langstring></imsmd:title>'
        "<imsmd:language>en</imsmd:language>"
        "<imsmd:description><imsmd:langstring xml:lang='x-none'>What to do</imsmd:langstring></imsmd:description>"
        "<imsmd:keyword><imsmd:langstring>border</imsmd:langstring></imsmd:keyword>"
        "</imsmd:general></imsmd:lom>"
    )

    package = package_of(tmp_path, a_manifest_12(metadata=record))

    assert package.languages == ("ar", "en")
    assert package.metadata.titles == {"en": "At the border", "ar": "على الحدود"}
    assert package.metadata.descriptions == {"und": "What to do"}
    assert package.metadata.keywords == ("border",)


SEQUENCING = '<imsss:sequencing xmlns:imsss="http://www.imsglobal.org/xsd/imsss"/>'


@pytest.mark.parametrize(
    ("manifest", "code", "facts"),
    [
        (
            a_manifest_12(ITEM.replace("</item>", "\n<adlcp:masteryscore>0.8</adlcp:masteryscore></item>")),
            "item.score_as_share",
            {"name": "One", "value": "0.8"},
        ),
        (
            a_manifest_12(
                ITEM.replace("</item>", "\n<adlcp:prerequisites>intro</adlcp:prerequisites></item>")
            ),
            "item.prerequisites",
            {"name": "intro", "count": 1},
        ),
        (a_manifest_12(f"\n{ITEM.replace('</item>', SEQUENCING + '</item>')}"), "package.edition_mixed", {}),
        (
            a_manifest_12(resources="\n" + RESOURCE_12.replace('"sco"', '"lesson"')),
            "resource.bad_type",
            {"name": "page", "value": "lesson"},
        ),
        (
            a_manifest_12(
                resources=RESOURCE_12.replace("/>", '>\n<dependency identifierref="lost"/></resource>')
            ),
            "resource.dependency_missing",
            {"name": "page", "reference": "lost", "count": 1},
        ),
        (a_manifest_12().replace("<title>A course</title>", ""), "organization.no_title", {"name": "m"}),
    ],
)
def test_what_an_author_may_not_have_meant_is_told(
    tmp_path: Path, manifest: str, code: str, facts: dict[str, str | int]
) -> None:
    report = imported(tmp_path, a_package(manifest))

    assert not report.refused
    (told,) = report.findings
    assert (told.code, told.facts) == (code, facts)
    assert told.line == (2 if code in {"package.edition_mixed", "organization.no_title"} else 3)


@pytest.mark.parametrize("score", ["0", "1.5", "80", "100"])
def test_a_score_in_points_is_taken_without_a_word(tmp_path: Path, score: str) -> None:
    assert one_item(tmp_path, f"<adlcp:masteryscore>{score}</adlcp:masteryscore>")[1] == []
