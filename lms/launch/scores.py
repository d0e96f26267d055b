"""The score a course is said to have: its own, once it has a verdict, or else that of the only unit that has one.

SCORM rolls an unknown measure up as 0 (RB.1.1), so what is known of a course under way is no score of its learner.
"""

from __future__ import annotations

from collections.abc import Sequence

from content_packages.sequencing.tracking import Tracking
from lms.launch.course import Opened, Standing
from lms.launch.verdict import Verdict


def score_said(own: float | None, units: Sequence[float]) -> float | None:
    """Return what is said: of several units' scores none is the course's.

    >>> score_said(0.9, [0.5, 1.0]), score_said(None, [0.79]), score_said(None, [0.5, 1.0]) is None
    (0.9, 0.79, True)
    """
    if own is not None:
        return own
    return units[0] if len(units) == 1 else None


def score_of(opened: Opened, standing: Standing, reached: Verdict) -> float | None:
    """Return what is said of a course of SCORM or of single files that has come to this verdict."""
    tracking = Tracking(opened.tree, standing.state)
    units = [tracking.own_value(one, one.primary, "measure") for one in opened.tree.activities if one.is_leaf]
    own = reached.score if reached.satisfied is not None else None
    return score_said(own, [one for one in units if one is not None])
