"""What a file tells of itself, beside its name."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_TITLE = 200
# What office programs write into the title where nobody gave one.
_PROGRAM = re.compile(r"^Microsoft (?:Word|PowerPoint|Excel) - ", re.IGNORECASE)
_FILE_NAME = re.compile(r"\.(?:docx?|pptx?|xlsx?|odt|odp|indd|pdf|epub|mp3|mp4|webm)$", re.IGNORECASE)
_NOTHING = frozenset({"untitled", "no title", "title", "unknown", "document", "presentation"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """Title and language tag, each empty where the file is silent."""

    title: str = ""
    language: str = ""


def title_of(told: str, file_name: str) -> str:
    """Return the title a file tells, or else what its name says.

    >>> title_of("Microsoft Word - Handbook.docx", "x.pdf"), title_of("untitled", "border_posts 2.pdf")
    ('Handbook', 'border posts 2')
    """
    own = _FILE_NAME.sub("", _PROGRAM.sub("", _tidy(told)))
    if own and own.casefold() not in _NOTHING:
        return own[:LONGEST_TITLE]
    stem = file_name.rpartition("/")[2].rpartition(".")[0] or file_name
    return (_tidy(stem.replace("_", " ")) or "?")[:LONGEST_TITLE]


def _tidy(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
