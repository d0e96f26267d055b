"""Courses on their way to a laptop, in real processes: what there is room for, and of a new edition what changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path
from random import Random

from tests.journeys.network import join, served, sync
from tests.package_builders import a_package
from tests.servers import NodeUnderTest, node

FILM = 12_000_000


def package(path: Path, film: bytes, *, page: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**a_package(), "index.html": page, "film.mp4": film}.items():
            archive.writestr(name, data)
    return path


def publish(place: NodeUnderTest, course: Path, *more: str) -> str:
    said = json.loads(place.run_here("import", str(course), "--publish", "--json", *more))
    return str(said["course_id"])


def keep_free(place: NodeUnderTest, size: int) -> None:
    """Let a node keep so many bytes of its disk free."""
    file = place.data / "lms.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("min_free_bytes")]
    file.write_text("\n".join([f"min_free_bytes = {size}", *kept]), encoding="utf-8")


def on_shelf(place: NodeUnderTest) -> set[str]:
    return {path.name for path in (place.data / "shelf" / "files").glob("*/*")}


def test_a_laptop_without_room_takes_no_file_then_all_and_of_a_new_edition_what_changed(
    tmp_path: Path,
) -> None:
    first = Random(1).randbytes(FILM)
    second = b"packed anew" + first[50 : FILM // 2] + Random(2).randbytes(FILM // 100) + first[FILM // 2 :]
    with (
        node(tmp_path / "hub", role="hub", name="The hub") as hub,
        node(tmp_path / "laptop", name="Post 4") as laptop,
    ):
        course = publish(hub, package(tmp_path / "first.zip", first, page=b"<p>One</p>"))
        with served(hub):
            join(laptop, hub)
            keep_free(laptop, shutil.disk_usage(laptop.data).total)
            crowded = sync(laptop)
            held = on_shelf(laptop)
            keep_free(laptop, 1)
            roomy = sync(laptop)
            whole = on_shelf(laptop)
            publish(hub, package(tmp_path / "second.zip", second, page=b"<p>Two</p>"), "--as", course)
            renewed = sync(laptop)

        assert (crowded["state"], roomy["state"], renewed["state"]) == ("done", "done", "done")
        assert crowded["no_room"] > 0
        assert held == set()
        assert roomy["no_room"] == 0
        assert hashlib.sha256(first).hexdigest() in whole
        assert hashlib.sha256(second).hexdigest() in on_shelf(laptop)
        assert renewed["bytes_down"] + renewed["bytes_up"] < 0.03 * FILM
