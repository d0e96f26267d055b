"""Nothing is removed, changed, put elsewhere or back-dated behind a node's back without being found and named."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from lms.database import Database
from lms.evidence.chore import Check
from lms.nodes.actions import revoke
from sync import erasures, identity, reading, segment, verification
from sync.canonical import digest_of
from sync.clock import Stamp
from sync.findings import Fault, findings
from sync.inbox import take_segment
from sync.messages import Record
from sync.sequencer import number_changes
from sync.tables import CertificateRow, FeedRow, LogRow, ReceiptRow, SegmentRow, VerificationRow, VerifiedRow
from sync.vector import LogKey
from sync.verification import verify
from tests.nodes_builders import Place, a_place_again, a_small_node, answering, meet, pair
from xapi_store import ingest
from xapi_store.packing import pack, unpack
from xapi_store.tables import StatementId, StatementRow

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
AUTHORITY = {"objectType": "Agent", "account": {"homePage": "https://outpost.invalid/nodes", "name": "n1"}}


def statements(count: int, *, actor: str = "someone") -> list[dict[str, Any]]:
    account = {"homePage": "https://outpost.invalid/people", "name": actor}
    return [
        {
            "id": str(uuid4()),
            "actor": {"objectType": "Agent", "account": account},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
            "object": {"id": f"https://outpost.invalid/courses/{number}"},
        }
        for number in range(count)
    ]


def record(place: Place, count: int, *, actor: str = "someone", now: datetime = NOON) -> list[UUID]:
    """Record statements and seal them as one segment."""
    with place.database.write() as session:
        told = ingest.store_statements(session, statements(count, actor=actor), authority=AUTHORITY, now=now)
    number_changes(place.node)
    return told


def found(place: Place, *, everything: bool = True) -> list[Fault]:
    verify(place.node, everything=everything)
    with place.database.read() as session:
        return [one.fault for one, _ in findings(session)]


# ---------------------------------------------------------------- a laptop, a centre, and what was signed


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a laptop with four segments of four statements, of which a centre has the first three."""
    folder = tmp_path_factory.mktemp("furnished")
    with (
        a_small_node(folder, "laptop", "laptop") as laptop,
        a_small_node(folder, "centre", "central") as centre,
    ):
        with answering(centre) as address:
            pair(laptop, centre, address)
            centre.person("A-1")
            for hour in range(3):
                record(laptop, 4, now=NOON + timedelta(hours=hour))
            assert meet(laptop, address).state == "done"
        record(laptop, 4, now=NOON + timedelta(hours=5))
    return folder


@contextmanager
def opened(furnished: Path, folder: Path, name: str) -> Iterator[Place]:
    """Give a copy of one of the two."""
    shutil.copy(furnished / f"{name}.db", folder / f"{name}.db")
    shutil.copytree(furnished / name, folder / name)
    database = Database(f"sqlite:///{(folder / f'{name}.db').as_posix()}")
    yield a_place_again(database, folder / name, "laptop" if name == "laptop" else "central")
    database.close()


@pytest.fixture
def laptop(furnished: Path, tmp_path: Path) -> Iterator[Place]:
    with opened(furnished, tmp_path, "laptop") as place:
        yield place


@pytest.fixture
def centre(furnished: Path, tmp_path: Path) -> Iterator[Place]:
    with opened(furnished, tmp_path, "centre") as place:
        yield place


def facts(session: Session) -> list[SegmentRow]:
    """Return the segments of the laptop's facts, in order."""
    return list(
        session.scalars(select(SegmentRow).where(SegmentRow.scope == "up").order_by(SegmentRow.first))
    )


def records_of(row: SegmentRow) -> list[Record]:
    return segment.read(segment.take_apart(row.encoded))


def put(row: SegmentRow, encoded: bytes) -> None:
    """Keep other bytes for a segment, with the digest that fits them."""
    row.encoded, row.digest, row.size = encoded, digest_of(encoded), len(encoded)


def seal_again(session: Session, place: Place, which: int, change: Callable[[Record], Record]) -> None:
    """Sign other entries with the laptop's own key, and all that follows on them."""
    rows = facts(session)
    previous = "" if which == 0 else rows[which - 1].root
    for row in rows[which:]:
        told = records_of(row)
        if row is rows[which]:
            told = [change(one) for one in told]
        key = LogKey(row.origin, row.epoch, row.scope)
        put(row, segment.seal(told, log=key, previous=previous, key=place.node.key))
        row.root = previous = segment.take_apart(row.encoded).header.root
    session.execute(update(LogRow).where(LogRow.scope == "up").values(root=previous))


