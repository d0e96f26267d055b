"""Courses of cmi5 and xAPI units by the pages of an officer, and what is known of her afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from sqlalchemy import select, update

from content_packages.cmi5.vocabulary import Verb
from lms.cmi5.admission import AFTERWARDS
from lms.cmi5.registrations import own_registration
from lms.cmi5.statements import ENROLMENT
from lms.cmi5.tables import UnitSession
from lms.courses.tables import Course
from lms.database import Database
from lms.enrolment.actions import enrol
from lms.enrolment.queries import registration_of
from lms.node import utc_now
from lms.progress.actions import advance, rebuild
from lms.progress.queries import progress_of, status
from tests.cmi5_builders import a_block, a_cmi5_package, a_structure, a_tincan, an_activity, an_au
from tests.cmi5_launching import V1, Officer, School, Unit, a_school, the_iri
from tests.conftest import fresh_schema
from xapi_store.ingest import store_copies

JUDGED = 'moveOn="CompletedAndPassed" masteryScore="0.5"'
TWO = a_structure(
    a_block(
        an_au("https://example.org/au/1", attributes=JUDGED)
        + an_au("https://example.org/au/2", attributes=JUDGED)
    )
)
FIRST, SECOND = "https://example.org/au/1", "https://example.org/au/2"
ACTIVITY = "https://example.org/activity"


@pytest.fixture
def school(database: Database, tmp_path: Path) -> Iterator[School]:
    with a_school(database, tmp_path) as school:
        yield school


@pytest.fixture
def officer(school: School) -> Officer:
    return school.officer(school.course(a_cmi5_package(TWO)))


def passed(unit: Unit, scaled: float = 0.75) -> None:
    unit.start()
    for answer in (
        unit.say(Verb.INITIALIZED),
        unit.say(Verb.COMPLETED),
        unit.say(Verb.PASSED, scaled=scaled),
        unit.say(Verb.TERMINATED),
    ):
        assert answer.status_code == 200, answer.text


def this_time(page: str) -> list[str]:
    """Return the words beside what was done in this sitting."""
    sitting = re.search(r'data-testid="sitting">.*?</ul>', page, re.DOTALL)
    return re.findall(r"</svg>([^<]+)</span></li>", sitting[0]) if sitting else []


def states(page: str) -> list[str]:
    return re.findall(r'data-state="([a-z ]+)" aria-disabled', page)


def test_the_course_page_leads_to_the_player_of_units(officer: Officer) -> None:
    page = officer.get(f"/learn/{officer.course}")

    assert 'data-testid="player-frame"' in page
    assert "player-save" not in page  # nothing of ours saves here
    assert states(page) == ["in progress", "in progress", "not started"]


def test_next_is_the_next_that_is_not_satisfied(officer: Officer) -> None:
    first = officer.open()
    page = officer.get(f"/learn/{officer.course}/units?unit={SECOND}")
    passed(officer.open(SECOND))

    after_second = officer.press(page, request="continue")
    passed(officer.open(FIRST))
    done = officer.press(page, request="continue")

    assert first["activityId"] != officer.open(SECOND)["activityId"]
    assert after_second.headers["location"].endswith("au%2F1")
    assert done.headers["location"].endswith("/units/after")


def test_next_and_previous_go_from_the_unit_on_the_screen_though_it_has_ended(officer: Officer) -> None:
    first = officer.open()
    page = officer.get(f"/learn/{officer.course}/units?unit={FIRST}")
    assert 'value="previous"' not in page
    unit = officer.open(FIRST)
    unit.start()
    for verb in (Verb.INITIALIZED, Verb.TERMINATED):
        assert unit.say(verb).status_code == 200

    forward = officer.press(page, request="continue")
    second = officer.open(SECOND)
    page = officer.get(f"/learn/{officer.course}/units?unit={SECOND}")
    assert 'value="previous"' in page
    back = officer.press(page, request="previous")

    assert first["activityId"] != second["activityId"]
    assert forward.headers["location"].endswith("au%2F2")
    assert back.headers["location"].endswith("au%2F1")


def test_a_course_that_asks_for_nothing_is_complete_once_it_is_begun(school: School) -> None:
    files = a_cmi5_package(a_structure(an_au(attributes='moveOn="NotApplicable"')))
    officer = school.officer(school.course(files))

    before = officer.get(f"/learn/{officer.course}/units/why")
    officer.open()
    after = officer.get(f"/learn/{officer.course}/units/why")

    assert "Nothing is missing" not in before
    assert "It has not been opened yet." in before
    assert "Nothing is missing" in after


def test_the_page_of_a_session_hears_of_the_one_that_came_after(officer: Officer) -> None:
    first, stranger = officer.open(), officer.school.officer(officer.course, "4712").open()
    alone = officer.browser.get(f"/unit-sessions/{first.session_id}").json()
    second = officer.open(SECOND)
    third = officer.open()

    assert alone == {"by": None}
    for session_id, by in (
        (first.session_id, third.session_id),
        (second.session_id, third.session_id),
        (third.session_id, None),
        (stranger.session_id, None),
        (str(uuid4()), None),
    ):
        answer = officer.browser.get(f"/unit-sessions/{session_id}")
        assert (answer.status_code, answer.json()) == (200, {"by": by})


def test_any_unit_is_chosen_from_the_outline(officer: Officer) -> None:
    page = officer.get(f"/learn/{officer.course}/units")

    chosen = officer.press(page, choice=SECOND)

    assert 'title="A unit"' in officer.get(chosen.headers["location"])
    assert officer.browser.get(f"/learn/{officer.course}/units?unit=nothing").status_code == 404


def test_a_reload_abandons_the_session_before_it(school: School, officer: Officer) -> None:
    officer.open()
    officer.open()

    assert school.verbs() == ["launched", "abandoned", "launched"]


def test_what_is_passed_is_opened_to_look_at_again(officer: Officer) -> None:
    passed(officer.open(FIRST))

    again = officer.open(FIRST)
    again.start()
    other = officer.open(SECOND)
    other.start()

    assert (again.data["launchMode"], other.data["launchMode"]) == ("Review", "Normal")


def test_progress_and_result_say_passed_with_score_and_time(school: School, officer: Officer) -> None:
    course = the_iri(officer.course)
    first = officer.open(FIRST)
    passed(first, 0.75)
    half = officer.known()
    passed(officer.open(SECOND), 1.0)
    whole = officer.known()

    assert (status(half[first["activityId"]]), status(half[course])) == ("passed", "in progress")
    assert half[first["activityId"]].score == 0.75
    assert (status(whole[course]), whole[course].completed) == ("passed", True)
    assert (whole[course].score, whole[course].seconds) == (0.875, 180)
    assert whole[course].node == school.node.desk.node
    result = officer.get(f"/learn/{officer.course}/units/after")
    assert "Passed" in result
    assert "Learning time 3 min" in result
    assert states(result) == ["completed", "passed", "passed"]


def test_a_unit_that_is_looked_at_again_is_called_what_it_is(officer: Officer) -> None:
    passed(officer.open(FIRST))
    again = officer.open(FIRST)
    again.start()
    again.say(Verb.INITIALIZED)
    officer.open(SECOND)

    page = officer.get(f"/learn/{officer.course}/units/after")

    assert this_time(page) == ["Passed", "In progress"]
    assert states(page) == ["in progress", "passed", "in progress"]


def test_completed_is_one_word_on_every_line_though_more_is_asked_for(officer: Officer) -> None:
    unit = officer.open(FIRST)
    unit.start()
    unit.say(Verb.INITIALIZED)
    unit.say(Verb.COMPLETED)

    page = officer.get(f"/learn/{officer.course}/units/after")

    assert this_time(page) == ["Completed"]
    assert states(page) == ["in progress", "completed", "not started"]


def test_home_and_outline_show_how_far_she_is(school: School, officer: Officer) -> None:
    passed(officer.open(FIRST), 0.75)
    school.progress()

    home, outline = officer.get("/"), officer.get(f"/courses/{officer.course}")

    assert 'data-testid="continue"' in home
    assert "In progress" in home
    assert "Continue" in outline
    assert "75" in outline


def test_a_failure_shows_until_it_is_made_good(officer: Officer) -> None:
    unit = officer.open(FIRST)
    unit.start()
    unit.say(Verb.INITIALIZED)
    unit.say(Verb.FAILED, scaled=0.2)

    failed = officer.known()
    assert status(failed[the_iri(officer.course)]) == "failed"

    passed(officer.open(FIRST))
    passed(officer.open(SECOND))
    assert status(officer.known()[the_iri(officer.course)]) == "passed"


def test_the_read_model_is_built_again_from_statements_alone(school: School, officer: Officer) -> None:
    passed(officer.open(FIRST))
    before = officer.known()

    with school.node.database.write() as session:
        rebuild(session)

    assert officer.known() == before


def test_allowed_statements_and_other_programs_count_for_nothing(school: School, officer: Officer) -> None:
    unit = officer.open(FIRST)
    unit.start()
    unit.say(Verb.INITIALIZED)
    unit.say(Verb.PASSED, defined=False)
    forged = unit.statement(Verb.PASSED)
    key = school.do("lrs-keys", name="A tool", scopes=["all"]).json()
    answer = school.browser.post(
        "/xapi/statements",
        json=forged,
        headers={**V1, "Authorization": f"Bearer {key['key']}.{key['secret']}"},
    )

    assert answer.status_code == 200  # a key may send what it likes
    assert status(officer.known()[unit["activityId"]]) == "in progress"
    assert unit.say(Verb.COMPLETED).status_code == 200  # and it has no part in the session


def test_every_node_writes_an_enrolment_under_a_registration_of_its_own(
    school: School, officer: Officer
) -> None:
    unit = officer.open(FIRST)

    with school.node.database.read() as session:
        enrolment = registration_of(session, person=officer.person, course=UUID(officer.course))
    assert enrolment is not None
    here, there = (own_registration(enrolment, node) for node in (school.node.desk.node, "laptop-2"))
    assert unit.registration == str(here) != str(there)
    (launched,) = school.statements()
    assert launched["context"]["extensions"][ENROLMENT] == str(enrolment)


def test_the_centre_knows_as_much_from_the_statements_alone(
    school: School, officer: Officer, tmp_path: Path
) -> None:
    passed(officer.open(FIRST))
    passed(officer.open(SECOND))
    known = officer.known()
    centre = Database(f"sqlite:///{(tmp_path / 'centre.db').as_posix()}")
    fresh_schema(centre)

    with centre.write() as session:
        store_copies(session, map(orjson.dumps, school.statements()), now=utc_now())
    with centre.write() as session:
        while advance(session):
            pass
        there = progress_of(session, [known[the_iri(officer.course)].registration])
    centre.close()

    assert dict(next(iter(there.values()))) == known


def test_a_program_launches_an_officer_under_what_her_node_writes(school: School, officer: Officer) -> None:
    unit = officer.open(FIRST)
    actor = {
        "objectType": "Agent",
        "account": {"homePage": "https://outpost.invalid/people", "name": str(officer.person)},
    }
    with school.node.database.read() as session:
        enrolment = registration_of(session, person=officer.person, course=UUID(officer.course))

    by_actor = school.launch(officer.course, actor=actor)
    by_enrolment = school.launch(officer.course, actor=actor, registration=str(enrolment))

    assert by_actor.registration == by_enrolment.registration == unit.registration


def test_no_record_names_the_officer(school: School) -> None:
    officer = school.officer(
        school.course(a_cmi5_package()), "number/4711"
    )  # no identifier of ours has a slash
    passed(officer.open(FIRST))

    text = str(school.statements())

    assert "Ann Example" not in text
    assert "number/4711" not in text
    assert str(officer.person) in text


def test_who_does_not_take_the_course_finds_no_player(school: School, officer: Officer) -> None:
    other = school.officer(school.course(a_cmi5_package()), "4712")

    assert other.browser.get(f"/learn/{officer.course}/units").status_code == 404
    assert other.browser.get(f"/learn/{officer.course}/units/after").status_code == 404


def test_own_window_is_obeyed_at_once(school: School) -> None:
    structure = a_structure(an_au(attributes='launchMethod="OwnWindow"'))
    officer = school.officer(school.course(a_cmi5_package(structure)))

    page = officer.get(f"/learn/{officer.course}/units")

    assert "<iframe" not in page
    assert re.search(r'http-equiv="refresh" content="0; url=http://k[0-9a-f]{20}[.]localhost:8001/au/', page)


# ---------------------------------------------------------------------- xAPI packages


@pytest.fixture
def reader(school: School) -> Officer:
    activities = an_activity() + an_activity("https://example.org/second", kind="lesson")
    files = {"tincan.xml": a_tincan(activities).encode(), "index.html": b"<p>Hello"}
    return school.officer(school.course(files))


def tincan(unit: Unit) -> None:
    """Take the credential from the launch URL, as Rustici's convention has it."""
    unit.auth = unit["auth"].removeprefix("Basic ")


