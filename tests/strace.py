"""A program under strace (Linux), and what its trace tells: which system calls, in which order.

strace stops a thread before and after each call, so a call that one thread makes because of what another
did stands behind it in the trace. Lines are the clock of a trace: a call was *entered* at one line and
*left* at the same or a later one, and what stands between the two happened meanwhile.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WHOLE = 1 << 20  # bytes of each buffer that are shown: more than any call here has
_PATH = re.compile(r"(?:\\x[0-9a-f]{2})+")
_UNFINISHED = " <unfinished ...>"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One system call; strings and paths are still in hexadecimal."""

    name: str
    arguments: str
    result: str  # "?" for one that never returned
    entered: int
    left: int

    @property
    def failed(self) -> bool:
        """Whether it changed nothing."""
        return self.result.startswith(("-", "?"))

    @property
    def target(self) -> str:
        """What its first argument, a descriptor, stands for: a path, or a socket as strace writes it."""
        return described(self.arguments)

    @property
    def buffers(self) -> bytes:
        """All strings among its arguments, one behind the other."""
        return b"".join(unhex(one) for one in self.arguments.split('"')[1::2])

    @property
    def written(self) -> bytes:
        """What a call wrote; all that it was told to where that never came out."""
        return self.buffers if self.result == "?" else self.buffers[: int(self.result)]

    @property
    def number(self) -> int:
        """Its last argument: an offset or a length."""
        return int(self.arguments.rpartition(", ")[2])


def unhex(text: str) -> bytes:
    """Turn the bytes that strace writes in hexadecimal, each behind a backslash and an x, back into bytes."""
    return bytes.fromhex(text.replace("\\x", ""))


def described(text: str) -> str:
    """Return what strace says of the first descriptor in a text: a path, or something like TCP:[a:1->b:2]."""
    told = text.partition("<")[2]
    path = _PATH.match(told)
    return unhex(path[0]).decode() if path else told.partition(">,")[0].removesuffix(">")


def under_strace(strace: str, trace: Path, *calls: str) -> tuple[str, ...]:
    """Return what stands in front of a command so that its calls are written to a file.

    The command stays the child of whoever starts it (-D), so that a signal reaches it and not strace.
    """
    options = ("-D", "-f", "--seccomp-bpf", "-a", "0", "-yy", "-xx", "-s", str(WHOLE), "-o", str(trace))
    return (strace, *options, "-e", f"trace={','.join(calls)}", "--")


def read_calls(trace: Path) -> Iterator[Call]:
    """Yield the calls of a trace in the order in which they were left."""
    open_calls: dict[str, tuple[int, str]] = {}
    with trace.open(encoding="ascii") as lines:
        for line, text in enumerate(lines):
            thread, _, told = text.rstrip("\n").partition(" ")
            told = told.lstrip()
            if told.startswith(("+++", "---")):
                continue
            if told.endswith(_UNFINISHED):
                open_calls[thread] = line, told.removesuffix(_UNFINISHED)
                continue
            entered = line
            if told.startswith("<... "):
                entered, begun = open_calls.pop(thread)
                told = begun + told.partition(" resumed>")[2]
            yield _call(told, entered, line)
    end = 1 << 62  # what was under way at the end was never left
    for entered, told in open_calls.values():
        yield _call(f"{told}) = ?", entered, end)


def wait_for_end(trace: Path, pid: int, *, timeout_s: float = 30) -> None:
    """Wait until strace has written that the process it followed is gone."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with trace.open("rb") as file:
            file.seek(max(0, trace.stat().st_size - 4096))
            tail = file.read().decode("ascii", errors="replace").splitlines()
        if any(line.split(" ", 1)[0] == str(pid) and "+++" in line for line in tail):
            return
        time.sleep(0.02)
    raise AssertionError(f"{trace} does not tell the end of process {pid}")


def _call(told: str, entered: int, left: int) -> Call:
    begun, _, result = told.rpartition(") = ")
    name, _, arguments = begun.partition("(")
    return Call(name=name, arguments=arguments, result=result, entered=entered, left=left)
