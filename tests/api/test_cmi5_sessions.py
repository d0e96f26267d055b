"""cmi5 by HTTP: launches, the fetch URL, what a unit may say and read, and what the LMS says because of it."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

import httpx
import orjson
import pytest
from sqlalchemy import select

from content_packages.cmi5.vocabulary import (
    BLOCK,
    CMI5,
    COURSE,
    LAUNCH_MODE,
    LAUNCH_URL,
    MASTERY_SCORE,
    MOVE_ON,
    MOVE_ON_CRITERION,
    REASON,
    SESSION_ID,
    VOIDED,
    Verb,
)
from lms.cmi5.actions import IDLE_AFTER, abandon_idle
from lms.courses.iris import COURSES
from lms.courses.tables import Edition
from lms.database import Database
from lms.node import utc_now
from tests.cmi5_builders import a_block, a_cmi5_package, a_structure, an_au
from tests.cmi5_launching import ACTOR, LMS, V1, School, Unit, a_school

BOTH = 'moveOn="CompletedAndPassed" masteryScore="0.9"'
NESTED = a_structure(
    a_block(
        a_block(
            an_au("https://example.org/au/1", attributes='moveOn="Completed"')
            + an_au("https://example.org/au/2", attributes='moveOn="Passed"'),
            "https://example.org/block/inner",
        ),
        "https://example.org/block/outer",
    )
    + an_au("https://example.org/au/3", attributes='moveOn="Completed"')
)


@pytest.fixture
def school(database: Database, tmp_path: Path) -> Iterator[School]:
    with a_school(database, tmp_path) as school:
        yield school


def one_au(school: School, attributes: str = BOTH, **more: str) -> str:
    return school.course(a_cmi5_package(a_structure(an_au(attributes=attributes, **more))))


def said(statements: list[dict[str, Any]], verb: Verb) -> list[dict[str, Any]]:
    return [one for one in statements if one["verb"]["id"] == verb]


def test_a_launch_says_launched_once_and_hands_out_the_five_parameters(school: School) -> None:
    course = one_au(school, url="index.html?a=1&amp;b=2#top")

    unit = school.launch(course)

    address = urlsplit(unit.url)
    assert address.query.startswith("a=1&b=2&")
    assert address.fragment == "top"
    assert unit["endpoint"] == f"{LMS}/xapi/"
    assert orjson.loads(unit["actor"]) == ACTOR
    assert unit["registration"] == unit.registration
    assert unit["activityId"].startswith(f"https://outpost.invalid/courses/{course}/units/")
    (launched,) = school.statements(unit.registration)
    extensions = launched["context"]["extensions"]
    assert launched["verb"]["id"] == Verb.LAUNCHED
    assert launched["object"]["id"] == unit["activityId"]
    assert extensions[SESSION_ID] == unit.session_id
    assert (extensions[MASTERY_SCORE], extensions[LAUNCH_MODE]) == (0.9, "Normal")
    assert extensions[MOVE_ON_CRITERION] == "CompletedAndPassed"
    assert extensions[LAUNCH_URL] == f"http://{address.netloc}{address.path}?a=1&b=2#top"
    around = launched["context"]["contextActivities"]
    assert [one["id"] for one in around["category"]] == [CMI5]
    assert [one["id"] for one in around["grouping"]] == ["https://example.org/au/1"]


def test_a_name_is_not_passed_on(school: School) -> None:
    unit = school.launch(one_au(school), actor={**ACTOR, "name": "Ann Example"})

    assert orjson.loads(unit["actor"]) == ACTOR
    assert "Ann" not in orjson.dumps(school.statements()).decode()


@pytest.mark.parametrize(
    "actor",
    [
        {"mbox": "mailto:a@example.org"},
        {"objectType": "Group", "account": {"homePage": "https://example.org", "name": "g"}},
        {"objectType": "Agent", "account": {"homePage": "https://example.org"}},
        {"mbox": "mailto:a@example.org", "account": {"homePage": "https://example.org", "name": "p"}},
    ],
)
def test_the_actor_is_an_agent_with_an_account(school: School, actor: dict[str, Any]) -> None:
    assert school.ask_launch(one_au(school), actor=actor).status_code == 422


def test_launch_data_has_what_the_structure_says(school: School) -> None:
    after = "<launchParameters> one=1 </launchParameters><entitlementKey>key</entitlementKey>"
    unit = school.launch(one_au(school, after_url=after))

    unit.start()

    assert unit.data.pop("returnURL").startswith(f"http://{urlsplit(unit.url).netloc}/au/")
    assert unit.data == {
        "contextTemplate": {
            "contextActivities": {"grouping": [{"objectType": "Activity", "id": "https://example.org/au/1"}]},
            "extensions": {SESSION_ID: unit.session_id},
        },
        "launchMode": "Normal",
        "launchMethod": "AnyWindow",
        "moveOn": "CompletedAndPassed",
        "masteryScore": 0.9,
        "launchParameters": "one=1",
        "entitlementKey": {"courseStructure": "key"},
    }


def test_the_fetch_url_answers_once_to_post_and_to_any_page(school: School) -> None:
    unit = school.launch(one_au(school))

    got = school.browser.get(unit["fetch"])
    first, second = unit.fetch(), unit.fetch()
    strange = school.browser.post(f"{LMS}/fetch/unknown")

    assert got.status_code == 405
    assert list(first.json()) == ["auth-token"]
    assert (second.status_code, second.json()["error-code"]) == (200, "1")
    assert (strange.status_code, strange.json()["error-code"]) == (200, "2")
    for answer in (got, first, second, strange):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Content-Type"] == "application/json"
    preflight = school.browser.options(unit["fetch"], headers={"Origin": "http://k1.localhost:8001"})
    assert preflight.status_code == 204


def test_a_page_of_another_host_may_fetch(school: School) -> None:
    unit = school.launch(one_au(school))
    headers = {"Origin": "http://k1.localhost:8001", "Sec-Fetch-Site": "cross-site"}

    assert "auth-token" in school.browser.post(unit["fetch"], headers=headers).json()


def test_the_store_opens_only_between_fetch_and_the_end(school: School) -> None:
    unit = school.launch(one_au(school))
    before = unit.ask("GET", "activities/state", **unit.state)
    unit.start()
    unit.say(Verb.INITIALIZED)
    end = unit.statement(Verb.TERMINATED)
    assert unit.send(end).status_code == 200

    assert before.status_code == 401
    assert unit.send(end).status_code == 200  # its answer may have been lost
    assert unit.say(Verb.TERMINATED).status_code == 403
    assert unit.say("http://adlnet.gov/expapi/verbs/experienced", defined=False).status_code == 403
    assert unit.ask("GET", "activities/state", **unit.state).status_code == 403


def test_satisfied_follows_its_cause_at_once_block_before_course(school: School) -> None:
    structure = a_structure(a_block(an_au(attributes=BOTH)))
    course = school.course(a_cmi5_package(structure))
    unit = school.running(course)

    unit.say(Verb.COMPLETED)
    unit.say(Verb.PASSED, scaled=0.95)
    unit.say(Verb.TERMINATED)

    assert school.verbs(unit.registration) == [
        "launched", "initialized", "completed", "passed", "satisfied", "satisfied", "terminated",
    ]  # fmt: skip
    block, whole = said(school.statements(unit.registration), Verb.SATISFIED)
    assert block["object"]["definition"]["type"] == BLOCK
    assert whole["object"]["definition"]["type"] == COURSE
    assert whole["object"]["id"] == f"https://outpost.invalid/courses/{course}"
    assert block["context"]["contextActivities"]["grouping"][0]["id"] == "https://example.org/block/1"
    assert {one["context"]["extensions"][SESSION_ID] for one in (block, whole)} == {unit.session_id}
    assert all(
        one["context"]["contextActivities"]["category"][0]["id"] == CMI5 and "result" not in one
        for one in (block, whole)
    )


def test_in_a_batch_satisfied_stands_right_behind_its_cause(school: School) -> None:
    unit = school.running(one_au(school, 'moveOn="Completed"'))

    answer = unit.send(unit.statement(Verb.COMPLETED), unit.statement(Verb.TERMINATED))

    assert answer.status_code == 200
    assert school.verbs(unit.registration)[2:] == ["completed", "satisfied", "terminated"]


def test_blocks_in_blocks_and_several_units(school: School) -> None:
    course = school.course(a_cmi5_package(NESTED))
    first = school.running(course, 0)
    registration = first.registration
    first.say(Verb.COMPLETED)
    second = school.running(course, 1, registration=registration)
    second.say(Verb.PASSED)
    third = school.running(course, 2, registration=registration)
    third.say(Verb.COMPLETED)

    told = said(school.statements(registration), Verb.SATISFIED)

    names = [one["context"]["contextActivities"]["grouping"][0]["id"] for one in told]
    assert names == [
        "https://example.org/block/inner", "https://example.org/block/outer", "https://example.org/course",
    ]  # fmt: skip
    assert [one["context"]["extensions"][SESSION_ID] for one in told] == [
        second.session_id, second.session_id, third.session_id,
    ]  # fmt: skip
    assert len({first["activityId"], second["activityId"], third["activityId"]}) == 3


def test_nothing_is_satisfied_twice(school: School) -> None:
    course = one_au(school, 'moveOn="CompletedOrPassed"')
    unit = school.running(course)

    unit.say(Verb.COMPLETED)
    unit.say(Verb.PASSED)
    again = school.running(course, registration=unit.registration)
    again.say(Verb.TERMINATED)

    assert school.verbs(unit.registration).count("satisfied") == 1


def test_not_applicable_is_satisfied_with_the_registration(school: School) -> None:
    course = school.course(a_cmi5_package(a_structure(a_block(an_au()))))

    unit = school.launch(course)

    assert school.verbs(unit.registration) == ["satisfied", "satisfied", "launched"]
    told = said(school.statements(unit.registration), Verb.SATISFIED)
    (own,) = {one["context"]["extensions"][SESSION_ID] for one in told}
    assert own != unit.session_id


def test_a_unit_is_called_the_same_in_every_launch(school: School) -> None:
    course = one_au(school)
    first = school.launch(course)

    again = school.launch(course, registration=first.registration)
    another = school.launch(course)

    assert first["activityId"] == again["activityId"] == another["activityId"]
    assert first.registration == again.registration != another.registration


def test_initialized_waits_for_the_learner_preferences(school: School) -> None:
    unit = school.launch(one_au(school))
    unit.fetch()
    unit.data = unit.ask("GET", "activities/state", **unit.state).json()

    early = unit.say(Verb.INITIALIZED)
    assert unit.preferences().status_code == 404
    late = unit.say(Verb.INITIALIZED)

    assert (early.status_code, late.status_code) == (403, 200)


def test_a_batch_with_one_bad_statement_leaves_nothing(school: School) -> None:
    unit = school.running(one_au(school))
    bad = unit.statement(Verb.PASSED)
    del bad["result"]["duration"]

    refused = unit.send(unit.statement(Verb.COMPLETED), bad)
    then = unit.say(Verb.COMPLETED)

    assert refused.status_code == 403
    assert "9.5.4.1" in refused.json()["error"]
    assert then.status_code == 200  # the first one did not count either
    assert school.verbs(unit.registration) == ["launched", "initialized", "completed"]


def test_a_statement_without_an_id_is_refused(school: School) -> None:
    unit = school.running(one_au(school))
    statement = unit.statement(Verb.COMPLETED)
    del statement["id"]

    assert unit.send(statement).status_code == 403


def test_a_unit_voids_nothing(school: School) -> None:
    unit = school.running(one_au(school))
    stored = unit.statement("http://adlnet.gov/expapi/verbs/experienced", defined=False)
    unit.send(stored)
    voiding = unit.statement(VOIDED, defined=False)
    voiding["object"] = {"objectType": "StatementRef", "id": stored["id"]}

    assert unit.send(voiding).status_code == 403


def test_allowed_statements_are_stored_and_never_count(school: School) -> None:
    unit = school.running(one_au(school, 'moveOn="Completed"'))

    allowed = unit.say(Verb.COMPLETED, defined=False)
    defined = unit.say(Verb.COMPLETED)

    assert (allowed.status_code, defined.status_code) == (200, 200)
    assert school.verbs(unit.registration)[2:] == ["completed", "completed", "satisfied"]


def test_a_unit_may_speak_xapi_2(school: School) -> None:
    unit = school.running(one_au(school, 'moveOn="Completed"'))
    known = {**unit.known, "X-Experience-API-Version": "2.0.0"}
    good, bad = unit.statement(Verb.COMPLETED), unit.statement(Verb.PASSED)
    del bad["result"]["duration"]

    answers = [
        school.browser.post(unit["endpoint"] + "statements", json=one, headers=known) for one in (bad, good)
    ]

    assert [one.status_code for one in answers] == [403, 200]
    assert school.verbs(unit.registration)[2:] == ["completed", "satisfied"]


def test_a_request_in_the_alternate_syntax_reaches_no_further(school: School) -> None:
    unit = school.running(one_au(school))
    fields = {**unit.state, "Authorization": unit.known["Authorization"], **V1, "content": "{}"}
    fields["Content-Type"] = "application/json"

    answer = school.browser.post(unit["endpoint"] + "activities/state?method=PUT", data=fields)

    assert answer.status_code == 403


def test_the_same_statement_again_is_no_second_one(school: School) -> None:
    unit = school.running(one_au(school))
    statement = unit.statement(Verb.COMPLETED)

    assert unit.send(statement).status_code == 200
    assert unit.send(statement).status_code == 200
    assert school.verbs(unit.registration).count("completed") == 1


def test_a_later_session_completes_and_passes_nothing_again(school: School) -> None:
    course = one_au(school)
    first = school.running(course)
    first.say(Verb.COMPLETED)
    first.say(Verb.PASSED, scaled=1.0)
    first.say(Verb.TERMINATED)

    later = school.running(course, registration=first.registration)

    assert [later.say(verb).status_code for verb in (Verb.COMPLETED, Verb.PASSED, Verb.FAILED)] == [403] * 3
    assert later.say(Verb.TERMINATED).status_code == 200


@pytest.mark.parametrize("mode", ["Browse", "Review"])
def test_other_launch_modes_take_what_does_not_count(school: School, mode: str) -> None:
    unit = school.running(one_au(school), mode=mode)

    assert unit.data["launchMode"] == mode
    assert [unit.say(verb).status_code for verb in (Verb.COMPLETED, Verb.PASSED, Verb.FAILED)] == [403] * 3
    assert unit.say(Verb.TERMINATED).status_code == 200


def test_two_at_once_complete_once(school: School) -> None:
    unit = school.running(one_au(school, 'moveOn="Completed"'))
    answers: list[int] = []

    def complete() -> None:
        answers.append(unit.say(Verb.COMPLETED).status_code)

    threads = [threading.Thread(target=complete) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [200, *[403] * 5]
    assert school.verbs(unit.registration)[2:] == ["completed", "satisfied"]


def test_a_new_launch_abandons_the_session_of_any_unit_of_the_registration(school: School) -> None:
    course = school.course(a_cmi5_package(NESTED))
    first = school.running(course, 0)

    second = school.launch(course, 1, registration=first.registration)

    (abandoned,) = said(school.statements(first.registration), Verb.ABANDONED)
    assert abandoned["context"]["extensions"][SESSION_ID] == first.session_id
    assert abandoned["object"]["id"] == first["activityId"]
    assert abandoned["result"]["duration"].startswith("PT")
    assert first.say(Verb.COMPLETED).status_code == 403
    assert school.verbs(first.registration)[-2:] == ["abandoned", "launched"]
    second.start()
    assert second.say(Verb.INITIALIZED).status_code == 200


def test_a_session_is_abandoned_once(school: School) -> None:
    unit = school.running(one_au(school))

    first = school.do(f"sessions/{unit.session_id}/abandon")
    second = school.do(f"sessions/{unit.session_id}/abandon")

    assert (first.status_code, second.status_code) == (204, 409)
    assert unit.say(Verb.TERMINATED).status_code == 403
    assert unit.ask("GET", "activities/state", **unit.state).status_code == 403
    assert school.verbs(unit.registration) == ["launched", "initialized", "abandoned"]


def test_a_session_of_which_nothing_is_heard_is_abandoned(school: School) -> None:
    unit = school.running(one_au(school))
    database, desk = school.node.database, school.node.desk

    with database.write() as session:
        early = abandon_idle(session, desk, now=utc_now() + IDLE_AFTER - timedelta(minutes=1))
    with database.write() as session:
        late = abandon_idle(session, desk, now=utc_now() + IDLE_AFTER + timedelta(minutes=1))

    assert (early, late) == (False, True)
    assert school.verbs(unit.registration)[-1] == "abandoned"


def test_a_session_whose_course_is_gone_is_ended_and_not_found_again(school: School) -> None:
    unit = school.running(one_au(school))
    database, desk, late = school.node.database, school.node.desk, utc_now() + 2 * IDLE_AFTER
    with database.read() as session:
        for manifest in session.scalars(select(Edition.manifest)):
            desk.shelf.path(manifest).unlink()

    found = []
    for _ in range(2):
        with database.write() as session:
            found.append(abandon_idle(session, desk, now=late))

    assert found == [True, False]
    assert school.verbs(unit.registration)[-1] == "initialized"


def test_a_waived_unit_is_satisfied_under_a_session_of_its_own(school: School) -> None:
    course = school.course(a_cmi5_package(NESTED))
    unit = school.launch(course, 0)
    path = f"registrations/{unit.registration}/units"

    first = school.do(f"{path}/2/waive", reason="Administrative")
    again = school.do(f"{path}/2/waive", reason="Administrative")
    school.do(f"{path}/0/waive", reason="Tested Out")
    school.do(f"{path}/1/waive", reason="Tested Out")

    assert (first.status_code, again.status_code) == (204, 409)
    waived = said(school.statements(unit.registration), Verb.WAIVED)
    told = said(school.statements(unit.registration), Verb.SATISFIED)
    assert waived[0]["result"] == {
        "success": True, "completion": True, "extensions": {REASON: "Administrative"},
    }  # fmt: skip
    categories = [one["id"] for one in waived[0]["context"]["contextActivities"]["category"]]
    assert categories == [CMI5, MOVE_ON]
    sessions = [one["context"]["extensions"][SESSION_ID] for one in waived]
    assert len({*sessions, unit.session_id}) == 4
    assert [one["context"]["extensions"][SESSION_ID] for one in told] == [sessions[2]] * 3


def test_state_needs_registration_and_agent_of_the_launch(school: School) -> None:
    unit = school.running(one_au(school))
    own = {**unit.state, "stateId": "bookmark"}
    other = orjson.dumps({"account": {"homePage": "https://example.org/school", "name": "p-2"}}).decode()

    assert unit.ask("PUT", "activities/state", body={"page": 4}, **own).status_code == 204
    assert unit.ask("GET", "activities/state", **own).json() == {"page": 4}
    for wrong in (
        {**own, "registration": "11111111-1111-4111-8111-111111111111"},
        {**own, "agent": other},
        {name: value for name, value in own.items() if name != "registration"},
    ):
        assert unit.ask("GET", "activities/state", **wrong).status_code == 403
        assert unit.ask("PUT", "activities/state", body={}, **wrong).status_code == 403


def test_launch_data_is_read_only(school: School) -> None:
    unit = school.running(one_au(school))
    all_state = {name: value for name, value in unit.state.items() if name != "stateId"}

    assert unit.ask("PUT", "activities/state", body={}, **unit.state).status_code == 403
    assert unit.ask("POST", "activities/state", body={}, **unit.state).status_code == 403
    assert unit.ask("DELETE", "activities/state", **unit.state).status_code == 403
    assert unit.ask("DELETE", "activities/state", **all_state).status_code == 403


def test_learner_preferences_are_checked_and_kept(school: School) -> None:
    unit = school.running(one_au(school))
    named = {"profileId": "cmi5LearnerPreferences", "agent": unit["actor"]}
    good = {"languagePreference": "ar,en-US", "audioPreference": "off"}

    def put(body: Any, **parameters: str) -> int:
        return school.browser.put(
            unit["endpoint"] + "agents/profile",
            params=parameters,
            json=body,
            headers={**unit.known, "If-None-Match": "*"},
        ).status_code

    assert put({**good, "audioPreference": "loud"}, **named) == 403
    assert put(good, profileId="cmi5LearnerPreferences") == 400
    assert put(good, **{**named, "agent": '{"mbox": "mailto:a@example.org"}'}) == 403
    assert put(good, **named) == 204
    assert unit.preferences().json() == good


def test_documents_of_the_lms_are_out_of_reach(school: School) -> None:
    unit = school.running(one_au(school))
    name = "https://outpost.invalid/xapi/global-objectives"

    assert unit.ask("GET", "agents/profile", agent=unit["actor"], profileId=name).status_code == 403
    assert unit.ask("GET", "activities", activityId="https://example.org/other").status_code == 403
    assert (
        unit.ask(
            "GET", "activities/profile", activityId="https://example.org/other", profileId="x"
        ).status_code
        == 403
    )


def test_a_unit_keeps_state_of_its_own_activity_alone(school: School) -> None:
    unit = school.running(one_au(school))
    own = {**unit.state, "stateId": "bookmark"}

    for other in (
        unit["activityId"].rpartition("/units/")[0],
        f"{unit['activityId']}0",
        "https://example.org/x",
    ):
        for method in ("GET", "PUT", "DELETE"):
            assert (
                unit.ask(method, "activities/state", body={}, **{**own, "activityId": other}).status_code
                == 403
            )
    beneath = {**own, "activityId": f"{unit['activityId']}/page-4"}
    assert unit.ask("PUT", "activities/state", body={}, **beneath).status_code == 204


def test_a_unit_has_the_preferences_alone_of_a_profile_that_courses_share(school: School) -> None:
    unit = school.running(one_au(school))
    shared = {"profileId": "notes", "agent": unit["actor"]}

    assert unit.ask("PUT", "agents/profile", body={"a": 1}, **shared).status_code == 403
    assert unit.ask("GET", "agents/profile", **shared).status_code == 403
    assert unit.ask("GET", "agents/profile", agent=unit["actor"]).status_code == 403


def seen(unit: Unit, activity: str) -> httpx.Response:
    about = {"objectType": "Activity", "id": activity}
    verb = "http://adlnet.gov/expapi/verbs/experienced"
    return unit.send(unit.statement(verb, defined=False, object=about))


def test_a_unit_says_nothing_of_what_the_lms_calls_by_name(school: School) -> None:
    unit = school.running(one_au(school))
    course = unit["activityId"].rpartition("/units/")[0]

    for other in (course, f"{COURSES}{uuid4()}", f"{course}/units/{uuid4()}"):
        assert seen(unit, other).status_code == 403
    assert seen(unit, f"{unit['activityId']}/page-4").status_code == 200


def test_a_unit_reads_what_its_registration_has_sent_and_nothing_else(school: School) -> None:
    course = one_au(school)
    other, unit = school.running(course), school.running(course)

    found = unit.ask("GET", "statements").json()["statements"]

    assert [one["context"]["registration"] for one in found] == [unit.registration]
    assert other.registration != unit.registration


def test_errors_of_the_store_may_be_read_by_any_page(school: School) -> None:
    unit = school.running(one_au(school))

    for answer in (unit.say(Verb.INITIALIZED), Unit.ask(unit, "GET", "nowhere")):
        assert answer.status_code >= 400
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_files_come_from_the_courses_own_host_and_reach_the_store_only(school: School) -> None:
    unit = school.launch(one_au(school))
    path = urlsplit(unit.url)

    page = school.browser.get(unit.url)
    elsewhere = school.browser.get(f"http://k{'0' * 20}.localhost:8001{path.path}")
    back = school.browser.get(f"http://{path.netloc}{path.path.replace('index.html', '-/return')}")

    assert page.text == "<p>Hello</p>"
    assert f"connect-src 'self' {LMS}/xapi/ {LMS}/fetch/;" in page.headers["Content-Security-Policy"]
    assert "set-cookie" not in page.headers
    assert elsewhere.status_code == 410
    assert f"{LMS}/learn/" in back.text


def test_of_a_unit_with_a_damaged_file_is_told_before_it_begins(school: School) -> None:
    course = school.course(
        a_cmi5_package(a_structure(an_au(attributes=BOTH)), **{"picture.png": b"a picture"})
    )
    shelf = school.node.shelf
    path = next(one for one in map(shelf.path, shelf.digests()) if one.read_bytes() == b"a picture")
    path.chmod(0o600)
    path.write_bytes(b"b picture")
    unit = school.launch(course)

    told = school.browser.get(unit.url)
    (go_on,) = re.findall(r'<a href="([^"]+)"', told.text)
    begun = school.browser.get(urljoin(unit.url, html.unescape(go_on)))

    assert told.status_code == 503
    assert "picture.png" in told.text
    assert begun.text == "<p>Hello</p>"
    assert school.browser.get(urljoin(unit.url, "picture.png")).status_code == 503


def test_a_registration_belongs_to_its_course_and_actor(school: School) -> None:
    course, other = one_au(school), school.course(a_cmi5_package(NESTED))
    unit = school.launch(course)
    somebody = {"objectType": "Agent", "account": {"homePage": "https://example.org/school", "name": "p-2"}}

    assert school.ask_launch(other, registration=unit.registration).status_code == 404
    assert school.ask_launch(course, registration=unit.registration, actor=somebody).status_code == 404
    assert school.ask_launch(course, registration="11111111-1111-4111-8111-111111111111").status_code == 404
    assert school.ask_launch(course, 1).status_code == 404


def test_what_the_lms_adds_is_not_dated_before_what_it_follows_from(school: School) -> None:
    unit = school.running(one_au(school, 'moveOn="Completed"'))
    ahead = (utc_now() + timedelta(hours=2)).isoformat().replace("+00:00", "Z")

    unit.send(unit.statement(Verb.COMPLETED) | {"timestamp": ahead})
    back = unit.say(Verb.TERMINATED)

    completed, satisfied, _ = school.statements(unit.registration)[2:]
    assert back.status_code == 200  # a clock that was set back loses nobody's work
    assert satisfied["timestamp"][:19] >= completed["timestamp"][:19]


def test_a_course_of_more_than_a_thousand_units(school: School) -> None:
    units = "".join(
        an_au(f"https://example.org/au/{n}", attributes='moveOn="Completed"') for n in range(1100)
    )
    course = school.course(a_cmi5_package(a_structure(units)))

    unit = school.running(course, 1099)

    assert unit.say(Verb.COMPLETED).status_code == 200
