"""``lms init``, ``serve``, ``import`` and ``enrol`` say what they found, to people and to programs."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from lms.cli import app
from lms.courses.importing import Importer
from lms.courses.tables import CourseImport
from tests.course_builders import a_scorm_file
from tests.migrated import a_data_folder
from tests.package_builders import a_package, zipped


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = a_data_folder(tmp_path / "node")
    assert lms("init", "--role", "laptop", "--data", str(folder)).exit_code == 0
    return folder


def lms(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


def a_file_without_a_manifest(folder: Path) -> Path:
    file = folder / "holiday.zip"
    file.write_bytes(zipped({"sea.txt": b"blue"}))
    return file


def test_a_refused_package_says_why_and_what_to_do(data: Path, tmp_path: Path) -> None:
    done = lms("import", str(a_file_without_a_manifest(tmp_path)), "--data", str(data))

    assert done.exit_code == 1
    assert "holiday.zip: refused" in done.output
    assert "error package.no_manifest:" in done.output


def test_programs_are_told_the_same(data: Path, tmp_path: Path) -> None:
    refused = lms("import", str(a_file_without_a_manifest(tmp_path)), "--data", str(data), "--json")
    taken = lms("import", str(a_scorm_file(tmp_path)), "--data", str(data), "--json")

    (error,) = json.loads(refused.stdout)["errors"]
    assert (refused.exit_code, error["code"]) == (1, "package.no_manifest")
    assert {"code", "requirement", "detail", "location", "remedy"} <= error.keys()
    assert taken.exit_code == 0
    assert json.loads(taken.stdout)["errors"] == []


def test_a_person_is_told_what_was_found_and_a_program_the_same(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    page = b"<!-- Created using Storyline 3 --><script src='https://cdn.example.net/a.js'></script>"
    file.write_bytes(zipped(a_package() | {"index.html": page}))

    told = lms("import", str(file), "--data", str(data)).output
    facts = json.loads(lms("import", str(file), "--data", str(data), "--json").stdout)

    for line in (
        "  title: A course",
        "  standard: SCORM 1.2",
        "  tool: Articulate Storyline 3",
        "  found: 0 errors, 1 warning, 0 notes, 1 lesson",
        "  does not work offline: cdn.example.net",
        "  - One",
        "  warning package.external_addresses: The content loads files from cdn.example.net",
    ):
        assert line in told
    assert (facts["standard"], facts["tool"]) == ("SCORM 1.2", "Articulate Storyline 3")
    assert facts["external_hosts"] == {"cdn.example.net": 1}
    assert facts["sizes"]["pages"] == len(page)
    assert facts["outline"]["children"][0]["title"] == "One"
    assert facts["warnings"][0]["location"] == "index.html:1"
    assert (facts["counts"], facts["lessons"]) == ({"errors": 0, "warnings": 1, "notes": 0}, 1)


def test_a_file_that_cannot_be_read_does_not_keep_the_others_out(data: Path, tmp_path: Path) -> None:
    missing, folder = tmp_path / "missing.zip", tmp_path / "a folder"
    folder.mkdir()

    done = lms("import", str(missing), str(folder), str(a_scorm_file(tmp_path)), "--data", str(data))

    assert done.exit_code == 1
    assert "missing.zip: not imported. It could not be read or kept (No such file" in done.stderr
    assert "a folder: not imported. This is a folder." in done.stderr
    assert "course.zip: course " in done.stdout


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Have the system refuse to write more than so many bytes into one file, as a full disk does."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_in_a_sentence_and_smaller_files_are_still_taken(
    data: Path, tmp_path: Path
) -> None:
    large = tmp_path / "large.zip"
    large.write_bytes(zipped(a_package() | {"data.bin": bytes(9 * 2**20)}))
    files = (str(large), str(a_scorm_file(tmp_path)))

    with no_file_larger_than(8 * 2**20):
        done = lms("import", *files, "--data", str(data))
        facts = json.loads(lms("import", *files, "--data", str(data), "--json").stdout)

    assert (done.exit_code, isinstance(done.exception, SystemExit)) == (1, True)
    assert "large.zip: not imported. The disk is full; nothing of it was kept." in done.stderr
    assert "course.zip: course " in done.stdout
    assert [(one["file"], bool(one["problem"]), bool(one["course_id"])) for one in facts] == [
        ("large.zip", True, False),
        ("course.zip", False, True),
    ]


def test_each_file_is_told_as_it_is_finished(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    import_file = Importer.import_file

    def watched(importer: Importer, path: Path, **how: Any) -> CourseImport:
        told.append(f"reading {path.name}")
        return import_file(importer, path, **how)

    monkeypatch.setattr(Importer, "import_file", watched)
    monkeypatch.setattr("lms.cli.courses.say", told.append)
    files = (str(a_file_without_a_manifest(tmp_path)), str(a_scorm_file(tmp_path)))

    lms("import", *files, "--data", str(data))

    assert told.index("holiday.zip: refused") < told.index("reading course.zip")


def test_a_limit_set_for_the_node_is_kept_by_the_command(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMS_MAX_ARCHIVE_BYTES", "100")

    done = lms("import", str(a_scorm_file(tmp_path)), "--data", str(data))

    assert done.exit_code == 1
    assert "LMS_MAX_ARCHIVE_BYTES (max_archive_bytes in lms.toml; by default 3.2 GB)" in done.output


def test_a_node_keeps_its_role(tmp_path: Path) -> None:
    folder = str(tmp_path / "centre")
    lms("init", "--role", "central", "--name", "Centre", "--data", folder)

    again = lms("init", "--data", folder)
    other = lms("init", "--role", "laptop", "--name", "Post 4", "--data", folder)

    assert (again.exit_code, "This central is node" in again.output) == (0, True)
    assert other.exit_code == 1
    assert "holds a central already" in other.output
    assert 'name = "Centre"' in (tmp_path / "centre" / "lms.toml").read_text(encoding="utf-8")


def test_serving_a_folder_without_a_node_says_so_and_makes_nothing(tmp_path: Path) -> None:
    done = lms("serve", "--data", str(tmp_path / "mistyped"))

    assert done.exit_code == 1
    assert "There is no node in" in done.output
    assert not (tmp_path / "mistyped").exists()


def test_nobody_is_enrolled_in_a_course_that_is_not_here(data: Path) -> None:
    lms("user", "create", "4711", "--data", str(data), "--password-stdin", stdin="nine-words-for-tests")

    done = lms("enrol", "00000000-0000-4000-8000-000000000000", "--user", "4711", "--data", str(data))

    assert done.exit_code == 1
    assert "00000000-0000-4000-8000-000000000000" in done.output


def test_a_package_made_anew_names_the_course_it_looks_like(data: Path, tmp_path: Path) -> None:
    first = json.loads(lms("import", str(a_scorm_file(tmp_path)), "--data", str(data), "--json").stdout)
    anew = str(a_scorm_file(tmp_path, text="Anew"))

    told = lms("import", anew, "--data", str(data))
    made = json.loads(lms("import", anew, "--as", first["course_id"], "--data", str(data), "--json").stdout)

    assert f"--as {first['course_id']}" in told.output
    assert made["course_id"] == first["course_id"]
    assert made["looks_like"] == []


def test_the_same_package_again_is_said_to_be_the_same(data: Path, tmp_path: Path) -> None:
    package = str(a_scorm_file(tmp_path))
    first = json.loads(lms("import", package, "--data", str(data), "--json").stdout)

    again = json.loads(
        lms("import", package, "--as", first["course_id"], "--data", str(data), "--json").stdout
    )

    (told,) = [one for one in again["notes"] if one["code"] == "edition.same"]
    assert told["facts"] == {"number": 1}


def test_another_course_made_an_edition_by_mistake_is_said_to_be_another(data: Path, tmp_path: Path) -> None:
    first = json.loads(lms("import", str(a_scorm_file(tmp_path)), "--data", str(data), "--json").stdout)
    told = ("--as", first["course_id"], "--data", str(data), "--json")
    page = tmp_path / "page.zip"
    with zipfile.ZipFile(page, "w") as archive:
        archive.writestr("index.html", "<title>First aid</title><p>Hello</p>")

    other = json.loads(lms("import", str(page), *told).stdout)
    renamed = json.loads(lms("import", str(a_scorm_file(tmp_path, title="Precursors 2")), *told).stdout)

    assert "edition.unrelated" in [one["code"] for one in other["warnings"]]
    assert "edition.unrelated" not in [one["code"] for one in renamed["warnings"]]


def test_editions_are_listed_published_and_rolled_back(data: Path, tmp_path: Path) -> None:
    told = ("--data", str(data), "--json")
    course = json.loads(lms("import", str(a_scorm_file(tmp_path)), "--publish", *told).stdout)["course_id"]
    lms("import", str(a_scorm_file(tmp_path, units=["Two", "Three"])), "--as", course, *told)

    preview = json.loads(lms("course", "officers", course, "--edition", "2", *told).stdout)
    moves = json.loads(lms("course", "publish", course, "--edition", "2", "--move-from", "1", *told).stdout)
    lms("course", "undo-move", course, moves[0]["move"], "--data", str(data))
    back = lms("course", "publish", course, "--edition", "1", "--data", str(data))
    listed = json.loads(lms("course", "editions", course, *told).stdout)
    missing = lms("course", "publish", course, "--edition", "9", "--data", str(data))

    assert (preview[0]["units_kept"], preview[0]["units_gone"]) == (["Two"], ["One"])
    assert back.exit_code == 0
    assert [(one["number"], one["current"]) for one in listed] == [(2, False), (1, True)]
    assert (missing.exit_code, "no edition 9" in missing.output) == (1, True)


def test_a_course_is_exported_byte_for_byte_with_its_catalogue_data(data: Path, tmp_path: Path) -> None:
    package = a_scorm_file(tmp_path)
    course = json.loads(lms("import", str(package), "--publish", "--data", str(data), "--json").stdout)
    out = tmp_path / "out.zip"

    done = lms("export", course["course_id"], str(out), "--data", str(data))

    told = json.loads((tmp_path / "out.zip.jsonld").read_text(encoding="utf-8"))
    assert done.exit_code == 0, done.output
    assert out.read_bytes() == package.read_bytes()
    assert (told["@type"], told["name"]) == ("Course", [{"@value": "Precursors", "@language": "und"}])
    assert ("version" in told, told["encoding"]["version"]) == (False, 1)
    assert (told["courseCode"], told["identifier"]) == ("precursors", course["course_id"])
    assert told["encoding"]["encodingFormat"] == "SCORM 1.2"
    assert told["encoding"]["contentSize"] == package.stat().st_size
    assert told["encoding"]["sha256"] == hashlib.sha256(package.read_bytes()).hexdigest()


def test_an_edition_whose_package_was_not_kept_says_so(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMS_KEEP_ORIGINALS", "false")
    course = json.loads(lms("import", str(a_scorm_file(tmp_path)), "--data", str(data), "--json").stdout)

    done = lms("export", course["course_id"], str(tmp_path / "out.zip"), "--data", str(data))

    assert done.exit_code == 1
    assert "is not on this node" in done.output
    assert not (tmp_path / "out.zip").exists()
