"""Plain web pages become a course of one unit, complete when it has been shown."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_packages.intake import ImportReport, read_package
from content_packages.package import LaunchTarget, Metadata
from content_packages.schema_org import read_schema_org
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


SAID = """
{"@context": "https://schema.org", "@graph": [{"@type": "Organization", "name": "Nobody"},
 {"@type": ["Course", "LearningResource"], "name": [{"@value": "Fouille", "@language": "fr"}, " Search "],
  "description": "How to\\n search", "keywords": "search, seizure,search", "version": 2, "timeRequired": "PT1H30M",
  "license": "https://creativecommons.org/licenses/by/4.0/", "provider": {"@type": "Organization", "name": "Academy"}}]}
"""


def a_page(said: str) -> bytes:
    head = f"<html lang=en><title>A page</title><script type='application/ld+json'>{said}</script>"
    return f"<!doctype html>{head}<p>Hello".encode()


def test_what_a_page_says_to_catalogues_is_taken_over(tmp_path: Path) -> None:
    package = imported(tmp_path, {"index.html": a_page(SAID)}).package

    assert package is not None
    assert package.title == "A page"
    assert package.metadata == Metadata(
        titles={"fr": "Fouille", "en": "Search"},
        descriptions={"en": "How to\n search"},
        keywords=("search", "seizure"),
        version="2",
        minutes=90,
        rights="https://creativecommons.org/licenses/by/4.0/",
        publisher="Academy",
    )


def test_all_that_a_page_says_is_taken_over(tmp_path: Path) -> None:
    said = {
        "@type": "Course",
        "name": "Search",
        "about": [{"@type": "DefinedTerm", "termCode": "ISCED 1032", "name": "Protection"}, "Gender"],
        "keywords": {"@type": "DefinedTerm", "name": [{"@value": "Genre", "@language": "fr"}]},
        "audience": [
            {"@type": "EducationalAudience", "educationalRole": "student"},
            {"@type": "Audience", "audienceType": "Border officers"},
        ],
        "author": {"@type": "Person", "name": "Jo", "email": "mailto:jo@example.org"},
        "publisher": "Academy",
        "license": {"@type": "CreativeWork", "url": "https://creativecommons.org/licenses/by/4.0/"},
        "version": "2.1 beta",
        "releaseNotes": "New films",
        "inLanguage": ["en", {"@type": "Language", "name": "Arabic", "alternateName": "ar"}, "not a tag"],
    }

    package = imported(tmp_path, {"index.html": a_page(json.dumps(said))}).package

    assert package is not None
    assert package.languages == ("ar", "en")
    assert package.metadata == Metadata(
        titles={"en": "Search"},
        keywords=("ISCED 1032", "Protection", "Gender", "Genre"),
        audience="student, Border officers",
        contact="Jo, jo@example.org",
        publisher="Academy",
        rights="https://creativecommons.org/licenses/by/4.0/",
        version="2.1 beta",
        version_notes="New films",
        languages=("en", "ar"),
    )


@pytest.mark.parametrize(
    "said",
    [
        "",
        "{",
        "[]",
        "7",
        '"Course"',
        '{"@type": 7}',
        '{"@type": "Recipe", "name": "x"}',
        '{"@graph": [[], null]}',
    ],
)
def test_nonsense_to_catalogues_is_passed_over(tmp_path: Path, said: str) -> None:
    package = imported(tmp_path, {"index.html": a_page(said)}).package

    assert package is not None
    assert package.metadata == Metadata(titles={"en": "A page"})


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.floats(allow_nan=False)
        | st.text(max_size=5)
        | st.sampled_from(["Course"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "@type",
                        "@graph",
                        "name",
                        "keywords",
                        "about",
                        "termCode",
                        "timeRequired",
                        "provider",
                        "contactPoint",
                        "email",
                        "audience",
                        "inLanguage",
                        "releaseNotes",
                        "license",
                        "@value",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_whatever_stands_there_is_read_or_passed_over(said: object) -> None:
    read_schema_org(a_page(json.dumps(said).replace("<", "")).decode(), "en")


@pytest.mark.parametrize(
    ("name", "page", "title", "codes"),
    [
        ("index.html", b"<p>Nothing", "index.html", {"site.no_title"}),
        ("INDEX.HTM", b"<title>Old</title>", "Old", {"site.name_case"}),
        ("unit/index.html", b"<title>In a folder</title>", "In a folder", {"package.nested_root"}),
        (
            "index.html",
            b"<meta charset=windows-1251><title>\xcf\xee\xf1\xf2</title>",
            "\u041f\u043e\u0441\u0442",
            set(),
        ),
        ("index.html", b"<meta charset=nonsense><title>Post</title>", "Post", set()),
        ("index.html", b"<meta charset=undefined><title>Post</title>", "Post", set()),
        ("index.html", b"<meta charset=punycode><title>Post \xff</title>", "Post \ufffd", set()),
        ("index.html", b"<meta charset=idna><title>Post..\xff</title>", "Post..\ufffd", set()),
        ("index.html", b"<meta charset=unicode_escape><title>Post \\x3C</title>", "Post \\x3C", set()),
        ("index.html", b"<meta charset=rot13><title>Post</title>", "Post", set()),
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


@pytest.mark.parametrize(
    ("begins", "goes_on"),
    [
        ("", "<body><!--"),
        ("", "<!--"),
        ("", "<title>"),
        ("", "<script>"),
        ("", "<script type=application/ld+json>"),
        ("<script", " type=application/ld+json"),
        ("<html", " lang="),
    ],
)
def test_a_page_of_nothing_but_beginnings_is_read_at_once(tmp_path: Path, begins: str, goes_on: str) -> None:
    page = f"<title>a</title>{begins}{goes_on * 6400}".encode()
    began = time.process_time()

    report = imported(tmp_path, {"index.html": page})

    assert report.package is not None
    assert time.process_time() - began < 1  # it took seconds, with nobody else served


@pytest.mark.parametrize(
    ("body", "empty"),
    [
        ("", True),
        (" <!-- a --> \n<!-- <p>b</p> -->", True),
        ("<!-- a --> b <!-- c -->", False),
        ("<!-- a --><p>b<!-- c -->", False),
        ("<!-- a", False),
    ],
)
def test_a_page_that_shows_nothing_is_no_site(tmp_path: Path, body: str, empty: bool) -> None:
    report = imported(tmp_path, {"index.html": f"<title>a</title><body class=x>{body}</body>".encode()})

    assert (report.package is None) == empty


@pytest.mark.parametrize(
    ("meta", "is_taken"),
    [
        ('<meta http-equiv="refresh" content="0;url=pages/one.html">', True),
        ("<META content='0; URL=pages/one.html?a=1' http-equiv='refresh'>", True),
        ("<meta http-equiv=refresh content=\"0; url='Pages/One.html#top'\">", True),
        ('<meta http-equiv="refresh" content="0;url=pages/two.html">', False),
        ('<meta http-equiv="refresh" content="0;url=../pages/one.html">', False),
    ],
)
def test_a_page_that_shows_nothing_may_lead_to_one_that_does(
    tmp_path: Path, meta: str, is_taken: bool
) -> None:
    page = f"<html><head><title>Course</title>{meta}</head><body></body></html>".encode()

    report = imported(tmp_path, {"index.html": page, "pages/one.html": b"<p>One"})

    assert report.refused is not is_taken
