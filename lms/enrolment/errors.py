"""What can be refused about enrolments, and how each is answered."""

from __future__ import annotations

from collections.abc import Mapping

from lms.enrolment.actions import NotEnrolledError
from lms.enrolment.queries import EnrolmentOverError
from lms.people.errors import NumbersUnknownError
from lms.web.errors import Trouble
from lms.web.wording import mark

TROUBLES: Mapping[type[Exception], Trouble] = {
    NotEnrolledError: Trouble(
        status=404,
        code="not-enrolled",
        title=mark("This person does not take this course"),
        remedy=mark("Go back to the list of who takes it and choose again."),
    ),
    EnrolmentOverError: Trouble(
        status=403,
        code="enrolment-over",
        title=mark("You do not take this course any more"),
        kept=mark("What you did in it is kept."),
        remedy=mark("If you did not expect this, ask your instructor."),
    ),
    NumbersUnknownError: Trouble(
        status=422,
        code="numbers-not-known",
        title=mark("Some personnel numbers are not known"),
        kept=mark("Nobody was enrolled; what was saved before is still there."),
        remedy=mark("Correct the numbers or add the people first, then send it again."),
    ),
}
