"""``adl.data``: stores that activities share (SCORM 2004 4th Ed. RTE §4.3.1, CAM §5.2.3).

A package says whether they are the learner's in all her courses, or live as long as an attempt on this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from content_packages.cmi.runtime import Bucket
from content_packages.package import Activity
from lms.courses.iris import course_iri
from lms.launch.course import Taking
from lms.launch.documents import SHARED_DATA, profile_key, read, state_key, write
from xapi_store.model.document import DocumentKey

PREFIX = "adl.data."


def read_buckets(session: Session, taking: Taking, activity: Activity, *, attempt: int) -> tuple[Bucket, ...]:
    """Return the stores this activity may use, in the order of the manifest."""
    if not activity.shared_data:
        return ()
    stores = _stores(session, taking, attempt)
    return tuple(
        Bucket(
            id=one.target_id,
            store=stores.get(one.target_id),
            readable=one.read_shared_data,
            writable=one.write_shared_data,
        )
        for one in activity.shared_data
    )


def keep_buckets(
    session: Session,
    taking: Taking,
    activity: Activity,
    values: Mapping[str, str],
    *,
    attempt: int,
    now: datetime,
) -> None:
    """Write what the activity put into its stores; *values* were judged, access included."""
    if not activity.shared_data:
        return
    written = {
        one.target_id: values[f"{PREFIX}{index}.store"]
        for index, one in enumerate(activity.shared_data)
        if one.write_shared_data and f"{PREFIX}{index}.store" in values
    }
    stores = _stores(session, taking, attempt)
    if written.items() <= stores.items():
        return
    write(session, _key(taking), {"attempt": attempt, "stores": {**stores, **written}}, now=now)


def _stores(session: Session, taking: Taking, attempt: int) -> dict[str, str]:
    kept = read(session, _key(taking))
    outlives_attempts = taking.opened.package.shared_data_global_to_system
    if kept is None or (kept["attempt"] != attempt and not outlives_attempts):
        return {}
    return dict(kept["stores"])


def _key(taking: Taking) -> DocumentKey:
    if taking.opened.package.shared_data_global_to_system:
        return profile_key(taking.person, SHARED_DATA)
    return state_key(course_iri(taking.course), taking.person, taking.registration, SHARED_DATA)
