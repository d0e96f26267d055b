"""Manifests as tools really write them: byte-order marks, wrong encodings, prefixes and addresses left out."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from content_packages.limits import Limits
from content_packages.manifest.document import parse
from tests.package_builders import RESOURCE_12, a_manifest_12, a_manifest_2004, a_package, codes, imported

TITLE = "Contrôle à la frontière"
MANIFEST = a_manifest_12().replace("A course", TITLE)
UTF16 = MANIFEST.replace("UTF-8", "UTF-16")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (MANIFEST.encode(), []),
        (MANIFEST.replace(' encoding="UTF-8"', "").encode(), []),
        (("\n  " + MANIFEST).encode(), []),
        (codecs.BOM_UTF8 + MANIFEST.encode(), ["xml.byte_order_mark"]),
        (codecs.BOM_UTF16_LE + UTF16.encode("utf-16-le"), ["xml.byte_order_mark"]),
        (codecs.BOM_UTF16_BE + UTF16.encode("utf-16-be"), ["xml.byte_order_mark"]),
        (codecs.BOM_UTF16_LE + MANIFEST.encode("utf-16-le"), ["xml.byte_order_mark", "xml.encoding"]),
        (codecs.BOM_UTF8 + UTF16.encode(), ["xml.byte_order_mark", "xml.encoding"]),
        (UTF16.encode("utf-16-le"), ["xml.encoding"]),
        (UTF16.encode("utf-16-be"), ["xml.encoding"]),
        (UTF16.encode(), ["xml.encoding"]),
        (codecs.BOM_UTF32_LE + MANIFEST.encode("utf-32-le"), ["xml.byte_order_mark", "xml.encoding"]),
        (MANIFEST.replace("UTF-8", "ISO-8859-1").encode("latin-1"), []),
        (MANIFEST.replace("UTF-8", "windows-1252").encode("cp1252"), []),
        (MANIFEST.encode("cp1252"), ["xml.encoding_guessed"]),
        (MANIFEST.replace("UTF-8", "no-such-thing").encode("cp1252"), ["xml.encoding_guessed"]),
        (MANIFEST.replace("UTF-8", "raw_unicode_escape").encode("cp1252"), ["xml.encoding_guessed"]),
        (MANIFEST.replace("UTF-8", "utf-7").encode("cp1252"), ["xml.encoding_guessed"]),
    ],
)
def test_a_title_is_read_whatever_the_encoding(tmp_path: Path, data: bytes, found: list[str]) -> None:
    report = imported(tmp_path, a_package(data))

    assert report.package is not None, report.findings
    assert report.package.title == TITLE
    assert codes(report) == found


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ("windows-1252", []),  # which reads these bytes alike
        ("UTF-16", ["xml.encoding"]),
        ("x-foo", ["xml.encoding"]),
        ("zlib", ["xml.encoding"]),
        ("rot13", ["xml.encoding"]),
        ("utf-7", ["xml.encoding"]),
    ],
)
def test_a_declaration_that_does_not_fit_is_told_though_every_sign_is_of_ascii(
    tmp_path: Path, declared: str, found: list[str]
) -> None:
    report = imported(tmp_path, a_package(a_manifest_12().replace("UTF-8", declared)))

    assert report.package is not None, report.findings
    assert codes(report) == found


def test_characters_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    report = imported(tmp_path, a_package(codecs.BOM_UTF8 + MANIFEST.encode("cp1252")))

    assert report.package is not None
    assert report.package.title == "Contr\ufffdle \ufffd la fronti\ufffdre"
    assert codes(report) == ["xml.byte_order_mark", "xml.damaged_characters"]
    assert report.findings[1].facts["count"] == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_document_type_is_found_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    text = '<!DOCTYPE m [<!ENTITY a "b">]>' + MANIFEST.partition("?>")[2]

    report = imported(tmp_path, a_package(text.encode(encoding)))

    assert report.refused
    assert codes(report)[0] == "xml.dtd"


def test_comments_and_instructions_before_the_root_are_no_document_type(tmp_path: Path) -> None:
    text = MANIFEST.replace("?>", "?><!-- <!DOCTYPE --><?made by?>", 1)

    assert codes(imported(tmp_path, a_package(text))) == []


def test_lines_are_counted_as_in_the_file() -> None:
    document = parse(
        b'\n<?xml version="1.0"\n encoding="UTF-8"?>\n<manifest>\n<organizations/></manifest>',
        file="imsmanifest.xml",
        limits=Limits(),
        findings=[],
    )

    assert (document.root.line, document.root.children[0].line) == (4, 5)


# ------------------------------------------------------------------ prefixes and addresses

ADLCP_12 = ' xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2"'
ADLCP_2004 = ' xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_v1p3"'
VERSION_12 = "<schemaversion>1.2</schemaversion>"


@pytest.mark.parametrize(
    ("manifest", "standard"),
    [
        (a_manifest_12().replace(ADLCP_12, ""), "scorm12"),
        (a_manifest_12().replace(ADLCP_12, "").replace(VERSION_12, ""), "scorm12"),
        (a_manifest_2004().replace(ADLCP_2004, ""), "scorm2004"),
        (
            a_manifest_2004()
            .replace(ADLCP_2004, "")
            .replace("<schemaversion>2004 4th Edition</schemaversion>", ""),
            "scorm2004",
        ),
    ],
)
def test_an_undeclared_prefix_follows_the_standard_of_its_manifest(
    tmp_path: Path, manifest: str, standard: str
) -> None:
    manifest = manifest.replace('"sco"', '"asset"')

    report = imported(tmp_path, a_package(manifest))

    assert report.package is not None, report.findings
    assert report.package.standard == standard
    assert report.package.root.children[0].kind == "asset"
    assert codes(report)[0] == "xml.undeclared_prefix"


def test_a_prefix_nobody_knows_does_no_harm(tmp_path: Path) -> None:
    manifest = a_manifest_12().replace("</metadata>", '<acme:note acme:by="tool">x</acme:note></metadata>')

    report = imported(tmp_path, a_package(manifest))

    assert report.package is not None
    assert codes(report) == ["xml.undeclared_prefix"]


def test_an_undeclared_prefix_is_told_with_its_first_line_once(tmp_path: Path) -> None:
    manifest = a_manifest_12().replace("</metadata>", "</metadata>\n<v:a/><v:b v:c='1'/>\n<é:a/>")

    report = imported(tmp_path, a_package(manifest))

    assert [(one.facts["prefix"], one.line) for one in report.findings] == [("v", 3), ("é", 4)]


def test_a_prefix_is_found_behind_any_number_of_others(tmp_path: Path) -> None:
    often = "<v:a/>" * 200  # the parser itself tells of the first hundred
    manifest = a_manifest_12().replace("</metadata>", f"{often}<w:a/></metadata>")

    report = imported(tmp_path, a_package(manifest))

    assert [one.facts["prefix"] for one in report.findings] == ["v", "w"]


def test_a_manifest_without_namespaces_is_read(tmp_path: Path) -> None:
    resource = RESOURCE_12.replace("adlcp:", "")
    manifest = a_manifest_12(resources=resource).replace(
        ' xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2"', ""
    )

    report = imported(tmp_path, a_package(manifest))

    assert report.package is not None, report.findings
    assert report.package.root.children[0].kind == "sco"
    assert codes(report) == ["xml.missing_namespace"]


@pytest.mark.parametrize(
    ("manifest", "standard", "edition"),
    [
        (a_manifest_12().replace(VERSION_12, ""), "scorm12", "1.2"),
        (a_manifest_12().replace("1.2</schemaversion>", "</schemaversion>"), "scorm12", "1.2"),
        (
            a_manifest_12().replace(f"<metadata><schema>ADL SCORM</schema>{VERSION_12}</metadata>", ""),
            "scorm12",
            "1.2",
        ),
        (a_manifest_2004(edition=""), "scorm2004", "2004 3rd Edition"),
    ],
    ids=["no version", "empty version", "no metadata", "no version, 2004"],
)
def test_without_a_schema_version_the_namespaces_tell_the_standard(
    tmp_path: Path, manifest: str, standard: str, edition: str
) -> None:
    report = imported(tmp_path, a_package(manifest))

    assert report.package is not None, report.findings
    assert (report.package.standard, report.package.edition) == (standard, edition)
    assert codes(report) == ["package.edition_missing"]


def test_a_schema_version_of_the_organization_is_that_of_the_manifest(tmp_path: Path) -> None:
    said = f"<metadata><schema>ADL SCORM</schema>{VERSION_12}</metadata>"
    manifest = (
        a_manifest_12().replace(said, "<metadata/>").replace("</organization>", f"{said}</organization>")
    )

    assert codes(imported(tmp_path, a_package(manifest))) == []


def test_another_address_behind_a_known_prefix_is_taken(tmp_path: Path) -> None:
    manifest = a_manifest_12(resources=RESOURCE_12.replace('"sco"', '"asset"')).replace(
        "http://www.adlnet.org/xsd/adlcp_rootv1p2", "http://www.example.com/adlcp"
    )

    report = imported(tmp_path, a_package(manifest))

    assert report.package is not None
    assert report.package.root.children[0].kind == "asset"


def test_a_manifest_that_is_too_large_is_told_with_its_own_size(tmp_path: Path) -> None:
    data = MANIFEST.encode()

    report = imported(tmp_path, {"imsmanifest.xml": data}, limits=Limits(max_xml_bytes=100))

    assert [found.facts["size"] for found in report.findings] == [len(data)]


@pytest.mark.parametrize(
    ("data", "limits", "code"),
    [
        (MANIFEST.encode(), Limits(max_xml_bytes=100), "xml.too_large"),
        (b"<m>" + b"<a/>" * 50 + b"</m>", Limits(max_xml_nodes=40), "xml.too_many_nodes"),
        (b"<m>" + b"<a/>" * 500 + b"</m>", Limits(max_xml_nodes=40), "xml.too_many_nodes"),
        (b"<a>" * 9 + b"</a>" * 9, Limits(max_xml_depth=8), "xml.too_deep"),
    ],
)
def test_each_limit_of_a_manifest_has_its_own_refusal(
    tmp_path: Path, data: bytes, limits: Limits, code: str
) -> None:
    report = imported(tmp_path, {"imsmanifest.xml": data}, limits=limits)

    assert report.refused
    assert code in codes(report)