def cut(session: Session, count: int) -> list[Record]:
    """Take the last segments out, and the head back; return what was in them."""
    gone = facts(session)[-count:]
    told = [one for row in gone for one in records_of(row)]
    left = facts(session)[:-count][-1]
    session.execute(delete(SegmentRow).where(SegmentRow.digest.in_([row.digest for row in gone])))
    session.execute(update(LogRow).where(LogRow.scope == "up").values(seq=left.last, root=left.root))
    return told


def nth(session: Session, number: int) -> StatementRow:
    rows = session.scalars(select(StatementRow).order_by(StatementRow.position)).all()
    return rows[number]


def rewrite(session: Session, number: int, **changes: Any) -> None:
    row = nth(session, number)
    said = orjson.loads(unpack(session.connection(), row.raw)) | changes
    (row.raw,) = pack(session.connection(), [orjson.dumps(said)])


def forget(session: Session, told: Sequence[str]) -> None:
    """Take statements out as if they had never been there."""
    ids = [UUID(one) for one in told]
    session.execute(delete(StatementRow).where(StatementRow.id.in_(ids)))
    session.execute(delete(StatementId).where(StatementId.id.in_(ids)))


# ---------------------------------------------------------------- every kind of tampering

Tampering = Callable[[Session, Place], None]


def bytes_rot(session: Session, _: Place) -> None:
    row = facts(session)[1]
    row.encoded = row.encoded[:-3] + bytes([row.encoded[-3] ^ 1]) + row.encoded[-2:]


def bytes_are_gone(session: Session, _: Place) -> None:
    facts(session)[1].encoded = b""


def payload_is_anothers(session: Session, _: Place) -> None:
    first, second = facts(session)[:2]
    signed = segment.take_apart(second.encoded)
    put(second, second.encoded[: -len(signed.payload)] + segment.take_apart(first.encoded).payload)


def strangers_key_signs(session: Session, place: Place) -> None:
    row = facts(session)[-1]
    key = LogKey(row.origin, row.epoch, row.scope)
    header = segment.take_apart(row.encoded).header
    put(row, segment.seal(records_of(row), log=key, previous=header.previous, key=identity.new_key()))


def middle_is_removed(session: Session, _: Place) -> None:
    session.delete(facts(session)[1])


def beginning_is_removed(session: Session, _: Place) -> None:
    session.delete(facts(session)[0])


def end_is_removed(session: Session, _: Place) -> None:
    session.delete(facts(session)[-1])


def whole_log_is_headless(session: Session, _: Place) -> None:
    session.execute(delete(LogRow).where(LogRow.scope == "up"))


def head_is_set_back(session: Session, _: Place) -> None:
    row = facts(session)[1]
    session.execute(update(LogRow).where(LogRow.scope == "up").values(seq=row.last, root=row.root))


def delivered_end_is_cut(session: Session, _: Place) -> None:
    forget(session, [one.key for one in cut(session, 2)])


def waiting_end_is_cut(session: Session, _: Place) -> None:
    cut(session, 1)


def segments_change_places(session: Session, _: Place) -> None:
    second, third = facts(session)[1:3]
    one, other = second.encoded, third.encoded
    second.digest = "somewhere else"
    session.flush()
    put(third, one)
    session.flush()
    put(second, other)
    second.root, third.root = third.root, second.root


def own_key_tells_otherwise(session: Session, place: Place) -> None:
    seal_again(session, place, 2, lambda one: replace(one, body=one.body.replace(b"completed", b"voidedxxx")))


def chain_is_broken(session: Session, place: Place) -> None:
    row = facts(session)[-1]
    key = LogKey(row.origin, row.epoch, row.scope)
    put(row, segment.seal(records_of(row), log=key, previous="ab" * 32, key=place.node.key))


def stamps_are_set_back(session: Session, place: Place) -> None:
    seal_again(session, place, 3, lambda one: replace(one, stamp=Stamp(1_000, one.seq)))


def kinds_are_miscounted(session: Session, _: Place) -> None:
    facts(session)[1].kinds = '{"statement": 2}'


def hole_has_no_order(session: Session, place: Place) -> None:
    row = facts(session)[1]
    put(
        row,
        segment.black_out(segment.take_apart(row.encoded), {row.first: "a" * 26}, key=place.node.key),
    )
    row.blacked_by = place.node.id


def receipt_says_less(session: Session, _: Place) -> None:
    row = session.scalars(select(ReceiptRow)).one()
    row.text = row.text.replace('"issued_ms":1', '"issued_ms":2')


def certificate_is_removed(session: Session, _: Place) -> None:
    row = facts(session)[0]
    session.execute(delete(CertificateRow).where(CertificateRow.node == row.origin))


