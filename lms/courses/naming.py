"""What a course is called in a language, and what searches find it by."""

from __future__ import annotations

from collections.abc import Mapping

from lms.people.names import plain


def in_language(texts: Mapping[str, str], language: str) -> str | None:
    """Return the text in a language: with its very tag, or with one that differs in region or script.

    >>> in_language({"fr": "Fouille", "ar-EG": "تفتيش"}, "ar")
    'تفتيش'
    """
    wanted = language.replace("_", "-").casefold()
    by_tag = {tag.casefold(): text for tag, text in texts.items()}
    alike = (text for tag, text in by_tag.items() if _primary(tag) == _primary(wanted))
    return by_tag.get(wanted) or next(alike, None)


def search_key(*titles: str) -> str:
    """Return titles as they are searched, however people write capitals and accents."""
    return "\n".join(dict.fromkeys(map(plain, titles)))


def _primary(tag: str) -> str:
    return tag.partition("-")[0]
