"""Identifiers and the other formatted strings of the standard (xAPI 1.0.3 Data §4; xAPI 2.0 §4.2.7).

Each is a pattern, checked by Pydantic's compiled matcher, and a sentence for the person whose string does not
fit. The matcher knows no look-around, so the few rules that need more than a pattern are functions.
"""

from typing import Annotated, Any

from pydantic import StringConstraints

IRI_PATTERN = r"^[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20\s<>\"{}|\\^`]+$"
MAILTO_PATTERN = r"^mailto:[^\s@:]+@[^\s@]+$"
SHA1_PATTERN = r"^[0-9A-Fa-f]{40}$"
SHA2_PATTERN = r"^(?:[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})$"
UUID_PATTERN = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[89ABab][0-9A-Fa-f]{3}-[0-9A-Fa-f]{12}$"
DURATION_PATTERN = (
    r"^P(?:[0-9]+(?:[.,][0-9]+)?W"
    r"|(?:[0-9]+(?:[.,][0-9]+)?Y)?(?:[0-9]+(?:[.,][0-9]+)?M)?(?:[0-9]+(?:[.,][0-9]+)?D)?"
    r"(?:T(?:[0-9]+(?:[.,][0-9]+)?H)?(?:[0-9]+(?:[.,][0-9]+)?M)?(?:[0-9]+(?:[.,][0-9]+)?S)?)?)$"
)
LANGUAGE_PATTERN = (  # RFC 5646 §2.1, with the irregular tags of the registry
    r"^(?:(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4}|[A-Za-z]{5,8})"
    r"(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
    r"(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*(?:-[xX](?:-[A-Za-z0-9]{1,8})+)?"
    r"|[xX](?:-[A-Za-z0-9]{1,8})+"
    r"|(?i:i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu)"
    r"|en-GB-oed|sgn-(?:BE-FR|BE-NL|CH-DE)))$"
)

V1_PATTERN = r"^1\.0(?:\.[0-9]+)?$"
ANY_VERSION_PATTERN = r"^[12]\.0(?:\.[0-9]+)?$"
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
CONTENT_TYPE_PATTERN = rf"^{_NAME}/{_NAME}[ \t]*(?:;[\t\x20-\x7E]*)?$"  # it becomes a header again

#: What to say when a string does not fit a pattern.
SENTENCES = {
    IRI_PATTERN: "must be an absolute IRI, such as 'https://example.org/course'",
    MAILTO_PATTERN: "must be a mail address as 'mailto:name@example.org'",
    SHA1_PATTERN: "must be the 40 hexadecimal digits of a SHA-1",
    SHA2_PATTERN: "must be the hexadecimal digits of a SHA-2 digest",
    UUID_PATTERN: "must be a UUID, such as '39e24cc4-69af-4b01-a824-1fdc6ea8a3af'",
    DURATION_PATTERN: "must be an ISO 8601 duration, such as 'PT1H30M'",
    LANGUAGE_PATTERN: "must be a language tag by RFC 5646, such as 'en-US'",
    CONTENT_TYPE_PATTERN: "must be an Internet media type, such as 'text/plain'",
    V1_PATTERN: "must be 1.0 or 1.0.x",
    ANY_VERSION_PATTERN: "must be 2.0.x, or 1.0.x for a statement of that version",
}

Iri = Annotated[str, StringConstraints(pattern=IRI_PATTERN)]
Mailto = Annotated[str, StringConstraints(pattern=MAILTO_PATTERN)]
Sha1 = Annotated[str, StringConstraints(pattern=SHA1_PATTERN)]
Sha2 = Annotated[str, StringConstraints(pattern=SHA2_PATTERN)]
UuidText = Annotated[str, StringConstraints(pattern=UUID_PATTERN)]
ContentType = Annotated[str, StringConstraints(pattern=CONTENT_TYPE_PATTERN)]
VersionV1 = Annotated[str, StringConstraints(pattern=V1_PATTERN)]
VersionAny = Annotated[str, StringConstraints(pattern=ANY_VERSION_PATTERN)]
LanguageTag = Annotated[str, StringConstraints(pattern=LANGUAGE_PATTERN)]
LanguageMap = dict[LanguageTag, str]
Extensions = dict[Iri, Any]
