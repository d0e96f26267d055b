"""A process that loads a program once and forks for each call: each has its own memory, and none pays for loading.

For tests of what a call takes of memory, as Linux tells it in ``/proc/self/status``: there the peak of a fork begins
with what its parent has at that moment, where ``ru_maxrss`` begins with the most that it ever had.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
_EACH = """

def peak():
    from pathlib import Path
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])

import os, signal, sys
for line in sys.stdin:
    fork = os.fork()
    if not fork:
        signal.alarm(120)
        print(*answer(*line.rstrip("\\n").split("\\t")), flush=True)
        os._exit(0)
    if os.waitpid(fork, 0)[1]:
        print("died", flush=True)
"""


@contextmanager
def forking(program: str) -> Iterator[Callable[..., list[str]]]:
    """Give what calls ``answer``, defined in the program, in forks of it; ``peak()`` tells it its kilobytes."""
    with subprocess.Popen(
        [sys.executable, "-c", program + _EACH],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def call(*arguments: object) -> list[str]:
            print(*arguments, sep="\t", file=stdin, flush=True)
            return stdout.readline().split()

        yield call
        stdin.close()