def told(unit: Unit, verb: str, about: str = ACTIVITY, **more: Any) -> httpx.Response:
    statement = {
        "id": str(uuid4()),
        "actor": {"account": {"homePage": "https://outpost.invalid/people", "name": str(unit_person(unit))}},
        "verb": {"id": verb if ":" in verb else f"http://adlnet.gov/expapi/verbs/{verb}"},
        "object": {"id": about},
        "timestamp": utc_now().isoformat(),
        "context": {"registration": unit.registration},
        **more,
    }
    return unit.send(statement)


def unit_person(unit: Unit) -> str:
    found = re.search(r'"name":\s*"([0-9a-f-]{36})"', unit["actor"])
    assert found is not None
    return found[1]


def test_an_xapi_package_is_told_all_in_its_address(school: School, reader: Officer) -> None:
    unit = reader.open()
    tincan(unit)

    assert unit["endpoint"] == "http://localhost:8000/xapi/"
    assert unit["activity_id"] == ACTIVITY
    assert told(unit, "experienced").status_code == 200
    assert [one for one in school.verbs() if one == "launched"] == ["launched"]


def test_its_verdicts_on_the_launched_activity_count(school: School, reader: Officer) -> None:
    course = the_iri(reader.course)
    unit = reader.open()
    tincan(unit)
    elsewhere = told(unit, "passed", "https://example.org/else")
    nothing = reader.known()
    told(unit, "passed", result={"score": {"scaled": 0.8}})
    half = reader.known()
    second = reader.open("https://example.org/second")
    tincan(second)
    told(second, "completed", "https://example.org/second")
    whole = reader.known()

    assert elsewhere.status_code == 200
    assert status(nothing[course]) == "in progress"
    assert (status(half[course]), half[course].score) == ("in progress", 0.8)
    assert (status(whole[course]), whole[course].completed) == ("passed", True)
    assert "Passed" in reader.get(f"/learn/{reader.course}/units/after")


