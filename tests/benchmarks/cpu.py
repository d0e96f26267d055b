"""CPU time of a running server, over all its threads and child processes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil


def cpu_ns(pid: int) -> int:
    """Return the nanoseconds of CPU that a process and its children have used so far.

    On Linux by the scheduler's own account, exact enough for one request; elsewhere by the clock ticks
    of the process table, of which only the mean over many requests means something.
    """
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    if not Path("/proc/self/schedstat").exists():
        return sum(int(sum(process.cpu_times()[:2]) * 1e9) for process in processes)
    total = 0
    for process in processes:
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return total


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one kind of request costs the server."""

    median_us: float
    p95_us: float
    wall_ms: float
    count: int


def cost_of(request: Callable[[], object], *, pid: int, count: int, warm_up: int = 50) -> Cost:
    """Measure a request ``count`` times, one after the other."""
    for _ in range(warm_up):
        request()
    spent, waited = [], []
    for _ in range(count):
        before, started = cpu_ns(pid), time.perf_counter()
        request()
        waited.append(time.perf_counter() - started)
        spent.append(cpu_ns(pid) - before)
    spent.sort()
    return Cost(
        median_us=statistics.median(spent) / 1000,
        p95_us=spent[int(len(spent) * 0.95)] / 1000,
        wall_ms=statistics.median(waited) * 1000,
        count=count,
    )