def statement_is_changed(session: Session, _: Place) -> None:
    rewrite(session, 5, verb={"id": "http://adlnet.gov/expapi/verbs/passed"})


def statement_is_dated_back(session: Session, _: Place) -> None:
    rewrite(session, 5, timestamp="2025-01-01T00:00:00.000Z")


def statement_has_another_authority(session: Session, _: Place) -> None:
    rewrite(session, 5, authority=AUTHORITY | {"name": "somebody else"})


def statement_is_removed(session: Session, _: Place) -> None:
    forget(session, [str(nth(session, 5).id)])


def statement_looks_erased(session: Session, _: Place) -> None:
    row = nth(session, 5)
    session.execute(update(StatementId).where(StatementId.id == row.id).values(position=-row.position))
    session.delete(row)


def statement_is_added_as_a_copy(session: Session, _: Place) -> None:
    made = statements(1)[0] | {
        "timestamp": "2026-03-14T12:00:00.000Z",
        "version": "1.0.0",
        "authority": AUTHORITY,
    }
    ingest.store_copies(session, [orjson.dumps(made)], now=NOON)


def statement_is_added_behind_the_sequencer(session: Session, _: Place) -> None:
    ingest.store_statements(session, statements(1), authority=AUTHORITY, now=NOON)
    session.execute(update(FeedRow).where(FeedRow.name == "statements").values(position=10_000))


def statements_are_reordered(session: Session, _: Place) -> None:
    one, other = nth(session, 5), nth(session, 6)
    for column in ("id", "raw"):
        ours, theirs = getattr(one, column), getattr(other, column)
        setattr(one, column, theirs)
        setattr(other, column, ours)
    for row in (one, other):
        session.flush()
        session.execute(update(StatementId).where(StatementId.id == row.id).values(position=row.position))


def stored_is_set_back(session: Session, _: Place) -> None:
    nth(session, 9).stored = NOON - timedelta(days=30)


TAMPERINGS: Sequence[tuple[str, Tampering, Fault]] = (
    ("laptop", bytes_rot, Fault.DAMAGED),
    ("laptop", bytes_are_gone, Fault.DAMAGED),
    ("laptop", payload_is_anothers, Fault.CHANGED),
    ("laptop", strangers_key_signs, Fault.CHANGED),
    ("laptop", middle_is_removed, Fault.REMOVED),
    ("laptop", beginning_is_removed, Fault.REMOVED),
    ("laptop", end_is_removed, Fault.HEAD),
    ("laptop", whole_log_is_headless, Fault.HEAD),
    ("laptop", head_is_set_back, Fault.HEAD),
    ("laptop", delivered_end_is_cut, Fault.CUT),
    ("laptop", waiting_end_is_cut, Fault.RECORD_ADDED),
    ("laptop", segments_change_places, Fault.MISPLACED),
    ("laptop", own_key_tells_otherwise, Fault.OTHER),
    ("laptop", chain_is_broken, Fault.BROKEN),
    ("laptop", stamps_are_set_back, Fault.DATED),
    ("laptop", kinds_are_miscounted, Fault.COUNT),
    ("laptop", hole_has_no_order, Fault.HOLE),
    ("laptop", receipt_says_less, Fault.CHANGED),
    ("laptop", statement_is_changed, Fault.RECORD_CHANGED),
    ("laptop", statement_is_dated_back, Fault.RECORD_CHANGED),
    ("laptop", statement_has_another_authority, Fault.RECORD_CHANGED),
    ("laptop", statement_is_removed, Fault.RECORD_REMOVED),
    ("laptop", statement_looks_erased, Fault.RECORD_REMOVED),
    ("laptop", statement_is_added_as_a_copy, Fault.RECORD_ADDED),
    ("laptop", statement_is_added_behind_the_sequencer, Fault.RECORD_ADDED),
    ("laptop", statements_are_reordered, Fault.RECORD_MOVED),
    ("laptop", stored_is_set_back, Fault.RECORD_DATED),
    ("centre", delivered_end_is_cut, Fault.CUT),
    ("centre", bytes_rot, Fault.DAMAGED),
    ("centre", payload_is_anothers, Fault.CHANGED),
    ("centre", certificate_is_removed, Fault.STRANGER),
    ("centre", receipt_says_less, Fault.CHANGED),
    ("centre", statement_is_changed, Fault.RECORD_CHANGED),
    ("centre", statement_is_removed, Fault.RECORD_REMOVED),
    ("centre", statement_is_added_as_a_copy, Fault.RECORD_ADDED),
    ("centre", stored_is_set_back, Fault.RECORD_DATED),
)