def test_what_it_says_of_the_launched_activity_is_told_in_one_word(school: School) -> None:
    course = school.course({"tincan.xml": a_tincan(an_activity()).encode(), "index.html": b"<p>Hello"})
    reader = school.officer(course)
    unit = reader.open()
    tincan(unit)
    told(unit, "experienced")
    begun = reader.get(f"/learn/{course}/units/after")
    told(unit, "completed")
    done = reader.get(f"/learn/{course}/units/after")
    told(unit, "passed")
    why = reader.get(f"/learn/{course}/units/why")

    assert (this_time(begun), states(begun)) == (["In progress"], ["in progress"])
    assert (this_time(done), states(done)) == (["Completed"], ["completed"])
    assert re.findall(r"</strong> <[^>]+><svg.*?</svg>([^<]+)", why) == ["Passed", "Passed"]


def test_its_credential_reaches_its_own_actor_and_registration_only(reader: Officer) -> None:
    unit = reader.open()
    tincan(unit)
    somebody = {"account": {"homePage": "https://outpost.invalid/people", "name": str(uuid4())}}

    assert told(unit, "passed", actor=somebody).status_code == 403
    assert told(unit, "passed", context={"registration": str(uuid4())}).status_code == 403
    stored = {"objectType": "StatementRef", "id": str(uuid4())}
    assert told(unit, "voided", object=stored).status_code == 403
    assert told(unit, "passed", context={}).status_code == 200  # older packages leave it out
    own = {"activityId": ACTIVITY, "agent": unit["actor"], "stateId": "s", "registration": unit.registration}
    assert unit.ask("PUT", "activities/state", body={"a": 1}, **own).status_code == 204
    assert unit.ask("GET", "activities/state", **{**own, "registration": str(uuid4())}).status_code == 403


