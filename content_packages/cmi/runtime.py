"""What a unit may read when it starts, and what its session leaves (SCORM 1.2 RTE §3.4.4; 2004 RTE 4th Ed. §4.2).

Pure functions over the flat mapping of element to string that ``data_model`` judges.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from content_packages.cmi import durations
from content_packages.cmi.data_model import DataModel
from content_packages.cmi.tables import Standard


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """One bucket of ``adl.data`` as an activity sees it; ``store`` is ``None`` while nobody has written."""

    id: str
    store: str | None = None
    readable: bool = True
    writable: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitSettings:
    """What the manifest says about a unit; ``None`` where it is silent."""

    launch_data: str | None = None
    mastery_score: str | None = None
    max_time_allowed: str | None = None
    time_limit_action: str | None = None
    completion_threshold: str | None = None
    scaled_passing_score: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptResult:
    """What a session reported, in the words of SCORM 2004 whichever standard the unit speaks.

    Attributes:
        completion: ``completed``, ``incomplete``, ``not attempted`` or ``unknown``.
        success: ``passed``, ``failed`` or ``unknown``.
        completion_reported: the unit set its completion itself, were it to ``unknown`` (which forbids to assume any).
        session_hundredths: what the unit claims, in hundredths of a second; 0 when it says nothing.
        objectives, interactions: one mapping per member, keyed by the rest of the element's name.
        navigation: value of ``adl.nav.request``, or ``_none_``.
    """

    completion: str
    success: str
    completion_reported: bool
    scaled: float | None
    raw: float | None
    lowest: float | None
    highest: float | None
    progress: float | None
    session_hundredths: int
    exit: str
    navigation: str
    objectives: tuple[Mapping[str, str], ...]
    interactions: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A session that is over: what to keep, what it came to, and whether the attempt goes on later."""

    values: Mapping[str, str]
    result: AttemptResult
    suspended: bool


def launch_values(
    standard: Standard,
    kept: Mapping[str, str],
    *,
    learner_id: str,
    learner_name: str,
    unit: UnitSettings,
    credit: str = "credit",
    mode: str = "normal",
    buckets: tuple[Bucket, ...] = (),
) -> dict[str, str]:
    """Return everything a unit may read at launch.

    Args:
        standard: whose names are used.
        kept: what the last session of this attempt left (``Ended.values``); empty for a new attempt.
        learner_id: a pseudonym, never an address or a personnel number.
        learner_name: a pseudonym or the name, as the node's policy says.
        unit: from the manifest.
        credit: ``credit`` or ``no-credit``.
        mode: ``normal``, ``browse`` or ``review``.
        buckets: ``adl.data`` of this activity, in the order of its manifest.
    """
    if standard is Standard.SCORM_12:
        given = {
            "cmi.core.student_id": learner_id,
            "cmi.core.student_name": learner_name,
            "cmi.core.credit": credit,
            "cmi.core.lesson_mode": mode,
            "cmi.core.entry": kept.get("cmi.core.entry", "ab-initio"),
            "cmi.launch_data": unit.launch_data,
            "cmi.student_data.mastery_score": unit.mastery_score,
            "cmi.student_data.max_time_allowed": unit.max_time_allowed,
            "cmi.student_data.time_limit_action": unit.time_limit_action,
        }
    else:
        given = {
            "cmi.learner_id": learner_id,
            "cmi.learner_name": learner_name,
            "cmi.credit": credit,
            "cmi.mode": mode,
            "cmi.entry": kept.get("cmi.entry", "ab-initio"),
            "cmi.launch_data": unit.launch_data,
            "cmi.max_time_allowed": unit.max_time_allowed,
            "cmi.time_limit_action": unit.time_limit_action,
            "cmi.completion_threshold": unit.completion_threshold,
            "cmi.scaled_passing_score": unit.scaled_passing_score,
        }
        for index, bucket in enumerate(buckets):
            given[f"adl.data.{index}.id"] = bucket.id
            given[f"adl.data.{index}._access"] = _access(bucket)
            given[f"adl.data.{index}.store"] = bucket.store
    return {**kept, **{element: value for element, value in given.items() if value is not None}}


def end_session(standard: Standard, values: Mapping[str, str], *, terminated: bool) -> Ended:
    """Draw up what a session leaves.

    Args:
        standard: whose rules hold.
        values: the state after the last commit.
        terminated: the unit called Terminate / LMSFinish. A session that was cut is resumed (pitfall 18).
    """
    if standard is Standard.SCORM_12:
        return _end_12(values, terminated=terminated)
    return _end_2004(values, terminated=terminated)


def result_of(standard: Standard, values: Mapping[str, str]) -> AttemptResult:
    """Read what the unit has reported so far, without ending anything."""
    if standard is Standard.SCORM_12:
        return _result_12(values)
    return _result_2004(values)


