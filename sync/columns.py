"""Entries as columns: encoding 2 of a segment (``codec`` has the list).

A body that is JSON is cut into a *template*, which is the text with every scalar taken out, and the scalars.
Thousands of statements share a few dozen templates, and the scalars that stand at one path form a column, in which the
same value again, times in a row, and ids that no table could shorten each have a form of their own. Nothing is parsed
into objects, so what comes back is the same text to the byte, whatever it was.

Layout, before zstd. Numbers are LEB128 varints, signed ones in zigzag; a text is its length in bytes and UTF-8::

    entries     number
    templates   number, then each a text; a scalar is the byte 0
    which       column of template numbers, one an entry
    facts       columns kind, schema, key, wall, counter: one value an entry
    scalars     a column for each path, in the order in which the templates first have it; a value wherever an
                entry's template has the path

    column      form (one byte), length in bytes, content

| form | content                                                                      | of values that are         |
|------|------------------------------------------------------------------------------|----------------------------|
| 0    | a text                                                                       | all the same               |
| 1    | number of the column                                                         | the same as another's      |
| 2    | 16 bytes each                                                                | UUIDs, each once           |
| 3    | number of UUIDs, 16 bytes each; then one number a value                      | UUIDs, some again          |
| 4    | digits of a second's fraction, a text (zone); then signed differences        | times (RFC 3339)           |
| 5    | signed differences                                                           | whole numbers              |
| 6    | number of texts, each; then one number a value                               | texts, some again          |
| 7    | lengths in characters; then all texts as one                                 | texts                      |
| 8    | column of the texts with a byte 0 for each UUID; column of the UUIDs         | texts with UUIDs in them   |

Differences are to the value before, the first to 0; a time counts in its fraction's unit from 1970.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, chain, pairwise
from typing import Final

from sync.clock import Stamp
from sync.messages import Record

_SCALAR: Final = "\0"
# A string that no colon follows is a scalar; its quotation marks stay in the template.
_TOKEN = re.compile(
    r'"((?:[^"\\\x00]|\\[^\x00])*+)"(?!\s*+:)|(-?[0-9][0-9.eE+-]*|true|false|null)|"(?:[^"\\\x00]|\\[^\x00])*+"\s*+:'
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]00:00)")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,15}")
_START = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_NUMBER_BYTES = 10
_FACTS: Final = 5
_MOST_SCALARS: Final = 1_000_000  # of all entries together: each costs some 70 bytes while it is read


class TooLargeError(ValueError):
    """The bodies, or the values in them, are more than a segment may hold."""


def encode(records: Sequence[Record]) -> bytes:
    """Return the entries as columns, not yet compressed.

    Raises:
        ValueError: a body is no text of UTF-8, or holds the byte that marks a scalar.
        TooLargeError: together they hold more scalars than are read.
    """
    templates: dict[str, int] = {}
    which: list[str] = []
    paths = _Paths()
    scalars: list[list[str]] = []
    for record in records:
        template, found = _cut(record.body.decode("utf-8"))
        which.append(str(templates.setdefault(template, len(templates))))
        for column, scalar in zip(paths.columns(template), found, strict=True):
            if column == len(scalars):
                scalars.append([])
            scalars[column].append(scalar)
    if sum(map(len, scalars)) > _MOST_SCALARS:
        raise TooLargeError("too many values")
    facts = (
        [record.kind for record in records],
        [str(record.schema) for record in records],
        [record.key for record in records],
        [str(record.stamp.wall_ms) for record in records],
        [str(record.stamp.counter) for record in records],
    )
    columns = _write_columns([which, *facts, *scalars])
    return b"".join((_number(len(records)), _number(len(templates)), *map(_text, templates), *columns))


def decode(data: bytes, *, first: int, max_bytes: int) -> list[Record]:
    """Return the entries of what ``encode`` wrote, numbered from ``first``.

    Raises:
        ValueError, LookupError, OverflowError, RecursionError: the data is damaged.
        TooLargeError: its bodies have more than ``max_bytes`` together. Memory stays below a small multiple of that and
            of the data's own length.
    """
    reader = _Reader(data)
    entries = reader.number(most=_MOST_SCALARS)
    templates = [reader.text() for _ in range(reader.number(most=len(data)))]
    read = _ColumnReader(reader, room=max_bytes)
    which = [int(number) for number in read.column(entries)]
    if which and not 0 <= min(which) <= max(which) < len(templates):
        raise ValueError("an entry has no template")
    facts = [read.column(entries) for _ in range(_FACTS)]
    if sum(len(templates[number]) for number in which) > max_bytes:  # before anything is made of them
        raise TooLargeError("the templates alone are too large")
    paths = _Paths()
    places = [paths.columns(template) for template in templates]
    values = [0] * len(paths)
    for number in which:
        for column in places[number]:
            values[column] += 1
    if sum(values) > _MOST_SCALARS:
        raise TooLargeError("too many values")
    scalars = [iter(read.column(count)) for count in values]
    reader.end()
    pieces = [template.split(_SCALAR) for template in templates]
    return list(_records(pieces, which, facts, places, scalars, first=first, max_bytes=max_bytes))


def _records(
    pieces: Sequence[Sequence[str]],
    which: Sequence[int],
    facts: Sequence[Iterable[str]],
    places: Sequence[Sequence[int]],
    scalars: Sequence[Iterator[str]],
    *,
    first: int,
    max_bytes: int,
) -> Iterator[Record]:
    left = max_bytes
    for seq, (number, kind, schema, key, wall, counter) in enumerate(zip(which, *facts, strict=True), first):
        found = chain((next(scalars[column]) for column in places[number]), [""])
        body = "".join(chain.from_iterable(zip(pieces[number], found, strict=True))).encode()
        left -= len(body)
        if left < 0:
            raise TooLargeError("the bodies are too large")
        yield Record(
            seq=seq, kind=kind, key=key, schema=int(schema), body=body, stamp=Stamp(int(wall), int(counter))
        )


def _cut(text: str) -> tuple[str, list[str]]:
    """Return template and scalars of a body."""
    if _SCALAR in text:
        raise ValueError("the body holds the byte that marks a scalar")
    pieces: list[str] = []
    found: list[str] = []
    at = 0
    for token in _TOKEN.finditer(text):
        group = token.lastindex
        if group is not None:
            start, end = token.span(group)
            pieces.append(text[at:start])
            found.append(text[start:end])
            at = end
    pieces.append(text[at:])
    return _SCALAR.join(pieces), found


class _Paths:
    """Which column each scalar of a template belongs to: one for each path, numbered as they are first met.

    A path is a place in a tree of keys and indexes, so that a deep template costs no more than a long one.
    """

    _MARK = re.compile(r'"((?:[^"\\\x00]|\\[^\x00])*+)"\s*+:|[{}\[\],\x00]')

    def __init__(self) -> None:
        self._places: dict[tuple[int, str | int], int] = {}
        self._columns: dict[int, int] = {}
        self._known: dict[str, list[int]] = {}

    def __len__(self) -> int:
        """Return how many columns there are."""
        return len(self._columns)

    def columns(self, template: str) -> list[int]:
        """Return the columns of a template's scalars, in their order."""
        known = self._known.get(template)
        if known is None:
            known = self._known[template] = [
                self._columns.setdefault(place, len(self._columns)) for place in self._walk(template)
            ]
        return known

    def _walk(self, template: str) -> Iterator[int]:
        above: list[tuple[int, str | int]] = []
        place = 0
        step: str | int = ""
        for mark in self._MARK.finditer(template):
            sign = mark.group()
            if sign == _SCALAR:
                yield self._place(place, step)
            elif sign in {"{", "["}:
                above.append((place, step))
                place, step = self._place(place, step), "" if sign == "{" else 0
            elif sign in {"}", "]"}:
                place, step = above.pop() if above else (0, "")
            elif sign == ",":
                step = step + 1 if isinstance(step, int) else step
            else:
                step = mark[1]

    def _place(self, above: int, step: str | int) -> int:
        return self._places.setdefault((above, step), len(self._places) + 1)


