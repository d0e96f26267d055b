"""CPU time of a running server, over all its threads and child processes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

BLOCK = 50


def cpu_ns(pids: Sequence[int]) -> int:
    """Return the nanoseconds of CPU that processes have used so far.

    On Linux by the scheduler's own account, exact enough for one request; elsewhere by the clock ticks
    of the process table, of which only the mean over many requests means something.
    """
    if not Path("/proc/self/schedstat").exists():
        return sum(int(sum(psutil.Process(pid).cpu_times()[:2]) * 1e9) for pid in pids)
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return total


def family(pid: int) -> list[int]:
    """Return a process and its children."""
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one kind of request costs the server."""

    median_us: float
    p95_us: float
    wall_ms: float
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A request to a server, and what it took so far."""

    request: Callable[[], object]
    pid: int
    spent_ns: list[int] = field(default_factory=list)
    waited_s: list[float] = field(default_factory=list)

    def run(self, count: int) -> None:
        """Make the request *count* times, one after the other."""
        pids = family(self.pid)
        before = cpu_ns(pids)
        for _ in range(count):
            started = time.perf_counter()
            self.request()
            self.waited_s.append(time.perf_counter() - started)
            # From one reading to the next: what a server still does after it has answered counts too.
            after = cpu_ns(pids)
            self.spent_ns.append(after - before)
            before = after

    @property
    def cost(self) -> Cost:
        """Sum up what was measured."""
        spent = sorted(self.spent_ns)
        return Cost(
            median_us=statistics.median(spent) / 1000,
            p95_us=spent[int(len(spent) * 0.95)] / 1000,
            wall_ms=statistics.median(self.waited_s) * 1000,
            count=len(spent),
        )


def costs_side_by_side(requests: Sequence[tuple[Callable[[], object], int]], *, count: int) -> list[Cost]:
    """Measure requests *count* times each, in turns of a few, so that a busy machine slows all of them alike.

    Args:
        requests: each with the process that answers it.
        count: how often each is made.
    """
    for request, _pid in requests:
        for _ in range(min(BLOCK, count)):
            request()
    measured = [Measured(request=request, pid=pid) for request, pid in requests]
    for done in range(0, count, BLOCK):
        for one in measured:
            one.run(min(BLOCK, count - done))
    return [one.cost for one in measured]


def cost_of(request: Callable[[], object], *, pid: int, count: int) -> Cost:
    """Measure one request *count* times."""
    return costs_side_by_side([(request, pid)], count=count)[0]
