"""Entries as columns: what comes back is what went in, to the byte, and what nobody honest wrote is refused."""

from __future__ import annotations

import contextlib
import json
import random
from itertools import islice
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import codec, columns, rows, segment
from sync.clock import Stamp
from sync.errors import SegmentError
from sync.messages import Record
from tests.benchmarks.traffic import statements

MOST = codec.MAX_DECODED_BYTES
ID = "0b2e8d6c-93a4-4ad1-9d56-1c1d3f9f3a11"

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.uuids().map(str),
    st.uuids().map(lambda one: f"urn:uuid:{one}/{one}"),
    st.datetimes().map(lambda at: at.isoformat(timespec="milliseconds") + "Z"),
    st.sampled_from(
        ["2026-02-30T10:00:00Z", "2026-01-01T10:00:00.12+00:00", "", "\x00", '"', "\\", ":", "10"]
    ),
)
documents = st.recursive(
    scalars, lambda one: st.lists(one, max_size=4) | st.dictionaries(st.text(max_size=5), one, max_size=4)
)
bodies = st.one_of(
    documents.map(lambda one: json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode()),
    documents.map(lambda one: json.dumps(one, indent=1).encode()),
    st.binary(max_size=60),
    st.text(alphabet='{}[]",:0\\ a', max_size=60).map(str.encode),
)


def entries(contents: list[bytes], first: int = 1) -> list[Record]:
    return [
        Record(seq=first + at, kind="note", key=f"k{at}", schema=1, body=body, stamp=Stamp(1000 + at, at % 3))
        for at, body in enumerate(contents)
    ]


def stated(count: int, seed: int = 5) -> list[Record]:
    made = []
    for at, said in enumerate(islice(statements(seed), count), 1):
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        stamp = Stamp(1_700_000_000_000 + 731 * at, 0)
        made.append(Record(seq=at, kind="statement", key=said["id"], schema=1, body=body, stamp=stamp))
    return made


@settings(deadline=None)
@given(st.lists(bodies, min_size=1, max_size=12), st.integers(1, 10**6))
def test_whatever_the_bodies_are_they_come_back(contents: list[bytes], first: int) -> None:
    records = entries(contents, first)

    number, payload = codec.encode(records)

    assert codec.decode(payload, codec=number, first=first) == records


def test_statements_are_written_as_columns_and_come_back() -> None:
    records = stated(500)

    number, payload = codec.encode(records)

    assert number == 2
    assert codec.decode(payload, codec=2, first=1) == records


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"a":"\x00"}'])
def test_a_body_that_is_no_text_is_kept_by_the_older_encoding(body: bytes) -> None:
    records = entries([b"{}", body])

    number, payload = codec.encode(records)

    assert number == 1
    assert codec.decode(payload, codec=1, first=1) == records


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["a", "a", "a"], 0),
        ([str(UUID(int=n)) for n in range(9)], 2),
        ([ID, ID, str(UUID(int=4))], 3),
        (["2026-11-27T10:00:00.120Z", "2026-11-27T09:59:59.999Z"], 4),
        (["2026-11-27T10:00:00+00:00", "1969-11-27T10:00:00+00:00"], 4),
        (["7", "-3", "0"], 5),
        (["7", "07"], 7),
        (["x", "y", "x", "y"], 6),
        (["x", "é", "", "z"], 7),
        ([f"urn:{ID}", f"urn:{ID}/{ID}", "urn:"], 8),
        (["2026-02-30T10:00:00Z", "2026-02-28T10:00:00Z"], 7),  # there is no such day
        (["2026-11-27T10:00:00Z", "2026-11-27T10:00:00.0Z"], 7),  # two ways to write a time
    ],
)
def test_a_column_has_the_form_its_values_ask_for(values: list[str], form: int) -> None:
    written = columns._write_column(values)
    read = columns._ColumnReader(columns._Reader(written), room=MOST)

    assert written[0] == form
    assert list(read.column(len(values))) == values


def test_two_equal_columns_are_written_once() -> None:
    kept = entries([b'{"id":"%s"}' % str(UUID(int=n)).encode() for n in range(50)])
    same = [
        Record(seq=r.seq, kind=r.kind, key=r.body[7:43].decode(), schema=1, body=r.body, stamp=r.stamp)
        for r in kept
    ]

    assert len(columns.encode(same)) < len(columns.encode(kept)) + 50 * 16 - 50 * 2


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_noise_is_refused_by_name(noise: bytes) -> None:
    for number in (1, 2):
        with pytest.raises(SegmentError):
            codec.decode(noise, codec=number, first=1)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 255))
