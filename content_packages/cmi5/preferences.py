"""The document ``cmi5LearnerPreferences`` (cmi5 11)."""

from __future__ import annotations

import re
from typing import Final

# RFC 5646 2.1, as far as its shape goes; whether a language exists is nobody's business here.
_TAG: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_AUDIO: Final = frozenset({"on", "off"})


def preferences_fault(content: object) -> str | None:
    """Return what is wrong with the document, ``None`` if nothing is."""
    if not isinstance(content, dict):
        return "The learner preferences are a JSON object."
    languages = content.get("languagePreference")
    if not isinstance(languages, str):
        return "languagePreference is missing."
    if not all(_TAG.fullmatch(tag.strip()) for tag in languages.split(",")):
        return "languagePreference is a list of language tags with commas between them (RFC 5646)."
    if content.get("audioPreference") not in _AUDIO:
        return 'audioPreference must be "on" or "off".'
    return None