@pytest.mark.parametrize(
    ("name", "tampering", "fault"), TAMPERINGS, ids=[f"{name} {one.__name__}" for name, one, _ in TAMPERINGS]
)
def test_it_is_found_and_named(
    furnished: Path, tmp_path: Path, name: str, tampering: Tampering, fault: Fault
) -> None:
    with opened(furnished, tmp_path, name) as place:
        with place.database.write() as session:
            tampering(session, place)

        assert fault in found(place)


def test_nothing_is_found_where_nothing_was_done(laptop: Place, centre: Place) -> None:
    assert found(laptop) == found(centre) == []
    with centre.database.read() as session:
        standing_now = verification.verified(session)
    assert standing_now.entries == standing_now.of_entries > 12
    assert standing_now.whole_ms is not None


def test_all_kinds_are_found_on_either_database(database: Database, tmp_path: Path) -> None:
    (tmp_path / "central").mkdir()
    place = a_place_again(database, tmp_path / "central", "central")
    for hour in range(3):
        record(place, 4, now=NOON + timedelta(hours=hour))
    assert found(place) == []
    with database.write() as session:
        statement_is_changed(session, place)
        forget(session, [str(nth(session, 1).id)])
        stored_is_set_back(session, place)
        statement_is_added_as_a_copy(session, place)
        bytes_rot(session, place)

    faults = found(place)

    assert set(faults) >= {Fault.DAMAGED, Fault.RECORD_REMOVED}
    with database.write() as session:  # whole again: what its entries tell is known
        row = facts(session)[1]
        row.encoded = row.encoded[:-3] + bytes([row.encoded[-3] ^ 1]) + row.encoded[-2:]
    assert set(found(place)) == {
        Fault.RECORD_CHANGED,
        Fault.RECORD_REMOVED,
        Fault.RECORD_ADDED,
        Fault.RECORD_DATED,
    }


# ---------------------------------------------------------------- how it goes on


def test_the_quick_one_reads_what_came_since_and_keeps_what_was_found(laptop: Place) -> None:
    assert found(laptop) == []
    with laptop.database.write() as session:
        statement_is_changed(session, laptop)
    assert found(laptop, everything=False) == []
    assert found(laptop) == [Fault.RECORD_CHANGED]
    record(laptop, 3, now=NOON + timedelta(hours=8))

    with laptop.database.write() as session:
        rewrite(session, 17, verb={"id": "http://adlnet.gov/expapi/verbs/passed"})

    assert found(laptop, everything=False) == [Fault.RECORD_CHANGED, Fault.RECORD_CHANGED]


def test_what_was_verified_once_cannot_be_cut_off_although_nobody_signed_for_it(laptop: Place) -> None:
    assert found(laptop) == []
    with laptop.database.write() as session:
        forget(session, [one.key for one in cut(session, 1)])

    assert found(laptop, everything=False) == [Fault.CUT]
    assert found(laptop) == [Fault.CUT]


def test_a_finding_that_was_put_right_goes_with_the_next_reading_of_everything(laptop: Place) -> None:
    with laptop.database.write() as session:
        before = bytes(nth(session, 5).raw)
        statement_is_changed(session, laptop)
    assert found(laptop) == [Fault.RECORD_CHANGED]

    with laptop.database.write() as session:
        nth(session, 5).raw = before

    assert found(laptop) == []


