"""What keeps a course from being opened, in sentences for the person who tried."""

from __future__ import annotations

from collections.abc import Mapping

from lms.courses.errors import FILE_DAMAGED
from lms.launch.course import (
    CourseDamagedError,
    CourseNotPlayedError,
    CourseNotReadyError,
    CourseTakenAwayError,
    CourseWithdrawnError,
)
from lms.launch.using_late import LateWorkElsewhereError
from lms.web.content_ports import NoPortLeftError
from lms.web.errors import Trouble
from lms.web.wording import mark

_WITHDRAWN = Trouble(
    status=409,
    code="course-withdrawn",
    title=mark("This course was withdrawn. What you did in it is kept."),
    remedy=mark("Your instructor knows what takes its place."),
    kept=mark("What was asked for last stands, should the course be given out again."),
)

TROUBLES: Mapping[type[Exception], Trouble] = {
    CourseNotReadyError: Trouble(
        status=409,
        code="course-not-ready",
        title=mark("This course cannot be opened on this node yet."),
        remedy=mark("Its files come with the next sync. If no sync brings them, ask your instructor."),
    ),
    CourseDamagedError: FILE_DAMAGED,
    CourseNotPlayedError: Trouble(
        status=409,
        code="course-not-played",
        title=mark("The lessons of this course are opened from its own page."),
        remedy=mark("Go back to your courses and open it from there."),
    ),
    NoPortLeftError: Trouble(
        status=503,
        code="no-port-left",
        title=mark("Too many different courses are open on this hub."),
        remedy=mark(
            "What you did is kept. Tell the administrator: the page “How this hub is reached” says what to do."
        ),
    ),
    LateWorkElsewhereError: Trouble(
        status=409,
        code="late-work-elsewhere",
        title=mark("The course stands at another lesson."),
        remedy=mark(
            "Open the lesson that this work is of; then it can be used. It stays where it is until then."
        ),
    ),
    CourseWithdrawnError: _WITHDRAWN,
    CourseTakenAwayError: _WITHDRAWN,
}