def _end_12(values: Mapping[str, str], *, terminated: bool) -> Ended:
    after = dict(values)
    if terminated and _is_normal(after):
        status = after.get("cmi.core.lesson_status", "not attempted")
        if status == "not attempted":  # left without a word on it (RTE 3.4.4), or with a mark in it
            status = "incomplete" if after.get("cmi.core.exit") == "suspend" else "completed"
        after["cmi.core.lesson_status"] = _against_mastery(after, status)
    result = _result_12(after)
    suspended = result.exit == "suspend" or not terminated
    total = durations.hundredths_of_timespan(after.get("cmi.core.total_time", "0000:00:00"))
    after["cmi.core.total_time"] = durations.timespan(total + result.session_hundredths)
    after["cmi.core.entry"] = "resume" if suspended else ""
    for element in ("cmi.core.exit", "cmi.core.session_time"):
        after.pop(element, None)
    return Ended(values=after, result=result, suspended=suspended)


def _against_mastery(values: Mapping[str, str], status: str) -> str:
    """A mastery score decides where credit is given and a raw score was reported (pitfall 17)."""
    mastery = values.get("cmi.student_data.mastery_score", "")
    raw = values.get("cmi.core.score.raw", "")
    if not mastery or not raw or values.get("cmi.core.credit", "credit") != "credit":
        return status
    return "passed" if float(raw) >= float(mastery) else "failed"


def _end_2004(values: Mapping[str, str], *, terminated: bool) -> Ended:
    after = dict(values)
    result = _result_2004(after)
    suspended = result.exit == "suspend" or result.navigation == "suspendAll" or not terminated
    total = durations.hundredths_of_duration(after.get("cmi.total_time", "PT0H0M0S"))
    after["cmi.total_time"] = durations.duration(total + result.session_hundredths)
    after["cmi.entry"] = "resume" if suspended else ""
    for element in ("cmi.exit", "cmi.session_time", "adl.nav.request"):
        after.pop(element, None)
    return Ended(values=after, result=result, suspended=suspended)


def _is_normal(values: Mapping[str, str]) -> bool:
    return values.get("cmi.core.lesson_mode", "normal") == "normal"


def _result_12(values: Mapping[str, str]) -> AttemptResult:
    """Read what a unit has reported; its verdict is what the mastery score makes of it, at the end and before."""
    status = values.get("cmi.core.lesson_status", "not attempted")
    if status in {"passed", "failed", "completed"} and _is_normal(values):
        status = _against_mastery(values, status)
    raw = _number(values, "cmi.core.score.raw")
    lowest, highest = _number(values, "cmi.core.score.min"), _number(values, "cmi.core.score.max")
    session = values.get("cmi.core.session_time")
    return AttemptResult(
        completion={"passed": "completed", "failed": "completed", "browsed": "incomplete"}.get(
            status, status
        ),
        success=status if status in {"passed", "failed"} else "unknown",
        completion_reported="cmi.core.lesson_status" in values,
        scaled=_scaled(raw, lowest, highest),
        raw=raw,
        lowest=lowest,
        highest=highest,
        progress=None,
        session_hundredths=durations.hundredths_of_timespan(session) if session else 0,
        exit=values.get("cmi.core.exit", ""),
        navigation="_none_",
        objectives=_members(values, "cmi.objectives"),
        interactions=_members(values, "cmi.interactions"),
    )


def _result_2004(values: Mapping[str, str]) -> AttemptResult:
    model = DataModel(Standard.SCORM_2004, values)
    session = values.get("cmi.session_time")
    return AttemptResult(
        completion=model.get("cmi.completion_status").value,
        success=model.get("cmi.success_status").value,
        completion_reported="cmi.completion_status" in values,
        scaled=_number(values, "cmi.score.scaled"),
        raw=_number(values, "cmi.score.raw"),
        lowest=_number(values, "cmi.score.min"),
        highest=_number(values, "cmi.score.max"),
        progress=_number(values, "cmi.progress_measure"),
        session_hundredths=durations.hundredths_of_duration(session) if session else 0,
        exit=values.get("cmi.exit", ""),
        navigation=values.get("adl.nav.request", "_none_"),
        objectives=_members(values, "cmi.objectives"),
        interactions=_members(values, "cmi.interactions"),
    )


def _scaled(raw: float | None, lowest: float | None, highest: float | None) -> float | None:
    """A raw score of SCORM 1.2 lies between 0 and 100 unless the unit says otherwise."""
    if raw is None:
        return None
    low, high = lowest if lowest is not None else 0.0, highest if highest is not None else 100.0
    return (raw - low) / (high - low) if low <= raw <= high and low < high else None


def _number(values: Mapping[str, str], element: str) -> float | None:
    text = values.get(element, "")
    return float(text) if text else None


def _members(values: Mapping[str, str], collection: str) -> tuple[Mapping[str, str], ...]:
    members: dict[int, dict[str, str]] = {}
    for element, value in values.items():
        if element.startswith(f"{collection}."):
            index, _, rest = element.removeprefix(f"{collection}.").partition(".")
            if index.isdecimal():
                members.setdefault(int(index), {})[rest] = value
    return tuple(members[index] for index in sorted(members))


def _access(bucket: Bucket) -> str:
    return {(True, True): "rw", (True, False): "ro", (False, True): "wo"}.get(
        (bucket.readable, bucket.writable), "none"
    )
