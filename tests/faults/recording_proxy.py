"""A proxy in front of a record store that writes down what was sent and what was acknowledged.

It is no part of either side, so that neither can hide from it what it did.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import httpx

Moment = Literal["acknowledged", "answered", "arrived"]
PASSED_ON = ("authorization", "content-type", "x-experience-api-version")


@dataclass
class Tape:
    """What has passed so far."""

    posts: list[list[str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    sent_again: list[str] = field(default_factory=list)  # although they had been acknowledged
    at: Callable[[Moment], None] = lambda _moment: None
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def recording(address: str) -> Iterator[tuple[str, Tape]]:
    """Stand before the record store at an address; gives the proxy's address and its tape."""
    tape = Tape()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with tape.lock:
                tape.asked.append(self.path)
            self._answer(self._pass_on(b""))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            ids = [one["id"] for one in json.loads(body)]
            with tape.lock:
                tape.sent_again += [one for one in ids if one in tape.acknowledged]
                tape.posts.append(ids)
            tape.at("arrived")
            answer = self._pass_on(body)
            if answer.status_code == 200:
                with tape.lock:
                    tape.acknowledged.update(answer.json())
                tape.at("acknowledged")
            self._answer(answer)
            if answer.status_code == 200:
                tape.at("answered")

        def _pass_on(self, body: bytes) -> httpx.Response:
            headers = {name: value for name in PASSED_ON if (value := self.headers.get(name)) is not None}
            return client.request(self.command, self.path, headers=headers, content=body or None)

        def _answer(self, answer: httpx.Response) -> None:
            with suppress(OSError):  # whoever asked is gone
                self.send_response(answer.status_code)
                self.send_header("content-type", answer.headers.get("content-type", ""))
                self.send_header("content-length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)
                self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
            """Say nothing; the tape does."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A line that breaks is what the tests are about."""

    with httpx.Client(base_url=address, timeout=30) as client, Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", tape
        finally:
            server.shutdown()
            thread.join()
