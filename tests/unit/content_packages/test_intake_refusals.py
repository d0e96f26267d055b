"""Bad input is refused with its own code, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from content_packages.intake import read_package
from content_packages.shelf import Shelf
from tests.package_builders import EMPTY_MANIFEST, a_zip, deflated, raw_zip


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"../evil.txt": b"x"}, "name.traversal"),
        ({"..\\evil.txt": b"x"}, "name.traversal"),
        ({"/etc/evil": b"x"}, "name.absolute"),
        ({"C:/evil.txt": b"x"}, "name.drive"),
        ({"//host/evil": b"x"}, "name.unc"),
        ({"a.txt:hidden": b"x"}, "name.stream"),
        ({"aux.js": b"x"}, "name.reserved"),
        ({"a./b": b"x"}, "name.trailing"),
        ({"a\n": b"x"}, "name.control"),
        ({"a/" * 17 + "b": b"x"}, "name.too_deep"),
        ({"a" * 241: b"x"}, "name.too_long"),
        ({"A.txt": b"x", "a.txt": b"y"}, "name.collision"),
        ({"a": b"x", "a/b": b"y"}, "name.file_is_folder"),
        ({"page.html": b"x"}, "package.no_manifest"),
        ({"a/index.html": b"x", "b/index.html": b"x"}, "package.several_manifests"),
        ({"imsmanifest.xml": b"not xml"}, "xml.not_well_formed"),
        ({"imsmanifest.xml": b"<!DOCTYPE m><m/>"}, "xml.dtd"),
        ({"imsmanifest.xml": b"<a>" * 65 + b"</a>" * 65}, "xml.too_deep"),
        ({"imsmanifest.xml": EMPTY_MANIFEST}, "organization.empty"),
    ],
)
def test_a_harmful_package_is_refused_and_leaves_nothing(
    tmp_path: Path, files: dict[str, bytes], code: str
) -> None:
    path = a_zip(tmp_path / "bad.zip", files)

    report = read_package(path, Shelf(tmp_path / "shelf"))

    assert report.refused
    assert code in {found.code for found in report.findings}
    assert not [found for found in (tmp_path / "shelf").rglob("*") if found.is_file()]


def test_a_zip_cut_short_says_so(tmp_path: Path) -> None:
    path = a_zip(tmp_path / "cut.zip", {"imsmanifest.xml": EMPTY_MANIFEST})
    path.write_bytes(path.read_bytes()[:-30])

    report = read_package(path, Shelf(tmp_path / "shelf"))

    assert [found.code for found in report.findings] == ["archive.truncated"]


def a_gigabyte_of_zeros() -> bytes:
    """Return the packed bytes: one block of a MiB that stands for itself, a thousand times over."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * 1024 + packer.flush()


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from Linux's /proc")
@pytest.mark.parametrize(("claimed", "code"), [(2**30, "archive.ratio"), (2**20, "archive.size_lie")])
def test_a_bomb_of_one_gigabyte_is_refused_in_little_memory(tmp_path: Path, claimed: int, code: str) -> None:
    bomb = replace(deflated("imsmanifest.xml"), packed=a_gigabyte_of_zeros(), size=claimed)
    path = tmp_path / "bomb.zip"
    path.write_bytes(raw_zip(bomb))
    # Not ru_maxrss: a child begins with what its parent, the test runner, had.
    script = (
        "import sys; from pathlib import Path; from content_packages.intake import read_package; "
        "from content_packages.shelf import Shelf; "
        "print(read_package(Path(sys.argv[1]), Shelf(Path(sys.argv[2]))).findings[0].code); "
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, str(path), str(tmp_path / "shelf")],
        capture_output=True,
        text=True,
        check=True,
    )

    found, kilobytes = done.stdout.split()
    assert found == code
    assert int(kilobytes) < 300 * 1024
