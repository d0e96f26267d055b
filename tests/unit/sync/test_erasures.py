"""Somebody is erased: on every node, in what comes later too, by nobody but the centre, which knows who did it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from sync import blackout, erasures, identity, log, quarantine, revocations, segment
from sync.canonical import canonical_json
from sync.clock import Stamp
from sync.errors import RevocationError, SegmentError
from sync.identity import NodeKey, create_key
from sync.inbox import take_segment
from sync.messages import Record
from sync.node import certificate_of, standing
from sync.sequencer import number_changes
from sync.tables import PartRow, QuarantineRow, RefusedRow, SegmentRow
from sync.vector import LogKey
from tests.bundle_builders import take, write
from tests.sync_builders import Place, meet, open_place

ABOUT_HER = "about Zenobia:a secret"


def order(centre: Place, name: str = "Zenobia") -> str:
    with centre.database.write() as session:
        return erasures.order(session, centre.node, name, reason="asked for it")


def carry_out(*places: Place) -> None:
    for place in places:
        while erasures.carry_out_some(place.node):
            pass
        erasures.carry_out_some(place.node)


def readable(place: Place) -> list[str]:
    """Return the texts of all entries in a node's logs that are not blacked out; all signatures are right."""
    texts = []
    with place.database.read() as session:
        for row in session.scalars(select(SegmentRow).order_by(SegmentRow.first)):
            signed = certificate_of(session, row.origin)
            assert signed is not None
            records = segment.open_segment(
                segment.take_apart(row.encoded), public_key=identity.read_certificate(signed).public_key
            )
            texts += [record.body.decode() for record in records if record.kind == "note"]
    return texts


def missing(place: Place, order_id: str) -> list[str]:
    """Return the names of the nodes that have not confirmed, as a node tells it."""
    with place.database.read() as session:
        (found,) = [one for one in erasures.ordered(session, place.node) if one.id == order_id]
    return [one.name for one in found.outstanding]


def own_log(place: Place, scope: str = "up") -> LogKey:
    with place.database.read() as session:
        return LogKey(place.node.id, standing(session).epoch, scope)


def last_segment(place: Place, scope: str = "up") -> bytes:
    with place.database.read() as session:
        ref = log.segments_after(session, own_log(place, scope), 0)[-1]
        return log.encoding_of(session, ref.digest) or b""


# ---------------------------------------------------------------- everywhere


@pytest.mark.usefixtures("network")
def test_she_is_gone_from_every_node_and_all_else_is_there(centre: Place, hub: Place, laptop: Place) -> None:
    for key, text in (("1", "before"), ("2", ABOUT_HER), ("3", "after")):
        laptop.write_note(key, text)
    meet(laptop, hub)
    meet(hub, centre)

    made = order(centre)
    carry_out(centre)
    meet(hub, centre)
    carry_out(hub)
    meet(laptop, hub)
    carry_out(laptop)

    for place in (centre, hub, laptop):
        assert place.notes() == {"1": "before", "3": "after"}, place.name
        assert readable(place) == ["before", "after"], place.name
    assert sorted(missing(centre, made)) == ["Hub", "Post 4"]  # they have not been met since
    meet(laptop, hub)
    meet(hub, centre)
    assert missing(centre, made) == []
    assert meet(laptop, centre).state == "done"


@pytest.mark.usefixtures("network")
def test_what_is_about_her_and_comes_later_is_never_readable(
    centre: Place, hub: Place, laptop: Place
) -> None:
    laptop.write_note("1", ABOUT_HER)
    laptop.write_note("2", "another")
    meet(laptop, hub)
    order(centre)
    carry_out(centre)

    meet(laptop, centre)  # it brings what it has, as it greets for the first time since
    hub.write_note("3", "about Zenobia:once more")
    meet(hub, centre)

    assert centre.notes() == {"2": "another"}
    assert readable(centre) == ["another"]


@pytest.mark.usefixtures("network")
def test_a_stick_from_a_drawer_brings_nothing_back(
    centre: Place, hub: Place, laptop: Place, tmp_path: Path
) -> None:
    laptop.write_note("1", ABOUT_HER)
    laptop.write_note("2", "another")
    number_changes(laptop.node)
    stick = write(laptop, hub, tmp_path / "stick")
    made = order(centre)
    meet(hub, centre)
    carry_out(hub)

    take(hub, *stick.paths)

    assert hub.notes() == {"2": "another"}
    assert readable(hub) == ["another"]
    assert "Post 4" in missing(hub, made)