@pytest.mark.parametrize("verb", [Verb.ABANDONED, Verb.WAIVED, Verb.SATISFIED])
def test_it_may_not_speak_in_the_place_of_the_lms(school: School, reader: Officer, verb: Verb) -> None:
    unit = reader.open()
    tincan(unit)
    before = school.verbs()

    assert told(unit, verb).status_code == 403
    assert school.verbs() == before


def test_what_it_keeps_without_a_registration_is_kept_under_its_own(school: School, reader: Officer) -> None:
    """Another course may call its activity by the same id, and not find it."""
    files = {"tincan.xml": a_tincan(an_activity()).encode(), "index.html": b"<p>Another"}
    another = replace(reader, course=school.course(files))
    with school.node.database.write() as session:
        enrol(session, UUID(another.course), [reader.person], by=None, now=utc_now(), new_id=uuid4)
    unit, other = reader.open(), another.open()
    tincan(unit)
    tincan(other)
    bookmark = {"activityId": ACTIVITY, "agent": unit["actor"], "stateId": "bookmark"}
    assert unit.ask("PUT", "activities/state", body={"page": 4}, **bookmark).status_code == 204

    assert other["activity_id"] == ACTIVITY
    assert other.ask("GET", "activities/state", **bookmark).status_code == 404
    assert other.ask("GET", "activities/state", activityId=ACTIVITY, agent=unit["actor"]).json() == []
    assert unit.ask("GET", "activities/state", **bookmark).json() == {"page": 4}
    own = {**bookmark, "registration": unit.registration}
    assert unit.ask("GET", "activities/state", **own).json() == {"page": 4}
    assert unit.ask("DELETE", "activities/state", activityId=ACTIVITY, agent=unit["actor"]).status_code == 204
    assert unit.ask("GET", "activities/state", **bookmark).status_code == 404


