"""Texts that a package gives in several languages (cmi5 13.1, ``langstring``; tincan.xml has the same attribute)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from content_packages.manifest.document import Node, collapse

NO_LANGUAGE = "und"


def by_language(nodes: Iterable[Node]) -> dict[str, str]:
    """Return the texts by language tag; of two in one language the first, for it is what others show."""
    texts: dict[str, str] = {}
    for node in nodes:
        text = node.text.strip()
        if text:
            texts.setdefault((node.get("lang") or "").strip() or NO_LANGUAGE, text)
    return texts


def titles(nodes: Iterable[Node]) -> dict[str, str]:
    """Return texts that are shown on one line."""
    return {tag: collapse(text) for tag, text in by_language(nodes).items()}


def heading(texts: Mapping[str, str], otherwise: str) -> str:
    """Return the text the author put first."""
    return next(iter(texts.values()), otherwise)
