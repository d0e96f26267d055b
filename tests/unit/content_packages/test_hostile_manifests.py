"""Manifests that mean harm or make no sense: one row a kind, with the code it is refused by or what is told of it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.package_builders import (
    ITEM,
    RESOURCE_12,
    a_manifest_12,
    a_manifest_2004,
    a_package,
    codes,
    imported,
    refused,
)

GOOD = a_manifest_12()
ROOT = GOOD.partition("?>")[2]


def with_doctype(doctype: str, *, title: str = "A course") -> str:
    return f"{doctype}{ROOT.replace('A course', title)}"


def with_attributes(attributes: str) -> str:
    return GOOD.replace("<manifest ", f"<manifest {attributes} ", 1)


def launching(href: str) -> str:
    return a_manifest_12(resources=RESOURCE_12.replace("index.html", href))


def based(base: str) -> str:
    return GOOD.replace("<resources>", f'<resources xml:base="{base}">')


def inner(*, item: str = "", resource: str = "") -> str:
    """Return a manifest that holds another, which an item of each may use."""
    within = (
        '<manifest identifier="inner"><organizations><organization identifier="io"><title>Inner</title>'
        f"{item}</organization></organizations><resources>{resource}</resources></manifest>"
    )
    outer = '<item identifier="part" identifierref="inner"><title>Part</title></item>'
    return a_manifest_12(ITEM + outer).replace("</resources></manifest>", f"</resources>{within}</manifest>")


AGAIN = '<item identifier="again" identifierref="inner"><title>Again</title></item>'

REFUSED: dict[str, tuple[str | bytes, str]] = {
    # ------------------------------------------------ what a document type can do
    "entity of a file": (
        with_doctype('<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]>', title="&x;"),
        "xml.dtd",
    ),
    "entity of another host": (
        with_doctype('<!DOCTYPE m [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>', title="&x;"),
        "xml.dtd",
    ),
    "parameter entity": (
        with_doctype('<!DOCTYPE m [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]>'),
        "xml.dtd",
    ),
    "entities that grow": (
        with_doctype('<!DOCTYPE m [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>', title="&b;"),
        "xml.dtd",
    ),
    "document type elsewhere": (with_doctype('<!DOCTYPE m SYSTEM "http://127.0.0.1:9/m.dtd">'), "xml.dtd"),
    "document type after a comment": (with_doctype("<!-- a --><!DOCTYPE m>"), "xml.dtd"),
    "document type in UTF-16": (with_doctype("<!DOCTYPE m>").encode("utf-16"), "xml.dtd"),
    "document type in UTF-16 without a mark": (with_doctype("<!DOCTYPE m>").encode("utf-16-be"), "xml.dtd"),
    "document type in UTF-32": (
        codecs.BOM_UTF32_LE + with_doctype("<!DOCTYPE m>").encode("utf-32-le"),
        "xml.dtd",
    ),
    "entity nobody declared": (ROOT.replace("A course", "&x;"), "xml.unknown_entity"),
    # ------------------------------------------------ what is not XML
    "nothing": (b"", "xml.empty"),
    "white space": ("  \n ", "xml.empty"),
    "words": ("This is a course.", "xml.no_element"),
    "element left open": ("<manifest>", "xml.unclosed"),
    "attribute twice": (GOOD.replace('default="o"', 'default="o" default="p"'), "xml.attribute_twice"),
    "NUL": (GOOD.replace("A course", "A\0course"), "xml.forbidden_character"),
    "character XML does not have": (GOOD.replace("A course", "&#8;"), "xml.forbidden_character"),
    "two roots": (ROOT + "<manifest/>", "xml.after_root"),
    "a zip": (b"PK\3\4" + bytes(40), "xml.no_element"),
    "EBCDIC": (GOOD.encode("cp500"), "xml.no_element"),
    "element that another ends": (GOOD.replace("</title>", "</titel>", 1), "xml.wrong_end"),
    "cut in a tag": (GOOD[: GOOD.rindex(">")], "xml.unclosed"),
    "attribute without quotation marks": (GOOD.replace('default="o"', "default=o"), "xml.attribute"),
    "attribute twice by two prefixes": (
        GOOD.replace("<manifest ", "<manifest xmlns:p='urn:x' xmlns:q='urn:x' p:a='1' q:a='2' ", 1),
        "xml.attribute_twice",
    ),
    "ampersand in a title": (GOOD.replace("A course", "Search & seizure"), "xml.bare_sign"),
    "comment left open": (GOOD.replace("<organizations", "<!-- <organizations", 1), "xml.section"),
    "prefix xml for something else": (with_attributes("xmlns:xml='urn:x'"), "xml.reserved_prefix"),
    "prefix for the namespace of xml": (
        with_attributes("xmlns:q='http://www.w3.org/XML/1998/namespace'"),
        "xml.reserved_prefix",
    ),
    "prefix for nothing": (with_attributes("xmlns:q='' q:a='1'"), "xml.empty_namespace"),
    "name of two colons": (with_attributes("a:b:c='1'"), "xml.colon"),
    "colon in an instruction": (GOOD.replace("<organizations", "<?a:b?><organizations", 1), "xml.colon"),
    "300 levels": ("<a>" * 300 + "</a>" * 300, "xml.too_deep"),
    "65 levels": ("<a>" * 65 + "</a>" * 65, "xml.too_deep"),
    # ------------------------------------------------ what is no package
    "a page": ("<html/>", "package.not_a_manifest"),
    "another standard's manifest": (
        '<manifest xmlns="http://schemas.android.com/apk/res/android"/>',
        "organization.empty",
    ),
    "Common Cartridge": (GOOD.replace("ADL SCORM", "IMS Common Cartridge"), "package.common_cartridge"),
    "no resources": (GOOD.replace(RESOURCE_12, ""), "item.resource_missing"),
    "nothing at all": (
        "<manifest identifier='m'><organizations/><resources/></manifest>",
        "organization.empty",
    ),
    "items that lead nowhere": (
        a_manifest_12('<item identifier="a"><title>A</title></item>'),
        "organization.empty",
    ),
    "manifest that uses itself": (inner(item=AGAIN), "item.manifest_in_itself"),
    # ------------------------------------------------ where a launch leads
    "script": (launching("javascript:alert(1)"), "launch.scheme"),
    "script in capitals": (launching(" JavaScript:alert(1)"), "launch.scheme"),
    "script behind a tab": (launching("java&#9;script:alert(1)"), "launch.missing"),
    "data": (launching("data:text/html,hello"), "launch.scheme"),
    "file": (launching("file:///etc/passwd"), "launch.scheme"),
    "other host": (launching("https://course.example.net/"), "launch.external"),
    "other host without a scheme": (launching("//course.example.net/a.html"), "launch.external"),
    "other host by backslashes": (launching("\\\\course.example.net\\a.html"), "launch.external"),
    "above the root": (launching("../index.html"), "launch.outside"),
    "above the root, percent-encoded": (launching("%2e%2e/index.html"), "launch.missing"),
    "above the root by xml:base": (based("../"), "launch.outside"),
    "other host by xml:base": (based("https://course.example.net/"), "launch.external"),
    "only a query": (launching("?a=1"), "launch.no_file"),
    "a folder": (launching("./"), "launch.no_file"),
    "a folder without a slash": (launching("scripts"), "launch.no_file"),
    "a disk": (launching("C:\\course\\index.html"), "launch.disk"),
    "a folder by backslash": (launching("a\\"), "launch.no_file"),
    "no file": (launching("lost.html"), "launch.missing"),
    "no href": (launching(" "), "resource.no_href"),
}

TAKEN: dict[str, tuple[str | bytes, list[str]]] = {
    "XInclude stays what it is": (
        GOOD.replace(
            "</metadata>",
            '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/></metadata>',
        ),
        [],
    ),
    "script in a title": (GOOD.replace("A course", "&lt;script&gt;alert(1)&lt;/script&gt;"), ["text.markup"]),
    "document type in a comment": (GOOD.replace("?>", "?><!-- <!DOCTYPE m> -->", 1), []),
    "document type in the text": (GOOD.replace("A course", "<![CDATA[<!DOCTYPE m>]]>"), []),
    "style sheet": (GOOD.replace("?>", '?><?xml-stylesheet href="http://127.0.0.1:9/a.xsl"?>', 1), []),
    "UTF-7 is not read as such": (
        GOOD.replace("UTF-8", "utf-7").replace("A course", "+ADw-script+AD4-"),
        ["xml.encoding"],
    ),
    "namespaces of nobody": (
        GOOD.replace("http://www.imsproject.org/xsd/imscp_rootv1p1p2", "urn:nobody"),
        ["xml.missing_namespace"],
    ),
    "namespace that is no address": (with_attributes("xmlns:v='urn x'"), ["xml.namespace_address"]),
    "query with tricks": (
        launching("index.html?next=//course.example.net/&amp;x=../.."),
        ["launch.parameters"],
    ),
    "parameters with tricks": (
        a_manifest_12(
            ITEM.replace("<title>", "<title>", 1).replace('"page"', '"page" parameters="?//a/../b#&lt;"')
        ),
        [],
    ),
    "numbers out of range": (
        a_manifest_2004(
            '<item identifier="one" identifierref="page"><title>One</title><imsss:sequencing>'
            '<imsss:limitConditions attemptLimit="-1"/><imsss:rollupRules objectiveMeasureWeight="-0.5"/>'
            '<imsss:randomizationControls selectCount="9999999999999999999" selectionTiming="once"/>'
            "</imsss:sequencing></item>"
        ),
        ["sequencing.bad_value"] * 3,
    ),
    "sequencing that refers to nothing": (
        a_manifest_2004(ITEM.replace("</item>", '<imsss:sequencing IDRef="lost"/></item>')),
        ["sequencing.dangling"],
    ),
    "identifiers twice": (a_manifest_12(ITEM + ITEM), ["item.duplicate_identifier"]),
    "resources twice": (a_manifest_12(resources=RESOURCE_12 * 2), ["resource.duplicate"]),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_manifest_that_means_harm_or_nothing_is_refused(tmp_path: Path, kind: str) -> None:
    manifest, code = REFUSED[kind]

    data = manifest.encode() if isinstance(manifest, str) else manifest
    report = refused(tmp_path, a_package() | {"imsmanifest.xml": data, "scripts/a.js": b""})

    assert code in codes(report)
    assert all(found.detail and found.remedy for found in report.findings)
    assert "root:" not in str(report.findings)


@pytest.mark.parametrize("kind", TAKEN)
def test_a_manifest_that_only_looks_harmful_is_taken(tmp_path: Path, kind: str) -> None:
    manifest, told = TAKEN[kind]

    report = imported(tmp_path, a_package(manifest))

    assert report.package is not None, report.findings
    assert codes(report) == told
    assert "root:" not in report.package.to_json().decode()


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """A server that notes what it is asked for."""
    paths: list[str] = []

    class Noting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Noting) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()


def test_no_address_in_a_manifest_is_ever_asked_for(tmp_path: Path, asked: tuple[str, list[str]]) -> None:
    address, paths = asked
    manifest = GOOD.replace("?>", f'?><?xml-stylesheet type="text/xsl" href="{address}/a.xsl"?>', 1).replace(
        ' xmlns:adlcp="',
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xi="http://www.w3.org/2001/XInclude" '
        f'xsi:schemaLocation="http://www.imsproject.org/xsd/imscp_rootv1p1p2 {address}/a.xsd" xmlns:adlcp="',
        1,
    )
    manifest = manifest.replace("</metadata>", f'<xi:include href="{address}/a.xml"/></metadata>')

    taken = imported(tmp_path, a_package(manifest))
    (tmp_path / "other").mkdir()
    typed = imported(tmp_path / "other", a_package(with_doctype(f'<!DOCTYPE m SYSTEM "{address}/m.dtd">')))

    assert (taken.refused, codes(typed)) == (False, ["xml.dtd"])
    assert paths == []


def test_ten_thousand_complaints_are_told_as_twenty_and_a_number(tmp_path: Path) -> None:
    report = imported(tmp_path, a_package(a_manifest_12(ITEM * 1000)))

    assert report.package is not None
    assert codes(report) == ["item.duplicate_identifier"] * 20 + ["report.more"]
    assert report.findings[-1].facts == {"name": "item.duplicate_identifier", "count": 979}
