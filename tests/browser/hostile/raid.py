"""A hostile course, a server that collects what it brings out, and what both say afterwards."""

from __future__ import annotations

import html
import json
import socket
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.package_builders import a_manifest_12

ATTACKS = Path(__file__).with_name("attacks.js").read_text(encoding="utf-8")


def attacks_of(kind: str) -> list[str]:
    """Return the names of the attacks of one kind, in the order in which they are made."""
    _, _, rest = ATTACKS.partition(f"const {kind} = {{\n")
    block, _, _ = rest.partition("\n};")
    return [
        line.strip().partition(":")[0]
        for line in block.splitlines()
        if line.startswith("  ") and line[2] not in " /}" and ":" in line
    ]


# Attacks that need her hand: how she clicks on a link.
CLICKED: dict[str, dict[str, Any]] = {
    "a_middle_click": {"button": "middle"},
    "a_click_with_control": {"modifiers": ["Control"]},
    "a_click_with_shift": {"modifiers": ["Shift"]},
}


@dataclass
class Outside:
    """A server that belongs to the attacker: whatever reaches it has got out."""

    port: int
    called: Mapping[str, socket.socket]
    asked: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Its address; a site of its own for the browser."""
        return f"http://evil.localhost:{self.port}"

    @property
    def reached_by(self) -> set[str]:
        """The attacks that brought something here."""
        asked = {urlsplit(path).path.strip("/") for path in self.asked if "stolen" in path}
        return asked | {name for name, one in self.called.items() if _has_heard(one)}

    @property
    def stun(self) -> str:
        """Where calls between browsers are asked about: ``attack:port``, each its own."""
        return ",".join(f"{name}:{one.getsockname()[1]}" for name, one in self.called.items())


def _listening() -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    one.setblocking(False)
    return one


def _has_heard(one: socket.socket) -> bool:
    try:
        return bool(one.recv(2048, socket.MSG_PEEK))
    except BlockingIOError:
        return False


@contextmanager
def outside(page: str = "") -> Iterator[Outside]:
    """Run the attacker's server; at ``/`` it gives *page*, without any policy: there the attacks must succeed."""
    found: Outside

    class Answering(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            found.asked.append(self.path)
            body = (
                page.replace("EVIL", found.address).replace("STUN", found.stun).encode()
                if self.path == "/"
                else b"/* taken */"
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if self.path == "/" else "text/javascript")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):  # the page has gone on
                self.wfile.write(body)

        do_GET = do_POST = do_HEAD = do_OPTIONS = _answer  # noqa: N815 - the names the library calls

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    called = {name: _listening() for name in attacks_of("leaving") if name.startswith("web_rtc")}
    found = Outside(port=server.server_port, called=called)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        for one in called.values():
            one.close()


def hostile_page(target: Mapping[str, str]) -> str:
    """Return the page that makes every attack on *target*."""
    facts = json.dumps(dict(target)).replace("<", "\\u003c")
    links = "".join(
        f'<p><a id="{name}" href="{target["evil"]}/{name}?stolen=1">{name}</a>' for name in CLICKED
    )
    links += "".join(
        f'<p><button id="{name}" onclick="opening.{name}()">{name}</button>' for name in attacks_of("opening")
    )
    return (
        f'<!doctype html><title>Hostile</title><script type="application/json" id="target">{facts}</script>'
        f"<p id=hostile>Hostile</p>{links}<script>{ATTACKS}</script>"
    )


def a_course(path: Path, page: str, *, title: str) -> Path:
    """Write a SCORM 1.2 package of one page."""
    manifest = a_manifest_12().replace("<title>One</title>", f"<title>{html.escape(title)}</title>")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "imsmanifest.xml", manifest.replace('identifier="m"', f'identifier="{title.lower()}"', 1)
        )
        archive.writestr("index.html", page)
        archive.writestr("worker.js", "self.addEventListener('fetch', () => {});")
    return path
