"""The worst request costs little time and little memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from starlette.types import ASGIApp

from lms.database import Database
from tests.conftest import fresh_schema
from tests.forking import forking
from tests.xapi_asking import get, post
from tests.xapi_builders import COURSE, a_statement


def test_an_endless_list_of_languages_costs_no_time(own_store: ASGIApp) -> None:
    words = {"id": COURSE, "display": {"en": "passed", "fr": "réussi"}}
    post(own_store, orjson.dumps([a_statement(verb=words) for _ in range(100)]))
    endless = b"-".join([b"a"] * 8000)
    began = time.process_time()

    answer = get(own_store, b"format=canonical", (b"Accept-Language", endless))

    assert answer.status == 200
    assert time.process_time() - began < 1.5


_PROGRAM = """
import zlib
from lms.database import Database
from tests.asking import ask
from tests.xapi_builders import an_lrs, BASIC
from xapi_store.http import create_lrs_app

MIB = 1024 * 1024
JSON = [(b"Content-Type", b"application/json")]
GZIP = [*JSON, (b"Content-Encoding", b"gzip")]
MULTIPART = [(b"Content-Type", b"multipart/mixed; boundary=b")]
FORM = [(b"Content-Type", b"application/x-www-form-urlencoded")]
PACKER = zlib.compressobj(wbits=31)
BLOCK = PACKER.compress(bytes(MIB)) + PACKER.flush(zlib.Z_FULL_FLUSH)  # stands for itself, a thousand times over
LINES = b"".join(b"%d:\\r\\n" % number for number in range(400_000))
BODIES = {
    "endless": (JSON, lambda: (b"[" * MIB for _ in range(1000))),
    "bomb": (GZIP, lambda: iter([BLOCK * 1024])),
    "depth": (JSON, lambda: iter([b"[" * (2 * MIB) + b"]" * (2 * MIB)])),
    "lists": (JSON, lambda: iter([b"[" + b"[]," * (MIB + MIB // 4) + b"[]]"])),
    "keys": (JSON, lambda: iter([b"{" + b",".join(b'"%d":0' % number for number in range(350_000)) + b"}"])),
    "repeated": (JSON, lambda: iter([b"{" + b'"a":{},' * (MIB // 2) + b'"a":1}'])),
    "parts": (MULTIPART, lambda: iter([b"--b\\r\\nA:\\r\\n\\r\\n\\r\\n" * (MIB // 4) + b"--b--"])),
    "headers": (MULTIPART, lambda: iter([b"--b\\r\\n" + LINES + b"\\r\\n\\r\\n--b--"])),
    "form": (FORM, lambda: iter([b"&".join(b"%d=" % number for number in range(450_000))])),
}

def answer(what, url):
    headers, body = BODIES[what]
    known = [(b"Authorization", BASIC.encode()), (b"X-Experience-API-Version", b"1.0.3"), *headers]
    app = create_lrs_app(an_lrs(Database(url)))
    ask(app, "POST", "/statements", headers=known, body=b"[]")
    query = b"method=GET" if headers is FORM else b""
    pieces = body()
    before = peak()
    answered = ask(app, "POST", "/statements", query=query, headers=known, body=pieces)
    return answered.status, peak() - before, len(answered.body)
"""


@pytest.fixture(scope="module")
def sent() -> Iterator[Callable[..., list[str]]]:
    """What sends a body to a store: the status, the kilobytes that it took, and the length of the answer."""
    with forking(_PROGRAM) as sent:
        yield sent


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from Linux's /proc")
@pytest.mark.parametrize(
    ("body", "status", "most_mib"),
    [
        ("endless", 413, 16), ("bomb", 415, 16), ("depth", 400, 32), ("lists", 400, 160), ("keys", 400, 160),
        ("repeated", 400, 160), ("parts", 400, 160), ("headers", 400, 48), ("form", 400, 160),
    ],
)  # fmt: skip
def test_the_worst_body_is_refused_in_little_memory(
    sent: Callable[..., list[str]], tmp_path: Path, body: str, status: int, most_mib: int
) -> None:
    url = f"sqlite:///{tmp_path / 'outpost.db'}"  # none of it comes as far as a database, of whatever kind
    with closing(Database(url)) as database:
        fresh_schema(database)

    found, kilobytes, length = (int(number) for number in sent(body, url))

    assert found == status
    assert kilobytes < most_mib * 1024
    assert length < 2000
