"""What reads the shelf through dies at any moment: every file is where it was, or set aside, and no other thing."""

from __future__ import annotations

import random
import time
from io import BytesIO
from multiprocessing import Pipe
from pathlib import Path

import pytest

from content_packages.shelf import FileRef, Shelf
from tests.faults.scrubbing import read_round_and_round
from tests.warm import a_warm_process

FILES = 300
DAMAGED = 100


@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.soak)])
def test_reading_the_shelf_that_is_killed_loses_nothing(tmp_path: Path, kills: int) -> None:
    dice = random.Random(kills)
    shelf = Shelf(tmp_path / "shelf")
    refs = [shelf.put(BytesIO(dice.randbytes(20_000))) for _ in range(FILES)]
    spoilt = {ref.digest for ref in refs[:DAMAGED]}

    for _ in range(kills):
        for ref in refs[:DAMAGED]:
            spoil(shelf, ref)
        told, begun = Pipe(duplex=False)
        reading = a_warm_process(read_round_and_round, tmp_path, begun)
        told.recv()
        time.sleep(dice.uniform(0, 0.2))
        reading.kill()
        reading.join()

        aside = {path.name for path in (tmp_path / "shelf" / "damaged").glob("*")}
        lost = {ref.digest for ref in shelf.lost()}
        here = set(shelf.digests())
        assert aside <= spoilt
        assert aside - here <= lost, "what was set aside is asked for"
        assert here | aside == {ref.digest for ref in refs}
        for ref in refs[DAMAGED:]:
            shelf.verify(ref.digest)
        assert list(shelf.strays()) == []


def spoil(shelf: Shelf, ref: FileRef) -> None:
    """Put a damaged file in the place of one, whatever became of it before."""
    path = shelf.path(ref.digest)
    path.unlink(missing_ok=True)
    path.write_bytes(b"damaged".ljust(ref.size))
