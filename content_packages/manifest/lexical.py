"""The forms in which standards write values: numbers, languages, addresses (XML Schema 2 §3.2.3, §3.3; RFC 3987 §2.2).

Python reads more than they allow: ``1_0``, ``nan`` and ``٣`` are numbers to it, and a browser would take none of them.
"""

from __future__ import annotations

import re
from contextlib import suppress
from decimal import Decimal
from ipaddress import IPv6Address

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_NEVER = r"\s<>\"{}|\\^`"
_IRI = re.compile(rf"([A-Za-z][A-Za-z0-9+.-]*):(?://([^/?#{_NEVER}]*))?[^{_NEVER}]*")
_AUTHORITY = re.compile(r"(?:[^@\[\]]*@)?(?:\[(?P<ip>[0-9A-Fa-f:.]+)\]|(?P<name>[^@:\[\]]*))(?::[0-9]*)?")
_WEB = frozenset({"http", "https"})


def decimal(text: str) -> Decimal | None:
    """Return an ``xs:decimal``, which has no exponent and is no infinity."""
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def whole(text: str) -> Decimal | None:
    """Return an ``xs:integer``; however long it is, it can be held against a limit."""
    return Decimal(text) if _WHOLE.fullmatch(text) else None


def boolean(text: str) -> bool | None:
    """Return an ``xs:boolean``, in capitals too, as tools write it."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())


def is_language(text: str) -> bool:
    """Tell whether a text is an ``xs:language``."""
    return _LANGUAGE.fullmatch(text) is not None


def is_absolute_iri(text: str) -> bool:
    """Tell a fully qualified IRI from a reference (cmi5 3.0), and from one that names no host it could be on.

    >>> is_absolute_iri("https://example.org/a"), is_absolute_iri("urn:uuid:1"), is_absolute_iri("course/1")
    (True, True, False)
    >>> is_absolute_iri("https:///a"), is_absolute_iri("http:a"), is_absolute_iri("https://example.org:http/")
    (False, False, False)
    """
    found = _IRI.fullmatch(text)
    if found is None or len(text) == len(found[1]) + 1:
        return False
    needs_host = found[1].lower() in _WEB  # RFC 9110 §4.2.1
    return not needs_host if found[2] is None else _is_authority(found[2], needs_host=needs_host)


def _is_authority(text: str, *, needs_host: bool) -> bool:
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        return False
    if found["ip"] is None:
        return bool(found["name"]) or not needs_host
    with suppress(ValueError):
        return bool(IPv6Address(found["ip"]))
    return False
