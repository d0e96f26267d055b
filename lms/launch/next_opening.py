"""What opening a course will do next: go on where it stopped, begin a new attempt, or open nothing at all."""

from __future__ import annotations

from typing import Literal

from content_packages.sequencing.closed import Ways, resumed
from content_packages.sequencing.tracking import Tracking
from lms.launch.course import Opened, Standing

NextOpening = Literal["goes on", "begins anew", "opens nothing"]


def next_opening(opened: Opened, standing: Standing) -> NextOpening:
    """Return what opening a course does from where the learner stands at rest (``moving.at_rest``).

    It begins anew where a new attempt follows in which lessons done before count no more (SN 3.2.5, 3.2.6); in
    SCORM 1.2, which has no attempts at a course, it never does.
    """
    if opened.is_scorm12 or resumes_lesson(opened, standing):
        return "goes on"
    if Ways(opened.tree, standing.state).are_none:
        return "opens nothing"
    root = opened.tree.root
    counts_no_more = (
        root.definition.control.use_current_attempt_objective_info
        or root.definition.control.use_current_attempt_progress_info
    )
    is_over = standing.state["suspended"] is None and Tracking(opened.tree, standing.state).attempts(root) > 0
    return "begins anew" if is_over and counts_no_more else "goes on"


def resumes_lesson(opened: Opened, standing: Standing) -> bool:
    """Say whether opening the course resumes a lesson: what is suspended may be a cluster, or shut by a rule."""
    return resumed(opened.tree, standing.state) is not None
