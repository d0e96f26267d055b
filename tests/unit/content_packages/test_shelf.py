"""The shelf keeps files by digest: whole or not at all, repaired when put again, swept when nobody names them."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from content_packages.errors import FileDamagedError, FileMissingError
from content_packages.shelf import PARTIALS_KEPT, FileRef, Shelf

HELLO = b"Hello, officer"
DIGEST = hashlib.sha256(HELLO).hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()
LATER = datetime.now(UTC) + timedelta(days=1)
EARLIER = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


def incoming(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "shelf" / "incoming").rglob("*"))


def damage(shelf: Shelf, data: bytes) -> None:
    path = shelf.path(DIGEST)
    path.chmod(stat.S_IREAD | stat.S_IWRITE)
    path.write_bytes(data)


def test_a_file_and_every_new_folder_above_it_are_synced_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a folder whose own entry was not synced, a power cut leaves nothing."""
    synced: list[Path] = []
    monkeypatch.setattr("content_packages.shelf._sync_folder", synced.append)
    root = tmp_path / "data" / "shelf"

    ref = Shelf(root).put(BytesIO(b"new"))

    assert synced == [root, root.parent, root / "files" / ref.digest[:2], root / "files"]


def test_a_file_is_found_by_its_digest(shelf: Shelf, tmp_path: Path) -> None:
    ref = shelf.put(BytesIO(HELLO))

    assert ref == FileRef(digest=DIGEST, size=len(HELLO))
    assert shelf.path(DIGEST).read_bytes() == HELLO
    assert list(shelf.digests()) == [DIGEST]
    assert incoming(tmp_path) == []


def test_a_file_on_the_shelf_is_read_only(shelf: Shelf) -> None:
    shelf.put(BytesIO(HELLO))

    assert not shelf.path(DIGEST).stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


def test_putting_a_file_twice_keeps_one(shelf: Shelf) -> None:
    shelf.put(BytesIO(HELLO))

    shelf.put(BytesIO(HELLO))

    assert list(shelf.digests()) == [DIGEST]


