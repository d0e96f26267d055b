"""Certificates end, and are made good for longer; a node follows its root to another."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync import identity, ledger, renewal, revocations
from sync.errors import CertificateError, RenewalError
from sync.identity import read_certificate, sign_paper
from sync.messages import Certificate
from sync.node import certificate_of, keep_certificate, root_of, take_certificates
from sync.renewal import DAY_MS, LIFE_MS
from sync.responder import Responder
from tests.bundle_builders import carry
from tests.sync_builders import Place, meet, open_place, pair

FOURTEEN_MONTHS = 425 * DAY_MS


def certificate(of: Place, *, at: Place) -> Certificate:
    """Return what a place knows of a node."""
    with at.database.read() as session:
        signed = certificate_of(session, of.node.id)
    assert signed is not None
    return read_certificate(signed)


def pass_time(*places: Place, ms: int) -> None:
    for place in places:
        place.now[0] += ms


def renew(at: Place, who: Place) -> Certificate:
    with at.database.write() as session:
        return renewal.renew(session, at.node, who.node.id, now_ms=at.now[0])


# ---------------------------------------------------------------- while it is good


def test_who_is_met_while_the_certificate_is_good_keeps_a_good_one(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    first = certificate(laptop, at=laptop)
    assert first.expires_ms == centre.now[0] + LIFE_MS

    pass_time(centre, laptop, ms=150 * DAY_MS)
    meet(laptop, centre)
    assert certificate(laptop, at=laptop) == first  # not yet due

    for _ in range(4):
        pass_time(centre, laptop, ms=240 * DAY_MS)
        centre.write_note(f"decided {centre.now[0]}", scope="directory")
        assert meet(laptop, centre).state == "done"
        renewed = certificate(laptop, at=laptop)
        assert renewed.expires_ms == centre.now[0] + LIFE_MS
        assert renewed == certificate(laptop, at=centre)
        assert laptop.notes() == centre.notes()


def test_a_renewed_certificate_comes_again_where_the_answer_was_lost(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    pass_time(centre, laptop, ms=300 * DAY_MS)
    renewed = renew(centre, laptop)  # the laptop has not heard of it

    meet(laptop, centre)

    assert certificate(laptop, at=laptop) == renewed


def test_a_certificate_without_an_end_gets_one(centre: Place, laptop: Place) -> None:
    """As earlier programs gave them."""
    pair(centre, laptop)
    endless = certificate(laptop, at=centre).model_copy(update={"expires_ms": None})
    for place in (centre, laptop):
        with place.database.write() as session:
            keep_certificate(session, sign_paper(centre.node.key, endless))
    pass_time(centre, laptop, ms=1000)

    meet(laptop, centre)

    assert certificate(laptop, at=laptop).expires_ms == centre.now[0] + LIFE_MS


def test_a_clock_that_fell_back_renews_all_the_same(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    first = certificate(laptop, at=laptop)
    centre.now[0] = 1000

    renewed = renew(centre, laptop)
    meet(laptop, centre)

    assert renewed.issued_ms > first.issued_ms
    assert certificate(laptop, at=laptop) == renewed


# ---------------------------------------------------------------- once it has ended


def test_who_was_away_until_it_ended_gives_all_and_is_given_revocations_alone(
    centre: Place, laptop: Place, tmp_path: Path
) -> None:
    other = open_place(tmp_path / "other", "Post 5", "laptop")
    pair(centre, laptop)
    pair(centre, other)
    meet(laptop, centre)
    pass_time(centre, laptop, ms=FOURTEEN_MONTHS)
    blob = centre.blobs.put(b"a course")
    centre.write_note("decided", f"blob:{blob}:8", scope="catalogue")
    centre.write_note("withdrawn", scope="revocations")
    laptop.write_note("recorded")

    report = meet(laptop, centre)

    assert report.state == "done"
    assert report.waiting == 0
    assert set(centre.notes()) == {"decided", "withdrawn", "recorded"}
    assert set(laptop.notes()) == {"withdrawn", "recorded"}

    renew(centre, laptop)
    laptop.write_note("recorded later")
    assert meet(laptop, centre).state == "done"
    assert laptop.notes() == centre.notes()
    other.database.close()


def test_what_it_recorded_counts_though_a_hub_brings_it(
    centre: Place, hub: Place, laptop: Place, network: None
) -> None:
    laptop.write_note("recorded")
    meet(laptop, hub)
    pass_time(centre, hub, laptop, ms=FOURTEEN_MONTHS)
    laptop.write_note("recorded long after")
    meet(laptop, hub)
    assert set(hub.notes()) == {"recorded", "recorded long after"}

    meet(hub, centre)  # whose own certificate has ended as well

    assert set(centre.notes()) == {"recorded", "recorded long after"}


def test_a_file_is_not_given_to_one_whose_certificate_has_ended(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    blob = centre.blobs.put(b"a course")
    laptop.write_note("own", f"blob:{blob}:8")
    laptop.blobs.gone[blob] = 8  # it asks for it
    pass_time(centre, laptop, ms=FOURTEEN_MONTHS)

    meet(laptop, centre)
    assert laptop.blobs.size(blob) is None

    renew(centre, laptop)
    meet(laptop, centre)
    assert laptop.blobs.size(blob) == 8


def test_a_stick_gives_one_whose_certificate_has_ended_no_more_than_a_link_does(
    centre: Place, laptop: Place, tmp_path: Path
) -> None:
    pair(centre, laptop)
    centre.write_note("decided", scope="directory")
    pass_time(centre, laptop, ms=FOURTEEN_MONTHS)

    carry(centre, laptop, tmp_path)
    assert laptop.notes() == {}

    renewed = renew(centre, laptop)
    carry(centre, laptop, tmp_path)
    assert set(laptop.notes()) == {"decided"}
    assert certificate(laptop, at=laptop) == renewed


def test_a_hub_whose_certificate_has_ended_decides_nothing_until_it_is_renewed(
    centre: Place, hub: Place, laptop: Place
) -> None:
    pair(centre, hub, units=["post-4"])
    pair(centre, laptop, units=["post-4"])
    pair(hub, laptop, units=["post-4"])
    pass_time(centre, hub, laptop, ms=FOURTEEN_MONTHS)
    hub.write_note("decided", scope="directory/post-4", changed_ms=hub.now[0])
    hub.write_note("recorded")

    meet(hub, centre)
    assert set(centre.notes()) == {"recorded"}

    renew(centre, hub)
    assert meet(hub, centre).state == "done"
    assert set(centre.notes()) == {"recorded", "decided"}
    renew(centre, laptop)
    meet(laptop, centre)
    assert set(laptop.notes()) == {"decided"}  # the laptop knows the hub's new certificate, too


# ---------------------------------------------------------------- who may


def test_only_who_admitted_a_node_or_is_the_root_renews_it(centre: Place, hub: Place, laptop: Place) -> None:
    pair(centre, hub, units=["*"])
    pair(hub, laptop)
    meet(hub, centre)
    laptop.write_note("recorded")
    meet(laptop, hub)
    meet(hub, centre)

    assert renew(hub, laptop).expires_ms
    assert renew(centre, laptop).expires_ms
    with pytest.raises(RenewalError, match="admitted by another"):
        renew(hub, centre)
    with pytest.raises(RenewalError, match="admitted by another"):
        renew(hub, hub)


def test_a_hub_that_did_not_admit_a_node_cannot_make_it_into_another(
    centre: Place, hub: Place, laptop: Place, tmp_path: Path
) -> None:
    """Two hubs of one centre: neither can take away what the other may."""
    second = open_place(tmp_path / "second", "Second hub", "hub")
    pair(centre, hub, units=["*"])
    pair(centre, second, units=["*"])
    meet(second, centre)
    before = certificate(second, at=centre)
    demoted = before.model_copy(update={"role": "laptop", "issued_ms": before.issued_ms + DAY_MS})

    with centre.database.write() as session:
        take_certificates(session, [sign_paper(hub.node.key, demoted)])

    assert certificate(second, at=centre) == before
    second.database.close()


def test_an_older_certificate_does_not_come_back(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    with centre.database.read() as session:
        older = certificate_of(session, laptop.node.id)
    assert older is not None
    pass_time(centre, laptop, ms=300 * DAY_MS)
    meet(laptop, centre)
    renewed = certificate(laptop, at=laptop)

    for place in (centre, laptop):
        with place.database.write() as session:
            take_certificates(session, [older])
        assert certificate(laptop, at=place) == renewed


def test_a_third_node_learns_of_it_from_the_node_itself(centre: Place, hub: Place, laptop: Place) -> None:
    pair(centre, hub, units=["*"])
    pair(hub, laptop)
    laptop.write_note("recorded")
    meet(laptop, hub)
    meet(hub, centre)
    with laptop.database.write() as session:  # it is brought to the centre
        ledger.peer_row(session, centre.node.id, now_ms=0)
    meet(laptop, centre)
    pass_time(centre, hub, laptop, ms=300 * DAY_MS)
    renewed = renew(hub, laptop)
    meet(laptop, hub)
    assert certificate(laptop, at=centre) != renewed

    laptop.write_note("recorded later")
    assert meet(laptop, centre).state == "done"

    assert certificate(laptop, at=centre) == renewed
    assert centre.notes() == laptop.notes()


def test_a_key_that_was_withdrawn_is_not_renewed(centre: Place, laptop: Place) -> None:
    pair(centre, laptop)
    with centre.database.write() as session:
        revocations.revoke(session, centre.node, laptop.node.id, reason="lost")

    with pytest.raises(RenewalError, match="withdrawn"):
        renew(centre, laptop)


# ---------------------------------------------------------------- another root


def test_laptops_of_a_van_that_joined_follow_it(centre: Place, hub: Place, laptop: Place) -> None:
    """Then delivered means at the centre for them, too; and a laptop may go there by itself."""
    pair(hub, laptop)
    laptop.write_note("recorded alone")
    assert meet(laptop, hub).waiting == 0
    pair(centre, hub, units=["*"])
    meet(hub, centre)

    meet(laptop, hub)
    with laptop.database.read() as session:
        assert root_of(session) == centre.node.id
    laptop.write_note("recorded")
    assert meet(laptop, hub).waiting == 1  # at the hub
    meet(hub, centre)
    assert meet(laptop, hub).waiting == 0

    centre.write_note("decided", scope="directory")
    meet(hub, centre)
    meet(laptop, hub)
    assert laptop.notes() == centre.notes()


def test_a_van_follows_though_the_clock_of_the_centre_runs_behind(
    centre: Place, hub: Place, laptop: Place
) -> None:
    pair(hub, laptop)
    meet(laptop, hub)
    centre.now[0] -= 900 * DAY_MS
    pair(centre, hub, units=["*"])
    meet(hub, centre)

    assert meet(laptop, hub).state == "done"

    with laptop.database.read() as session:
        assert root_of(session) == centre.node.id
    laptop.write_note("recorded")
    assert meet(laptop, hub).state == "done"


def test_nobody_but_the_root_names_another(centre: Place, hub: Place, laptop: Place, tmp_path: Path) -> None:
    pair(centre, hub, units=["*"])
    pair(centre, laptop)
    pair(hub, laptop)
    thief = open_place(tmp_path / "thief", "Thief", "central")
    with thief.database.read() as session:
        its_own = certificate_of(session, thief.node.id)
    assert its_own is not None
    named = identity.read_certificate(its_own)

    for signer in (hub, thief):
        with laptop.database.write() as session, pytest.raises(CertificateError):
            renewal.follow_root(session, sign_paper(signer.node.key, named), [its_own])
    by_the_centre = sign_paper(centre.node.key, named)
    forged = by_the_centre.model_copy(update={"text": by_the_centre.text.replace("Thief", "Other")})
    with laptop.database.write() as session, pytest.raises(CertificateError):
        renewal.follow_root(session, forged, [its_own])
    with laptop.database.write() as session, pytest.raises(CertificateError):
        renewal.follow_root(session, by_the_centre, [])

    with laptop.database.read() as session:
        assert root_of(session) == centre.node.id
    thief.database.close()


def test_who_rests_on_the_root_already_is_told_of_no_other(centre: Place, hub: Place, laptop: Place) -> None:
    pair(centre, hub, units=["*"])
    pair(hub, laptop)
    seen = []
    hello = Responder.hello

    def listening(self: Responder, *args: object) -> object:
        answer = hello(self, *args)  # type: ignore[arg-type] - passed on as they came
        seen.append(answer.next_root)
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Responder, "hello", listening)
        meet(laptop, hub)
        meet(hub, centre)
    assert seen
    assert set(seen) == {None}