# ---------------------------------------------------------------- columns


def _write_columns(columns: Sequence[Sequence[str]]) -> Iterator[bytes]:
    seen: dict[tuple[str, ...], int] = {}
    for number, values in enumerate(columns):
        same = seen.setdefault(tuple(values), number)
        yield _written(_SAME, _number(same)) if same != number else _write_column(values)


def _write_column(values: Sequence[str]) -> bytes:
    if values and values.count(values[0]) == len(values):
        return _written(_ALL_ONE, _text(values[0]))
    fitting = ((form, write(values)) for form, write in _WRITERS.items())
    return next(_written(form, content) for form, content in fitting if content is not None)


def _written(form: int, content: bytes) -> bytes:
    return bytes((form,)) + _number(len(content)) + content


class _ColumnReader:
    """Reads columns one after another; those before may be named by one that is the same.

    Args:
        reader: stands at the first column.
        room: the most characters that may be put together from parts of the data.
    """

    def __init__(self, reader: _Reader, *, room: int) -> None:
        self._reader = reader
        self._room = room
        self._before: list[Sequence[str]] = []

    def column(self, count: int) -> Sequence[str]:
        """Return the next column, of so many values."""
        form = self._reader.byte()
        content = self._reader.take(self._reader.number(most=len(self._reader)))
        values = self._values(form, content, count)
        if len(values) != count:
            raise ValueError("a column has not as many values as there are places for them")
        self._before.append(values)
        return values

    def _values(self, form: int, content: bytes, count: int) -> Sequence[str]:
        if form == _ALL_ONE:
            return [_Reader(content).text()] * count
        if form == _SAME:
            return self._before[_Reader(content).number(most=len(self._before) - 1)]
        if form == _WITH_UUIDS:
            return list(self._put_together(_Reader(content), count))
        if form not in _READERS:
            raise ValueError("a column has a form that this version does not know")
        return list(_READERS[form](content, count))

    def _put_together(self, content: _Reader, count: int) -> Iterator[str]:
        parts = _ColumnReader(content, room=self._room)
        texts = parts.column(count)
        places = sum(text.count(_SCALAR) for text in texts)
        if places > _MOST_SCALARS:
            raise TooLargeError("too many values")
        uuids = iter(parts.column(places))
        content.end()
        for text in texts:
            first, *rest = text.split(_SCALAR)
            made = "".join(chain((first,), *((next(uuids), part) for part in rest)))
            self._room -= len(made)
            if self._room < 0:
                raise TooLargeError("the bodies are too large")
            yield made


