"""Courses on their way to a node, in real processes: what is needed there, what there is room for, and what changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
import zipfile
from pathlib import Path
from random import Random

import httpx

from tests.journeys.network import join, served, sync
from tests.package_builders import a_package
from tests.servers import NodeUnderTest, node

FILM = 12_000_000
SHORT_FILM = 4_000_000
PASSWORD = "correct horse"


def package(path: Path, film: bytes, *, page: bytes, language: str = "en") -> Path:
    files = a_package()
    manifest = files["imsmanifest.xml"].replace(b"<title>", f'<title xml:lang="{language}">'.encode(), 1)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {
            **files,
            "imsmanifest.xml": manifest,
            "index.html": page,
            "film.mp4": film,
        }.items():
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


def let_lie(place: NodeUnderTest) -> None:
    """Make the files on a node's shelf two days old."""
    then = time.time() - 2 * 24 * 3600
    for path in (place.data / "shelf" / "files").glob("*/*"):
        os.utime(path, (then, then))


def sign_in(place: NodeUnderTest, number: str) -> None:
    with served(place), httpx.Client(base_url=place.url, timeout=60) as browser:
        token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/sign-in").text)
        assert token is not None
        form = {"personnel_number": number, "password": PASSWORD, "csrf_token": token[1]}
        assert browser.post("/sign-in", data=form).status_code == 303


def test_a_hub_is_given_one_language_an_officers_course_comes_first_and_what_was_removed_again(
    tmp_path: Path,
) -> None:
    english, arabic = (Random(seed).randbytes(SHORT_FILM) for seed in (3, 4))
    films = {name: hashlib.sha256(film).hexdigest() for name, film in (("en", english), ("ar", arabic))}
    with (
        node(tmp_path / "centre", role="central", name="The centre") as centre,
        node(tmp_path / "hub", role="hub", name="The hub") as hub,
    ):
        centre.people({"P-1": "officer"}, password=PASSWORD)
        courses = {
            "en": publish(centre, package(tmp_path / "en.zip", english, page=b"<p>Borders</p>")),
            "ar": publish(centre, package(tmp_path / "ar.zip", arabic, page=b"<p>Hudud</p>", language="ar")),
        }
        centre.run_here("enrol", courses["ar"], "--user", "P-1")
        with served(centre):
            join(hub, centre, role="hub")
            assigned = centre.facts("course", "assign", "--language", "en", "--node", "The hub")
            assert sync(hub)["state"] == "done"
            as_assigned = on_shelf(hub)

            let_lie(hub)
            removed = hub.facts("course", "remove", courses["en"])
            assert sync(hub)["state"] == "done"
            without = on_shelf(hub)

            sign_in(hub, "P-1")
            asked = hub.facts("course", "fetch", courses["en"])
            hub.run_here("node", "terms", "The centre", "--bytes-per-day", f"{SHORT_FILM * 5 // 2}")
            stopped = sync(hub)
            first = on_shelf(hub)
            hub.run("sync", "--all-the-same")
            listed = {one["course"]: one for one in hub.facts("course", "here")}

        assert (assigned["mode"], assigned["languages"]) == ("languages", ["en"])
        assert films["en"] in as_assigned
        assert films["ar"] not in as_assigned
        assert removed["freed"] >= SHORT_FILM
        assert films["en"] not in without
        assert not asked["here"]
        assert stopped["state"] == "budget"
        assert films["ar"] in first  # somebody takes it; the other was only asked for
        assert films["en"] not in first
        assert set(films.values()) <= on_shelf(hub)
        assert listed[courses["ar"]]["use"] == "taken"
        assert listed[courses["en"]]["use"] == "nobody"


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
