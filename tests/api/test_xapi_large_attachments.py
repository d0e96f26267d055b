"""Large attachments lie in files, small ones in their rows; a reader sees no difference."""

from __future__ import annotations

import errno
import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from content_packages.shelf import PARTS, Shelf
from lms.database import Database
from lms.records.files import ShelfFiles
from tests.xapi_builders import (
    a_client,
    a_statement,
    an_activity,
    an_attachment,
    an_id,
    an_lrs,
    files_in,
    found,
    something,
    with_files,
)
from xapi_store.attachments import MAX_BYTES_IN_ROW
from xapi_store.tables import AttachmentRow

SMALL, LARGE = os.urandom(MAX_BYTES_IN_ROW), os.urandom(MAX_BYTES_IN_ROW + 1)


@dataclass
class Store:
    """A record store with a folder for files."""

    database: Database
    folder: Path

    def __post_init__(self) -> None:
        self.client: TestClient = a_client(
            an_lrs(self.database, files=ShelfFiles(Shelf(self.folder))), version="2.0.0"
        )

    def files(self) -> list[Path]:
        return [path for path in (self.folder / "files").rglob("*") if path.is_file()]

    def sizes_in_rows(self) -> list[int]:
        with self.database.read() as session:
            return [len(content) for content in session.scalars(select(AttachmentRow.content)) if content]

    def read(self) -> dict[str, bytes]:
        _, files = files_in(self.client.get("/statements", params={"attachments": "true"}))
        return {digest: content for digest, (_, content) in files.items()}


@pytest.fixture
def store(database: Database, tmp_path: Path) -> Store:
    return Store(database, tmp_path / "attachments")


def test_each_lies_where_it_costs_least_and_both_come_back(store: Store) -> None:
    attachments = [an_attachment(SMALL), an_attachment(LARGE)]

    assert with_files(store.client, a_statement(attachments=attachments), SMALL, LARGE).status_code == 200

    assert store.sizes_in_rows() == [len(SMALL)]
    assert [path.read_bytes() for path in store.files()] == [LARGE]
    assert store.read() == {attachments[0]["sha2"]: SMALL, attachments[1]["sha2"]: LARGE}


def test_the_same_file_again_is_kept_once(store: Store) -> None:
    for _ in range(2):
        with_files(store.client, a_statement(attachments=[an_attachment(LARGE)]), LARGE)

    assert len(found(store.client)) == 2
    assert len(store.files()) == 1


def test_of_a_refused_request_no_file_is_left(store: Store) -> None:
    taken = an_id()
    store.client.post("/statements", json=a_statement(id=taken))
    other = a_statement(id=taken, object=an_activity(something()), attachments=[an_attachment(LARGE)])

    assert with_files(store.client, other, LARGE).status_code == 409

    assert store.files() == []


def test_a_lost_file_is_logged_and_hides_nothing_else(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with_files(store.client, a_statement(attachments=[an_attachment(LARGE)]), LARGE)
    with_files(store.client, a_statement(attachments=[an_attachment(SMALL)]), SMALL)
    (lost,) = store.files()
    lost.chmod(0o600)
    lost.unlink()

    with caplog.at_level(logging.ERROR):
        assert list(store.read().values()) == [SMALL]

    assert [record.message for record in caplog.records] == ["attachment_missing"]


def test_a_full_disk_under_the_files_refuses_the_statement(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("content_packages.shelf.os.fsync", full)
        answer = with_files(store.client, a_statement(attachments=[an_attachment(LARGE)]), LARGE)

    assert answer.status_code == 507
    assert found(store.client) == []
    assert store.files() == []


@pytest.mark.parametrize("how", ["lost", "damaged"])
def test_a_file_sent_again_is_mended(store: Store, how: str) -> None:
    with_files(store.client, a_statement(attachments=[an_attachment(LARGE)]), LARGE)
    (file,) = store.files()
    file.chmod(0o600)
    if how == "lost":
        file.unlink()
    else:
        file.write_bytes(LARGE[:-1] + bytes([LARGE[-1] ^ 1]))
    assert store.read() == {}  # never other bytes under this digest

    assert with_files(store.client, a_statement(attachments=[an_attachment(LARGE)]), LARGE).status_code == 200

    assert list(store.read().values()) == [LARGE]


@pytest.mark.parametrize("content", [SMALL, LARGE])
def test_who_may_read_only_his_own_is_not_given_what_others_brought(store: Store, content: bytes) -> None:
    with_files(store.client, a_statement(attachments=[an_attachment(content)]), content)
    mine = a_client(
        an_lrs(
            store.database,
            "statements/write",
            "statements/read/mine",
            authority={"objectType": "Agent", "mbox": "mailto:tool@example.org"},
            files=ShelfFiles(Shelf(store.folder)),
        ),
        version="2.0.0",
    )
    everything = {"attachments": "true"}
    named = a_statement(attachments=[an_attachment(content, fileUrl="https://example.org/f")])

    mine.post("/statements", json=named)
    _, not_mine = files_in(mine.get("/statements", params=everything))
    with_files(mine, a_statement(attachments=[an_attachment(content)]), content)
    _, brought = files_in(mine.get("/statements", params=everything))

    assert not_mine == {}
    assert [read for _, read in brought.values()] == [content]


def test_what_no_attachment_is_in_is_swept_after_a_day(store: Store) -> None:
    shelf = Shelf(store.folder)
    with_files(store.client, a_statement(attachments=[an_attachment(LARGE)]), LARGE)
    left_behind = shelf.put(BytesIO(b"of a crash")).digest
    (store.folder / "incoming" / "tmp").mkdir()
    (store.folder / "incoming" / "tmp" / "0.part").write_bytes(b"half")
    files = ShelfFiles(shelf)

    def sweep_all(after: timedelta) -> None:
        for _ in PARTS:
            files.sweep_some(store.database, lambda: datetime.now(UTC) + after)

    sweep_all(timedelta(hours=23))
    assert shelf.has(left_behind)
    sweep_all(timedelta(hours=25))

    assert not shelf.has(left_behind)
    assert list((store.folder / "incoming").iterdir()) == []
    assert list(store.read().values()) == [LARGE]
