"""The file for whoever helps: how a node is, and of people, devices and what anybody wrote, nothing."""

from __future__ import annotations

import html
import json
import logging
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result
from sqlalchemy import inspect, text
from typer.testing import CliRunner

from lms import doctor
from lms.cli import app
from lms.courses.actions import publish
from lms.node import Node
from lms.nodes.local import make_identity
from lms.nodes.tables import Ending, Meeting
from lms.people.actions import create_group, create_person
from lms.queue import Job
from lms.settings import Settings
from lms.support.actions import README, write_support
from lms.support.log import FILE, FOLDER, keeping_log
from lms.support.members import MEMBERS
from lms.support.pages import router
from lms.support.sentences import own_words
from sync.errors import LinkError
from sync.identity import create_key, sign_paper
from sync.ledger import peer_row
from sync.messages import Certificate
from sync.node import keep_certificate
from sync.tables import ErasureRow, LogRow, QuarantineRow, RefusedRow
from tests.course_builders import a_scorm_file, an_edition
from tests.migrated import a_data_folder
from tests.school_builders import School, a_school, token
from tests.xapi_builders import AUTHORITY
from xapi_store import ingest

#: What people write, recognisable wherever it stands, in whatever case.
NAME, NUMBER, DEVICE = "Zenobia Quuxwitz", "PN-7731984-QX", "Kwyjibo-Laptop"
GROUP, TITLE, FREE = "Frobnicators", "Snarkology", "Mxyzptlk said: call 0791-555-321"
MARKS = (
    "zenobia",
    "quuxwitz",
    "7731984",
    "kwyjibo",
    "frobnicators",
    "snarkology",
    "mxyzptlk",
    "555-321",
    "hunter2",
)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PEER = "0" * 26


@pytest.fixture
def node(tmp_path: Path, database_url: str) -> Iterator[Node]:
    """Give a node on which all of that stands in as many places as there are."""
    address = "http://kwyjibo.example:8000"
    settings = Settings(
        data=tmp_path / "Kwyjibo data", database_url=database_url, name=DEVICE, public_url=address
    )
    with closing(Node(settings)) as node:
        node.database.upgrade()
        fill(node, tmp_path)
        yield node


def fill(node: Node, folder: Path) -> None:
    package = a_scorm_file(folder, name="snarkology.zip", title=TITLE, text=FREE)
    with node.database.write() as session:
        make_identity(session, node.settings.data, name=DEVICE, role="hub")
        person = create_person(
            session, public_id=uuid4(), personnel_number=NUMBER, name=NAME, roles=["officer"],
            password_hash="hunter2", now=NOW, grants_travel=False,
        )  # fmt: skip
        create_group(session, public_id=uuid4(), name=GROUP, now=NOW)
        _, edition = an_edition(session, node.shelf, package)
        publish(session, node.shelf, edition.public_id, now=NOW)
        statement = {
            "actor": {
                "name": NAME,
                "account": {"homePage": "https://outpost.invalid/people", "name": str(person.public_id)},
            },
            "verb": {"id": "http://adlnet.gov/expapi/verbs/answered"},
            "object": {"id": "https://example.org/snarkology", "definition": {"name": {"en": TITLE}}},
            "result": {"response": FREE},
        }
        ingest.store_statements(session, [statement], authority=AUTHORITY, now=NOW)
        key = create_key(make_folder(folder / "other"))
        there = Certificate(
            node=key.node, public_key=key.public_key, name=DEVICE, role="laptop", units=(GROUP,), issued_ms=1
        )
        keep_certificate(session, sign_paper(key, there))
        peer_row(session, key.node, now_ms=1).address = "http://kwyjibo.example:8001"
        session.add_all(
            [
                Meeting(
                    peer=key.node, by_hand=True, started=NOW, heard=NOW, finished=NOW, ending=Ending.INTERRUPTED,
                    detail=FREE,
                ),
                LogRow(origin=key.node, epoch="e" * 13, scope=f"directory/{GROUP}", seq=1, root="0" * 64),
                Job(kind="import", payload={"name": FREE}, enqueued=NOW, due=NOW, problem=FREE),
                QuarantineRow(
                    origin=key.node, epoch="e" * 13, scope=f"directory/{GROUP}", seq=1, kind="statement", key=NUMBER,
                    schema=1, wall_ms=1, counter=0, body=FREE.encode(), verdict="refused", reason="malformed",
                    detail=FREE, since_ms=1,
                ),
                QuarantineRow(
                    origin=key.node, epoch="e" * 13, scope="up", seq=1, kind=FREE, key=NUMBER, schema=1, wall_ms=1,
                    counter=0, body=b"", verdict="waiting", reason=FREE, detail=FREE, since_ms=1,
                ),
                RefusedRow(
                    peer=key.node, origin=key.node, epoch="e" * 13, scope="up", digest="0" * 64, code="fork",
                    detail=FREE, refused_ms=1, encoded=FREE.encode(),
                ),
                ErasureRow(
                    order_id="o", subject="s", ordered_ms=1, orderer=key.node, reason=FREE, stage="done",
                    made_here=False,
                ),
            ]
        )  # fmt: skip
    for digest in list(node.shelf.digests())[:2]:
        node.shelf.discard(digest)  # so that the doctor speaks of the course by its title
    with keeping_log(node.settings.data):
        write_log()


