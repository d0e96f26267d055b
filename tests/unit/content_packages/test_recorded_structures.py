"""Structures of our own are read to the packages recorded beside them, to the last field.

A package is named by the digest of these bytes: a reader that changes them makes a new edition of every course.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import orjson
import pytest

from content_packages.limits import Limits
from content_packages.manifest import cmi5, tincan
from content_packages.manifest.source import Source
from content_packages.package import Package

FOLDER = Path(__file__).parent / "structures"
READERS: dict[str, Callable[[Source], Package]] = {"cmi5": cmi5.read, "tincan": tincan.read}
NAMES = (
    "before/index.html", "driver/talk.html", "driver/law quiz.html", "index.html", "story.html",
)  # fmt: skip


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.xml")), ids=lambda path: path.name)
def test_a_structure_is_read_as_recorded(path: Path) -> None:
    source = Source(main=path.name, names=NAMES, open=lambda _: BytesIO(path.read_bytes()), limits=Limits())

    package = READERS[path.name.split(".")[1]](source)

    recorded = orjson.loads(path.with_suffix(".json").read_bytes())
    assert orjson.loads(package.to_json()) == recorded["package"]
    assert [one.code for one in source.findings] == recorded["findings"]
