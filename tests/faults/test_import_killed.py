"""An import dies at any moment: afterwards there is the old state or the new one, and nothing to mend."""

from __future__ import annotations

import logging
import random
import shutil
import sqlite3
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.course_builders import a_scorm_file
from tests.servers import NodeUnderTest, node

log = logging.getLogger(__name__)  # `--log-cli-level=INFO` shows what was hit

FILES = 600


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of many files, so that its import takes a while."""
    path = a_scorm_file(tmp_path_factory.mktemp("package"))
    dice = random.Random(7)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(FILES):
            archive.writestr(f"files/{number}.bin", dice.randbytes(2000))
    return path


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeUnderTest]:
    with node(tmp_path_factory.mktemp("laptop")) as laptop:
        yield laptop


@pytest.fixture
def laptop(empty: NodeUnderTest, tmp_path: Path) -> NodeUnderTest:
    return NodeUnderTest(data=Path(shutil.copytree(empty.data, tmp_path / "laptop")))


def editions_in(data: Path, *, changes_each: int) -> int:
    """Return how many editions there are; each has its course, its import, and so many changes to send."""
    with closing(sqlite3.connect(data / "outpost.db")) as file:
        rows = {
            table: int(file.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            for table in ("course_edition", "course", "course_import", "directory_change")
        }
    editions = rows["course_edition"]
    expected = {"course_edition": editions, "course": editions, "course_import": editions}
    assert rows == {**expected, "directory_change": changes_each * editions}, (
        "an import is half in the tables"
    )
    return editions


def expect_nothing_to_mend(laptop: NodeUnderTest) -> None:
    report = laptop.facts("doctor")
    assert {one["about"]: one["sentence"] for one in report["checks"] if one["state"] != "well"} == {}


class Importing:
    """An import by command, from the moment its first file is on the way to the shelf."""

    def __init__(self, laptop: NodeUnderTest, package: Path) -> None:
        incoming = laptop.data / "shelf" / "incoming"
        litter = set(incoming.iterdir())
        self._command = laptop.begin("import", str(package), "--publish")
        while self._command.poll() is None and set(incoming.iterdir()) == litter:
            time.sleep(0.001)

    def end(self) -> float:
        """Let it end; return how long that took."""
        began = time.monotonic()
        assert self._command.wait() == 0
        return time.monotonic() - began

    def kill(self) -> bool:
        """Kill it; say whether it was still at work."""
        self._command.kill()
        return self._command.wait() != 0


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.soak)])
def test_an_import_by_command_that_is_killed_happened_or_did_not(
    laptop: NodeUnderTest, package: Path, kills: int
) -> None:
    dice = random.Random(kills)
    works_for_s = Importing(laptop, package).end()
    before, hit = editions_in(laptop.data, changes_each=2), 0
    for _ in range(kills):
        importing = Importing(laptop, package)
        time.sleep(dice.uniform(0, works_for_s))
        hit += importing.kill()

        after = editions_in(laptop.data, changes_each=2)

        assert after in {before, before + 1}
        expect_nothing_to_mend(laptop)
        before = after
    log.info("%d of %d imports were killed at work; %d editions", hit, kills, before)
    assert hit >= kills // 2


@pytest.fixture
def token(laptop: NodeUnderTest) -> str:
    """What lets a program manage courses."""
    return str(laptop.facts("token", "create", "importer", "--scope", "courses.manage")["token"])


def upload(laptop: NodeUnderTest, token: str, package: Path) -> str:
    """Send a package whole; the worker reads it. Return where to ask how far it is."""
    headers = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}
    with httpx.Client(base_url=laptop.url, headers=headers, timeout=60) as client:
        size = package.stat().st_size
        made = client.post("/api/v1/uploads", headers={"Upload-Length": str(size)})
        made.raise_for_status()
        piece = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        client.patch(made.headers["location"], headers=piece, content=package.read_bytes()).raise_for_status()
        return str(made.headers["location"])


def ends_well(laptop: NodeUnderTest, token: str, place: str) -> None:
    """Wait until the worker has read it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        told = httpx.get(laptop.url + place, headers={"Authorization": f"Bearer {token}"}, timeout=60).json()
        if told["state"] == "done":
            return
        time.sleep(0.05)
    raise AssertionError(f"the import did not end: {told}")


@pytest.mark.parametrize("kills", [2, pytest.param(30, marks=pytest.mark.soak)])
def test_an_upload_whose_server_is_killed_while_it_reads_is_read_by_the_next(
    laptop: NodeUnderTest, token: str, package: Path, kills: int
) -> None:
    dice = random.Random(kills)
    try:
        for number in range(1, kills + 1):
            laptop.start()
            place = upload(laptop, token, package)
            time.sleep(dice.uniform(0, 1.5))
            laptop.kill()
            laptop.start()

            ends_well(laptop, token, place)

            laptop.kill()
            assert editions_in(laptop.data, changes_each=1) == number
            assert list((laptop.data / "uploads").iterdir()) == []
            expect_nothing_to_mend(laptop)
    finally:
        if laptop.process is not None:
            laptop.kill()
