"""From what a manifest writes to the file that is launched: bases, queries, sub-manifests, spellings."""

from __future__ import annotations

from pathlib import Path

import pytest

from content_packages.manifest.names import FileNames, OutsideError, merge_parameters, resolve
from content_packages.package import LaunchTarget
from tests.cmi5_builders import a_cmi5_package, a_structure, a_tincan, an_activity, an_au
from tests.package_builders import ITEM, RESOURCE_12, a_manifest_12, a_package, codes, imported


def launch_of(
    folder: Path, *, item: str = ITEM, resource: str = RESOURCE_12, **files: bytes
) -> LaunchTarget | None:
    report = imported(folder, a_package(a_manifest_12(item, resource), **files))
    assert report.package is not None, report.findings
    return report.package.root.children[0].launch


# ------------------------------------------------------------------ parameters (CAM 3.4.1.10)


@pytest.mark.parametrize(
    ("href", "parameters", "query", "fragment"),
    [
        ("index.html", "", "", ""),
        ("index.html", "?a=1", "a=1", ""),
        ("index.html", "a=1", "a=1", ""),
        ("index.html", "&amp;a=1", "a=1", ""),
        ("index.html?b=2", "?a=1", "b=2&a=1", ""),
        ("index.html?b=2", "&amp;a=1", "b=2&a=1", ""),
        ("index.html#top", "", "", "top"),
        ("index.html", "#end", "", "end"),
        ("index.html#top", "#end", "", "top"),
        ("index.html#top", "?a=1#end", "a=1", "top"),
        ("index.html", "?a=1#end", "a=1", "end"),
        ("index.html", "?a=%20x", "a=%20x", ""),
        ("index.html", "  ?a=1 ", "a=1", ""),
    ],
)
def test_parameters_are_added_to_the_address(
    tmp_path: Path, href: str, parameters: str, query: str, fragment: str
) -> None:
    launch = launch_of(
        tmp_path,
        item=f'<item identifier="one" identifierref="page" parameters="{parameters}"><title>One</title></item>',
        resource=RESOURCE_12.replace("index.html", href),
    )

    assert launch == LaunchTarget(path="index.html", query=query, fragment=fragment)


def test_two_queries_are_joined_by_one_ampersand() -> None:
    assert merge_parameters("a=1", "", "?&b=2") == ("a=1&b=2", "")


# ------------------------------------------------------------------ xml:base


@pytest.mark.parametrize(
    ("on_resources", "on_resource", "href", "path"),
    [
        ("", "", "a/b/p.html", "a/b/p.html"),
        ("a/", "", "b/p.html", "a/b/p.html"),
        ("", "a/b/", "p.html", "a/b/p.html"),
        ("a/", "b/", "p.html", "a/b/p.html"),
        ("a/", "b/", "./p.html", "a/b/p.html"),
        ("a/b/", "c/", "../p.html", "a/b/p.html"),
        ("a\\", "b\\", "p.html", "a/b/p.html"),
    ],
)
def test_bases_add_up(tmp_path: Path, on_resources: str, on_resource: str, href: str, path: str) -> None:
    manifest = a_manifest_12(
        resources=f'<resource identifier="page" type="webcontent" adlcp:scormtype="sco" '
        f'xml:base="{on_resource}" href="{href}"/>'
    ).replace("<resources>", f'<resources xml:base="{on_resources}">')

    report = imported(tmp_path, a_package(manifest, **{"a/b/p.html": b"p"}))

    assert report.package is not None, report.findings
    launch = report.package.root.children[0].launch
    assert launch is not None
    assert launch.path == path


@pytest.mark.parametrize(
    ("href", "code"),
    [
        ("../index.html", "launch.outside"),
        ("a/../../index.html", "launch.outside"),
        ("..\\index.html", "launch.outside"),
        ("https://a.b/", "launch.external"),
        ("//a.b/c", "launch.external"),
        ("mailto:author@a.b", "launch.scheme"),
    ],
)
def test_an_address_outside_the_package_refuses_it(tmp_path: Path, href: str, code: str) -> None:
    manifest = a_manifest_12(resources=RESOURCE_12.replace("index.html", href))

    report = imported(tmp_path, a_package(manifest))

    assert report.refused
    assert code in codes(report)


@pytest.mark.parametrize(
    ("base", "path", "inside"),
    [("", "/p.html", "p.html"), ("a/", "b//c.html", "a/b/c.html"), ("", "a/./b/../c", "a/c"), ("", "", ".")],
)
def test_addresses_are_tidied(base: str, path: str, inside: str) -> None:
    assert resolve(base, path) == inside


def test_leading_above_the_root_is_an_error() -> None:
    with pytest.raises(OutsideError):
        resolve("a/", "../../b")


# ------------------------------------------------------------------ spellings of names


