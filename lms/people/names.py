"""Names and numbers made comparable: one person types Ａ１２ or a12, another reads Müller or MULLER."""

from __future__ import annotations

import unicodedata


def sign_in_name(personnel_number: str) -> str:
    """Return what a personnel number is compared by.

    >>> sign_in_name("  ab-１２ ") == sign_in_name("AB-12")
    True
    """
    return unicodedata.normalize("NFKC", personnel_number).strip().casefold()


def plain(text: str) -> str:
    """Return a text for sorting and searching: no case, no accents, single spaces.

    >>> plain("  Éva   MÜLLER ")
    'eva muller'
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(sign for sign in apart if not unicodedata.combining(sign)).split())
