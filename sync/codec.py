"""Turn the entries of a segment into bytes and back, under limits. Encodings have numbers and stay for ever.

| number | encoding                                                                        |
|--------|---------------------------------------------------------------------------------|
| 1      | ``rows``, under zstd                                                            |
| 2      | ``columns``, under zstd with the dictionary ``columns_2.zdict``; bodies of text |

A newer encoding takes the next number, a module of its own (or another dictionary) and a line in ``_DECODERS``; a node
reads every number it ever wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import zstandard

from sync import columns, rows
from sync.errors import SegmentError
from sync.messages import Record

MAX_DECODED_BYTES = 16 * 1024 * 1024

# Rows by segments of 500: level 19 takes 6 s for 10,000 statements and saves 6 %. Columns leave little to compress:
# 1.3 s at any level.
_LEVELS = {1: 12, 2: 19}


def encode(records: Sequence[Record]) -> tuple[int, bytes]:
    """Return the number of the best encoding that gives these records back, and what a segment holds by it."""
    try:
        plain = columns.encode(records)
        # Held against what it was made of: nothing is sealed that could not be read again.
        if columns.decode(plain, first=records[0].seq, max_bytes=MAX_DECODED_BYTES) == list(records):
            return 2, _deflate(plain, 2)
    except ValueError:
        pass
    return 1, _deflate(rows.encode(records), 1)


def decode(payload: bytes, *, codec: int, first: int, max_bytes: int = MAX_DECODED_BYTES) -> list[Record]:
    """Return the records of a payload, numbered from ``first``.

    Raises:
        SegmentError: the encoding is unknown, damaged, or larger than ``max_bytes`` when inflated. Memory
            stays below a small multiple of ``max_bytes`` whatever the payload claims.
    """
    if codec not in _DECODERS:
        raise SegmentError("codec", f"encoding {codec} is not known to this version")
    plain = _inflate(payload, codec, max_bytes)
    try:
        return [_checked(one) for one in _DECODERS[codec](plain, first=first, max_bytes=max_bytes)]
    except columns.TooLargeError as error:
        raise SegmentError("too_large", f"it inflates to more than {max_bytes} bytes") from error
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
        raise SegmentError("damaged", f"the entries do not fit together: {error}") from error


def _checked(record: Record) -> Record:
    """Return a record whose facts are in the ranges of their kinds."""
    _text(record.kind)
    _text(record.key)
    for number in (record.schema, *record.stamp):
        _number(number)
    return record


def _deflate(plain: bytes, codec: int) -> bytes:
    compressor = zstandard.ZstdCompressor(level=_LEVELS[codec], dict_data=_dictionary(codec))
    return compressor.compress(plain)


def _inflate(payload: bytes, codec: int, max_bytes: int) -> bytes:
    try:
        inflater = zstandard.ZstdDecompressor(dict_data=_dictionary(codec), max_window_size=1 << 25)
        with inflater.stream_reader(payload) as reader:
            plain = reader.read(max_bytes + 1)
    except zstandard.ZstdError as error:
        raise SegmentError("damaged", f"it cannot be inflated: {error}") from None
    if len(plain) > max_bytes:
        raise SegmentError("too_large", f"it inflates to more than {max_bytes} bytes")
    return plain


@cache
def _dictionary(codec: int) -> zstandard.ZstdCompressionDict | None:
    if codec == 1:
        return None
    shipped = zstandard.ZstdCompressionDict(files("sync").joinpath(f"columns_{codec}.zdict").read_bytes())
    shipped.precompute_compress(level=_LEVELS[codec])
    return shipped


def _text(value: Any) -> None:
    if not isinstance(value, str) or not 1 <= len(value) <= 4096:
        raise ValueError("a name is missing or too long")


def _number(value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise ValueError("a number is out of range")


_DECODERS: dict[int, Callable[..., list[Record]]] = {1: rows.decode, 2: columns.decode}
