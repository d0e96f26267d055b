"""Which drives are offered, and which bundles are seen on them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lms.bundles.drives import bundles_on, list_drives

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is mounted in a file")


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A folder with two sticks and a disc that somebody plugged in."""
    folder = tmp_path / "media"
    for name in ("MY STICK", "disc", "second"):
        (folder / name).mkdir(parents=True)
    return folder


def mounts(tmp_path: Path, media: Path) -> Path:
    told = tmp_path / "mounts"
    stick = str(media / "MY STICK").replace(" ", r"\040")
    told.write_text(
        f"/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 {stick} vfat rw 0 0\n/dev/sr0 {media}/disc iso9660 ro 0 0\n"
        f"/dev/sdc1 {media}/second exfat rw 0 0\n/dev/sdd1 {media}/gone vfat rw 0 0\n",
        encoding="utf-8",
    )
    return told


def test_what_is_plugged_in_is_offered_by_name_with_its_room(tmp_path: Path, media: Path) -> None:
    drives = list_drives(mounts(tmp_path, media), [f"{media}/"])

    assert [(drive.name, drive.kind) for drive in drives] == [
        ("MY STICK", "vfat"),
        ("disc", "iso9660"),
        ("second", "exfat"),
    ]
    assert [drive.is_writable for drive in drives] == [True, False, True]
    assert all(0 < drive.free <= drive.total for drive in drives)


def test_bundles_are_seen_at_the_top_and_one_folder_below(tmp_path: Path, media: Path) -> None:
    stick = media / "MY STICK"
    (stick / "post 4" / "older").mkdir(parents=True)
    for place in (
        "a.outpost",
        "post 4/b.outpost",
        "post 4/older/c.outpost",
        ".a.outpost.7.new",
        ".d.outpost",
    ):
        (stick / place).touch()
    drive = list_drives(mounts(tmp_path, media), [f"{media}/"])[0]

    assert [path.name for path in bundles_on(drive)] == ["a.outpost", "b.outpost"]
