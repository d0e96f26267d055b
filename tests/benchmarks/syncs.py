"""How often a running server makes something durable, counted by strace (Linux).

    with counting_syncs(node, strace="strace", trace=folder / "trace") as syncs:
        before = syncs()
        load()
        print(syncs() - before)

Only these calls stop the server, so its requests overlap as they do without strace; its CPU time is not what
it is without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import LMS, NodeUnderTest
from tests.strace import under_strace

SYNCS = ("fsync", "fdatasync", "sync_file_range", "syncfs", "sync", "msync")


@contextmanager
def counting_syncs(node: NodeUnderTest, *, strace: str, trace: Path) -> Iterator[Callable[[], int]]:
    """Serve under strace until the block ends; give what returns the number of syncs so far.

    All that stood before an answer is counted once the answer has come, syncs of folders too: SQLite makes
    one at the first commit of each connection.
    """
    program = node.program
    node.program = (*under_strace(strace, trace, *SYNCS), *(program or LMS))
    node.start()
    try:
        yield lambda: _count(trace)
    finally:
        node.kill()
        node.program = program


def _count(trace: Path) -> int:
    """Count the calls that began; one that was interrupted in the record stands there twice."""
    with trace.open(encoding="ascii") as lines:
        told = (line.partition(" ")[2].lstrip() for line in lines)
        return sum(one.startswith(tuple(f"{name}(" for name in SYNCS)) for one in told)