def make_folder(path: Path) -> Path:
    path.mkdir()
    return path


def write_log() -> None:
    """Log what programs log when it goes wrong: names in facts, in messages, in errors and their causes."""
    log = logging.getLogger("lms.nodes.rounds")
    log.error("meeting_failed", extra={"peer": PEER, "detail": FREE, "error": FREE, "took_ms": 42})
    log.error("record_kept_aside", extra={"reason": FREE, "kind": NAME, "code": "malformed"})
    log.warning(f"somebody wrote {FREE}")  # noqa: G004 - what must not be done
    logging.getLogger("uvicorn.error").error("Exception for %s", NAME)
    try:
        zenobia = {"who": NAME}
        raise LinkError(f"{zenobia} at {DEVICE}")
    except LinkError:
        log.exception("meeting_failed", extra={"peer": DEVICE})


def members_of(file: Path) -> dict[str, str]:
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def marks_in(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text.casefold()]


def test_nothing_that_anybody_wrote_is_in_any_part(node: Node, tmp_path: Path) -> None:
    with node.database.read() as session:
        tables = inspect(session.get_bind()).get_table_names()
        kept = "".join(str(session.execute(text(f'SELECT * FROM "{name}"')).all()) for name in tables)

    names = write_support(node, tmp_path / "support.zip")

    found = members_of(tmp_path / "support.zip")
    assert set(marks_in(kept)) >= {
        "zenobia",
        "quuxwitz",
        "7731984",
        "kwyjibo",
        "frobnicators",
        "mxyzptlk",
        "hunter2",
    }
    assert names == list(found) == [README, *(member.name for member in MEMBERS)]
    for name, said in found.items():
        assert marks_in(said) == [], name
        assert str(tmp_path) not in said, name
        assert not said.startswith(("\x1f", "SQLite format", "PK")), name
        assert len(said.splitlines()) > 1, (name, said)  # it was made, and is not the kind of an error alone


