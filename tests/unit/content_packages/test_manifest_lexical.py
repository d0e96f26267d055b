"""What is a number and what an address is said by the standards, not by Python."""

from __future__ import annotations

from decimal import Decimal

import pytest

from content_packages.manifest.lexical import decimal, is_absolute_iri, whole


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.80", "0.80"), ("+1", "1"), ("-.5", "-0.5"), ("5.", "5")]
    + [(text, None) for text in ("", "1_0", "٣", "1e2", "nan", "inf", "0x1", " 1", "1\n", "½", "1,5")],
)
def test_a_decimal_is_what_xml_schema_calls_one(text: str, number: str | None) -> None:
    assert decimal(text) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("-0", 0), ("+07", 7)] + [(text, None) for text in ("", "1_0", "٣", "7.0", "1e2", "²", "7\n")],
)
def test_a_whole_number_is_what_xml_schema_calls_an_integer(text: str, number: int | None) -> None:
    assert whole(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org",
        "https://jo@example.org:8080/a?b#c",
        "http://[2001:db8::1]:80/course",
        "https://例え.jp/講座/[1]",
        "http://example.org:/a",
        "urn:uuid:39e24cc4-69af-4b01-a824-1fdc6ea8a3af",
        "mailto:jo@example.org",
        "tag:example.org,2026:course",
        "file:///c:/course",
    ],
)
def test_an_address_with_a_scheme_is_an_absolute_iri(text: str) -> None:
    assert is_absolute_iri(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "course/1",
        "http:",
        "http://",
        "http:///a",
        "http:example.org/a",
        "http://:80/a",
        "http://jo@/a",
        "http://a@b@c/d",
        "http://example.org:port/a",
        "http://exa mple.org",
        "http://[::1/a",
        "http://[nonsense]/a",
        "http://[12345::]/a",
        "http://exa[mple.org/a",
        "urn:a b",
        "http://a.org/<b>",
        "http://a.org/b\n",
    ],
)
def test_what_names_no_place_is_none(text: str) -> None:
    assert not is_absolute_iri(text)