@pytest.mark.usefixtures("network")
def test_what_is_written_about_her_here_is_blacked_out_as_it_is_numbered(
    centre: Place, hub: Place, laptop: Place
) -> None:
    made = order(centre)
    meet(laptop, centre)
    carry_out(laptop)

    laptop.write_note("1", ABOUT_HER)
    meet(laptop, centre)
    carry_out(laptop)

    assert laptop.notes() == centre.notes() == {}
    assert readable(laptop) == readable(centre) == []
    assert "Post 4" not in missing(centre, made)


@pytest.mark.usefixtures("network")
def test_it_goes_on_where_it_was_killed(centre: Place, laptop: Place) -> None:
    for number in range(3):
        for each in range(600):
            laptop.write_note(f"{number}-{each}", ABOUT_HER if each % 7 == 0 else f"another {number}-{each}")
        number_changes(laptop.node)
    meet(laptop, centre)
    order(centre)
    steps = 0
    while erasures.carry_out_some(centre.node):
        steps += 1

    assert steps >= 3
    assert len(centre.notes()) == len(readable(centre)) == 3 * 514
    assert "about" not in "".join(readable(centre))


@pytest.mark.usefixtures("network")
def test_what_waits_is_on_its_way_or_was_refused_is_dropped(centre: Place, laptop: Place) -> None:
    laptop.write_note("memo-1", "poison")
    meet(laptop, centre)
    with centre.database.write() as session:
        session.execute(update(QuarantineRow).values(body=ABOUT_HER.encode()))
        session.add(PartRow(digest="0" * 64, offset=0, size=1, peer=laptop.node.id, kept_ms=1, data=b"?"))
        session.add(
            RefusedRow(
                peer=laptop.node.id,
                origin="o",
                epoch="e",
                scope="up",
                digest="d",
                code="damaged",
                detail="",
                refused_ms=1,
                encoded=b"who knows what",
            )
        )

    order(centre)
    carry_out(centre)

    with centre.database.read() as session:
        assert session.scalar(select(func.count(QuarantineRow.id))) == 0
        assert session.scalar(select(func.count(PartRow.digest))) == 0
        assert session.scalars(select(RefusedRow.encoded)).all() == [b""]