def test_a_byte_that_was_changed_never_crashes(place: int, value: int) -> None:
    plain = bytearray(columns.encode(stated(5)))
    plain[place % len(plain)] = value

    with contextlib.suppress(ValueError, LookupError, OverflowError, RecursionError):
        columns.decode(bytes(plain), first=1, max_bytes=100_000)


def _column(form: int, content: bytes) -> bytes:
    return columns._written(form, content)


def _frame(entry_count: int, template: str, *scalar_columns: bytes) -> bytes:
    number, text = columns._number, columns._text
    facts = (text("0"), text("note"), text("1"), text("k"), text("1"), text("0"))
    head = number(entry_count) + number(1) + text(template)
    return head + b"".join(_column(0, one) for one in facts) + b"".join(scalar_columns)


DEEP = _column(7, b"\x00")
for _ in range(2000):
    DEEP = _column(8, DEEP + _column(7, b""))


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param(_frame(500, "x" * 1_000_000), "too_large", id="a template of 1 MB 500 times"),
        pytest.param(
            _frame(500, "\0", _column(0, columns._text("x" * 1_000_000))),
            "too_large",
            id="a text of 1 MB 500 times",
        ),
        pytest.param(
            _frame(500, "[" + "\0," * 30_000 + "]", _column(0, b"\x00")), "too_large", id="15,000,000 values"
        ),
        pytest.param(
            _frame(500, "\0", _column(8, _column(0, columns._text("\0" * 1_000_000)) + _column(0, b"\x00"))),
            "too_large",
            id="1,000,000 UUIDs in each of 500 texts",
        ),
        pytest.param(_frame(1, "\0", DEEP), "damaged", id="2,000 columns within columns"),
        pytest.param(columns._number(2**62), "damaged", id="more entries than there can be"),
        pytest.param(_frame(1, "\0", _column(1, b"\x09")), "damaged", id="the same as a column to come"),
        pytest.param(_frame(1, "\0", _column(9, b"")), "damaged", id="a form nobody knows"),
        pytest.param(
            _frame(1, "\0", _column(4, b"\x00\x01Z" + b"\xff" * 9 + b"\x01")), "damaged", id="no such year"
        ),
        pytest.param(_frame(2, "\0", _column(2, b"\0" * 16)), "damaged", id="one UUID for two"),
        pytest.param(_frame(1, "{}") + b"more", "damaged", id="more behind the end"),
    ],
)
def test_what_no_honest_node_writes_is_refused_before_it_grows(frame: bytes, code: str) -> None:
    payload = codec._deflate(frame, 2)

    with pytest.raises(SegmentError) as refused:
        codec.decode(payload, codec=2, first=1)

    assert refused.value.code == code


def test_more_than_is_taken_is_refused_by_both_encodings() -> None:
    noise = random.Random(4)
    large = entries([json.dumps(noise.randbytes(1000).hex()).encode() for _ in range(10)])

    for number, encoded in ((1, rows.encode(large)), (2, columns.encode(large))):
        with pytest.raises(SegmentError, match="inflates to more"):
            codec.decode(codec._deflate(encoded, number), codec=number, first=1, max_bytes=5000)


RELEASED = {  # one segment of every encoding, as it was first written: they are read for ever
    1: (
        "28b52ffd20c6bd040032491e1e6035d601088e5143d5afe6ed15dc8a7b6198624703ff09371a60081cad1c8d454a20faf2b4"
        "fa7744822404fc7b3a0c88a44357a4c211487a071c4445582fc3c59020da5d867101d676bd9e2d3b43549e735c6fb065e529"
        "ccc8c4a799ceeac2b9486bb3bab47aa5d9f24094d6a6f4ba6cf9109f09d03c43010a00338728ab12d6ec5166310d163554d0"
        "52e1cacc91541f612d4f"
    ),
    2: (
        "28b52ffd21026fed0200034511b22c63efbb9b97fd6539f8fede5a7e07ffda1bdcd5b57a37ffb55f1eec8771afadb4747d71"
        "8d633aabc5916559fe31a5b1f8887b843d4296e59c6c78c58cdd90410620cf0106fc8969507915d5e74efcdb1b1513658486"
        "282d01"
    ),
}


@pytest.mark.parametrize("number", sorted(RELEASED))
def test_a_segment_of_every_released_encoding_is_read(number: int) -> None:
    records = codec.decode(bytes.fromhex(RELEASED[number]), codec=number, first=8)

    assert records == entries([b'{"id":"%s","n":1}' % ID.encode(), b'{"id":"x","n":2}', b"[]"], first=8)
    assert segment.merkle_root(records) == "a310cd59e53d1c0054c5a6d5b947877ea1e8d87ed6c44ba7062e809f73881ab6"
