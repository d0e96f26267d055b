"""Ask a record store byte for byte, as no tidy client would."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.types import ASGIApp

from tests.asking import Answer, ask
from tests.xapi_builders import BASIC, COURSE, LEARNER, a_statement
from xapi_store.model.actor import actor_key

KNOWN = [(b"Authorization", BASIC.encode()), (b"X-Experience-API-Version", b"1.0.3")]
JSON = (b"Content-Type", b"application/json")
FORM = (b"Content-Type", b"application/x-www-form-urlencoded")
STATE = {"activityId": COURSE, "agent": str(actor_key(LEARNER)), "stateId": "s"}


def post(app: ASGIApp, body: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    return ask(app, "POST", "/statements", headers=[*KNOWN, *(headers or (JSON,))], body=body)


def get(app: ASGIApp, query: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    return ask(app, "GET", "/statements", query=query, headers=[*KNOWN, *headers])


def alternate(app: ASGIApp, path: str, method: str, **fields: str) -> Answer:
    known = {"Authorization": BASIC, "X-Experience-API-Version": "1.0.3"}
    form = urlencode(known | {name.replace("_", "-"): value for name, value in fields.items()}).encode()
    return ask(app, "POST", path, query=f"method={method}".encode(), headers=[FORM], body=form)


def sentence(answer: Answer) -> str:
    told: str = orjson.loads(answer.body)["error"]
    return told


def stored(app: ASGIApp) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(get(app, b"").body)["statements"]
    return found


def text_of(**changes: object) -> bytes:
    return orjson.dumps(a_statement(**changes))