def test_a_file_with_another_digest_than_promised_is_not_kept(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(FileDamagedError) as refused:
        shelf.put(BytesIO(HELLO), expected=OTHER)

    assert (refused.value.digest, refused.value.found) == (OTHER, DIGEST)
    assert list(shelf.digests()) == []
    assert incoming(tmp_path) == []


@pytest.mark.parametrize(
    "found", [HELLO[:-1], HELLO + b"!", b"x" * len(HELLO)], ids=["cut", "longer", "changed"]
)
def test_putting_a_damaged_file_again_repairs_it(shelf: Shelf, found: bytes) -> None:
    shelf.put(BytesIO(HELLO))
    damage(shelf, found)

    shelf.put(BytesIO(HELLO))

    shelf.verify(DIGEST)
    assert shelf.path(DIGEST).read_bytes() == HELLO


def test_a_delivery_that_fails_leaves_nothing(shelf: Shelf, tmp_path: Path) -> None:
    def deliver() -> None:
        with shelf.delivery() as delivery:
            delivery.put(BytesIO(HELLO))
            delivery.put(BytesIO(b"other"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver()

    assert list(shelf.digests()) == []
    assert incoming(tmp_path) == []


def test_a_delivery_shows_its_files_only_when_all_have_come(shelf: Shelf) -> None:
    with shelf.delivery() as delivery:
        delivery.put(BytesIO(HELLO))
        delivery.put(BytesIO(b"other"))
        delivery.put(BytesIO(HELLO))
        seen_before = list(shelf.digests())

    assert seen_before == []
    assert set(shelf.digests()) == {DIGEST, OTHER}


def test_verifying_tells_damage(shelf: Shelf) -> None:
    shelf.put(BytesIO(HELLO))
    damage(shelf, b"x" * len(HELLO))

    with pytest.raises(FileDamagedError):
        shelf.verify(DIGEST)


def test_a_missing_file_says_what_to_do(shelf: Shelf) -> None:
    assert not shelf.has(DIGEST)
    with pytest.raises(FileMissingError, match="fetch it from a peer"):
        shelf.open(DIGEST)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", DIGEST.upper(), DIGEST + "\n", DIGEST[:-1]])
def test_what_is_no_digest_never_becomes_a_path(shelf: Shelf, name: str) -> None:
    with pytest.raises(FileMissingError):
        shelf.path(name)


def test_a_discarded_file_is_gone(shelf: Shelf) -> None:
    shelf.put(BytesIO(HELLO))

    shelf.discard(DIGEST)
    shelf.discard(DIGEST)

    assert not shelf.has(DIGEST)


# ------------------------------------------------------------------ files that arrive in pieces


def test_a_file_arrives_in_pieces_over_two_conversations(shelf: Shelf, tmp_path: Path) -> None:
    shelf.partial(DIGEST).append(HELLO[:5])

    second = Shelf(tmp_path / "shelf").partial(DIGEST)
    assert second.size == 5
    second.append(HELLO[5:])
    ref = second.finish()

    assert ref == FileRef(digest=DIGEST, size=len(HELLO))
    assert shelf.has(DIGEST)
    assert incoming(tmp_path) == []


def test_pieces_that_make_another_file_are_thrown_away(shelf: Shelf, tmp_path: Path) -> None:
    partial = shelf.partial(DIGEST)
    partial.append(b"something else")

    with pytest.raises(FileDamagedError):
        partial.finish()

    assert partial.size == 0
    assert not shelf.has(DIGEST)
    assert incoming(tmp_path) == []


def test_what_another_added_is_read_before_it_is_believed(shelf: Shelf) -> None:
    """Two processes may go on with one file; what each has hashed itself is not all of it then."""
    ours, theirs = shelf.partial(DIGEST), shelf.partial(DIGEST)
    assert ours.append(HELLO[:5], at=0) == 5
    theirs.append(b"?", at=5)
    assert ours.append(HELLO[5:], at=5) == 6  # it ends elsewhere by now

    ours.append(HELLO[6:], at=6)
    with pytest.raises(FileDamagedError):
        ours.finish()

    assert not shelf.has(DIGEST)


def test_small_files_are_put_together_and_those_that_are_others_left_out(
    shelf: Shelf, tmp_path: Path
) -> None:
    more = {hashlib.sha256(bytes([n])).hexdigest(): bytes([n]) for n in range(40)}

    kept = shelf.put_all({**more, DIGEST: HELLO, OTHER: b"no such thing"})

    assert kept == {*more, DIGEST}
    assert [shelf.read(digest) for digest in more] == list(more.values())
    assert not shelf.has(OTHER)
    assert incoming(tmp_path) == []


def test_nothing_can_be_finished_before_it_began(shelf: Shelf) -> None:
    with pytest.raises(FileMissingError):
        shelf.partial(DIGEST).finish()


# ------------------------------------------------------------------ sweeping


def test_a_sweep_removes_what_nobody_names(shelf: Shelf) -> None:
    shelf.put(BytesIO(HELLO))
    shelf.put(BytesIO(b"other"))

    swept = shelf.sweep({DIGEST}, before=LATER)

    assert (swept.files, swept.size) == (1, len(b"other"))
    assert list(shelf.digests()) == [DIGEST]


def test_a_sweep_spares_what_came_just_now(shelf: Shelf) -> None:
    shelf.put(BytesIO(HELLO))

    shelf.sweep(set(), before=EARLIER)

    assert shelf.has(DIGEST)


def test_an_old_file_put_again_counts_as_new(shelf: Shelf) -> None:
    shelf.put(BytesIO(HELLO))
    long_ago = (EARLIER - timedelta(days=9)).timestamp()
    shelf.path(DIGEST).chmod(stat.S_IREAD | stat.S_IWRITE)
    os.utime(shelf.path(DIGEST), (long_ago, long_ago))

    shelf.put(BytesIO(HELLO))
    shelf.sweep(set(), before=EARLIER)

    assert shelf.has(DIGEST)


def test_a_sweep_takes_the_litter_of_a_crash(shelf: Shelf, tmp_path: Path) -> None:
    litter = tmp_path / "shelf" / "incoming" / "tmpcrash"
    litter.mkdir()
    (litter / "0.part").write_bytes(b"half")
    shelf.partial(DIGEST).append(b"abandoned")

    shelf.sweep_incoming(before=LATER + PARTIALS_KEPT)

    # The folder itself was touched by the removal of its file, but nothing in it is left.
    assert not [path for path in incoming(tmp_path) if path.is_file()]


def test_a_file_on_its_way_waits_for_weeks(shelf: Shelf) -> None:
    shelf.partial(DIGEST).append(b"Hello")

    shelf.sweep_incoming(before=LATER + timedelta(days=20))

    assert shelf.partial(DIGEST).size == len(b"Hello")


def aged(shelf: Shelf, digest: str) -> None:
    long_ago = (EARLIER - timedelta(days=9)).timestamp()
    os.utime(shelf.path(digest), (long_ago, long_ago))


def test_a_file_that_is_claimed_is_spared_and_one_that_is_missing_is_told(shelf: Shelf) -> None:
    shelf.put(BytesIO(HELLO))
    aged(shelf, DIGEST)

    missing = shelf.claim([DIGEST, "0" * 64])
    shelf.sweep(set(), before=EARLIER)

    assert missing == {"0" * 64}
    assert shelf.has(DIGEST)


def test_a_sweep_that_is_dry_says_what_would_go(shelf: Shelf) -> None:
    shelf.put(BytesIO(HELLO))

    would = shelf.sweep(set(), before=LATER, dry=True)

    assert (would.files, would.size) == (1, len(HELLO))
    assert shelf.has(DIGEST)


def test_no_claimed_file_is_swept_however_the_two_meet(shelf: Shelf) -> None:
    kept = [shelf.put(BytesIO(f"file {n}".encode())).digest for n in range(200)]
    for digest in kept:
        aged(shelf, digest)

    with ThreadPoolExecutor(max_workers=2) as apart:
        sweeping = apart.submit(shelf.sweep, set(), before=EARLIER)
        missing = {digest for digest in kept if shelf.claim([digest])}
        sweeping.result()

    assert {digest for digest in kept if not shelf.has(digest)} == missing


def test_what_was_lost_is_remembered_until_it_comes_again(shelf: Shelf) -> None:
    ref = shelf.put(BytesIO(HELLO))

    shelf.note_lost(ref, seen=shelf.stamp(ref.digest))
    lost = shelf.lost()
    shelf.put(BytesIO(HELLO))

    assert lost == [ref]
    assert shelf.lost() == []
    shelf.verify(DIGEST)


def test_a_process_killed_while_it_delivers_leaves_no_broken_file(shelf: Shelf, tmp_path: Path) -> None:
    script = (
        "import os, sys; from io import BytesIO; from pathlib import Path; "
        "from content_packages.shelf import Shelf\n"
        "with Shelf(Path(sys.argv[1])).delivery() as delivery:\n"
        "    delivery.put(BytesIO(b'Hello, officer')); os._exit(9)"
    )

    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "shelf")], check=False)

    assert done.returncode == 9
    assert list(shelf.digests()) == []
    assert [path for path in incoming(tmp_path) if path.is_file()]


