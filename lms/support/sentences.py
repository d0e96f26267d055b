"""Sentences of this program with everything left out that is not its own: titles, names, paths, messages.

``lms doctor`` speaks to whoever is there, and names courses, nodes and files. Of its sentences those words are kept
that stand in the program itself, and numbers, days and ids of nodes; whatever a person may have written is three dots.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from inspect import getsource
from types import ModuleType

LEFT_OUT = "…"

_WRITTEN = re.compile(r"“[^”]*”|\([^()]*[^()0-9 ][^()]*\)")
_WORD = re.compile(r"[^\W\d_]+")
_PARTS = re.compile(r"[-'’]")
_NUMBER = re.compile(r"[0-9][0-9.,:–-]*")
_NODE = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")
_EDGES = "`.,;:?!()“”–-"


def own_words(sentence: str, said_by: Sequence[ModuleType]) -> str:
    """Return a sentence with the words of these modules alone.

    What stands in quotation marks is somebody's, and so is what a pair of brackets adds, even if the words are ours.
    """
    known = frozenset().union(*(_words_of(module) for module in said_by))
    return " ".join(_kept(word, known) for word in _WRITTEN.sub(LEFT_OUT, sentence).split())


def _kept(word: str, known: frozenset[str]) -> str:
    bare = word.strip(_EDGES)
    is_word = all(part in known for part in _PARTS.split(bare))  # "back-dated", "shelf's"
    is_ours = not bare or is_word or bare == LEFT_OUT or _NUMBER.fullmatch(bare) or _NODE.fullmatch(bare)
    return word if is_ours else LEFT_OUT


@cache
def _words_of(module: ModuleType) -> frozenset[str]:
    found = set(_WORD.findall(getsource(module)))
    return frozenset(found | {f"{one}s" for one in found})
