"""Plain web pages become a course of one unit, complete when it has been shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from content_packages.intake import ImportReport, read_package
from content_packages.package import LaunchTarget
from content_packages.shelf import Shelf
from tests.package_builders import EMPTY_MANIFEST, a_zip


def imported(folder: Path, files: dict[str, bytes]) -> ImportReport:
    return read_package(a_zip(folder / "site.zip", files), Shelf(folder / "shelf"))


def test_an_index_page_is_a_course(tmp_path: Path) -> None:
    page = b"<!doctype html><html lang=ar><title> Search &amp;\n seizure </title>"

    package = imported(tmp_path, {"index.html": page, "pictures/a.png": b"x"}).package

    assert package is not None
    assert (package.standard, package.title, package.languages) == ("site", "Search & seizure", ("ar",))
    (unit,) = package.root.units()
    assert (unit.kind, unit.launch, unit.title) == (
        "asset",
        LaunchTarget(path="index.html"),
        "Search & seizure",
    )
    assert set(package.files) == {"index.html", "pictures/a.png"}


@pytest.mark.parametrize(
    ("name", "page", "title", "codes"),
    [
        ("index.html", b"<p>Nothing", "index.html", {"site.no_title"}),
        ("INDEX.HTM", b"<title>Old</title>", "Old", {"package.manifest_case"}),
        ("unit/index.html", b"<title>In a folder</title>", "In a folder", {"package.nested_root"}),
        (
            "index.html",
            b"<meta charset=windows-1251><title>\xcf\xee\xf1\xf2</title>",
            "\u041f\u043e\u0441\u0442",
            set(),
        ),
        ("index.html", b"<meta charset=nonsense><title>Post</title>", "Post", set()),
        ("index.html", b"<title>\xff</title>", "\ufffd", set()),
    ],
)
def test_what_a_page_leaves_out_is_put_right_and_told(
    tmp_path: Path, name: str, page: bytes, title: str, codes: set[str]
) -> None:
    report = imported(tmp_path, {name: page})

    assert report.package is not None
    assert report.package.title == title
    assert {found.code for found in report.findings} == codes


def test_a_manifest_decides_over_an_index_page(tmp_path: Path) -> None:
    assert imported(tmp_path, {"index.html": b"x", "scorm/imsmanifest.xml": EMPTY_MANIFEST}).package is None