def test_it_goes_on_where_it_was_stopped(centre: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each segment is read once, however often the program ends in between; so is each statement."""
    monkeypatch.setattr(reading, "SEGMENTS_AT_ONCE", 1)
    verification.begin_everything(centre.node)
    read_to = []
    while verification.verify_some(centre.node):
        verification.begin_everything(centre.node)  # the program was started anew, and asked for the same
        with centre.database.read() as session:
            read_to.append(verification.verified(session).entries)

    assert read_to == sorted(read_to)
    with centre.database.read() as session:
        stands = verification.verified(session)
        whole = session.get_one(VerificationRow, 1)
        assert (whole.whole, whole.whole_done) == (1, 1)
    assert (stands.entries, stands.reading_all) == (stands.of_entries, False)


def test_the_server_reads_everything_at_first_and_again_after_thirty_days(laptop: Place) -> None:
    now = [1_000_000_000_000]
    chore = Check(replace(laptop.node, clock=lambda: now[0]))
    wholes = []
    for days in (0, 1, 31):
        now[0] = 1_000_000_000_000 + days * 24 * 3600 * 1000
        while chore.step():
            pass
        with laptop.database.read() as session:
            wholes.append(session.get_one(VerificationRow, 1).whole_done)

    assert wholes == [1, 1, 2]


def test_what_comes_between_two_looks_seems_not_to_come_from_nowhere(laptop: Place, centre: Place) -> None:
    for hour in range(8, 16):
        record(laptop, 1, now=NOON + timedelta(hours=hour))
    with laptop.database.read() as session:
        arriving = [row.encoded for row in facts(session)[3:]]

    looks = 0

    @contextmanager
    def reading_as_segments_arrive() -> Iterator[Session]:
        """Let a segment arrive whenever all logs were found read, and the next is looked at."""
        nonlocal looks
        with centre.database.read() as session:
            held, read = (
                session.scalar(select(func.sum(LogRow.seq))),
                session.scalar(select(func.sum(VerifiedRow.seq))),
            )
        looks = looks + 1 if held == read else 0
        if arriving and looks == 3:  # after the step before, at its end, and when the host looks
            looks = 0
            with centre.database.write() as session:
                take_segment(session, centre.node, arriving.pop(0))
        with centre.database.read() as session:
            yield session

    verify(replace(centre.node, read=reading_as_segments_arrive), everything=True)

    assert arriving == []
    assert found(centre, everything=False) == []


# ---------------------------------------------------------------- what is honest


def test_what_an_order_erased_is_counted_and_is_no_finding(laptop: Place, centre: Place) -> None:
    her = laptop.person("A-7")
    record(laptop, 3, actor=str(her), now=NOON + timedelta(hours=9))
    with answering(centre) as address:
        laptop.peer = centre.node.id
        meet(laptop, address)
        with centre.database.write() as session:
            erasures.order(session, centre.node, str(her), reason="asked for it")
        for _ in range(2):
            meet(laptop, address)
            for place in (centre, laptop):
                while erasures.carry_out_some(place.node):
                    assert found(place) == []  # at every step of it

    assert found(laptop) == found(centre) == []
    for place in (laptop, centre):
        with place.database.read() as session:
            assert verification.verified(session).erased >= 3


def test_a_backup_that_was_put_back_is_honest_at_every_step(
    furnished: Path, tmp_path: Path, centre: Place
) -> None:
    with answering(centre) as address:
        with opened(furnished, tmp_path, "laptop") as laptop:
            laptop.peer = centre.node.id
            record(laptop, 3, now=NOON + timedelta(hours=9))
            meet(laptop, address)
            assert found(laptop) == []
        for left in tmp_path.glob("laptop.db-*"):
            left.unlink()
        shutil.copy(furnished / "laptop.db", tmp_path / "laptop.db")

        database = Database(f"sqlite:///{(tmp_path / 'laptop.db').as_posix()}")
        laptop = a_place_again(database, tmp_path / "laptop", "laptop")
        laptop.peer = centre.node.id
        assert found(laptop) == []
        record(laptop, 2, now=NOON + timedelta(hours=11))
        assert found(laptop) == []
        for _ in range(2):
            assert meet(laptop, address).state == "done"
            assert found(laptop) == []
        database.close()
    assert found(centre) == []


def test_a_disk_that_was_imaged_is_honest_on_both_machines(
    furnished: Path, tmp_path: Path, centre: Place
) -> None:
    (tmp_path / "image").mkdir()
    with (
        answering(centre) as address,
        opened(furnished, tmp_path, "laptop") as laptop,
        opened(furnished, tmp_path / "image", "laptop") as image,
    ):
        image.node = replace(image.node, machine="another machine")
        for place in (laptop, image, laptop, image):
            place.peer = centre.node.id
            record(place, 2, now=NOON + timedelta(hours=9))
            assert meet(place, address).state == "done"

        assert found(laptop) == found(image) == found(centre) == []


def test_a_withdrawn_node_s_records_are_kept_aside_honestly(laptop: Place, centre: Place) -> None:
    with answering(centre) as address:
        laptop.peer = centre.node.id
        with centre.database.write() as session:
            revoke(session, centre.node, laptop.node.id, reason="stolen", trusted="held")
        assert meet(laptop, address).state == "refused"

    assert found(laptop) == found(centre) == []


def test_a_statement_that_two_nodes_were_sent_is_no_finding(laptop: Place, centre: Place) -> None:
    (told,) = statements(1)
    told["timestamp"] = "2026-03-14T12:00:00.000Z"
    for place in (laptop, centre):
        authority = AUTHORITY | {"name": place.node.id}
        with place.database.write() as session:
            ingest.store_statements(session, [told], authority=authority, now=NOON + timedelta(hours=9))
    with answering(centre) as address:
        laptop.peer = centre.node.id
        assert meet(laptop, address).state == "done"

    assert found(laptop) == found(centre) == []
