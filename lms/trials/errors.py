"""What can be refused about trials, in sentences for the person who tried, and how each is answered."""

from __future__ import annotations

from collections.abc import Mapping

from lms.trials.databases import TrialOverError
from lms.web.errors import Trouble
from lms.web.wording import Worded, mark


class TrialsFullError(Worded):
    """There are as many trials as this node takes."""

    sentence = mark(
        "This node takes no more trials: its limit is %(most)s (setting %(variable)s, or %(setting)s in lms.toml; "
        "by default %(default)s)."
    )


class OwnTrialsFullError(TrialsFullError):
    """This person has as many trials as one person may have."""

    sentence = mark(
        "You can open no more trials: the limit for one person is %(most)s (setting %(variable)s, or %(setting)s in "
        "lms.toml; by default %(default)s)."
    )


TROUBLES: Mapping[type[Exception], Trouble] = {
    TrialOverError: Trouble(
        status=404,
        code="trial-over",
        title=mark("This trial has ended"),
        kept=mark("Nothing of it was kept, as with every trial."),
        remedy=mark("Go to the course and try it again."),
    ),
    OwnTrialsFullError: Trouble(
        status=409,
        code="own-trials-full",
        title=mark("You have as many trials as one person may have"),
        remedy=mark("End one you no longer need."),
        way=("/trials", mark("To your trials")),
    ),
    TrialsFullError: Trouble(
        status=409,
        code="trials-full",
        title=mark("There are as many trials as this node takes"),
        remedy=mark("Wait until a colleague ends one. A trial that nobody uses ends by itself after a day."),
    ),
}