# ---------------------------------------------------------------- who may


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("who", ["hub", "laptop"])
def test_nobody_orders_it_but_the_centre(who: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(RevocationError):
        order(request.getfixturevalue(who))


@pytest.mark.usefixtures("network")
def test_an_order_by_a_hub_is_kept_aside_and_changes_nothing(
    centre: Place, hub: Place, laptop: Place
) -> None:
    laptop.write_note("1", ABOUT_HER)
    meet(laptop, hub)
    meet(hub, centre)
    with hub.database.write() as session:  # by a program of its own
        session.add(
            erasures.ErasureRow(
                order_id="0" * 26,
                subject=blackout.subject_of("Zenobia"),
                ordered_ms=1,
                orderer=hub.node.id,
                reason="",
                made_here=True,
            )
        )

    meet(hub, centre)
    carry_out(centre)

    assert centre.notes() == {"1": ABOUT_HER}
    with centre.database.read() as session:
        assert erasures.ordered(session, centre.node) == []
        assert [kept.reason for kept in quarantine.kept_aside(session, limit=9)] == ["right"]


# ---------------------------------------------------------------- holes


def with_holes(
    place: Place, encoded: bytes, order_id: str, *, by: NodeKey | None = None, seqs: tuple[int, ...] = (1,)
) -> bytes:
    return segment.black_out(
        segment.take_apart(encoded), dict.fromkeys(seqs, order_id), key=by or place.node.key
    )


def take_at(place: Place, encoded: bytes) -> str:
    """Have a node take a segment; return the code of its refusal."""
    try:
        with place.database.write() as session:
            take_segment(session, place.node, encoded)
    except SegmentError as error:
        return error.code
    return ""


@pytest.fixture
def of_the_hub(network: None, hub: Place) -> bytes:
    """Return a segment of two notes by the hub, which nobody else has."""
    hub.write_note("1", "first")
    hub.write_note("2", "second")
    number_changes(hub.node)
    return last_segment(hub)


def test_holes_are_taken_from_the_origin_the_centre_and_hubs(
    centre: Place, hub: Place, laptop: Place, of_the_hub: bytes
) -> None:
    made = order(centre)

    assert take_at(centre, with_holes(hub, of_the_hub, made)) == ""
    assert centre.notes() == {"2": "second"}
    meet(laptop, centre)
    with centre.database.read() as session:
        ours = segment.take_apart(log.encoding_of(session, segments_of(centre, hub)[0]) or b"")
    assert ours.holes is not None
    assert ours.holes.by == centre.node.id  # it signs for what it takes


def segments_of(place: Place, origin: Place) -> list[str]:
    with place.database.read() as session:
        key = own_log(origin)
        return [ref.digest for ref in log.segments_after(session, key, 0)]


@pytest.mark.parametrize("what", ["no order", "another's name", "a stranger", "another hash"])
def test_holes_that_nobody_made_are_not_taken(
    centre: Place, hub: Place, of_the_hub: bytes, what: str, tmp_path: Path
) -> None:
    made = order(centre)
    good = with_holes(hub, of_the_hub, made)
    stranger = create_key(tmp_path)
    match what:
        case "no order":
            forged = with_holes(hub, of_the_hub, "1" * 26)
        case "a stranger":
            forged = with_holes(hub, of_the_hub, made, by=stranger)
        case "another's name":
            by_a_stranger = with_holes(hub, of_the_hub, made, by=stranger)
            forged = by_a_stranger.replace(stranger.node.encode(), hub.node.id.encode())
        case _:
            holes = segment.take_apart(good).holes
            assert holes is not None
            leaf = holes.out[0][1]
            forged = good.replace(leaf.encode(), leaf[::-1].encode())

    assert take_at(centre, forged) in {"erased", "root"}
    assert centre.notes() == {}
    assert take_at(centre, good) == ""


@pytest.mark.usefixtures("network")
def test_a_laptop_makes_no_holes_in_what_others_wrote(centre: Place, hub: Place, laptop: Place) -> None:
    """But the root, to whom it brings what nobody else has any more, takes it with them."""
    made = order(centre)
    for place in (hub, laptop):
        meet(place, centre)
    centre.write_note("1", "of somebody", scope="directory")
    number_changes(centre.node)
    hub.write_note("2", "of the hub")
    number_changes(hub.node)

    assert take_at(hub, with_holes(laptop, last_segment(centre, "directory"), made)) == "erased"
    assert take_at(centre, with_holes(laptop, last_segment(hub), made)) == ""


def test_what_was_passed_over_comes_whole_by_another_way(
    centre: Place, hub: Place, of_the_hub: bytes
) -> None:
    assert take_at(centre, with_holes(hub, of_the_hub, "1" * 26)) == "erased"

    meet(hub, centre)

    assert centre.notes() == {"1": "first", "2": "second"}


@pytest.mark.usefixtures("network")
def test_a_revocation_is_never_blacked_out(centre: Place, hub: Place, laptop: Place) -> None:
    made = order(centre)
    meet(hub, centre)
    with centre.database.write() as session:
        revocations.revoke(session, centre.node, laptop.node.id, reason="stolen")
    number_changes(centre.node)

    assert take_at(hub, with_holes(centre, last_segment(centre, "revocations"), made, seqs=(2,))) == "erased"
    meet(hub, centre)
    assert meet(laptop, hub).state == "refused"


@pytest.mark.usefixtures("network")
def test_a_node_that_is_withdrawn_makes_no_holes(
    centre: Place, hub: Place, laptop: Place, tmp_path: Path
) -> None:
    made = order(centre)
    laptop.write_note("1", "of somebody else")
    number_changes(laptop.node)
    forged = with_holes(laptop, last_segment(laptop), made)
    with centre.database.write() as session:
        revocations.revoke(session, centre.node, laptop.node.id, reason="stolen")

    assert take_at(centre, forged) == "erased"


@pytest.mark.usefixtures("network")
def test_what_a_hub_blacked_out_is_signed_anew_once_it_is_withdrawn(
    centre: Place, hub: Place, laptop: Place
) -> None:
    centre.write_note("1", ABOUT_HER, scope="directory")
    centre.write_note("2", "another", scope="directory")
    meet(hub, centre)
    order(centre)
    meet(hub, centre)
    carry_out(hub)
    meet(laptop, hub)
    assert signers(laptop) == {hub.node.id}
    with centre.database.write() as session:
        revocations.revoke(session, centre.node, hub.node.id, reason="stolen")

    meet(laptop, centre)
    carry_out(laptop)

    assert signers(laptop) == {laptop.node.id}
    assert readable(laptop) == ["another"]


def signers(place: Place) -> set[str | None]:
    with place.database.read() as session:
        return set(session.scalars(select(SegmentRow.blacked_by).where(SegmentRow.blacked_by.is_not(None))))


# ---------------------------------------------------------------- programs of two ages


@pytest.mark.usefixtures("network")
def test_an_older_program_gets_what_it_can_read_and_the_rest_after_its_upgrade(
    centre: Place, laptop: Place, tmp_path: Path
) -> None:
    meet(laptop, centre)
    laptop.database.close()
    older = open_place(tmp_path / "laptop", "Post 4", "laptop", older=True)
    for key, text in (("1", "first"), ("2", ABOUT_HER), ("3", "third")):
        centre.write_note(key, text, scope="directory")
        number_changes(centre.node)
    made = order(centre)
    carry_out(centre)

    assert meet(older, centre).state == "done"
    assert older.notes() == {"1": "first"}
    with older.database.read() as session:
        assert session.scalar(select(func.count()).select_from(RefusedRow)) == 0
    assert "Post 4" in missing(centre, made)

    older.database.close()
    newer = open_place(tmp_path / "laptop", "Post 4", "laptop")
    quarantine.retry_waiting(newer.node)
    meet(newer, centre)
    carry_out(newer)
    meet(newer, centre)
    assert newer.notes() == {"1": "first", "3": "third"}
    assert "Post 4" not in missing(centre, made)
    newer.database.close()


@pytest.mark.usefixtures("network")
def test_a_node_that_was_put_back_does_it_again_and_is_listed_until_then(
    centre: Place, laptop: Place, tmp_path: Path
) -> None:
    laptop.write_note("1", ABOUT_HER)
    meet(laptop, centre)
    source, kept = sqlite3.connect(tmp_path / "laptop" / "node.db"), sqlite3.connect(tmp_path / "backup.db")
    source.backup(kept)
    kept.close()
    source.close()
    made = order(centre)
    meet(laptop, centre)
    carry_out(centre, laptop)
    meet(laptop, centre)
    assert missing(centre, made) == ["Hub"]

    laptop.database.close()
    for beside in (tmp_path / "laptop").glob("node.db*"):
        beside.unlink()
    (tmp_path / "backup.db").rename(tmp_path / "laptop" / "node.db")
    back = open_place(tmp_path / "laptop", "Post 4", "laptop")
    meet(back, centre)

    assert "Post 4" in missing(centre, made)
    carry_out(back)
    meet(back, centre)
    assert back.notes() == {}
    assert "Post 4" not in missing(centre, made)
    back.database.close()


def test_a_record_is_about_nobody_whom_no_order_names(centre: Place) -> None:
    record = Record(seq=1, kind="note", key="1", schema=1, body=ABOUT_HER.encode(), stamp=Stamp(1, 0))

    assert blackout.concerned(centre.node, [record], {}) == {}
    assert blackout.concerned(centre.node, [record], {blackout.subject_of("Zeno"): "x"}) == {}
    assert blackout.concerned(centre.node, [record], {blackout.subject_of("Zenobia"): "x"}) == {1: "x"}


def test_an_order_does_not_say_whom_it_is_about(centre: Place) -> None:
    order(centre)
    number_changes(centre.node)

    with centre.database.read() as session:
        rows = session.scalars(select(erasures.ErasureRow)).all()
        bodies = b"".join(
            record.body
            for encoded in session.scalars(select(SegmentRow.encoded))
            for record in segment.read(segment.take_apart(encoded))
        )
    assert "Zenobia" not in canonical_json([row.subject for row in rows]).decode() + bodies.decode()
    assert rows[0].subject.encode() in bodies
