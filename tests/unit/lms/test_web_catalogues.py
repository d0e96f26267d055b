"""Every language of the interface is complete, and its sentences fit the places they stand in."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog, Message

from lms.web import catalogues
from lms.web.locale import SOURCE, language, languages, own_name

TAG = re.compile(r"</?\w+[^>]*>")
FACT = re.compile(r"%\((\w+)\)s|(\{[\w:]+\})")


def messages(code: str) -> list[Message]:
    return [message for message in catalogues.read(code) if message.id]


def test_no_language_has_a_gap_or_a_doubtful_sentence() -> None:
    assert catalogues.gaps(catalogues.extract()) == []


def test_a_new_sentence_is_a_gap_in_every_language() -> None:
    template = Catalog()
    template.add("A sentence that stands nowhere.")

    assert catalogues.gaps(template) == [
        f"{code}: not in the catalogue: 'A sentence that stands nowhere.'" for code in catalogues.codes()
    ]


@pytest.mark.parametrize("code", [code for code in catalogues.codes() if code != SOURCE])
def test_a_translation_keeps_every_fact_and_every_tag(code: str) -> None:
    for message in messages(code):
        if isinstance(message.string, str):
            assert sorted(FACT.findall(message.string)) == sorted(FACT.findall(message.id)), message.id
            assert TAG.findall(message.string) == TAG.findall(message.id), message.id


def test_arabic_counts_in_six_forms() -> None:
    arabic = language("ar")
    assert arabic is not None

    said = {arabic.ngettext("%(shown)s course", "%(shown)s courses", count) for count in (0, 1, 2, 3)}
    many = [arabic.ngettext("%(shown)s file", "%(shown)s files", count) for count in (11, 100)]

    assert len(said) == 4
    assert many == ["%(shown)s ملفًا", "%(shown)s ملف"]


def test_every_language_says_its_own_name_and_direction() -> None:
    assert [(one.code, one.own_name, one.direction) for one in languages()] == [
        ("en", "English", "ltr"),
        ("ar", "العربية", "rtl"),
    ]


@pytest.mark.parametrize(("code", "minus"), [("en", "-5"), ("ar", "\u200e-5")])
def test_a_minus_stays_before_its_number_in_either_direction(code: str, minus: str) -> None:
    spoken = language(code)

    assert spoken is not None
    assert (spoken.number(-5), spoken.percent(-0.05)) == (minus, f"{minus}%")
    assert spoken.number(5) == "5"


@pytest.mark.parametrize(
    ("tag", "here", "own"),
    [
        ("ar", "Arabic", "العربية"),
        ("pt_BR", "Portuguese (Brazil)", "Português (brasil)"),
        ("und", "und", None),
        ("?", "?", None),
    ],
)
def test_a_language_is_called_by_its_name_where_it_has_one(tag: str, here: str, own: str | None) -> None:
    spoken = language("en")

    assert spoken is not None
    assert (spoken.language_name(tag), own_name(tag)) == (here, own)


def test_each_string_is_said_to_stand_where_there_is_something() -> None:
    places = {place for message in catalogues.extract() for place, _ in message.locations}

    assert [place for place in sorted(places) if not (catalogues.LMS.parent / place).exists()] == []
