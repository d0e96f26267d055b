"""Sentences that are written in Python and read by people, in their language.

English is the message id. ``mark`` names a sentence for the catalogues without translating it;
``Worded`` is an error whose sentence can be said in any language later.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from content_packages.limits import size_in_english


class Speaker(Protocol):
    """Something that can say a sentence in one language (:class:`lms.web.locale.Language`)."""

    def gettext(self, message: str) -> str:
        """Return *message* in this language."""
        ...

    def size(self, count_bytes: int) -> str:
        """Return a number of bytes in the unit that reads best."""
        ...

    def number(self, value: float) -> str:
        """Return a number in the digits of this language."""
        ...


class Bytes(int):
    """A fact that is a number of bytes."""

    def __str__(self) -> str:
        """Return it as it is said in English."""
        return size_in_english(self)


class Count(int):
    """A fact that is a number of things."""

    def __str__(self) -> str:
        """Return it as it is said in English."""
        return f"{int(self):,}"


def mark(message: str) -> str:
    """Return *message* as it is; the catalogues collect what stands in the call."""
    return message


def isolated(name: str) -> str:
    """Return a name so that, in another script, it does not turn the sentence around it (UAX #9)."""
    return f"\u2068{name}\u2069"


class Worded(Exception):  # noqa: N818 - a family, not an error of its own
    """An error with a sentence for the person who caused it and the facts that belong in it.

    A subclass sets ``sentence = mark("… %(name)s …")``; ``str(error)`` is the English sentence.
    """

    sentence: ClassVar[str]

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.sentence % facts if facts else self.sentence)

    def said(self, speaker: Speaker) -> str:
        """Return the sentence in the language of *speaker*."""
        sentence = speaker.gettext(self.sentence)
        facts = {name: _said(fact, speaker) for name, fact in self.facts.items()}
        return sentence % facts if facts else sentence


class FieldError(Worded):
    """What was typed into one field of a form cannot be taken; the form is shown again with it."""

    field: ClassVar[str]


def _said(fact: Any, speaker: Speaker) -> Any:
    match fact:
        case Bytes():
            return speaker.size(fact)
        case Count():
            return speaker.number(int(fact))
        case Worded():
            return fact.said(speaker)
    return fact
