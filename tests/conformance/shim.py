"""The player's own shim, run by Node without a browser (``shim.mjs``)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

PROGRAM = Path(__file__).with_name("shim.mjs")
#: Takes the body of a commit; gives the status and the answer.
Server = Callable[[bytes], tuple[int, Mapping[str, Any]]]


class Answer(NamedTuple):
    """What a call gave back, and the error code after it."""

    value: str
    code: str


class Shim:
    """One unit after another, each with an API, a data model and commits of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._server: Server = lambda _body: (410, {})
        self.told: list[str] = []  # what the page was told since it last looked

    def open(self, boot: Mapping[str, Any], server: Server) -> None:
        """Begin with a unit, as its page is loaded."""
        self._server = server
        self.told = []
        self._exchange({"command": "open", "boot": boot})

    def call(self, name: str, *arguments: str) -> Answer:
        """Call a function of the API."""
        done = self._exchange({"command": "call", "name": name, "arguments": arguments})
        return Answer(done["value"], done["code"])

    def leave(self, *, overrules: bool, last_words: Sequence[Sequence[str]] = ()) -> None:
        """Take the unit away; *last_words* are the calls of its unload handlers."""
        self._exchange({"command": "leave", "overrules": overrules, "lastWords": last_words})

    def _exchange(self, message: Mapping[str, Any]) -> Any:
        answer = self._ask(message)
        while "send" in answer:
            status, said = self._server(answer["send"].encode())
            answer = self._ask({"status": status, "answer": said})
        self.told += answer["told"]
        return answer

    def _ask(self, message: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the shim has ended"
        return json.loads(line)


@contextmanager
def a_shim() -> Iterator[Shim]:
    """Start the shim; the set-up has a Node of its own where the system has none."""
    node = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    assert node is not None, "there is no Node; `python tools/dev.py setup` installs one"
    with subprocess.Popen(
        [node, PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            yield Shim(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
