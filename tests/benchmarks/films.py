"""What it takes to import a package around a film of 2 GB, beside ``unzip -p … | sha256sum`` of the same file.

``make bench`` runs it: the film as it is in the zip, and packed. The import keeps the original too. Each import is a
process of its own, so that its memory is its own; after it, an edition of which one hundredth has changed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from random import Random

from tests.benchmarks.pages import machine
from tests.media_builders import an_mp4
from tests.package_builders import a_package

BLOCK = 64 * 1024 * 1024
REACH = 2.0
REACH_MB = 150
IMPORT = (
    "import json, sys; from pathlib import Path; from content_packages.intake import read_package;"
    "from content_packages.shelf import Shelf; shelf = Shelf(Path(sys.argv[2]));"
    "report = read_package(Path(sys.argv[1]), shelf, keep_original=True);"
    "assert not report.refused, report.findings;"
    "size = sum(shelf.path(digest).stat().st_size for digest in shelf.digests());"
    "peak = Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0];"  # getrusage tells the parent's
    "print(json.dumps([size, int(peak) / 1024]))"
)


def main() -> None:
    """Write the packages, import them, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=2048, help="how large the film is (2048)")
    mib = parser.parse_args().mib
    for name, method in (("as it is", zipfile.ZIP_STORED), ("packed", zipfile.ZIP_DEFLATED)):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            place = Path(folder)
            _write(place / "first.zip", mib, method, edition=1)
            floor_s = _floor(place / "first.zip")
            took_s, size, peak_mb = _import(place / "first.zip", place / "shelf")
            print(
                f"film of {mib} MiB, {name}: {took_s:.1f} s, {took_s / floor_s:.2f} × of unzip and sha256sum"
                f" ({floor_s:.1f} s), reach {REACH:.0f} ×; memory {peak_mb:.0f} MB, reach {REACH_MB} MB"
            )
            _write(place / "second.zip", mib, method, edition=2)
            _, after, _ = _import(place / "second.zip", place / "shelf")
            print(f"  one hundredth changed: {(after - size) / size:.2%} more on the shelf, reach 2 %")
    print(f"\n{machine()}")


def _write(path: Path, mib: int, method: int, *, edition: int) -> None:
    """Write a course around a film; of another edition every date differs, and one file of a hundredth."""
    when = (2020 + edition, 1, 1, 0, 0, 0)
    film, other = _noise(1), _noise(10 + edition)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in a_package().items():
            archive.writestr(zipfile.ZipInfo(name, when), data, zipfile.ZIP_DEFLATED)
        for name, noise, size in (
            ("film.mp4", film, mib * 1024 * 1024),
            ("end.mp4", other, mib * 1024 * 1024 // 100),
        ):
            info = zipfile.ZipInfo(name, when)
            info.compress_type = method
            with archive.open(info, "w", force_zip64=True) as file:
                file.write(an_mp4() + b"\0\0\0\1mdat" + (16 + size).to_bytes(8, "big"))
                for at in range(0, size, BLOCK):
                    file.write(at.to_bytes(8) + noise[8 : min(BLOCK, size - at)])


def _noise(seed: int) -> bytes:
    """Return a block of bytes that do not pack."""
    return Random(seed).randbytes(BLOCK)


def _floor(path: Path) -> float:
    began = time.perf_counter()
    subprocess.run(f"unzip -p '{path}' | sha256sum", shell=True, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _import(path: Path, shelf: Path) -> tuple[float, int, float]:
    """Return seconds, bytes on the shelf afterwards, and the memory that the process used at most, in MB."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(path), str(shelf)],
        check=True,
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    took = time.perf_counter() - began
    size, peak = json.loads(done.stdout)
    return took, size, peak


if __name__ == "__main__":
    main()
