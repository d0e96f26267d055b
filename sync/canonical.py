"""One value, one spelling: the bytes that are hashed and signed.

Canonical JSON here is RFC 8259 in UTF-8 with sorted keys, no spaces and no floating-point numbers; ids and
codes use Crockford's base 32 in lower case, which survives being read aloud.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LOOKALIKES = str.maketrans({"o": "0", "i": "1", "l": "1"})


def canonical_json(value: Any) -> bytes:
    """Return the one spelling of ``value``.

    >>> canonical_json({"b": 1, "a": [None, "é"]}).decode()
    '{"a":[null,"é"],"b":1}'
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def base32(data: bytes) -> str:
    """Spell bytes in Crockford's base 32, lower case, without padding.

    >>> base32(bytes(5))
    '00000000'
    """
    bits = len(data) * 8
    length = -(-bits // 5)
    number = int.from_bytes(data, "big") << (length * 5 - bits)
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(length)))


def plain_code(typed: str) -> str:
    """Return what a person meant to type: case, spaces, dashes and look-alikes do not matter.

    >>> plain_code(" AbC-0O1-Il9 ")
    'abc001119'
    """
    kept = "".join(letter for letter in typed.lower() if letter.isalnum())
    return kept.translate(_LOOKALIKES)
