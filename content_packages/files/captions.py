"""Captions beside a film: WebVTT and SubRip files, whose names say the language."""

from __future__ import annotations

import re

from content_packages.package import Caption

EXTENSIONS = (".vtt", ".srt")
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?")
_BEFORE_TAG = re.compile(r"[\s._()\[\]]+")


def is_caption(path: str) -> bool:
    """Say whether a file is captions by its name."""
    return path.lower().endswith(EXTENSIONS)


def captions_of(film: str, paths: list[str]) -> tuple[Caption, ...]:
    """Return the captions in the order of their languages; a name without one says ``und``."""
    found = [Caption(path=path, language=language_in(path, film)) for path in paths]
    return tuple(sorted(found, key=lambda one: (one.language, one.path)))


def language_in(path: str, film: str = "") -> str:
    """Return the language tag a file's name ends in, in its usual spelling, or ``und``.

    >>> language_in("film.en.vtt"), language_in("film_pt-br.srt"), language_in("fr.vtt"), language_in("film.vtt")
    ('en', 'pt-BR', 'fr', 'und')
    >>> language_in("tir.vtt", film="tir.mp4")
    'und'
    """
    stem = _stem(path)
    if stem == _stem(film):
        return "und"
    last = _BEFORE_TAG.split(stem.strip(" ._()[]"))[-1]
    return _usual(last) if _TAG.fullmatch(last) else "und"


def _usual(tag: str) -> str:
    """Spell a tag as people do (RFC 5646 §2.1.1): ``zh-Hant-TW``."""
    first, *rest = tag.split("-")
    return "-".join([first.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)])


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]
