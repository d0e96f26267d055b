"""``lms doctor`` finds what is wrong with a node, says so in a sentence, and mends what it may."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import Result
from typer.testing import CliRunner

from content_packages.shelf import FileRef, Shelf
from lms.certificates.authority import make_authority
from lms.cli import app
from lms.cli.opening import settings_of
from lms.node import Node
from sync.sequencer import number_changes
from tests.course_builders import a_scorm_file
from tests.migrated import a_data_folder

LONG_AGO = time.time() - 5 * 24 * 3600


def lms(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


class Patient:
    """A laptop with a published course, and what the doctor says of it."""

    def __init__(self, data: Path, package: Path) -> None:
        self.data, self.package = data, package

    def sees(self, *options: str) -> tuple[int, dict[str, dict[str, Any]]]:
        done = lms("doctor", "--data", str(self.data), "--json", *options)
        return done.exit_code, {one["about"]: one for one in json.loads(done.stdout)["checks"]}

    def states(self, *options: str) -> dict[str, str]:
        return {
            about: one["state"] for about, one in self.sees(*options)[1].items() if one["state"] != "well"
        }

    def import_again(self) -> None:
        assert lms("import", str(self.package), "--data", str(self.data)).exit_code == 0

    def page(self) -> Path:
        """Return a file of the course on the shelf: the page of its first unit."""
        shelf = self.data / "shelf" / "files"
        return next(one for one in shelf.glob("*/*") if b"<p>Hello" in one.read_bytes()[:60])


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Patient:
    folder = tmp_path_factory.mktemp("furnished")
    patient = Patient(a_data_folder(folder / "node"), a_scorm_file(folder))
    assert lms("init", "--role", "laptop", "--data", str(patient.data)).exit_code == 0
    assert lms("import", str(patient.package), "--publish", "--data", str(patient.data)).exit_code == 0
    return patient


@pytest.fixture
def patient(furnished: Patient, tmp_path: Path) -> Patient:
    data = tmp_path / "node"
    with closing(sqlite3.connect(furnished.data / "outpost.db")) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(furnished.data, data)
    return Patient(data, furnished.package)


def test_a_healthy_node_needs_nobody(patient: Patient) -> None:
    status, found = patient.sees()
    told = lms("doctor", "--data", str(patient.data))

    assert (status, told.exit_code) == (0, 0)
    assert patient.states() == {}
    assert set(found) >= {
        "database",
        "schema",
        "key",
        "courses",
        "litter",
        "imports",
        "jobs",
        "uploads",
        "disk",
        "clock",
        "records",
    }
    assert "Nothing needs you." in told.output


def test_courses_being_tried_are_no_affair_of_the_doctor(patient: Patient) -> None:
    trials = patient.data / "trials"
    trials.mkdir()
    (trials / f"{'0' * 32}.db").write_bytes(b"not even a database")
    (trials / f"{'0' * 32}.db-wal").write_bytes(b"")

    assert patient.states("--repair") == {}
    assert len(list(trials.iterdir())) == 2


def spoil(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"<p>Hello", b"<p>Hallo"))


@pytest.mark.parametrize("how", [Path.unlink, spoil], ids=["missing", "damaged"])
def test_a_file_of_a_course_that_rotted_is_found_and_mended_by_an_import(
    patient: Patient, how: Callable[[Path], None]
) -> None:
    how(patient.page())

    status, found = patient.sees()
    patient.import_again()

    assert (status, found["courses"]["state"]) == (1, "trouble")
    assert "“Precursors”, edition 1: 1 file is missing or damaged" in found["courses"]["sentence"]
    assert patient.states() == {}


def test_a_damaged_file_is_marked_to_be_fetched(patient: Patient) -> None:
    page = patient.page()
    spoil(page)

    status, found = patient.sees("--repair")

    assert (status, found["courses"]["state"]) == (1, "trouble")
    assert "asked for at the next sync" in found["courses"]["sentence"]
    assert (patient.data / "shelf" / "lost" / page.name).read_text() == str(
        len(b"<!doctype html><title>One</title><p>Hello")
    )
    assert not page.exists()


def test_a_quick_look_reads_no_files(patient: Patient) -> None:
    spoil(patient.page())

    assert patient.states("--quick") == {}


def test_litter_is_told_and_taken_away(patient: Patient) -> None:
    shelf = patient.data / "shelf"
    (shelf / "files" / "00").mkdir(exist_ok=True)
    litter = [shelf / "files" / "00" / ("0" * 64), shelf / "incoming" / "tmp1" / "0.part"]
    upload = patient.data / "uploads" / "left.zip"
    litter[1].parent.mkdir()
    for path in (*litter, upload):
        path.write_bytes(b"litter")
        os.utime(path, (LONG_AGO, LONG_AGO))

    told = patient.sees()
    mended = patient.states("--repair")

    assert told[0] == 0
    assert told[1]["litter"]["sentence"].startswith("2 files are named by nothing")
    assert mended == {"litter": "mended", "uploads": "mended"}
    assert not any(path.exists() for path in (*litter, upload))
    assert patient.states() == {}


def test_one_file_is_not_said_to_be_many_of_nothing(patient: Patient) -> None:
    upload = patient.data / "uploads" / "left.zip"
    upload.write_bytes(b"x")
    os.utime(upload, (LONG_AGO, LONG_AGO))

    sentence = patient.sees()[1]["uploads"]["sentence"]

    assert sentence == "1 upload was left over: 1 byte. The server takes it away."


def test_a_file_that_is_none_of_the_shelfs_is_told_and_left_alone(patient: Patient) -> None:
    notes = patient.data / "shelf" / "files" / "notes.txt"
    notes.write_text("where is this from?")

    status, found = patient.sees("--repair")

    assert (status, found["strays"]["state"]) == (0, "told")
    assert (
        f"1 file in the folder of the shelf is none of the shelf's: {Path('shelf/files/notes.txt')}."
        in (found["strays"]["sentence"])
    )
    assert notes.exists()


def test_two_courses_of_one_title_are_told_apart_by_their_ids(patient: Patient) -> None:
    patient.import_again()
    patient.page().unlink()

    said = json.loads(lms("doctor", "--data", str(patient.data), "--json").stdout)["checks"]

    ids = {one["sentence"].partition(" (")[2][:36] for one in said if one["about"] == "courses"}
    assert len({UUID(one) for one in ids}) == 2


def test_a_damaged_file_that_was_mended_is_kept_aside_and_said(patient: Patient) -> None:
    spoil(patient.page())
    patient.import_again()

    said = patient.sees()[1]["set aside"]

    assert said["state"] == "well"
    assert said["sentence"].startswith("1 damaged file was set aside in shelf/damaged: 41 bytes.")


def test_an_import_nobody_goes_on_with_is_ended(patient: Patient) -> None:
    with closing(sqlite3.connect(patient.data / "outpost.db")) as file:
        file.execute("UPDATE course_import SET finished = NULL, state = 'reading'")
        file.commit()

    status, found = patient.sees()
    mended = patient.states("--repair")

    assert (status, found["imports"]["state"]) == (1, "trouble")
    assert mended == {"imports": "mended"}
    assert patient.states() == {}


def test_a_job_that_fails_again_and_again_is_named(patient: Patient) -> None:
    with closing(sqlite3.connect(patient.data / "outpost.db")) as file:
        file.executemany(
            "INSERT INTO job (kind, payload, enqueued, due, tries, problem) VALUES (?, '{}', ?, ?, ?, ?)",
            [
                (
                    "course-import",
                    "2030-01-01 00:00:00.000000",
                    "2030-01-01 00:00:00.000000",
                    4,
                    "OSError: No space left on device",
                ),
                (
                    "meeting",
                    "2030-01-01 00:00:00.000000",
                    "2030-01-01 00:00:00.000000",
                    1,
                    "ConnectionError: no route",
                ),
            ],
        )
        file.commit()

    status, found = patient.sees()

    assert (status, found["jobs"]["state"]) == (1, "trouble")
    assert "course-import, 4 times: OSError: No space left on device" in found["jobs"]["sentence"]
    assert "meeting" not in found["jobs"]["sentence"]


def test_a_key_of_another_node_is_told(patient: Patient, tmp_path: Path) -> None:
    other = a_data_folder(tmp_path / "other")
    lms("init", "--role", "laptop", "--data", str(other))
    (patient.data / "node.key").write_bytes((other / "node.key").read_bytes())

    assert patient.sees()[0] == 1
    assert patient.states() == {"key": "trouble"}
    (patient.data / "node.key").unlink()
    assert patient.states() == {"key": "trouble"}


def test_a_damaged_database_is_told_without_looking_further(patient: Patient) -> None:
    path = patient.data / "outpost.db"
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 40_000)

    status, found = patient.sees()

    assert status == 1
    assert list(found) == ["database"]
    assert "from your last copy of the data folder" in found["database"]["sentence"]


def test_records_that_were_changed_are_told_by_the_check_that_reads_them(patient: Patient) -> None:
    with closing(Node(settings_of(patient.data))) as node:
        number_changes(node.sync)
    assert patient.states() == patient.states("--all") == {}
    with closing(sqlite3.connect(patient.data / "outpost.db")) as file, file:
        file.execute("UPDATE sync_segment SET kinds = '{}'")

    assert patient.states() == {}
    assert patient.states("--all") == {"records": "trouble"}
    status, found = patient.sees()
    assert status == 1
    assert "Somebody had access to the database." in found["records"]["sentence"]


def test_a_clock_that_was_set_back_is_told(patient: Patient) -> None:
    with closing(sqlite3.connect(patient.data / "outpost.db")) as file:
        columns = [row[1] for row in file.execute("PRAGMA table_info(xapi_statement)")]
        values = {
            "position": 1,
            "id": b"\1" * 16,
            "stored": 4_070_908_800_000_000,
            "transaction": 0,
            "raw": b"{}",
        }
        given = [values.get(name, 0) for name in columns]
        file.execute(f"INSERT INTO xapi_statement VALUES ({','.join('?' * len(columns))})", given)
        file.commit()

    assert patient.states() == {"clock": "trouble"}


def test_a_root_that_is_whole_is_well_and_one_without_its_issuer_is_not(patient: Patient) -> None:
    make_authority(patient.data, node_name="Room 2", hosts=["hub.local"], now=datetime.now(UTC))
    before = patient.states("--quick")

    (patient.data / "certificates" / "issuer.key").unlink()

    assert "certificates" not in before
    assert patient.states("--quick")["certificates"] == "trouble"


def test_a_root_of_another_node_that_cannot_be_read_is_named(patient: Patient) -> None:
    folder = patient.data / "certificates" / "of-peers"
    folder.mkdir(parents=True)
    (folder / "n1.pem").write_text("torn")

    said = patient.sees("--quick")[1]["certificates"]

    assert said["state"] == "trouble"
    assert "n1" in said["sentence"]


@pytest.mark.parametrize(
    ("content", "state"),
    [
        ("{", "trouble"),
        (f'{{"{UUID(int=1)}": [9000, "2026-11-01"], "{UUID(int=2)}": [9000, "2026-11-01"]}}', "trouble"),
        (f'{{"{UUID(int=1)}": [9000, "2026-11-01"]}}', "well"),
    ],
)
def test_a_list_of_ports_that_is_torn_or_names_one_twice_is_trouble(
    patient: Patient, content: str, state: str
) -> None:
    (patient.data / "content-ports.json").write_text(content)

    assert patient.sees("--quick")[1]["ports"]["state"] == state


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("\nthis is = = not toml", "line 2"),
        ("\n[gender]\nen = 5", "line 2: gender"),
        ("[gender]\n[[subjects]]", "line 2: subjects"),
        ("[gender]\nen = 'Gender'", None),
        ("\ufeff[gender]\nen = 'Gender'", None),
    ],
)
def test_a_wrong_file_of_subjects_is_told_with_its_line(
    patient: Patient, content: str, line: str | None
) -> None:
    (patient.data / "subjects.toml").write_text(content, "utf-8")

    _, found = patient.sees("--quick")

    assert found["subjects"]["state"] == ("trouble" if line else "well")
    if line:
        assert str(patient.data / "subjects.toml") in found["subjects"]["sentence"]
        assert line in found["subjects"]["sentence"]


def test_importing_again_what_is_damaged_says_what_it_mended(patient: Patient) -> None:
    patient.page().unlink()

    told = lms("import", str(patient.package), "--data", str(patient.data)).stdout
    again = json.loads(lms("import", str(patient.package), "--data", str(patient.data), "--json").stdout)

    assert "course.zip: mended course " in told
    assert "Files of edition 1 of “Precursors” were damaged or missing here; it is whole again" in told
    assert again["mended"] is False
    assert again["course_id"] not in told


def test_an_attachment_that_is_missing_is_asked_for_again(patient: Patient) -> None:
    """The patient has no statement with a large file: a row that names one is enough."""
    digest = "0" * 64
    with closing(sqlite3.connect(patient.data / "outpost.db")) as file, file:
        file.execute(
            "INSERT INTO xapi_attachment (sha2, sha256, size, file) VALUES (?, ?, 7, ?)", (digest,) * 3
        )

    _, before = patient.sees("--quick")
    _, mended = patient.sees("--quick", "--repair")

    assert before["attachments"]["state"] == mended["attachments"]["state"] == "trouble"
    assert "--repair" in before["attachments"]["sentence"]
    assert "asked for at the next sync" in mended["attachments"]["sentence"]
    assert Shelf(patient.data / "attachments").lost() == [FileRef(digest=digest, size=7)]
