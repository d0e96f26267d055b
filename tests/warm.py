"""Processes of ``lms`` forked from one that has loaded it: they start in a few tenths of a second instead of three.

They are processes of their own all the same, killed and waited for as any other; what is spared is importing. Where
processes cannot be forked (Windows), and wherever a test names its program, the command itself is run.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from lms.cli import COMMANDS

CAN_FORK = sys.platform == "linux"


@cache
def _loaded() -> BaseContext:
    if not CAN_FORK:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["lms.cli.server", *(f"lms.cli.{module}" for module, _ in COMMANDS.values())]
    )
    return context


def a_warm_process(work: Callable[..., object], *arguments: object) -> BaseProcess:
    """Begin a function of some module in a new process that need not load the program for it."""
    process: BaseProcess = _loaded().Process(target=work, args=arguments)
    process.start()
    return process


class WarmProcess:
    """``lms …`` in a new process, with the calls of `subprocess.Popen` that tests need.

    What it writes is added to the files *out* and *err*; it reads the file *stdin*.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: dict[str, str],
        *,
        out: Path,
        err: Path,
        stdin: Path = Path(os.devnull),
    ) -> None:
        self._process = a_warm_process(_run, list(arguments), environment, out, err, stdin)
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit status, negative for a signal, once it has ended."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return the exit status, `None` while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit status.

        Raises:
            subprocess.TimeoutExpired: it runs still.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("lms", timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def _run(arguments: list[str], environment: dict[str, str], out: Path, err: Path, stdin: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, file in enumerate((stdin.open("rb"), out.open("ab"), err.open("ab"))):
        with file:
            os.dup2(file.fileno(), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process lives
    sys.argv = ["lms", *arguments]
    from lms.cli import main  # noqa: PLC0415 - in the new process alone, where it is loaded

    main()
