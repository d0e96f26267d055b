"""The report of an import in a reader's language: sentences from rules and facts, names of languages and kinds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from content_packages.content_scan import type_of
from content_packages.findings import finding, legible
from content_packages.intake import ImportReport
from content_packages.limits import Limits
from content_packages.rules import RULES
from lms.courses.report_wording import KINDS_OF_FILES, counts_in, lessons_in, say_finding, say_report
from lms.web.locale import Language, language
from tests.package_builders import a_manifest_12, a_package, imported, raw_zip, stored

NUMBERS = {"count", "limit", "default", "ratio"}
FACT = re.compile(r"\{(\w+)(?::(\w+))?\}")


def spoken(code: str) -> Language:
    found = language(code)
    assert found is not None
    return found


def plain(sentence: str) -> str:
    """Take the isolates off that stand around names."""
    return sentence.replace("\u2068", "").replace("\u2069", "")


@pytest.mark.parametrize("code", sorted(RULES))
@pytest.mark.parametrize("tongue", ["en", "ar"])
def test_every_rule_can_be_said_with_its_facts(code: str, tongue: str) -> None:
    template = RULES[code].text + RULES[code].remedy
    facts = {
        name: 3 if form or name in {"count", "limit", "default", "ratio"} else "x"
        for name, form in FACT.findall(template)
    }

    said = say_finding(finding(code, **facts).to_json(), spoken(tongue))

    assert "{" not in said["detail"] + said["remedy"]
    assert (
        re.search("[\u0600-\u06ff]", said["detail"])
        if tongue == "ar"
        else plain(said["detail"]).isprintable()
    )


def test_a_name_in_another_script_does_not_turn_the_sentence_around(tmp_path: Path) -> None:
    one = finding("script.removed", name="showModalDialog(", count=1).to_json()

    assert "\u2068showModalDialog(\u2069" in say_finding(one, spoken("ar"))["detail"]


def test_a_limit_is_said_with_its_default_and_its_setting_in_both_languages(tmp_path: Path) -> None:
    report = imported(tmp_path, a_package(), limits=Limits(max_archive_bytes=100)).to_json()

    (english,) = say_report(report, spoken("en"))["errors"]
    (arabic,) = say_report(report, spoken("ar"))["errors"]

    assert english["detail"] == "The zip has 851 bytes; the limit is 100 bytes."
    assert plain(english["remedy"]).endswith(
        "raise LMS_MAX_ARCHIVE_BYTES (max_archive_bytes in lms.toml; by default 3.2 GB)."
    )
    assert "\u2068LMS_MAX_ARCHIVE_BYTES\u2069" in arabic["remedy"]
    assert "max_archive_bytes" in arabic["remedy"]
    assert spoken("ar").size(Limits().max_archive_bytes) in arabic["remedy"]


def test_words_of_ours_among_the_facts_are_said_in_the_language(tmp_path: Path) -> None:
    report = imported(tmp_path, raw_zip(stored("a")) + b"more").to_json()

    (arabic,) = say_report(report, spoken("ar"))["errors"]

    assert "after" not in arabic["detail"]


def test_a_finding_of_another_release_is_shown_as_it_was_written() -> None:
    old = {"code": "package.no_manifest_at_all", "detail": "There is none.", "remedy": "Export it again."}
    without_facts = {"code": "name.nul", "detail": "The name a holds a NUL.", "remedy": "Zip it again."}

    assert say_finding(old, spoken("ar")) == old
    assert say_finding(without_facts, spoken("ar")) == without_facts


def test_the_report_names_standard_languages_kinds_and_hosts(tmp_path: Path) -> None:
    manifest = a_manifest_12().replace("<title>A course", '<title xml:lang="ar">A course')
    files = a_package(manifest, **{"a.mp4": b"x" * 5000, "a.js": b"let a = 'https://cdn.example.net/'"})

    said = say_report(imported(tmp_path, files).to_json(), spoken("en"))

    assert (said["standard"], said["languages"]) == ("SCORM 1.2", ["Arabic"])
    assert said["sizes"][0] == ("Films", 5000)
    assert said["hosts"] == [("cdn.example.net", 1)]


def test_every_kind_of_file_has_a_name() -> None:
    names = {"html", "js", "css", "png", "mp4", "mp3", "woff", "pdf", "xml", "swf", "bin"}

    assert {type_of(f"a.{name}") for name in names} == set(KINDS_OF_FILES)


def test_what_was_too_much_to_be_told_is_counted_as_what_it_is() -> None:
    many = [finding("edition.unrelated", name=f"{n}", other="x") for n in range(25)]
    report = ImportReport(findings=legible([*many, finding("catalogue.read", name="a.jsonld")])).to_json()

    assert len(report["warnings"]) == 20
    assert counts_in(report) == {"errors": 0, "warnings": 25, "notes": 1}


def test_that_hosts_were_left_out_is_said() -> None:
    some, many = ({"external_hosts": {f"h{n}.example": 1 for n in range(count)}} for count in (199, 200))

    assert not say_report(some, spoken("en"))["hosts_left_out"]
    assert say_report(many, spoken("en"))["hosts_left_out"]


def test_lessons_are_counted_at_any_depth_and_blocks_are_not() -> None:
    lesson = {"kind": "sco", "children": []}
    block = {"kind": "block", "children": [lesson, {"kind": "block", "children": [lesson]}]}

    assert lessons_in({"outline": {"kind": "block", "children": [lesson, block]}}) == 3
    assert lessons_in({"outline": None}) == 0


def test_where_there_is_nothing_to_do_none_is_asked_for(tmp_path: Path) -> None:
    note = finding("catalogue.read", name="a.jsonld").to_json()

    assert say_finding(note, spoken("en"))["remedy"] == ""
