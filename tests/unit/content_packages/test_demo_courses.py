"""The sample courses: the same bytes everywhere, the elements tests rely on, nothing that needs a network."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import pytest
from lxml import html

from tests.package_builders import (
    RIGHT_ANSWERS,
    scorm12_many_scos,
    scorm12_single_sco,
    scorm2004_many_scos,
    scorm2004_single_sco,
)

COURSES: list[Callable[[], bytes]] = [
    scorm12_single_sco,
    lambda: scorm12_single_sco("ar"),
    lambda: scorm12_many_scos(6),
    scorm2004_single_sco,
    lambda: scorm2004_single_sco("ar"),
    lambda: scorm2004_many_scos(3),
]


def files(course: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(course)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def pages(course: bytes) -> list[html.HtmlElement]:
    return [html.document_fromstring(text) for name, text in files(course).items() if name.endswith(".html")]


@pytest.mark.parametrize("build", COURSES)
def test_the_same_course_is_the_same_bytes(build: Callable[[], bytes]) -> None:
    first, second = build(), build()

    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2026, 1, 1, 0, 0, 0)}
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


@pytest.mark.parametrize("build", COURSES)
def test_every_page_has_the_elements_that_tests_use(build: Callable[[], bytes]) -> None:
    for page in pages(build()):
        ids = [str(found) for found in page.xpath("//@id")]
        assert len(ids) == len(set(ids))
        assert {"page-number", "previous", "next", "check", "finish", "status"} <= set(ids)
        assert [name for name in ids if name.startswith("answer-")] == [f"answer-{n}" for n in range(1, 9)]


@pytest.mark.parametrize("build", COURSES)
def test_the_right_answers_are_right(build: Callable[[], bytes]) -> None:
    for page in pages(build()):
        right = [
            answer.get("id")
            for question in page.xpath("//fieldset")
            for answer in question.xpath(".//input")
            if answer.get("value") == question.get("data-correct")
        ]
        assert right == list(RIGHT_ANSWERS)


@pytest.mark.parametrize("build", COURSES)
def test_a_page_needs_no_inline_script_and_no_other_host(build: Callable[[], bytes]) -> None:
    course = build()

    for page in pages(course):
        assert [script.get("type") for script in page.xpath("//script[not(@src)]")] == ["application/json"]
        assert not page.xpath("//@style | //@*[starts-with(name(), 'on')] | //style")
    for name, text in files(course).items():
        if name.endswith((".html", ".js", ".css")):
            assert not re.search(r"https?://", text), name


@pytest.mark.parametrize("build", COURSES)
def test_everything_a_page_refers_to_is_in_the_package(build: Callable[[], bytes]) -> None:
    course = build()
    names = set(files(course))

    for page in pages(course):
        assert set(page.xpath("//@src | //link/@href")) <= names
    for name, text in files(course).items():
        for imported in re.findall(r'from "\./([\w.]+)"', text):
            assert f"shared/{imported}" in names, name


def test_the_arabic_course_says_that_it_is_arabic() -> None:
    (page,) = pages(scorm12_single_sco("ar"))

    assert (page.get("lang"), page.get("dir")) == ("ar", "rtl")
    assert page.xpath("string(//button[@id='next'])") == "التالي"


def test_every_language_has_the_same_questions() -> None:
    (english,), (arabic,) = pages(scorm12_single_sco()), pages(scorm12_single_sco("ar"))
    questions = "//fieldset/@id | //fieldset/@data-type | //fieldset/@data-correct | //input/@value"

    assert english.xpath(questions) == arabic.xpath(questions)


def test_there_are_as_many_units_as_asked_for_each_with_its_title() -> None:
    titles = [page.xpath("string(//title)") for page in pages(scorm12_many_scos(9))]

    assert len(titles) == len(set(titles)) == 9
