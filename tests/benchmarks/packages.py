"""What it costs to import a cmi5 course of 1,000 units, beside reading and checking its structure alone.

``make bench`` runs it. CPU time, of a whole import: judged, on the shelf, its units and outline in the database.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from content_packages.intake import read_package
from content_packages.limits import Limits
from content_packages.manifest import course_structure
from content_packages.manifest.document import Node, parse
from content_packages.shelf import Shelf
from lms.courses.importing import Importer
from lms.database import Database
from migrations import all_metadata
from tests.cmi5_builders import a_structure, an_au

UNITS = 1000
ROUNDS = 7


def main() -> None:
    """Measure each in turns and print the least."""
    structure = a_structure(
        "\n".join(an_au(f"https://example.org/{n}", url="https://example.org/") for n in range(UNITS))
    ).encode()
    with tempfile.TemporaryDirectory() as folder:
        steps = _steps(structure, Path(folder))
        took = {name: min(_cpu_ms(step) for _ in range(ROUNDS)) for name, step in steps.items()}
    floor = took["parsed and checked"]
    for name, ms in took.items():
        print(f"{UNITS} units {name:20} {ms:7.1f} ms CPU {ms / floor:5.1f} ×")


def _steps(structure: bytes, folder: Path) -> dict[str, Callable[[], object]]:
    path = folder / "cmi5.xml"
    path.write_bytes(structure)
    (folder / "uploads").mkdir()
    database = Database(f"sqlite:///{(folder / 'outpost.db').as_posix()}")
    for metadata in all_metadata():
        metadata.create_all(database.engine)
    importer = Importer(
        database=database,
        shelf=Shelf(folder / "shelf"),
        uploads=folder / "uploads",
        now=lambda: datetime.now(UTC),
        new_id=uuid4,
    )
    return {
        "parsed and checked": lambda: _check(structure),
        "read": lambda: read_package(path, Shelf(folder / "other")),
        "imported": lambda: importer.import_file(path, by=None, publish_it=True),
    }


def _check(structure: bytes) -> None:
    def surprise(code: str, node: Node, **_: str | int) -> None:
        sys.exit(f"{code} in line {node.line}")

    root = parse(structure, file="cmi5.xml", limits=Limits(), findings=[]).root
    course_structure.check(root, surprise)


def _cpu_ms(step: Callable[[], object]) -> float:
    before = time.process_time()
    step()
    return 1000 * (time.process_time() - before)


if __name__ == "__main__":
    main()
