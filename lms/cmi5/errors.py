"""What can be refused about sessions, in sentences for the person who tried."""

from __future__ import annotations

from collections.abc import Mapping

from lms.cmi5.actions import SessionOverError, SessionUnknownError, WaivedAlreadyError
from lms.cmi5.registrations import (
    OtherEditionError,
    RegistrationUnknownError,
    UnitHasNoMarkError,
    UnitsOfOtherStandardError,
    UnitUnknownError,
)
from lms.web.errors import Trouble
from lms.web.wording import mark

TROUBLES: Mapping[type[Exception], Trouble] = {
    RegistrationUnknownError: Trouble(
        status=404,
        code="registration-unknown",
        title=mark("This registration is not known on this node."),
        remedy=mark("Launch without one; the answer names the registration that began."),
    ),
    UnitUnknownError: Trouble(
        status=404,
        code="unit-unknown",
        title=mark("The course has no unit at this place."),
        remedy=mark("Units are counted from 0, in the order of the course."),
    ),
    OtherEditionError: Trouble(
        status=409,
        code="other-edition",
        title=mark("This registration goes on in another edition of the course."),
        remedy=mark("Count the units in that edition, or launch without naming one."),
    ),
    UnitHasNoMarkError: Trouble(
        status=409,
        code="unit-has-no-mark",
        title=mark("This unit judges by itself what is passed."),
        remedy=mark("Only a score that the package asks for can be replaced by another."),
    ),
    UnitsOfOtherStandardError: Trouble(
        status=409,
        code="course-not-cmi5",
        title=mark("The units of this course are not launched this way."),
        remedy=mark("It is no cmi5 or xAPI course: learners open it from their list of courses."),
    ),
    SessionUnknownError: Trouble(
        status=404,
        code="session-unknown",
        title=mark("This session is not known on this node."),
        remedy=mark("Ask the node that launched it."),
    ),
    SessionOverError: Trouble(
        status=409,
        code="session-over",
        title=mark("This session has ended already."),
        remedy=mark("There is nothing more to do."),
    ),
    WaivedAlreadyError: Trouble(
        status=409,
        code="waived-already",
        title=mark("This unit was waived before."),
        remedy=mark("There is nothing more to do."),
    ),
}
