"""A key that was withdrawn: what its node wrote is taken up to the last entry that is trusted, whoever brings it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync import ledger, log, pairing, quarantine, revocations, segment, trust
from sync.canonical import canonical_json
from sync.clock import Stamp
from sync.errors import PairingError, RevocationError, SegmentError
from sync.inbox import take_segment
from sync.messages import Record
from sync.node import certificate_of, chain_of, random_epoch, standing, take_certificates
from sync.ports import Context, Verdict
from sync.responder import Responder
from sync.revocations import Revocations
from sync.sequencer import number_changes
from sync.tables import RevocationRow
from sync.trust import TrustedLog
from sync.vector import LogKey
from tests.bundle_builders import carry, take, write
from tests.sync_builders import OlderRevocations, Place, meet, open_place, pair

MINUTE_MS = 60_000


def revoke(
    centre: Place, revoked: Place, *, trusted: Sequence[TrustedLog] | None = None, reason: str = "stolen"
) -> None:
    with centre.database.write() as session:
        revocations.revoke(session, centre.node, revoked.node.id, reason=reason, trusted=trusted)


def trust_all_held(centre: Place, revoked: Place) -> None:
    with centre.database.read() as session:
        held = trust.held_now(session, revoked.node.id)
    revoke(centre, revoked, trusted=held)
    quarantine.retry_waiting(centre.node)


def doubts(place: Place, revoked: Place) -> list[tuple[str, int, int, int]]:
    """Return what is not trusted on a place: scope, after which entry, how many kept aside, how many taken."""
    with place.database.read() as session:
        found = trust.doubted(session, revoked.node.id)
    return [(one.log.scope, one.after, one.set_aside, one.taken) for one in found]


def reasons(place: Place) -> list[str]:
    with place.database.read() as session:
        return [kept.reason for kept in quarantine.kept_aside(session, limit=100)]


# ---------------------------------------------------------------- up to the last good entry, and after it


@pytest.mark.usefixtures("network")
def test_what_was_written_up_to_the_last_good_entry_is_taken_and_the_rest_kept_aside(
    centre: Place, hub: Place, laptop: Place
) -> None:
    laptop.write_note("good")
    meet(laptop, hub)
    meet(hub, centre)
    revoke(centre, laptop)
    laptop.write_note("late")
    meet(laptop, hub)

    report = meet(hub, centre)

    assert report.state == "done", report
    assert set(centre.notes()) == {"good"}
    assert reasons(centre) == ["revoked"]
    assert doubts(centre, laptop) == [("up", 1, 1, 0)]


@pytest.mark.usefixtures("network")
def test_facts_up_to_the_last_good_entry_are_taken_long_after_the_revocation(
    tmp_path: Path, centre: Place, hub: Place, laptop: Place
) -> None:
    laptop.write_note("good")
    stick = write(laptop, hub, tmp_path / "stick.outpost").paths
    meet(laptop, centre)
    revoke(centre, laptop)
    tell_of_revocations(hub, centre)
    hub.now[0] += 400 * 24 * 60 * MINUTE_MS

    report = take(hub, *stick)

    assert (report.accepted, report.refused, report.kept_aside) == (1, [], {})
    assert set(hub.notes()) == {"good"}


@pytest.mark.usefixtures("network")
def test_one_segment_is_taken_in_part_where_the_last_good_entry_lies_within(
    tmp_path: Path, centre: Place, hub: Place, laptop: Place
) -> None:
    for number in range(10):
        laptop.write_note(f"n{number}")
    stick = write(laptop, hub, tmp_path / "stick.outpost").paths
    meet(laptop, centre)
    with centre.database.read() as session:
        (one,) = trust.held_now(session, laptop.node.id)
    revoke(centre, laptop, trusted=[one._replace(limit=one.limit._replace(last=7))])
    tell_of_revocations(hub, centre)

    take(hub, *stick)

    assert set(hub.notes()) == {f"n{number}" for number in range(7)}
    assert (doubts(hub, laptop), doubts(centre, laptop)) == ([("up", 7, 3, 0)], [("up", 7, 0, 3)])


@pytest.mark.usefixtures("network")
def test_a_log_that_the_revocation_does_not_name_is_kept_aside_whole(
    centre: Place, hub: Place, laptop: Place
) -> None:
    laptop.write_note("good")
    meet(laptop, centre)
    revoke(centre, laptop)
    (laptop.node.folder / "generation.json").unlink()  # its next numbers are of another life
    laptop.write_note("late")
    meet(laptop, hub)

    meet(hub, centre)

    assert set(centre.notes()) == {"good"}
    assert doubts(centre, laptop) == [("up", 0, 1, 0)]


@pytest.mark.usefixtures("network")
def test_what_was_taken_before_the_revocation_was_known_stays_and_is_told(
    centre: Place, hub: Place, laptop: Place
) -> None:
    laptop.write_note("good")
    meet(laptop, centre)
    revoke(centre, laptop)
    laptop.write_note("late")
    meet(laptop, hub)
    taken = set(hub.notes())

    meet(hub, centre)

    assert taken == set(hub.notes()) == {"good", "late"}
    assert doubts(hub, laptop) == [("up", 1, 0, 1)]
    with hub.database.read() as session:
        (one,) = trust.doubted(session, laptop.node.id)
        assert [(record.key, taken) for record, taken in trust.doubted_records(session, one)] == [
            ("late", True)
        ]


@pytest.mark.usefixtures("network")
def test_nobody_waits_for_what_is_kept_aside(centre: Place, hub: Place, laptop: Place) -> None:
    laptop.write_note("good")
    meet(laptop, centre)
    revoke(centre, laptop)
    laptop.write_note("late")
    meet(laptop, hub)
    meet(hub, centre)

    report = meet(hub, centre)

    assert (report.turns, report.sent, report.received, report.waiting) == (1, 0, 0, 0)


@pytest.mark.usefixtures("network")
def test_what_waited_for_its_file_is_not_taken_once_it_is_not_trusted(
    centre: Place, hub: Place, laptop: Place
) -> None:
    laptop.write_note("good")
    meet(laptop, centre)
    revoke(centre, laptop)
    digest = laptop.blobs.put(b"a file")
    laptop.write_note("late", f"blob:{digest}:6")
    laptop.blobs.whole.clear()
    meet(laptop, hub)
    hub.blobs.put(b"a file")

    meet(hub, centre)

    assert set(hub.notes()) == {"good"}
    assert reasons(hub) == ["revoked"]


# ---------------------------------------------------------------- another answer later


@pytest.mark.usefixtures("network")
def test_what_was_kept_aside_is_taken_everywhere_once_it_is_trusted(
    centre: Place, hub: Place, laptop: Place
) -> None:
    laptop.write_note("good")
    meet(laptop, centre)
    revoke(centre, laptop)
    meet(hub, centre)
    laptop.write_note("late")
    carry(laptop, hub, hub.node.folder)
    meet(hub, centre)
    aside = [set(hub.notes()), set(centre.notes())]

    trust_all_held(centre, laptop)
    meet(hub, centre)

    assert aside == [{"good"}, {"good"}]
    assert set(hub.notes()) == set(centre.notes()) == {"good", "late"}
    assert doubts(hub, laptop) == doubts(centre, laptop) == []
    assert reasons(hub) == reasons(centre) == []


@pytest.mark.usefixtures("network")
def test_less_may_be_trusted_later(centre: Place, hub: Place, laptop: Place) -> None:
    laptop.write_note("a")
    meet(laptop, hub)
    meet(hub, centre)
    revoke(centre, laptop)
    meet(hub, centre)
    since_ms = centre.now[0]
    centre.now[0] += MINUTE_MS

    revoke(centre, laptop, trusted=[])
    meet(hub, centre)

    with hub.database.read() as session:
        assert trust.withdrawn_ms(session, laptop.node.id) == since_ms
    assert doubts(hub, laptop) == doubts(centre, laptop)
    assert doubts(centre, laptop) == [("up", 0, 0, 1)]


@pytest.mark.usefixtures("network")
def test_revoking_again_without_an_answer_changes_nothing(centre: Place, laptop: Place) -> None:
    revoke(centre, laptop)
    centre.now[0] += MINUTE_MS

    revoke(centre, laptop)

    with centre.database.read() as session:
        assert len(session.scalars(select(RevocationRow)).all()) == 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_answers_count_alike_in_either_order(centre: Place, laptop: Place, order: Sequence[int]) -> None:
    answers = [
        record_of(laptop.node.id, revoked_ms=1_000, trusted=[["0" * 13, "up", 9, 9, "a" * 64]]),
        record_of(laptop.node.id, revoked_ms=1_000, trusted=[["0" * 13, "up", 4, 9, "a" * 64]]),
    ]

    outcomes = [applied(centre, answers[which]) for which in order]

    with centre.database.read() as session:
        limit = trust.limit_of(session, LogKey(laptop.node.id, "0" * 13, "up"))
    assert outcomes == [Verdict.APPLIED, Verdict.APPLIED]
    assert limit is not None
    assert limit.last == 9


# ---------------------------------------------------------------- by time


@pytest.mark.usefixtures("network")
def test_a_moment_stands_for_the_last_entry_recorded_before_it(centre: Place, laptop: Place) -> None:
    for number in range(6):
        laptop.write_note(f"n{number}")  # a note's position is its time
    centre.now[0] = 1_000
    meet(laptop, centre)

    with centre.database.read() as session:
        (one,) = trust.recorded_before(session, laptop.node.id, 5)

    assert one.limit.last == 4


@pytest.mark.usefixtures("network")
def test_what_was_here_at_that_moment_counts_whatever_clock_its_node_had(
    centre: Place, laptop: Place
) -> None:
    laptop.write_note("a")
    laptop.write_note("b")
    centre.now[0] = 1
    meet(laptop, centre)
    centre.now[0] = 1_000

    with centre.database.read() as session:
        (one,) = trust.recorded_before(session, laptop.node.id, 2)

    assert one.limit.last == 2


@pytest.mark.usefixtures("network")
def test_a_stamp_set_back_afterwards_does_not_reach_over_a_later_one(centre: Place, laptop: Place) -> None:
    with laptop.database.write() as session:
        forged_log(session, laptop, [("honest", 10), ("late", 50), ("set back", 20)])
    meet(laptop, centre)

    with centre.database.read() as session:
        (one,) = trust.recorded_before(session, laptop.node.id, 40)

    assert one.limit.last == 1


# ---------------------------------------------------------------- an older program


@pytest.mark.usefixtures("network")
def test_a_program_that_was_upgraded_trusts_no_more_than_others(
    tmp_path: Path, centre: Place, hub: Place, laptop: Place
) -> None:
    """And what waited with the word of trust, for the same upgrade, is judged by it."""
    laptop.write_note("good")
    stick = write(laptop, hub, tmp_path / "stick.outpost").paths
    meet(laptop, centre)
    revoke(centre, laptop, trusted=[])
    older = replace(hub, node=replace(hub.node, streams=[OlderRevocations()]))
    tell_of_revocations(older, centre)
    take(older, *stick)
    before = reasons(hub)

    quarantine.retry_waiting(hub.node)

    assert before == ["kind", "kind"]
    assert reasons(hub) == ["revoked"]
    assert hub.notes() == {}


# ---------------------------------------------------------------- who may, and what the key still opens


@pytest.mark.usefixtures("network")
def test_a_laptop_revokes_nobody(centre: Place, hub: Place, laptop: Place) -> None:
    with laptop.database.write() as session, pytest.raises(RevocationError):
        revocations.revoke(session, laptop.node, hub.node.id, reason="")


@pytest.mark.parametrize("who", ["centre", "hub"])
@pytest.mark.usefixtures("network")
def test_the_root_is_not_revoked(centre: Place, hub: Place, who: str) -> None:
    place = {"centre": centre, "hub": hub}[who]

    with place.database.write() as session, pytest.raises(RevocationError):
        revocations.revoke(session, place.node, centre.node.id, reason="")


def test_a_hub_that_is_root_revokes_until_it_joins(tmp_path: Path, hub: Place, laptop: Place) -> None:
    other = open_place(tmp_path / "other", "Other", "laptop")
    pair(hub, laptop, units=["*"])
    pair(hub, other, units=["*"])
    laptop.write_note("a")
    meet(laptop, hub)
    revoke(hub, laptop)

    report = meet(other, hub)

    assert report.state == "done", report
    with other.database.read() as session:
        assert ledger.is_revoked(session, laptop.node.id)
    other.database.close()


@pytest.mark.parametrize(
    "case", [("laptop", "laptop", "hub"), ("hub", "hub", "laptop"), ("central", "other", "centre")]
)
@pytest.mark.usefixtures("network")
def test_a_revocation_by_whom_it_is_not_for_or_of_the_root_is_refused(
    centre: Place, hub: Place, laptop: Place, case: tuple[str, str, str]
) -> None:
    role, origin, key = case
    ids = {"centre": centre.node.id, "hub": hub.node.id, "laptop": laptop.node.id, "other": "0" * 26}

    verdict = applied(hub, record_of(ids[key]), role=role, origin=ids[origin])

    assert verdict is Verdict.REFUSED
    with hub.database.read() as session:
        assert not ledger.is_revoked(session, ids[key])


def test_a_revocation_of_an_older_program_trusts_all(centre: Place, laptop: Place) -> None:
    applied(centre, record_of(laptop.node.id))

    with centre.database.read() as session:
        assert ledger.is_revoked(session, laptop.node.id)
        assert trust.limit_of(session, LogKey(laptop.node.id, random_epoch(), "up")) is None


@pytest.mark.usefixtures("network")
def test_nobody_greets_a_withdrawn_key(centre: Place, hub: Place, laptop: Place) -> None:
    revoke(centre, hub)
    meet(laptop, centre)

    report = meet(laptop, hub)

    assert (report.state, report.turns) == ("refused", 0)
    assert "withdrawn" in report.detail


@pytest.mark.usefixtures("network")
def test_what_a_withdrawn_hub_signed_for_counts_as_on_this_node_only(
    centre: Place, hub: Place, laptop: Place
) -> None:
    laptop.write_note("a")
    meet(laptop, hub)
    revoke(centre, hub)
    with laptop.database.read() as session:
        before = ledger.counts(session, laptop.node)["note"]

    tell_of_revocations(laptop, centre)

    with laptop.database.read() as session:
        after = ledger.counts(session, laptop.node)["note"]
    assert (before.waiting, before.at_hub) == (0, 1)
    assert (after.waiting, after.at_hub) == (1, 0)


@pytest.mark.usefixtures("network")
def test_a_withdrawn_key_joins_no_more(centre: Place, laptop: Place) -> None:
    revoke(centre, laptop)
    with centre.database.write() as session:
        code = pairing.invite(session, role="laptop", units=(), now_ms=centre.now[0])
    question, _ = pairing.ask_to_join(laptop.node.key, name="Post 4", role="laptop", code=code)

    with pytest.raises(PairingError, match="withdrawn"):
        Responder(centre.node).join(question)


@pytest.mark.usefixtures("network")
def test_a_withdrawn_hub_introduces_nobody_any_more(tmp_path: Path, centre: Place, hub: Place) -> None:
    early, late = (open_place(tmp_path / name, name, "laptop") for name in ("early", "late"))
    known = []
    for place in (early, late):
        pair(hub, place)
        with place.database.read() as session:
            papers = chain_of(session, place.node.id)
        with centre.database.write() as session:
            take_certificates(session, papers)
            known.append(certificate_of(session, place.node.id) is not None)
        revoke(centre, hub)

    report = meet(early, centre)

    assert known == [True, False]
    assert report.state == "done", report
    early.database.close()
    late.database.close()


# ---------------------------------------------------------------- the other branch of a log


@pytest.mark.usefixtures("network")
def test_another_branch_of_the_log_is_not_taken_for_the_one_that_is_trusted(
    centre: Place, hub: Place, laptop: Place
) -> None:
    laptop.write_note("genuine")
    meet(laptop, centre)
    revoke(centre, laptop)
    tell_of_revocations(hub, centre)

    with hub.database.write() as session, pytest.raises(SegmentError) as refused:
        take_segment(session, hub.node, forged_segment(laptop, "forged"))

    assert refused.value.code == "fork"
    assert hub.notes() == {}


@pytest.mark.usefixtures("network")
def test_of_another_branch_that_was_taken_before_nothing_is_trusted(
    centre: Place, hub: Place, laptop: Place
) -> None:
    laptop.write_note("genuine")
    meet(laptop, centre)
    with hub.database.write() as session:
        take_segment(session, hub.node, forged_segment(laptop, "forged"))
    revoke(centre, laptop)

    meet(hub, centre)

    assert doubts(hub, laptop) == [("up", 0, 0, 1)]


# ---------------------------------------------------------------- builders


def record_of(node: str, *, revoked_ms: int = 1_000, trusted: object = None) -> Record:
    told: dict[str, object] = {"reason": "stolen", "revoked_ms": revoked_ms}
    kind, told = ("revocation", told) if trusted is None else ("trust", {**told, "trusted": trusted})
    body = canonical_json(told)
    return Record(seq=1, kind=kind, key=node, schema=1, body=body, stamp=Stamp(revoked_ms, 0))


def applied(place: Place, record: Record, *, role: str = "central", origin: str = "1" * 26) -> Verdict:
    """Have a place apply a revocation that somebody wrote who speaks for his units."""
    context = Context(
        origin=origin,
        epoch="0" * 13,
        scope="revocations/post-4",
        role=role,
        units=("*",),
        is_authority=role != "laptop",
        now_ms=place.now[0],
    )
    with place.database.write() as session:
        (outcome,) = Revocations().apply(session, [record], context)
    return outcome.verdict


def tell_of_revocations(place: Place, centre: Place) -> None:
    """Bring the centre's revocations to a node, and nothing else."""
    number_changes(centre.node)
    with centre.database.read() as session:
        key = LogKey(centre.node.id, standing(session).epoch, "revocations")
        encodings = [log.encoding_of(session, ref.digest) for ref in log.segments_after(session, key, 0)]
    with place.database.write() as session:
        for encoded in encodings:
            take_segment(session, place.node, encoded or b"")


def forged_log(session: Session, laptop: Place, entries: Sequence[tuple[str, int]]) -> None:
    """Seal entries with whatever stamps, as somebody can who has the key."""
    epoch = standing(session).epoch
    key = LogKey(laptop.node.id, epoch, "up")
    records = [note(number, name, wall_ms) for number, (name, wall_ms) in enumerate(entries, start=1)]
    encoded = segment.seal(records, log=key, previous="", key=laptop.node.key)
    log.append(session, segment.take_apart(encoded).header, encoded, records=records, now_ms=0)


def forged_segment(laptop: Place, name: str) -> bytes:
    with laptop.database.read() as session:
        key = LogKey(laptop.node.id, standing(session).epoch, "up")
    return segment.seal([note(1, name, 1)], log=key, previous="", key=laptop.node.key)


def note(seq: int, key: str, wall_ms: int) -> Record:
    return Record(seq=seq, kind="note", key=key, schema=1, body=b"text", stamp=Stamp(wall_ms, 0))