def _write_uuids(values: Sequence[str]) -> bytes | None:
    if len(set(values)) < len(values) or not all(map(_UUID.fullmatch, values)):
        return None
    return bytes.fromhex("".join(values).replace("-", ""))


def _read_uuids(content: bytes, count: int) -> Iterable[str]:
    if len(content) != 16 * count:
        raise ValueError("a column of UUIDs has another length")
    return (_uuid(content[at : at + 16].hex()) for at in range(0, len(content), 16))


def _write_uuids_again(values: Sequence[str]) -> bytes | None:
    if not all(map(_UUID.fullmatch, values)):
        return None
    table = {value: number for number, value in enumerate(dict.fromkeys(values))}
    packed = bytes.fromhex("".join(table).replace("-", ""))
    return _number(len(table)) + packed + b"".join(_number(table[value]) for value in values)


def _read_uuids_again(content: bytes, count: int) -> Iterable[str]:
    reader = _Reader(content)
    table = [_uuid(reader.take(16).hex()) for _ in range(reader.number(most=len(content) // 16))]
    return (table[number] for number in reader.numbers(count))


def _write_times(values: Sequence[str]) -> bytes | None:
    found = [_TIME.fullmatch(value) for value in values]
    first = found[0] if found else None
    if first is None:
        return None
    digits, zone = len(first[2] or ""), first[3]
    ticks = []
    for match in found:
        if match is None or match[3] != zone or len(match[2] or "") != digits:
            return None
        try:
            since = datetime.fromisoformat(match[1] + "+00:00") - _START
        except ValueError:  # the 30th of February
            return None
        ticks.append((since.days * 86400 + since.seconds) * 10**digits + int(match[2] or 0))
    return _number(digits) + _text(zone) + _differences(ticks)


def _read_times(content: bytes, count: int) -> Iterable[str]:
    reader = _Reader(content)
    digits, zone = reader.number(most=6), reader.text()
    for tick in accumulate(reader.signed(count)):
        seconds, fraction = divmod(tick, 10**digits)
        point = f".{fraction:0{digits}}" if digits else ""
        yield f"{(_START + timedelta(seconds=seconds)).isoformat()[:19]}{point}{zone}"


def _write_whole(values: Sequence[str]) -> bytes | None:
    return _differences(map(int, values)) if all(map(_WHOLE.fullmatch, values)) else None


def _read_whole(content: bytes, count: int) -> Iterable[str]:
    return map(str, accumulate(_Reader(content).signed(count)))


def _write_again(values: Sequence[str]) -> bytes | None:
    table = {value: number for number, value in enumerate(dict.fromkeys(values))}
    if 2 * len(table) > len(values):
        return None
    texts = b"".join(map(_text, table))
    return _number(len(table)) + texts + b"".join(_number(table[value]) for value in values)


def _read_again(content: bytes, count: int) -> Iterable[str]:
    reader = _Reader(content)
    table = [reader.text() for _ in range(reader.number(most=len(content)))]
    return (table[number] for number in reader.numbers(count))


def _write_texts(values: Sequence[str]) -> bytes:
    return b"".join(_number(len(value)) for value in values) + "".join(values).encode()


def _read_texts(content: bytes, count: int) -> Iterable[str]:
    reader = _Reader(content)
    ends = list(accumulate(reader.numbers(count), initial=0))
    text = reader.rest().decode("utf-8")
    if ends[-1] != len(text):
        raise ValueError("a column of texts has another length")
    return (text[start:end] for start, end in pairwise(ends))


def _write_with_uuids(values: Sequence[str]) -> bytes | None:
    """Write texts and UUIDs apart; ``_ColumnReader`` puts them together."""
    parted = [_UUID.subn(_SCALAR, value) for value in values]
    if 2 * sum(count > 0 for _, count in parted) < len(values):
        return None
    uuids = [uuid for value in values for uuid in _UUID.findall(value)]
    return _write_column([text for text, _ in parted]) + _write_column(uuids)


_ALL_ONE: Final = 0
_SAME: Final = 1
_WITH_UUIDS: Final = 8
_WRITERS: Final[
    dict[int, Callable[[Sequence[str]], bytes | None]]
] = {  # the first that takes the values is used
    2: _write_uuids,
    3: _write_uuids_again,
    4: _write_times,
    5: _write_whole,
    _WITH_UUIDS: _write_with_uuids,
    6: _write_again,
    7: _write_texts,
}
_READERS: Final[dict[int, Callable[[bytes, int], Iterable[str]]]] = {
    2: _read_uuids,
    3: _read_uuids_again,
    4: _read_times,
    5: _read_whole,
    6: _read_again,
    7: _read_texts,
}


# ---------------------------------------------------------------- bytes


def _number(value: int) -> bytes:
    """Return an unsigned LEB128 varint."""
    if value < 0x80:
        return bytes((value,))
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _differences(values: Iterable[int]) -> bytes:
    differences = (now - before for before, now in pairwise(chain((0,), values)))
    return b"".join(_number(2 * one if one >= 0 else -2 * one - 1) for one in differences)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _number(len(encoded)) + encoded


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class _Reader:
    """Takes bytes apart from the front; every count and length is held against what is there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __len__(self) -> int:
        """Return how many bytes are left."""
        return len(self._data) - self._at

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, length: int) -> bytes:
        if length > len(self):
            raise ValueError("the data ends too early")
        self._at += length
        return self._data[self._at - length : self._at]

    def number(self, *, most: int) -> int:
        number = next(self.numbers(1))
        if number > most:
            raise ValueError("a number is larger than it can be")
        return number

    def numbers(self, count: int) -> Iterator[int]:
        """Read so many varints; the place goes on as they are asked for."""
        data = self._data
        for _ in range(count):
            value = shift = 0
            while True:
                if self._at >= len(data) or shift > 7 * _MOST_NUMBER_BYTES:
                    raise ValueError("a number has no end")
                byte = data[self._at]
                self._at += 1
                value |= (byte & 0x7F) << shift
                if byte < 0x80:
                    break
                shift += 7
            yield value

    def signed(self, count: int) -> Iterator[int]:
        return ((value >> 1) ^ -(value & 1) for value in self.numbers(count))

    def text(self) -> str:
        return self.take(self.number(most=len(self))).decode("utf-8")

    def rest(self) -> bytes:
        return self.take(len(self))

    def end(self) -> None:
        if len(self):
            raise ValueError("something follows the last column")
