"""What an LMS most often gets wrong about cmi5, one test for each; and what ADL's test suite for LMSs does not see.

The numbers are those of a study of the standard and of that suite. Most have their test beside their subject; those
that no other test meant stand below. The table is held against what there is: a test that goes must be replaced.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from content_packages.cmi5.vocabulary import CMI5, MOVE_ON, SESSION_ID, Verb
from lms.cmi5.tables import UnitSession
from lms.database import Database
from tests.cmi5_builders import a_block, a_cmi5_package, a_structure, an_au
from tests.cmi5_launching import LMS, V1, School, a_school

TESTS = Path(__file__).parent.parent
REFUSALS = "unit/content_packages/test_cmi5_refusals.py"
READER = "unit/content_packages/test_cmi5_reader.py"
RULES = "unit/content_packages/test_cmi5_rules.py"
SESSIONS = "api/test_cmi5_sessions.py"
PAGES = "api/test_cmi5_pages.py"
MOVING = "api/test_cmi5_moving.py"
HERE = "api/test_cmi5_pitfalls.py"

FIRST, SECOND = "https://example.org/au/1", "https://example.org/au/2"
OF_THE_LMS = {Verb.LAUNCHED, Verb.ABANDONED, Verb.WAIVED, Verb.SATISFIED}

PITFALLS: dict[str, tuple[str, str]] = {
    "1 cmi5.xml at the root only": (REFUSALS, "test_a_structure_in_a_folder_of_the_zip_is_refused"),
    "1 bare XML": (READER, "test_a_structure_without_a_zip_is_a_course_of_units_elsewhere"),
    "1 zip64": (READER, "test_a_zip_of_64_bits_is_read"),
    "2 the schema, order included": (REFUSALS, "test_a_structure_with_a_fault_is_refused"),
    "2 extensions stay legal": (READER, "test_extensions_are_kept_as_xml_that_stands_by_itself"),
    "3 ids absolute and unique": (REFUSALS, "test_each_rule_that_refuses_is_broken_above"),
    "4 addresses of units": (REFUSALS, "test_without_a_zip_each_address_must_be_complete"),
    "5 a thousand units": (SESSIONS, "test_a_course_of_more_than_a_thousand_units"),
    "6 defaults": (READER, "test_a_unit_has_the_defaults_of_the_standard"),
    "6 a mastery score is a decimal": (READER, "test_a_mastery_score_stays_the_decimal_it_was"),
    "7 launched, once, before the address": (
        SESSIONS,
        "test_a_launch_says_launched_once_and_hands_out_the_five_parameters",
    ),
    "8 activity id of the LMS's own": (SESSIONS, "test_a_unit_is_called_the_same_in_every_launch"),
    "9 a unit's own query; launchurl": (
        SESSIONS,
        "test_a_launch_says_launched_once_and_hands_out_the_five_parameters",
    ),
    "10 LMS.LaunchData": (SESSIONS, "test_launch_data_has_what_the_structure_says"),
    "11 the actor": (SESSIONS, "test_the_actor_is_an_agent_with_an_account"),
    "12 fetch": (SESSIONS, "test_the_fetch_url_answers_once_to_post_and_to_any_page"),
    "12 good for the session only": (SESSIONS, "test_the_store_opens_only_between_fetch_and_the_end"),
    "13 OwnWindow": (PAGES, "test_own_window_is_obeyed_at_once"),
    "14 a new launch abandons": (
        SESSIONS,
        "test_a_new_launch_abandons_the_session_of_any_unit_of_the_registration",
    ),
    "14 two launches at once": (HERE, "test_of_launches_at_once_one_stays_open"),
    "15 order in a session": (RULES, "test_nothing_comes_before_initialized_or_after_the_end"),
    "15 preferences first": (SESSIONS, "test_initialized_waits_for_the_learner_preferences"),
    "15 one verdict": (RULES, "test_a_session_has_one_verdict"),
    "16 once in a registration": (SESSIONS, "test_a_later_session_completes_and_passes_nothing_again"),
    "17 form": (RULES, "test_every_statement_has_the_form_of_the_session"),
    "17 an id, also by POST": (SESSIONS, "test_a_statement_without_an_id_is_refused"),
    "18 result": (RULES, "test_each_verb_has_its_own_content"),
    "19 mastery": (RULES, "test_a_verdict_without_a_score_need_not_name_the_mastery_score"),
    "20 moveon": (RULES, "test_an_allowed_statement_has_no_move_on_category"),
    "21 launch modes": (SESSIONS, "test_other_launch_modes_take_what_does_not_count"),
    "22 voiding": (SESSIONS, "test_a_unit_voids_nothing"),
    "22 cmi5 allowed counts for nothing": (SESSIONS, "test_allowed_statements_are_stored_and_never_count"),
    "23 a batch with one bad statement": (SESSIONS, "test_a_batch_with_one_bad_statement_leaves_nothing"),
    "23 a batch that breaks a rule by itself": (HERE, "test_a_batch_that_completes_twice_leaves_nothing"),
    "24 two completed at once": (SESSIONS, "test_two_at_once_complete_once"),
    "25 launch data is read only": (SESSIONS, "test_launch_data_is_read_only"),
    "25 state of this registration and agent": (
        SESSIONS,
        "test_state_needs_registration_and_agent_of_the_launch",
    ),
    "26 learner preferences": (SESSIONS, "test_learner_preferences_are_checked_and_kept"),
    "27 satisfied behind its cause": (
        SESSIONS,
        "test_satisfied_follows_its_cause_at_once_block_before_course",
    ),
    "27 stored never falls": (HERE, "test_stored_never_falls_and_the_order_is_that_of_the_causes"),
    "27 nested blocks, several units": (SESSIONS, "test_blocks_in_blocks_and_several_units"),
    "27 once": (SESSIONS, "test_nothing_is_satisfied_twice"),
    "28 NotApplicable": (SESSIONS, "test_not_applicable_is_satisfied_with_the_registration"),
    "29 waived": (SESSIONS, "test_a_waived_unit_is_satisfied_under_a_session_of_its_own"),
    "30 abandoned once": (SESSIONS, "test_a_session_is_abandoned_once"),
    "31 what each of these carries": (
        HERE,
        "test_all_that_the_lms_says_has_category_session_and_registration",
    ),
    "32 silence": (SESSIONS, "test_a_session_of_which_nothing_is_heard_is_abandoned"),
    "33 CORS": (SESSIONS, "test_errors_of_the_store_may_be_read_by_any_page"),
    "34 units elsewhere": (READER, "test_units_elsewhere_are_told_once_with_their_hosts"),
    "35 another host": (SESSIONS, "test_files_come_from_the_courses_own_host_and_reach_the_store_only"),
    "36 one writing node": (PAGES, "test_every_node_writes_an_enrolment_under_a_registration_of_its_own"),
    "37 a clock that goes back": (
        SESSIONS,
        "test_what_the_lms_adds_is_not_dated_before_what_it_follows_from",
    ),
    "unseen: any page of ours": (PAGES, "test_the_course_page_leads_to_the_player_of_units"),
    "unseen: import of a new version": (
        MOVING,
        "test_what_she_has_done_counts_under_the_same_registration_and_activity",
    ),
    "unseen: xAPI 2.0": (SESSIONS, "test_a_unit_may_speak_xapi_2"),
    "unseen: statements with attachments": (HERE, "test_rules_hold_for_statements_with_attachments"),
    "unseen: a score without a mastery score": (HERE, "test_a_score_counts_where_no_mastery_score_was_given"),
    "unseen: returnURL": (SESSIONS, "test_files_come_from_the_courses_own_host_and_reach_the_store_only"),
}


@pytest.fixture
def school(database: Database, tmp_path: Path) -> Iterator[School]:
    with a_school(database, tmp_path) as school:
        yield school


def course(school: School, attributes: str) -> str:
    return school.course(a_cmi5_package(a_structure(a_block(an_au(attributes=attributes)))))


@pytest.mark.parametrize("pitfall", PITFALLS)
def test_each_pitfall_has_its_test(pitfall: str) -> None:
    place, name = PITFALLS[pitfall]

    defined = {
        one.name
        for one in ast.walk(ast.parse((TESTS / place).read_text(encoding="utf-8")))
        if isinstance(one, ast.FunctionDef)
    }

    assert name in defined


def test_no_pitfall_is_left_out() -> None:
    assert {int(one.split()[0]) for one in PITFALLS if one[0].isdigit()} == set(range(1, 38))


def test_of_launches_at_once_one_stays_open(school: School) -> None:
    taken = course(school, 'moveOn="Completed"')
    found = school.launch(taken).registration
    begin = threading.Barrier(6)

    def launch() -> None:
        begin.wait()
        school.ask_launch(taken, registration=found)

    threads = [threading.Thread(target=launch) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with school.node.database.read() as session:
        assert len(session.scalars(select(UnitSession).where(UnitSession.ended.is_(None))).all()) == 1
    assert school.verbs(found) == ["launched", *["abandoned", "launched"] * 6]


def test_a_batch_that_completes_twice_leaves_nothing(school: School) -> None:
    unit = school.running(course(school, 'moveOn="Completed"'))

    refused = unit.send(unit.statement(Verb.COMPLETED), unit.statement(Verb.COMPLETED))

    assert refused.status_code == 403
    assert school.verbs(unit.registration) == ["launched", "initialized"]


def test_stored_never_falls_and_the_order_is_that_of_the_causes(school: School) -> None:
    unit = school.running(course(school, 'moveOn="Completed"'))
    unit.send(unit.statement(Verb.COMPLETED), unit.statement(Verb.TERMINATED))

    key = school.do("lrs-keys", name="A reader", scopes=["all"]).json()
    known = {**V1, "Authorization": f"Bearer {key['key']}.{key['secret']}"}
    answer = school.browser.get(f"{LMS}/xapi/statements", params={"ascending": "true"}, headers=known)

    statements = answer.json()["statements"]
    assert [one["verb"]["id"].rpartition("/")[2] for one in statements] == [
        "launched", "initialized", "completed", "satisfied", "satisfied", "terminated",
    ]  # fmt: skip
    stored = [one["stored"] for one in statements]
    assert stored == sorted(stored)


def test_all_that_the_lms_says_has_category_session_and_registration(school: School) -> None:
    taken = school.course(
        a_cmi5_package(
            a_structure(
                a_block(
                    an_au(FIRST, attributes='moveOn="Completed"')
                    + an_au(SECOND, attributes="moveOn='Passed'")
                )
            )
        )
    )
    unit = school.running(taken)
    unit.say(Verb.COMPLETED)
    school.do(f"sessions/{unit.session_id}/abandon")
    school.do(f"registrations/{unit.registration}/units/1/waive", reason="Knows it")

    own = [one for one in school.statements() if one["verb"]["id"] in OF_THE_LMS]

    assert {one["verb"]["id"] for one in own} == OF_THE_LMS
    for one in own:
        context = one["context"]
        categories = {of["id"] for of in context["contextActivities"]["category"]}
        assert categories == ({CMI5, MOVE_ON} if one["verb"]["id"] == Verb.WAIVED else {CMI5})
        assert context["registration"] == unit.registration
        assert UUID(context["extensions"][SESSION_ID])
        assert context["contextActivities"]["grouping"][0]["id"].startswith("https://example.org/")
        assert one["timestamp"].endswith("Z")


@pytest.mark.parametrize(("alter", "expected"), [({}, 200), ({"success": True}, 403)])
def test_rules_hold_for_statements_with_attachments(
    school: School, alter: dict[str, bool], expected: int
) -> None:
    unit = school.running(course(school, 'moveOn="Completed"'))
    certificate = b"a picture of it"
    statement = unit.statement(Verb.COMPLETED)
    statement["result"] |= alter
    statement["attachments"] = [
        {
            "usageType": "https://example.org/evidence",
            "display": {"en": "Evidence"},
            "contentType": "image/png",
            "length": len(certificate),
            "sha2": sha256(certificate).hexdigest(),
        }
    ]

    answer = send_parts(
        unit["endpoint"] + "statements",
        [statement],
        {sha256(certificate).hexdigest(): certificate},
        browser=school.browser,
        headers=unit.known,
    )

    assert answer.status_code == expected
    assert ("satisfied" in school.verbs(unit.registration)) is (expected == 200)


def send_parts(
    url: str,
    statements: list[dict[str, Any]],
    files: dict[str, bytes],
    *,
    browser: TestClient,
    headers: dict[str, str],
) -> httpx.Response:
    parts = [b"Content-Type: application/json\r\n\r\n" + orjson.dumps(statements)]
    parts += [
        b"Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n"
        + f"X-Experience-API-Hash: {digest}\r\n\r\n".encode()
        + content
        for digest, content in files.items()
    ]
    body = b"".join(b"--cut\r\n" + part + b"\r\n" for part in parts) + b"--cut--\r\n"
    kind = {"Content-Type": "multipart/mixed; boundary=cut"}
    answer: httpx.Response = browser.post(url, content=body, headers={**headers, **kind})
    return answer


def test_a_score_counts_where_no_mastery_score_was_given(school: School) -> None:
    unit = school.running(course(school, 'moveOn="Passed"'))

    scored = unit.statement(Verb.PASSED)
    scored["result"]["score"] = {"scaled": 0.1}
    answer = unit.send(scored)

    assert "masteryScore" not in unit.data
    assert answer.status_code == 200
    assert school.verbs(unit.registration)[2:] == ["passed", "satisfied", "satisfied"]
