"""The history of the schema leads to the tables in the code, on both databases."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import orjson
import pytest
from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, LargeBinary, bindparam, select, text

import lms
import xapi_store.tables
from lms.courses.naming import search_key
from lms.courses.tables import Course, Edition
from lms.database import Database, DatabaseError, PublicId
from migrations import TABLES, revisions
from migrations.running import alembic_config, run_migrations
from sync.trust import revocation_of, trusted_by
from tests.migrated import a_data_folder
from tests.xapi_builders import AUTHORITY, NOON, a_statement, a_voiding
from xapi_store.attachments import find_content, sizes_of
from xapi_store.ingest import store_statements
from xapi_store.query import find_statement
from xapi_store.tables import PackedUuid, UtcDateTime

OLD = UUID("39e24cc4-69af-4b01-a824-1fdc6ea8a3af")


def test_a_new_database_has_exactly_the_tables_of_the_code(database_url: str) -> None:
    database = Database(database_url)

    database.upgrade()

    config = alembic_config()
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.check(config)
    database.close()


def test_a_statement_of_before_the_ids_were_apart_is_found_and_referred_to(database_url: str) -> None:
    database = Database(database_url)
    with database.engine.begin() as connection:
        run_migrations(connection, to="0005")
        connection.execute(
            text(
                'INSERT INTO xapi_statement (id, stored, voiding, voided, copied, "transaction", raw)'
                " VALUES (:id, :stored, false, false, false, 0, :raw)"
            ).bindparams(
                bindparam("id", type_=PackedUuid()),
                bindparam("stored", type_=UtcDateTime()),
                bindparam("raw", type_=LargeBinary()),
            ),
            {"id": OLD, "stored": NOON, "raw": orjson.dumps(a_statement(id=str(OLD)))},
        )

    database.upgrade()

    with database.write() as session:
        store_statements(session, [a_voiding(OLD)], authority=AUTHORITY, now=NOON)
    with database.read() as session:
        assert find_statement(session, OLD) is None
        assert find_statement(session, OLD, voided=True) is not None
    database.close()


def test_an_attachment_of_before_files_were_kept_apart_is_found(database_url: str) -> None:
    database, content = Database(database_url), b"a certificate"
    with database.engine.begin() as connection:
        run_migrations(connection, to="0010")
        connection.execute(
            text("INSERT INTO xapi_attachment (sha2, content) VALUES ('ab', :content)"), {"content": content}
        )

    database.upgrade()

    with database.read() as session:
        assert find_content(session, None, "ab") == content
        assert sizes_of(session, ["ab"]) == {"ab": len(content)}
    database.close()


def test_attachments_of_before_they_travelled_are_told_by_the_digest_by_which_they_do(
    database_url: str,
) -> None:
    database = Database(database_url)
    sha512, large = hashlib.sha512(b"small").hexdigest(), hashlib.sha512(b"large").hexdigest()
    with database.engine.begin() as connection:
        run_migrations(connection, to="0033")
        connection.execute(
            text(
                "INSERT INTO xapi_attachment (sha2, size, file, content) "
                "VALUES (:a, 1, NULL, :c), (:b, 1, NULL, :c), (:d, 1, :f, NULL)"
            ),
            {"a": "0" * 64, "b": sha512, "c": b"small", "d": large, "f": "1" * 64},
        )  # fmt: skip

    database.upgrade()

    with database.read() as session:
        rows = session.execute(text("SELECT sha2, sha256 FROM xapi_attachment"))
        found = {sha2: sha256 for sha2, sha256 in rows}  # noqa: C416 - rows are not pairs to the type checker
        assert session.execute(text("SELECT count(*) FROM sync_feed")).scalar() == 0  # all are told
    assert found == {
        "0" * 64: "0" * 64,
        sha512: hashlib.sha256(b"small").hexdigest(),
        large: "1" * 64,
    }
    database.close()


def test_a_store_without_attachments_is_not_gone_through_for_some(database_url: str) -> None:
    database = Database(database_url)
    with database.engine.begin() as connection:
        run_migrations(connection, to="0033")

    database.upgrade()

    with database.read() as session:
        assert session.execute(text("SELECT name, position FROM sync_feed")).all() == [("attachments", 0)]
    database.close()


def test_a_node_withdrawn_before_revocations_named_what_is_trusted_stays_so(database_url: str) -> None:
    database = Database(database_url)
    with database.engine.begin() as connection:
        run_migrations(connection, to="0025")
        connection.execute(
            text(
                "INSERT INTO sync_revocation (node, reason, revoked_ms, made_here) VALUES ('n1', '', 1, false)"
            )
        )

    database.upgrade()

    with database.read() as session:
        row = revocation_of(session, "n1")
    assert row is not None
    assert trusted_by(row) is None
    database.close()


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    database = Database(database_url)
    database.upgrade()

    database.upgrade()

    database.close()


def test_data_of_a_newer_version_is_refused_and_left_alone(database_url: str) -> None:
    database = Database(database_url)
    database.upgrade()
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(DatabaseError, match="newer Outpost"):
        database.upgrade()

    with database.engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"
    database.close()


def test_a_failed_upgrade_leaves_the_data_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{(tmp_path / 'outpost.db').as_posix()}")
    database.upgrade()
    with database.engine.begin() as connection:
        connection.execute(
            text("UPDATE alembic_version SET version_num = '0001'")
        )  # its steps cannot run again

    with pytest.raises(DatabaseError, match="as it was before"):
        database.upgrade()

    with database.engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "0001"
        tables = connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one()
    assert tables > 10
    database.close()


def test_history_is_one_line_in_the_order_of_its_files() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())

    assert len(scripts.get_heads()) == 1
    assert revisions() == [step.revision for step in scripts.walk_revisions()][::-1]


def test_the_revision_of_a_schema_is_what_alembic_says(database_url: str) -> None:
    database = Database(database_url)
    answers = []

    for revision in (None, revisions()[-2], revisions()[-1]):
        if revision is not None:
            with database.engine.begin() as connection:
                run_migrations(connection, to=revision)
        with database.engine.connect() as connection:
            answers.append(
                (database.revision(), MigrationContext.configure(connection).get_current_revision())
            )

    assert answers == [(one, one) for one in (None, *revisions()[-2:])]
    database.close()


def test_a_schema_that_is_as_it_should_be_is_left_without_loading_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{(a_data_folder(tmp_path) / 'outpost.db').as_posix()}"
    looked = (
        f"import sys; from lms.database import Database; Database({url!r}).upgrade(); print(*sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", looked], capture_output=True, encoding="utf-8", check=True)

    assert "migrations" in done.stdout.split()
    assert "alembic" not in done.stdout.split()


def test_the_record_store_keeps_its_prefix() -> None:
    assert all(name.startswith("xapi_") for name in xapi_store.tables.Base.metadata.tables)


def test_every_module_of_tables_is_known_to_the_migrations() -> None:
    folder = Path(lms.__file__).parent

    found = {f"lms.{path.parent.name}.tables" for path in folder.glob("*/tables.py")}

    assert found <= set(TABLES)


def test_what_people_wrote_of_a_course_goes_where_lists_and_editions_look_for_it(database_url: str) -> None:
    database = Database(database_url)
    said = {
        "titles": {"ar": "تفتيش"},
        "descriptions": {"ar": "كيف"},
        "owner": "Academy",
        "version_notes": "New films",
    }
    first, second, course = (UUID(int=number) for number in (1, 2, 3))
    with database.engine.begin() as connection:
        run_migrations(connection, to="0016")
        connection.execute(
            text(
                "INSERT INTO course (id, public_id, identifier, title, languages, created, current_edition,"
                " provisional, changed, catalogue, moves) VALUES (7, :id, 'c', 'Fouille de Véhicules', '[]', :now,"
                " :given, false, :now, :said, '[]'), (8, :other, 'd', 'Other', '[]', :now, NULL, false, :now, NULL,"
                " '[]')"
            ).bindparams(
                *(bindparam(name, type_=PublicId()) for name in ("id", "given", "other")),
                bindparam("now", type_=Course.__table__.c.created.type),
                bindparam("said", type_=JSON()),
            ),
            {"id": course, "other": UUID(int=4), "given": first, "now": NOON, "said": said},
        )
        connection.execute(
            text(
                "INSERT INTO course_edition (id, public_id, course_id, number, manifest, standard, standard_edition,"
                " title, size, files, imported) VALUES (1, :first, 7, 1, 'a', 'site', 'HTML', 'T', 1, 1, :now),"
                " (2, :second, 7, 2, 'a', 'site', 'HTML', 'T', 1, 1, :now)"
            ).bindparams(
                *(bindparam(name, type_=PublicId()) for name in ("first", "second")),
                bindparam("now", type_=Course.__table__.c.created.type),
            ),
            {"first": first, "second": second, "now": NOON},
        )

    database.upgrade()

    with database.read() as session:
        one, other = session.scalars(select(Course).order_by(Course.id))
        assert (one.titles, one.descriptions) == ({"ar": "تفتيش"}, {"ar": "كيف"})
        assert one.search_key == search_key("Fouille de Véhicules", "تفتيش")
        assert one.catalogue == {name: text for name, text in said.items() if name != "version_notes"}
        assert (other.titles, other.search_key, other.catalogue) == ({}, "other", None)
        notes = [edition.catalogue for edition in session.scalars(select(Edition).order_by(Edition.id))]
        assert notes == [{"version_notes": "New films"}, None]
    database.close()