def aside(tmp_path: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (tmp_path / "shelf" / "damaged").glob("*")}


def test_a_damaged_file_is_set_aside_and_kept(shelf: Shelf, tmp_path: Path) -> None:
    ref = shelf.put(BytesIO(HELLO))
    damage(shelf, b"Hallo, officer")

    was_there = shelf.note_lost(ref, seen=shelf.stamp(DIGEST))

    assert was_there
    assert not shelf.has(DIGEST)
    assert aside(tmp_path) == {DIGEST: b"Hallo, officer"}
    assert (shelf.aside().files, shelf.aside().size) == (1, len(HELLO))
    assert list(shelf.digests()) == []


def test_what_came_in_the_place_of_a_damaged_file_is_left_alone(shelf: Shelf, tmp_path: Path) -> None:
    ref = shelf.put(BytesIO(HELLO))
    damage(shelf, b"Hallo, officer")
    judged = shelf.stamp(DIGEST)
    assert judged is not None
    shelf.put(BytesIO(HELLO))

    was_there = shelf.note_lost(ref, seen=judged), shelf.set_aside(DIGEST, seen=judged)

    assert was_there == (False, False)
    assert shelf.lost() == []
    shelf.verify(DIGEST)


def test_a_damaged_file_that_is_put_again_is_kept_aside_too(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(BytesIO(HELLO))
    damage(shelf, b"Hallo")

    shelf.put(BytesIO(HELLO))

    assert aside(tmp_path) == {DIGEST: b"Hallo"}


def test_what_is_read_whole_is_what_was_put_or_nothing(shelf: Shelf) -> None:
    shelf.put(BytesIO(HELLO))
    before = shelf.read(DIGEST)
    damage(shelf, b"Hallo, officer")

    with pytest.raises(FileMissingError):
        shelf.read(DIGEST)

    assert before == HELLO
    assert shelf.lost() == [FileRef(digest=DIGEST, size=len(HELLO))]


def test_a_note_that_an_older_release_left_torn_is_passed_over(shelf: Shelf, tmp_path: Path) -> None:
    shelf.note_lost(FileRef(digest=DIGEST, size=1), seen=None)
    (tmp_path / "shelf" / "lost" / OTHER).write_text("")

    assert shelf.lost() == [FileRef(digest=DIGEST, size=1)]


def test_what_nothing_names_any_more_is_no_longer_lost(shelf: Shelf) -> None:
    for digest in (DIGEST, OTHER):
        shelf.note_lost(FileRef(digest=digest, size=1), seen=None)

    shelf.forget_lost(but={OTHER})

    assert [ref.digest for ref in shelf.lost()] == [OTHER]


def test_a_file_that_is_none_of_the_shelfs_is_a_stray(shelf: Shelf, tmp_path: Path) -> None:
    root = tmp_path / "shelf"
    shelf.note_lost(shelf.put(BytesIO(HELLO)), seen=shelf.stamp(DIGEST))
    shelf.put(BytesIO(b"other"))
    shelf.partial(DIGEST).append(b"Hel")
    elsewhere = "00" if DIGEST[:2] != "00" else "01"
    strays = {
        root / "notes.txt",
        root / "files" / OTHER[:2] / "copy of a file",
        root / "files" / elsewhere / DIGEST,
    }
    for path in strays:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"?")

    assert set(shelf.strays()) == strays
