"""The files of a bundle on drives that are pulled out, fail or take no long file."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.bundle_export import LEAST_PART_BYTES, make_plan, write_bundle
from sync.bundle_files import FAT32_BYTES
from sync.errors import BundleError
from sync.identity import agreement_key_of, new_key
from tests.bundle_builders import noise, write, write_notes
from tests.sync_builders import Place, pair


@pytest.fixture
def stick(tmp_path: Path, centre: Place, laptop: Place) -> Path:
    """An empty stick beside a laptop with some hundred kilobytes to tell."""
    pair(centre, laptop)
    dice = random.Random(1)
    write_notes(laptop, noise(dice, "n", 400, letters=1000))
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def write_told(
    here: Place,
    there: Place,
    target: Path,
    told: Callable[[int, int], None],
    most_bytes: int = FAT32_BYTES,
) -> None:
    with closing(make_plan(here.node, [there.node.id])) as plan:
        write_bundle(here.node, plan, target, most_bytes=most_bytes, told=told)


def once(do: Callable[[], object]) -> Callable[[int, int], None]:
    """Return what is told of progress, and does something in the middle of the writing."""
    done: list[int] = []

    def told(written: int, _total: int) -> None:
        if written > 20_000 and not done:
            done.append(written)
            do()

    return told


def test_a_stick_that_is_pulled_out_is_said_and_keeps_nothing_that_looks_whole(
    stick: Path, centre: Place, laptop: Place
) -> None:
    elsewhere = stick.with_name("pulled out")

    with pytest.raises(BundleError, match="Was the drive pulled out") as failed:
        write_told(laptop, centre, stick / "a.outpost", once(lambda: stick.rename(elsewhere)))

    assert failed.value.code == "gone"
    assert [path.suffix for path in elsewhere.iterdir()] == [".new"]


def test_what_is_read_back_is_compared(stick: Path, centre: Place, laptop: Place) -> None:
    def rot() -> None:
        (beside,) = stick.iterdir()
        with beside.open("r+b") as file:
            file.seek(5000)
            byte = file.read(1)
            file.seek(5000)
            file.write(bytes([byte[0] ^ 1]))

    with pytest.raises(BundleError) as failed:
        write_told(laptop, centre, stick / "a.outpost", once(rot))

    assert failed.value.code == "differs"
    assert list(stick.iterdir()) == []


def test_who_cancels_leaves_nothing(stick: Path, centre: Place, laptop: Place) -> None:
    def cancel() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_told(laptop, centre, stick / "a.outpost", once(cancel))

    assert list(stick.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's length")
def test_a_drive_that_takes_no_file_so_long_is_said_with_what_to_do(
    stick: Path, centre: Place, laptop: Place
) -> None:
    with (
        closing(make_plan(laptop.node, [centre.node.id])) as plan,
        longest_file(16 * 1024),
        pytest.raises(BundleError) as failed,
    ):
        write_bundle(laptop.node, plan, stick / "a.outpost")

    assert failed.value.code == "too_large"
    assert list(stick.iterdir()) == []


@contextmanager
def longest_file(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as FAT32 does at 4 GiB."""
    import resource  # noqa: PLC0415 - Windows has none
    import signal  # noqa: PLC0415

    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize("most_bytes", [0, 1000, LEAST_PART_BYTES - 1])
def test_parts_too_small_to_carry_anything_are_refused(
    stick: Path, centre: Place, laptop: Place, most_bytes: int
) -> None:
    with pytest.raises(BundleError) as failed:
        write(laptop, centre, stick / "a.outpost", most_bytes=most_bytes)

    assert failed.value.code == "split"


def test_a_bundle_replaces_a_link_and_does_not_write_through_it(
    stick: Path, tmp_path: Path, centre: Place, laptop: Place
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep", encoding="utf-8")
    (stick / "a.outpost").symlink_to(precious)

    write(laptop, centre, stick / "a.outpost")

    assert precious.read_text(encoding="utf-8") == "keep"
    assert not (stick / "a.outpost").is_symlink()


@settings(deadline=None)
@given(one=st.binary(min_size=32, max_size=32), two=st.binary(min_size=32, max_size=32))
def test_two_nodes_agree_on_a_secret_by_the_keys_that_their_certificates_name(one: bytes, two: bytes) -> None:
    first, second = new_key(random=one), new_key(random=two)

    assert first.agree(agreement_key_of(second.public_key)) == second.agree(
        agreement_key_of(first.public_key)
    )


def test_the_key_of_the_other_curve_is_the_known_one() -> None:
    """RFC 8032 §7.1, test 1; its counterpart as libsodium's ``crypto_sign_ed25519_pk_to_curve25519`` gives it."""
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")

    key = agreement_key_of(new_key(random=secret).public_key)

    assert key.hex() == "d85e07ec22b0ad881537c2f44d662d1a143cf830c57aca4305d85c7a90f6b62e"