def test_it_tells_what_whoever_helps_asks_for(node: Node, tmp_path: Path) -> None:
    write_support(node, tmp_path / "support.zip")

    found = members_of(tmp_path / "support.zip")
    told: dict[str, Any] = {name: json.loads(said) for name, said in found.items() if name.endswith(".json")}
    assert told["versions.json"]["outpost"]
    assert told["settings.json"]["name"] == told["settings.json"]["public_url"] == "set"
    assert told["settings.json"]["launch_log_days"] == 365
    assert told["status.json"]["node"] == node.sync.id
    assert told["schema.json"]["revision"] == node.database.revision()
    assert "person" in told["schema.json"]["tables"]
    assert told["nodes.json"]["peers"][0]["has_address"]
    assert told["meetings.json"][0]["ending"] == "interrupted"
    assert "malformed" in {one.get("reason") for one in told["refused.json"]["records"]}
    schema = next(one["sentence"] for one in told["doctor.json"] if one["about"] == "schema")
    assert schema == f"Its schema is {node.database.revision()}, as this version wants it."
    courses = [one for one in told["doctor.json"] if one["about"] == "courses"]
    assert any(one["state"] != "well" and "…" in one["sentence"] for one in courses)
    lines = [json.loads(line) for line in found["log.jsonl"].splitlines()]
    assert lines[0]["event"] == "meeting_failed"
    assert (lines[0]["peer"], lines[0]["took_ms"]) == (PEER, "42")
    assert "kind" not in lines[1]
    assert lines[-1]["error"] == "LinkError"
    assert any("write_log" in place for place in lines[-1]["where"])
    for member in MEMBERS:
        assert member.name in found[README]
        assert member.says in found[README]


def test_what_somebody_wrote_into_the_log_is_left_out_as_well(node: Node, tmp_path: Path) -> None:
    log = node.settings.data / FOLDER / FILE
    with log.open("a", encoding="utf-8") as file:
        file.write(
            json.dumps({"event": FREE, "peer": NAME, "where": [NAME, "lms.x:1 y"], "more": NAME}) + "\n"
        )
        file.write(f"{FREE}\n[1]\n")

    write_support(node, tmp_path / "support.zip")

    last = members_of(tmp_path / "support.zip")["log.jsonl"].splitlines()[-1]
    assert json.loads(last) == {"where": ["lms.x:1 y"]}


def test_a_node_that_is_not_well_has_its_file_written_all_the_same(node: Node, tmp_path: Path) -> None:
    (node.settings.data / "node.key").unlink()

    write_support(node, tmp_path / "support.zip")

    found = members_of(tmp_path / "support.zip")
    assert found["status.json"] == "KeyLostError\n"
    assert json.loads(found["versions.json"])["outpost"]
    assert not (tmp_path / "support.zip.new").exists()


@pytest.fixture
def pages(node: Node, tmp_path: Path) -> School:
    (tmp_path / "school").mkdir()
    made = a_school(node.database, tmp_path / "school")
    made.app.routes.extend(router.routes)
    made.app.state.node = node
    return made


def test_the_page_lists_all_of_it_and_gives_the_file_to_administrators_alone(
    pages: School, tmp_path: Path
) -> None:
    administrator, officer = pages.client("hub_admin"), pages.client("officer")

    page = administrator.get("/support").text
    answer = administrator.post("/support", data=token(administrator, "/support"))
    refused = officer.get("/support"), officer.post("/support", data=token(administrator, "/support"))

    for member in MEMBERS:
        assert member.name in page
        assert html.escape(member.says) in page
    (tmp_path / "answer.zip").write_bytes(answer.content)
    assert set(members_of(tmp_path / "answer.zip")) == {README, *(member.name for member in MEMBERS)}
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="outpost-support-')
    assert [one.status_code for one in refused] == [403, 403]


def test_the_command_writes_it_and_says_where_it_cannot(tmp_path: Path) -> None:
    data = a_data_folder(tmp_path / "data")
    lms("init", "--data", str(data))

    done = lms("support", str(tmp_path / "support.zip"), "--data", str(data), "--json")
    failed = lms("support", str(tmp_path / "nowhere" / "support.zip"), "--data", str(data))

    assert json.loads(done.stdout)["members"] == list(members_of(tmp_path / "support.zip"))
    assert failed.exit_code == 1
    assert "cannot be written" in failed.output


def lms(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_of_a_sentence_the_words_of_the_program_are_kept_and_no_others() -> None:
    said = (
        "Nothing on the shelf's list was back-dated (by Zenobia at 3 places); “whole” is Quuxwitz-shelf, 12."
    )

    assert own_words(said, (doctor,)) == "Nothing on the shelf's list was back-dated …; … is … 12."
