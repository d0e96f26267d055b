"""What an import keeps, and what it tells an instructor."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from content_packages.findings import Finding, finding
from content_packages.intake import Progress, read_package
from content_packages.limits import Limits
from content_packages.package import load_package
from content_packages.rules import RULES, Severity
from content_packages.shelf import Shelf
from tests.package_builders import (
    ITEM,
    a_manifest_12,
    a_manifest_2004,
    a_package,
    codes,
    imported,
    refused,
    scorm12_many_scos,
    scorm12_single_sco,
    scorm2004_many_scos,
    scorm2004_single_sco,
    zipped,
)

STORYLINE = b"<!-- Created using Storyline 3 -->"
CMI5 = "https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd"


def test_the_files_and_the_description_are_on_the_shelf(tmp_path: Path) -> None:
    report = imported(tmp_path, a_package())

    shelf = Shelf(tmp_path / "shelf")
    assert report.package is not None
    assert report.digest is not None
    assert set(shelf.digests()) == report.package.digests() | {report.digest}
    assert load_package(shelf, report.digest) == report.package


def test_the_same_package_again_is_the_same_edition(tmp_path: Path) -> None:
    first, second = imported(tmp_path, a_package()), imported(tmp_path, a_package())

    assert first == second


@pytest.mark.parametrize(
    ("files", "standard", "tool"),
    [
        (
            a_package(a_manifest_12(resources="").encode() + STORYLINE),
            ("scorm12", "1.2"),
            "Articulate Storyline 3",
        ),
        (
            {"imsmanifest.xml": a_manifest_2004(ITEM * 20_000).encode()},
            ("scorm2004", "2004 4th Edition"),
            None,
        ),
        ({"tincan.xml": STORYLINE + b"<tincan/>"}, ("xapi", ""), "Articulate Storyline 3"),
        ({"cmi5.xml": f"<courseStructure xmlns='{CMI5}'/>".encode()}, ("cmi5", "Quartz"), None),
        ({"index.html": b"<body></body>"}, ("site", "HTML"), None),
        ({"imsmanifest.xml": b"<manifest"}, None, None),
    ],
)
def test_a_refused_package_is_called_what_it_is_as_far_as_it_was_read(
    tmp_path: Path, files: dict[str, bytes], standard: tuple[str, str] | None, tool: str | None
) -> None:
    report = refused(tmp_path, files)

    assert (report.standard, report.tool) == (standard, tool)
    assert (report.to_json()["standard"], report.to_json()["edition"]) == (standard or (None, None))


AICC = {f"Course{extension}": b"x" for extension in (".CRS", ".au", ".des", ".cst")}


def test_a_package_of_aicc_is_called_by_its_name(tmp_path: Path) -> None:
    report = refused(tmp_path, {f"a/{name}": data for name, data in AICC.items()})

    assert (codes(report), report.standard) == (["package.aicc"], ("aicc", ""))


def test_pages_of_a_package_of_aicc_are_taken_with_a_word_about_it(tmp_path: Path) -> None:
    page = imported(tmp_path, AICC | {"index.html": b"<title>T</title>x"})
    both = imported(tmp_path, AICC | a_package())

    assert ("package.aicc_site" in codes(page), "package.other_manifest" in codes(both)) == (True, True)


def test_another_byte_is_another_edition(tmp_path: Path) -> None:
    first = imported(tmp_path, a_package())
    second = imported(tmp_path, a_package() | {"index.html": b"<p>Hullo</p>"})

    assert first.digest != second.digest


def test_the_name_of_the_zip_and_its_order_do_not_matter(tmp_path: Path) -> None:
    files = a_package(**{"a.css": b"p{}"})
    (tmp_path / "other name.zip").write_bytes(zipped(files))

    renamed = read_package(tmp_path / "other name.zip", Shelf(tmp_path / "shelf"))

    assert renamed.digest == imported(tmp_path, files).digest


def test_an_import_again_repairs_a_damaged_shelf(tmp_path: Path) -> None:
    report = imported(tmp_path, a_package())
    shelf = Shelf(tmp_path / "shelf")
    assert report.package is not None
    page = report.package.files["index.html"]
    shelf.path(page.digest).chmod(0o600)
    shelf.path(page.digest).write_bytes(b"x" * page.size)

    imported(tmp_path, a_package())

    shelf.verify(page.digest)


def test_a_zipped_folder_is_taken_as_the_package(tmp_path: Path) -> None:
    inner = {f"My course/{path}": data for path, data in a_package().items()}

    report = imported(tmp_path, inner | {"readme.txt": b"outside"})

    assert report.package is not None
    assert set(report.package.files) == {"imsmanifest.xml", "index.html"}
    assert codes(report) == ["package.nested_root"]


def test_two_packages_side_by_side_are_refused(tmp_path: Path) -> None:
    files = {f"{folder}/{path}": data for folder in "ab" for path, data in a_package().items()}

    assert codes(imported(tmp_path, files)) == ["package.several_manifests"]


def test_a_second_manifest_is_passed_over_and_told(tmp_path: Path) -> None:
    report = imported(tmp_path, a_package(**{"TinCan.xml": b"<tincan/>", "inner/cmi5.xml": b"<x/>"}))

    assert report.package is not None
    assert report.package.standard == "scorm12"
    assert [(one.code, one.facts) for one in report.findings] == [
        ("package.other_manifest", {"name": "imsmanifest.xml", "other": "TinCan.xml"})
    ]


def test_a_manifest_in_capitals_is_read(tmp_path: Path) -> None:
    files = a_package()
    files["IMSManifest.XML"] = files.pop("imsmanifest.xml")

    report = imported(tmp_path, files)

    assert not report.refused
    assert codes(report) == ["package.manifest_case"]


def test_a_refusal_for_the_last_file_keeps_none_of_the_others(tmp_path: Path) -> None:
    archive = bytearray(zipped(a_package(**{"z.txt": b"the last one"})))
    at = archive.index(b"the last one")
    archive[at : at + 3] = b"THE"

    report = imported(tmp_path, bytes(archive))

    assert codes(report) == ["archive.checksum"]
    assert not [path for path in (tmp_path / "shelf").rglob("*") if path.is_file()]


# ------------------------------------------------------------------ while it runs


def test_a_course_that_would_fill_the_disk_is_refused_before_a_byte_is_written(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free

    report = refused(tmp_path, a_package(), limits=Limits(min_free_bytes=2 * free))

    assert codes(report) == ["shelf.no_room"]
    assert report.findings[0].facts["setting"] == "min_free_bytes"


def test_progress_is_told_file_by_file(tmp_path: Path) -> None:
    files = a_package(**{"a.txt": b"12345"})
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(files))
    told: list[Progress] = []

    read_package(path, Shelf(tmp_path / "shelf"), progress=told.append)

    total = sum(len(data) for data in files.values())
    assert [step.files for step in told] == [1, 2, 3]
    assert told[-1] == Progress(files=3, files_total=3, size=total, size_total=total)


def test_an_import_can_be_cancelled_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(a_package()))

    def cancel(_: Progress) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        read_package(path, Shelf(tmp_path / "shelf"), progress=cancel)

    assert not [path for path in (tmp_path / "shelf").rglob("*") if path.is_file()]


# ------------------------------------------------------------------ what it tells

LOADED, LINKED = "package.external_addresses", "package.external_links"


@pytest.mark.parametrize(
    ("name", "text", "hosts", "found"),
    [
        ("a.html", b'<script src="https://cdn.example.net/a.js"></script>', {"cdn.example.net": 1}, [LOADED]),
        (
            "a.html",
            b"<img src='//i.example.net/a'><img src=http://I.example.net/b>",
            {"i.example.net": 2},
            [LOADED],
        ),
        (
            "a.html",
            b'<link rel="stylesheet" href="https://cdn.example.net/a.css">',
            {"cdn.example.net": 1},
            [LOADED],
        ),
        ("a.css", b"p{background:url(https://fonts.example.net/a.woff)}", {"fonts.example.net": 1}, [LOADED]),
        ("a.css", b'@import "https://fonts.example.net/a.css";', {"fonts.example.net": 1}, [LOADED]),
        ("a.js", b"frame.src = 'https://video.example.net/1'", {"video.example.net": 1}, [LOADED]),
        ("a.html", b'<a href="https://www.example.net/more">', {"www.example.net": 1}, [LINKED]),
        ("a.js", b'const lrs = "https://lrs.example.net:8080/xapi";', {"lrs.example.net": 1}, [LINKED]),
        (
            "a.html",
            b'<a href="https://a.example.net/"><img src="https://b.example.net/">',
            {"a.example.net": 1, "b.example.net": 1},
            [LOADED, LINKED],
        ),
        ("a.js", b'const ns = "http://www.w3.org/2000/svg";', {}, []),
        ("a.html", b"<p>See https://example.net/ if you like.</p>", {}, []),
        ("a.txt", b'"https://example.net/"', {}, []),
        (
            "a.js",
            b"x" * 262_130 + b' "https://z.example.net/a" ' + b"x" * 400,
            {"z.example.net": 1},
            [LINKED],
        ),
    ],
)
def test_addresses_on_other_hosts_are_counted(
    tmp_path: Path, name: str, text: bytes, hosts: dict[str, int], found: list[str]
) -> None:
    report = imported(tmp_path, a_package(**{name: text}))

    assert dict(report.external_hosts) == hosts
    assert codes(report) == found


def test_sizes_are_told_by_kind(tmp_path: Path) -> None:
    report = imported(tmp_path, a_package(**{"a/b.MP4": b"1234", "c.png": b"12", "noext": b"1"}))

    assert report.sizes == {"data": len(a_manifest_12()), "pages": 12, "video": 4, "images": 2, "other": 1}


def test_the_report_is_plain_values(tmp_path: Path) -> None:
    report = imported(tmp_path, {f"folder/{path}": data for path, data in a_package().items()}).to_json()

    assert report["errors"] == []
    assert report["warnings"] == []
    assert report["notes"] == [
        {
            "severity": "note",
            "code": "package.nested_root",
            "requirement": "SCORM 1.2 CAM 2.3; SCORM 2004 CAM 3.4",
            "detail": "The package lies in the folder folder/; that folder was taken as its root.",
            "file": None,
            "line": None,
            "location": None,
            "remedy": "Nothing to do.",
            "facts": {"name": "folder/"},
        }
    ]
    assert (report["standard"], report["edition"], report["title"]) == ("scorm12", "1.2", "A course")
    assert report["outline"]["children"][0]["title"] == "One"


def test_a_finding_shows_control_characters_as_escapes() -> None:
    assert (
        finding("name.control", name="a\x1b[2Jb").detail == r"The name a\x1b[2Jb holds a control character."
    )


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_rule_speaks_in_whole_sentences(code: str) -> None:
    rule = RULES[code]

    assert rule.text.rstrip("”").endswith((".", ".“"))
    assert rule.remedy.endswith(".")
    assert rule.requirement
    assert isinstance(Finding(code=code).severity, Severity)


# ------------------------------------------------------------------ the courses that come with the product


@pytest.mark.parametrize(
    ("archive", "standard", "units", "language"),
    [
        (scorm12_single_sco(), "scorm12", 1, "en"),
        (scorm12_single_sco("ar"), "scorm12", 1, "ar"),
        (scorm12_many_scos(6), "scorm12", 6, "en"),
        (scorm2004_single_sco(), "scorm2004", 1, "en"),
        (scorm2004_single_sco("ar"), "scorm2004", 1, "ar"),
        (scorm2004_many_scos(3), "scorm2004", 3, "en"),
    ],
)
def test_the_sample_courses_are_imported_without_a_word(
    tmp_path: Path, archive: bytes, standard: str, units: int, language: str
) -> None:
    report = imported(tmp_path, archive)

    assert report.package is not None
    assert report.findings == ()
    assert (report.package.standard, report.package.languages) == (standard, (language,))
    assert len(report.package.root.units()) == units
    assert report.external_hosts == {}
