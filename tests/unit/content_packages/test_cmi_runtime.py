"""What a launch gives and what a session leaves (scorm-pitfalls 7, 17, 18)."""

import pytest

from content_packages.cmi.data_model import BeyondSpm, DataModel, apply_delta, beyond_spm
from content_packages.cmi.runtime import Bucket, UnitSettings, end_session, launch_values
from content_packages.cmi.tables import Standard

V12, V2004 = Standard.SCORM_12, Standard.SCORM_2004


def launched(standard: Standard, kept: dict[str, str] | None = None, **unit: str) -> dict[str, str]:
    return launch_values(standard, kept or {}, learner_id="p7", learner_name="p7", unit=UnitSettings(**unit))


def test_a_lesson_left_at_not_attempted_is_completed_when_it_finishes() -> None:
    ended = end_session(V12, launched(V12), terminated=True)

    assert ended.result.completion == "completed"
    assert ended.values["cmi.core.entry"] == ""


@pytest.mark.parametrize(("raw", "status"), [("79.5", "failed"), ("80", "passed")])
def test_a_mastery_score_decides_over_the_status_the_lesson_gave(raw: str, status: str) -> None:
    values = launched(V12, mastery_score="80") | {
        "cmi.core.score.raw": raw,
        "cmi.core.lesson_status": "completed",
    }

    assert end_session(V12, values, terminated=True).result.success == status


def test_a_session_that_was_cut_is_resumed_with_its_data_and_no_status_is_assumed() -> None:
    values = launched(V12) | {"cmi.suspend_data": "page=3"}

    ended = end_session(V12, values, terminated=False)

    assert ended.suspended
    assert ended.values["cmi.core.entry"] == "resume"
    assert ended.values["cmi.suspend_data"] == "page=3"
    assert ended.result.completion == "not attempted"


def test_time_adds_up_over_sessions() -> None:
    first = end_session(V2004, launched(V2004) | {"cmi.session_time": "PT1M30.5S"}, terminated=True)
    second = launched(V2004, dict(first.values)) | {"cmi.session_time": "PT2M"}

    assert end_session(V2004, second, terminated=True).values["cmi.total_time"] == "PT0H3M30.50S"


@pytest.mark.parametrize(
    ("exit_", "terminated", "suspended"),
    [
        ("suspend", True, True),
        ("normal", True, False),
        ("", True, False),
        ("logout", True, False),
        ("", False, True),
    ],
)
def test_only_suspend_and_a_cut_keep_an_attempt_of_2004_open(
    exit_: str, terminated: bool, suspended: bool
) -> None:
    values = launched(V2004) | {"cmi.exit": exit_}

    assert end_session(V2004, values, terminated=terminated).suspended is suspended


@pytest.mark.parametrize(("exit_", "status"), [("suspend", "incomplete"), ("", "completed")])
def test_a_lesson_of_1_2_without_a_status_is_completed_unless_it_is_suspended(
    exit_: str, status: str
) -> None:
    values = launched(V12) | {"cmi.core.exit": exit_}

    assert end_session(V12, values, terminated=True).values["cmi.core.lesson_status"] == status


def test_thresholds_decide_completion_and_success() -> None:
    values = launched(V2004, completion_threshold="0.8", scaled_passing_score="0.6")
    values |= {"cmi.progress_measure": "0.8", "cmi.score.scaled": "0.59", "cmi.success_status": "passed"}

    result = end_session(V2004, values, terminated=True).result

    assert (result.completion, result.success) == ("completed", "failed")


def test_a_long_suspend_data_of_scorm_12_is_kept_whole_and_reported() -> None:
    applied = apply_delta(V12, launched(V12), {"cmi.suspend_data": "x" * 64_000})

    assert len(applied.values["cmi.suspend_data"]) == 64_000
    assert applied.refused == ()
    assert beyond_spm(V12, applied.values) == [BeyondSpm("cmi.suspend_data", 64_000, 4_096)]


def test_what_is_beyond_the_promise_is_counted_without_its_language_the_longest_first() -> None:
    values = {
        "cmi.interactions.0.description": "{lang=en}" + "a" * 250,
        "cmi.interactions.1.description": "{lang=en}" + "b" * 251,
        "cmi.suspend_data": "c" * 64_000,
        "cmi.location": "d" * 1_001,
        "cmi.unheard.of": "e" * 70_000,
    }

    assert beyond_spm(V2004, values) == [
        BeyondSpm("cmi.location", 1_001, 1_000),
        BeyondSpm("cmi.interactions.1.description", 251, 250),
    ]


def test_a_delta_may_come_in_any_order_and_what_is_forbidden_is_left_out() -> None:
    delta = {
        "cmi.interactions.0.learner_response": "a",
        "cmi.interactions.0.type": "choice",
        "cmi.interactions.0.id": "q1",
        "cmi.learner_id": "someone else",
        "cmi.objectives.5.id": "too far",
    }

    applied = apply_delta(V2004, launched(V2004), delta)

    assert applied.values["cmi.interactions.0.learner_response"] == "a"
    assert applied.values["cmi.learner_id"] == "p7"
    assert {refusal.element: refusal.code for refusal in applied.refused} == {
        "cmi.learner_id": "404",
        "cmi.objectives.5.id": "351",
    }


def test_a_bucket_is_read_and_written_as_its_activity_may() -> None:
    buckets = (Bucket(id="a", store="1", writable=False), Bucket(id="b", readable=False))
    values = launch_values(V2004, {}, learner_id="p", learner_name="p", unit=UnitSettings(), buckets=buckets)
    model = DataModel(V2004, values)

    assert model.get("adl.data.0.store").value == "1"
    assert model.set("adl.data.0.store", "2").code == "404"
    assert model.set("adl.data.1.store", "2").accepted
    assert model.get("adl.data.1.store").code == "405"
    assert model.set("adl.data.2.store", "2").code == "351"