def test_a_second_opening_ends_the_first(reader: Officer) -> None:
    first = reader.open()
    tincan(first)
    second = reader.open()
    tincan(second)

    assert told(first, "passed").status_code == 403
    assert told(second, "passed").status_code == 200


def test_when_she_leaves_it_by_the_bar_what_is_under_way_arrives_and_then_no_more(
    school: School, reader: Officer
) -> None:
    unit = reader.open()
    tincan(unit)
    own = {"activityId": ACTIVITY, "agent": unit["actor"], "stateId": "bookmark"}

    assert reader.press(reader.get("/"), request="suspend").status_code == 303

    assert told(unit, "passed").status_code == 200
    assert unit.ask("PUT", "activities/state", body={"page": 4}, **own).status_code == 204
    assert 'data-state="passed"' in reader.get(f"/learn/{reader.course}/units/after")
    with school.node.database.write() as session:
        (left,) = session.scalars(select(UnitSession)).all()
        assert left.ended is not None
        left.ended -= AFTERWARDS + timedelta(seconds=1)
    assert told(unit, "failed").status_code == 401
    assert unit.ask("GET", "activities/state", **own).status_code == 401


def test_a_unit_of_cmi5_says_its_end_itself_after_she_has_left(school: School, officer: Officer) -> None:
    unit = officer.open(FIRST)
    unit.start()
    unit.say(Verb.INITIALIZED)

    officer.press(officer.get("/"), request="suspend")

    assert unit.say(Verb.TERMINATED).status_code == 200
    assert "abandoned" not in school.verbs()


def test_the_player_of_units_and_its_result_call_the_course_as_the_catalogue_does(
    school: School, officer: Officer, database: Database
) -> None:
    with database.write() as session:
        session.execute(update(Course).values(titles={"en": "As the catalogue has it"}))

    page = officer.get(f"/learn/{officer.course}/units")
    result = officer.get(f"/learn/{officer.course}/units/after")

    assert '<h1 class="player-title" dir="auto">As the catalogue has it</h1>' in page
    assert "<bdi>As the catalogue has it</bdi></h1>" in result
    assert "As the catalogue has it" not in str(school.statements())
