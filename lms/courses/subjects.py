"""What courses may be about: the taxonomy that ships with the product, and what a node adds to it."""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from starlette.requests import Request

from lms.people.names import plain

#: What resolution 60/9 wants in every curriculum; any course can declare that it covers one.
COVERAGE: Final = ("human-rights", "gender", "code-of-conduct")

FILE_NAME = "subjects.toml"

log = logging.getLogger(__name__)


class SubjectsUnreadableError(Exception):
    """The file with a node's own subjects cannot be read; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """One subject: a code that stays, and what people call it, by language."""

    code: str
    labels: Mapping[str, str]

    def label(self, language: str) -> str:
        """Return what it is called in a language, in English, in any, or its code."""
        return (
            self.labels.get(language) or self.labels.get("en") or next(iter(self.labels.values()), self.code)
        )


def load_subjects(data: Path) -> Mapping[str, Subject]:
    """Return the subjects known on a node by their codes, in the order in which they stand in the files.

    Args:
        data: the data folder, which may have a ``subjects.toml`` of its own.

    Raises:
        SubjectsUnreadableError: that file is not of the right form.
    """
    return _subjects(_shipped(), _tables(str(data / FILE_NAME), _text(data / FILE_NAME)))


def subjects_known(data: Path) -> Mapping[str, Subject]:
    """Return the subjects known on a node; those that ship where its own file is wrong, for lessons need none."""
    try:
        return load_subjects(data)
    except SubjectsUnreadableError as error:
        log.warning("subjects_unreadable", extra={"problem": str(error)})
        return _subjects(_shipped())


def subjects_named(words: Iterable[str], subjects: Mapping[str, Subject]) -> tuple[str, ...]:
    """Return the codes of the subjects that words name, each word in any language, or as a code.

    >>> gender = Subject(code="gender", labels={"en": "Gender perspective", "fr": "Perspective de genre"})
    >>> subjects_named(["perspective de Genre", "borders"], {"gender": gender})
    ('gender',)
    """
    codes = {
        _comparable(name): code
        for code, subject in subjects.items()
        for name in (*subject.labels.values(), code)
    }
    named = (codes.get(_comparable(word)) for word in words)
    return tuple(dict.fromkeys(code for code in named if code))


def subjects_of(request: Request) -> Mapping[str, Subject]:
    """Return the subjects that the node knows."""
    known: Mapping[str, Subject] = request.app.state.subjects
    return known


_Tables = Mapping[str, Mapping[str, str]]  # words by language, by code


def _subjects(*sources: _Tables) -> Mapping[str, Subject]:
    labels: dict[str, dict[str, str]] = {}
    for tables in sources:
        for code, words in tables.items():
            labels.setdefault(code, {}).update(words)
    return {code: Subject(code=code, labels=words) for code, words in labels.items()}


def _shipped() -> _Tables:
    return _tables(FILE_NAME, files("lms.courses").joinpath(FILE_NAME).read_text(encoding="utf-8"))


def _comparable(name: str) -> str:
    """Return a name without what people write differently: capitals, accents, hyphens, apostrophes."""
    return " ".join(re.findall(r"\w+", plain(name)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors write the mark
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SubjectsUnreadableError(f"{path} cannot be read: {error}.") from error


def _tables(source: str, text: str) -> _Tables:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SubjectsUnreadableError(f"{source} is not TOML: {error}.") from error
    for code, words in tables.items():
        if not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
            raise SubjectsUnreadableError(
                f"{source}, line {_line_of(code, text)}: {code} must be a table of words by language, as in [{code}]."
            )
    return tables


def _line_of(code: str, text: str) -> int:
    """Return the line in which a table or a key begins, as far as one can see; the first otherwise."""
    begins = re.compile(rf"\s*\[*\s*[\"']?{re.escape(code)}\b")
    return next((number for number, line in enumerate(text.splitlines(), 1) if begins.match(line)), 1)