@pytest.mark.parametrize(
    ("written", "there"),
    [
        ("My%20Page.html", "My Page.html"),
        ("My Page.html", "My Page.html"),
        ("50%25.html", "50%.html"),
        ("a%20b.html", "a%20b.html"),
        ("caf%C3%A9.html", "caf\u00e9.html"),
        ("caf%E9.html", "caf\u00e9.html"),
        ("CAF%C3%89.html", "caf\u00e9.html"),
        ("caf\u00e9.html", "caf\u0398.html"),
        ("%D9%85.html", "\u0645.html"),
        ("INDEX.HTML", "index.html"),
        ("caf\u0065\u0301.html", "caf\u00e9.html"),
        ("My Page.html", "My%20Page.html"),
        ("caf\u00e9.html", "caf%C3%A9.html"),
    ],
)
def test_a_file_is_found_as_browsers_find_it(written: str, there: str) -> None:
    assert FileNames([there]).find(written) == there


def test_the_exact_name_wins() -> None:
    assert FileNames(["A.html", "a.html"]).find("A.html") == "A.html"


def test_a_name_of_another_code_page_is_found_only_where_there_is_one(tmp_path: Path) -> None:
    assert FileNames(["caf\u0398.html", "caf\u0399.html"]).find("caf\u00e9.html") is None
    assert FileNames(["caf\u0398.html"]).find("cafe.html") is None


@pytest.mark.parametrize("name", ["C# basics.html", "a/what?.html", "50%.html", "C# 100%.html"])
def test_a_name_that_was_not_escaped_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    listed = f'href="{name}"><file href="{name}"/></resource>'
    manifest = a_manifest_12(resources=RESOURCE_12.replace('href="index.html"/>', listed))

    report = imported(tmp_path, a_package(manifest, **{name: b"p"}))

    assert report.package is not None, report.findings
    assert report.package.root.children[0].launch == LaunchTarget(path=name)
    assert set(codes(report)) <= {"launch.unescaped", "name.unportable"}


@pytest.mark.parametrize("query", ["a=../../../..", "u=https://example.net/", "u=//example.net"])
def test_a_query_is_no_path(tmp_path: Path, query: str) -> None:
    assert launch_of(
        tmp_path, resource=RESOURCE_12.replace("index.html", f"index.html?{query}")
    ) == LaunchTarget(path="index.html", query=query)


def test_the_manifest_has_a_base_too(tmp_path: Path) -> None:
    manifest = a_manifest_12(resources=RESOURCE_12.replace("index.html", "p.html")).replace(
        '<manifest identifier="m"', '<manifest identifier="m" xml:base="a/"'
    )

    report = imported(tmp_path, a_package(manifest, **{"a/p.html": b"p"}))

    assert report.package is not None, report.findings
    assert report.package.root.children[0].launch == LaunchTarget(path="a/p.html")


@pytest.mark.parametrize(
    ("href", "path", "code"),
    [
        ("Page%201.html", "Page 1.html", "file.name_encoded"),
        ("Page 1.html", "Page%201.html", "file.name_differs"),
        ("page.html?a=1", "page.html", "launch.parameters"),
        ("page.html#part", "page.html", "launch.parameters"),
    ],
)
def test_what_was_made_of_an_address_is_told(tmp_path: Path, href: str, path: str, code: str) -> None:
    manifest = a_manifest_12(resources=RESOURCE_12.replace("index.html", href))

    report = imported(tmp_path, a_package(manifest, **{path: b"p"}))

    assert report.package is not None, report.findings
    assert report.package.root.children[0].launch is not None
    assert report.package.root.children[0].launch.path == path
    assert codes(report) == [code]
    assert href in report.findings[0].detail


def test_a_difference_in_case_is_told(tmp_path: Path) -> None:
    manifest = a_manifest_12(resources=RESOURCE_12.replace("index.html", "Index.HTML"))

    report = imported(tmp_path, a_package(manifest))

    assert codes(report) == ["file.name_differs"]


def test_a_launch_file_that_is_not_there_is_told_whatever_its_query_says(tmp_path: Path) -> None:
    manifest = a_manifest_12(resources=RESOURCE_12.replace("index.html", "gone.html?a=../../.."))

    assert codes(imported(tmp_path, a_package(manifest))) == ["launch.missing"]


def test_a_launch_file_that_is_not_there_refuses(tmp_path: Path) -> None:
    manifest = a_manifest_12(resources=RESOURCE_12.replace("index.html", "lost.html"))

    report = imported(tmp_path, a_package(manifest))

    assert codes(report) == ["launch.missing"]
    assert "lost.html" in report.findings[0].detail


# ------------------------------------------------------------------ manifests inside the manifest

INNER = (
    '<manifest identifier="inner" xml:base="{base}"><organizations default="io">'
    '<organization identifier="io"><title>Inner</title>'
    '<item identifier="i1" identifierref="inner-page"><title>Inner one</title></item>'
    "{more}</organization></organizations><resources>"
    '<resource identifier="inner-page" type="webcontent" adlcp:scormtype="sco" href="p.html"/>'
    "</resources></manifest>"
)


