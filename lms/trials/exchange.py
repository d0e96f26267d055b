"""A request to the record store of a trial and its answer, as facts for the log: short, and without the credential."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote

import orjson

from lms.records.sentences import plain

MOST_CHARS = 2_000  # of one text in the log
MOST_BYTES = 64 * 1024  # of a body that are looked at
_SHORT = 8  # what is shorter is no secret, and would be found everywhere
_OWN_TOKEN = re.compile(r"(trial-[0-9a-f]{32}-)[\w-]+")
_NAMES = ("stateId", "profileId", "statementId", "voidedStatementId", "verb")
_PART = re.compile(rb"\r?\n\r?\n(\s*[\[{].*?)\r?\n--", re.DOTALL)
_MAY_BE_ABSENT = frozenset({"activities/state", "activities/profile", "agents/profile"})
HIDDEN = "•••"


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """The beginning of a body, and how long it was."""

    start: bytes = b""
    size: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """What was asked and what was answered; `resource` is the path below the store."""

    method: str
    resource: str
    query: str = ""
    authorization: str = ""
    sent: Body
    status: int
    answered: Body

    def facts(self) -> dict[str, Any]:
        """Return what the log keeps of it."""
        method, fields, sent, authorization = self._unfolded()
        secrets = {*_secrets(authorization), *_secrets(self.authorization)}
        answer = _json(self.answered.start)
        code, problem = _refusal(method, self.resource, self.status, answer)
        return {
            "method": method,
            "resource": _shown(self.resource, secrets),
            "about": _shown(", ".join(_about(fields, sent.start)), secrets),
            "query": _shown("\n".join(f"{name}={value}" for name, value in fields.items()), secrets),
            "sent": _shown(_text(sent), secrets, size=sent.size),
            "status": self.status,
            "answered": _shown(_text(self.answered), secrets, size=self.answered.size),
            "code": code,
            "problem": _shown(problem, secrets),
        }

    def _unfolded(self) -> tuple[str, dict[str, str], Body, str]:
        """Return method, parameters, body and credential, also of a request that sends all as a form (1.0.3, 1.3)."""
        fields = dict(parse_qsl(self.query, keep_blank_values=True))
        if self.method != "POST" or "method" not in fields:
            return self.method, fields, self.sent, ""
        form = dict(parse_qsl(self.sent.start.decode(errors="replace"), keep_blank_values=True))
        content = form.pop("content", "").encode()
        said = {name.lower(): form.pop(name) for name in list(form) if name.lower() in _FORM_HEADERS}
        body = Body(start=content, size=len(content))
        return fields["method"].upper(), form, body, said.get("authorization", "")


def fetch_exchange(answer: Mapping[str, str]) -> Exchange:
    """Return a request at the fetch URL; where it gave a credential, that is left out."""
    told = {name: HIDDEN if name == "auth-token" else text for name, text in answer.items()}
    body = orjson.dumps(told)
    return Exchange(
        method="POST", resource="fetch", sent=Body(), status=200, answered=Body(start=body, size=len(body))
    )


_FORM_HEADERS = frozenset({"authorization", "x-experience-api-version", "content-type", "content-length"})


def _secrets(authorization: str) -> Iterator[str]:
    """Yield every form in which a credential could stand in a text."""
    value = authorization.partition(" ")[2].strip() or authorization.strip()
    if len(value) < _SHORT:
        return
    yield value
    yield value.rstrip("=")
    yield quote(value, safe="")
    yield value.replace("/", r"\/")  # as some programs write JSON
    try:
        plain_text = base64.b64decode(value, validate=True).decode()
    except ValueError:
        return
    yield from (one for one in (plain_text, plain_text.partition(":")[2]) if len(one) >= _SHORT)


def _refusal(method: str, resource: str, status: int, answer: Any) -> tuple[str, str]:
    """Return the code of an answer that is no success, and the reason it gives; nothing for one that is."""
    told = answer if isinstance(answer, dict) else {}
    if "error-code" in told:  # of the fetch URL (cmi5 8.2.3), whose status may be 200
        return str(told["error-code"]), str(told.get("error-text", ""))
    if status < 400 or (status == 404 and method in {"GET", "HEAD"} and resource in _MAY_BE_ABSENT):
        return "", ""
    reason = (told.get("path"), told.get("error"), told.get("section"))
    return str(status), " · ".join(str(one) for one in reason if one)


def _about(fields: Mapping[str, str], sent: bytes) -> list[str]:
    """Return what a request is about, in a word: the verbs it sends, or the document it names."""
    found = _json(sent)
    statements = found if isinstance(found, list) else [found]
    verbs = [
        str(one["verb"].get("id", "")).rstrip("/").rpartition("/")[2]
        for one in statements
        if isinstance(one, dict) and isinstance(one.get("verb"), dict)
    ]
    return verbs or [fields[name] for name in _NAMES if name in fields]


def _json(text: bytes) -> Any:
    part = _PART.search(text) if text.startswith(b"--") else None  # the statements of a multipart body
    try:
        return orjson.loads(part[1] if part else text)
    except orjson.JSONDecodeError:
        return None


def _text(body: Body) -> str:
    """Return a body as text; of one that is none only how long it is."""
    if body.start.startswith(b"--"):
        part = _PART.search(body.start)
        return part[1].decode(errors="replace") if part else ""
    try:
        return body.start.decode()
    except UnicodeDecodeError as error:
        # Looked at only in part, it may end in the middle of a character.
        is_cut_there = body.size > len(body.start) and error.start >= len(body.start) - 4
        return body.start[: error.start].decode() if is_cut_there else ""


def _shown(text: str, secrets: Collection[str], *, size: int = 0) -> str:
    """Return a text without secrets and without signs that turn it around, cut to what the log takes."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = plain(_OWN_TOKEN.sub(rf"\g<1>{HIDDEN}", text))
    size = max(size, len(text))
    if len(text) <= MOST_CHARS and size <= MOST_BYTES and (text or not size):
        return text
    return f"{text[:MOST_CHARS]}… ({size:,})"