def with_inner(items: str, inner: str) -> str:
    return a_manifest_12(items).replace("</resources></manifest>", f"</resources>{inner}</manifest>")


def test_an_item_may_refer_to_a_manifest_inside(tmp_path: Path) -> None:
    manifest = with_inner(
        '<item identifier="part" identifierref="inner"><title>Part</title></item>',
        INNER.format(base="sub/", more=""),
    )

    report = imported(tmp_path, a_package(manifest, **{"sub/p.html": b"p"}))

    assert report.package is not None, report.findings
    part = report.package.root.children[0]
    assert (part.kind, [child.title for child in part.children]) == ("block", ["Inner one"])
    assert part.children[0].launch == LaunchTarget(path="sub/p.html")
    assert codes(report) == ["manifest.submanifest"]


def test_an_item_may_refer_to_a_resource_of_a_manifest_inside(tmp_path: Path) -> None:
    manifest = with_inner(
        '<item identifier="one" identifierref="inner-page"><title>One</title></item>',
        INNER.format(base="sub/", more=""),
    )

    report = imported(tmp_path, a_package(manifest, **{"sub/p.html": b"p"}))

    assert report.package is not None, report.findings
    assert report.package.root.children[0].launch == LaunchTarget(path="sub/p.html")


def test_a_manifest_that_contains_itself_ends(tmp_path: Path) -> None:
    again = '<item identifier="again" identifierref="inner"><title>Again</title></item>'
    manifest = with_inner(
        '<item identifier="part" identifierref="inner"><title>Part</title></item>',
        INNER.format(base="", more=again),
    )

    report = imported(tmp_path, a_package(manifest, **{"p.html": b"p"}))

    assert "item.manifest_in_itself" in codes(report)
    assert report.refused


@pytest.mark.parametrize(("characters", "told"), [(7_900, []), (100_000, ["launch.too_long"])])
def test_an_address_that_could_not_be_asked_for_refuses_the_package(
    tmp_path: Path, characters: int, told: list[str]
) -> None:
    item = ITEM.replace("<item ", f"<item parameters='?a={'x' * characters}' ")

    report = imported(tmp_path, a_package(a_manifest_12(item)))

    assert codes(report) == told


@pytest.mark.parametrize(
    "name", ["setup.exe", "a.docx", "a.zip", "a.swf", "page.asp", "noext", "sub.html/noext"]
)
def test_what_a_browser_would_only_download_is_no_lesson(tmp_path: Path, name: str) -> None:
    manifest = a_manifest_12(resources=RESOURCE_12.replace("index.html", name))

    report = imported(tmp_path, a_package(manifest, **{name: b"MZ"}))

    assert report.refused
    assert [(one.code, one.file, one.line) for one in report.findings] == [
        ("launch.not_shown", "imsmanifest.xml", 2)
    ]


@pytest.mark.parametrize(
    ("files", "manifest", "line"),
    [
        (a_cmi5_package(a_structure(an_au(url="a.docx"))), "cmi5.xml", 5),
        ({"tincan.xml": a_tincan(an_activity(launch="\n<launch>a.docx</launch>")).encode()}, "tincan.xml", 4),
    ],
)
def test_what_is_no_lesson_is_told_with_its_line_in_every_standard(
    tmp_path: Path, files: dict[str, bytes], manifest: str, line: int
) -> None:
    report = imported(tmp_path, files | {"a.docx": b"PK"})

    assert [(one.code, one.file, one.line) for one in report.findings] == [
        ("launch.not_shown", manifest, line)
    ]


def test_a_lesson_that_begins_with_an_empty_file_is_refused(tmp_path: Path) -> None:
    report = imported(tmp_path, a_package() | {"index.html": b""})

    assert report.refused
    assert [(one.code, one.file) for one in report.findings] == [("launch.empty", "index.html")]


@pytest.mark.parametrize(
    ("href", "code"),
    [
        ("a\\p.html", "file.name_written"),
        ("/a/p.html", "file.name_written"),
        ("A/p.html", "file.name_differs"),
        ("a/e\u0301.html", "file.name_composed"),
    ],
)
def test_a_file_that_was_found_under_another_spelling_is_told(tmp_path: Path, href: str, code: str) -> None:
    manifest = a_manifest_12(resources=RESOURCE_12.replace("index.html", href))

    report = imported(tmp_path, a_package(manifest, **{"a/p.html": b"p", "a/\u00e9.html": b"p"}))

    assert not report.refused
    assert codes(report) == [code]


def test_what_ten_items_have_in_common_is_told_once(tmp_path: Path) -> None:
    items = "".join(ITEM.replace('"one"', f'"i{place}"') for place in range(10))
    manifest = a_manifest_12(items, resources=RESOURCE_12.replace("index.html", "index.html?a=1"))

    assert codes(imported(tmp_path, a_package(manifest))) == ["launch.parameters"]
