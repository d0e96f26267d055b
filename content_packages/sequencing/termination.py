"""Termination Behavior (TB.2): end what is under way, and let the rules say where that leads."""

from __future__ import annotations

from content_packages.sequencing.attempts import end_attempt, terminate_descendent_attempts
from content_packages.sequencing.definition import RuleAction
from content_packages.sequencing.errors import ProcessError
from content_packages.sequencing.navigation import Sequencing, Termination
from content_packages.sequencing.rollup import overall_rollup
from content_packages.sequencing.rules import sequencing_rules_check
from content_packages.sequencing.tracking import Tracking
from content_packages.sequencing.tree import Activity


def termination_request(tracking: Tracking, request: Termination) -> Sequencing | None:
    """Termination Request Process (TB.2.3).

    Returns:
        A sequencing request that takes the place of the one navigation asked for, if any.

    Raises:
        ProcessError: the request is not valid now.
    """
    current = tracking.current
    if current is None:
        raise ProcessError("TB.2.3-1")
    if request in {Termination.EXIT, Termination.ABANDON} and not tracking.is_active(current):
        raise ProcessError("TB.2.3-2")
    match request:
        case Termination.EXIT:
            return _exit(tracking, current)
        case Termination.EXIT_ALL:
            return _exit_all(tracking, None)
        case Termination.SUSPEND_ALL:
            return _suspend_all(tracking, current)
        case Termination.ABANDON:
            tracking.set_active(current, active=False)
            return None
        case Termination.ABANDON_ALL:
            return _abandon_all(tracking, current)


def sequencing_exit_action_rules(tracking: Tracking, current: Activity) -> None:
    """Sequencing Exit Action Rules Subprocess (TB.2.1): end the highest cluster whose exit rule acts."""
    for cluster in current.path()[:-1]:
        if sequencing_rules_check(tracking, cluster, cluster.definition.exit_condition_rules):
            terminate_descendent_attempts(tracking, cluster)
            end_attempt(tracking, cluster)
            tracking.current = cluster
            return


def sequencing_post_condition_rules(tracking: Tracking, current: Activity) -> RuleAction | None:
    """Sequencing Post Condition Rules Subprocess (TB.2.2): return the action of the rule that acts."""
    if tracking.is_suspended(current):
        return None
    return sequencing_rules_check(tracking, current, current.definition.post_condition_rules)


def _exit(tracking: Tracking, current: Activity) -> Sequencing | None:
    """TB.2.3 step 3."""
    end_attempt(tracking, current)
    sequencing_exit_action_rules(tracking, current)
    while True:
        current = tracking.current or current
        action = sequencing_post_condition_rules(tracking, current)
        if action in {RuleAction.EXIT_ALL, RuleAction.RETRY_ALL}:
            return _exit_all(tracking, Sequencing.RETRY if action is RuleAction.RETRY_ALL else None)
        if action is not RuleAction.EXIT_PARENT:
            break
        if current.parent is None:
            raise ProcessError("TB.2.3-4")
        tracking.current = current.parent
        end_attempt(tracking, current.parent)
    request = None if action is None else _SEQUENCING[action]
    if current.parent is None and request is not Sequencing.RETRY:
        return Sequencing.EXIT
    return request


def _exit_all(tracking: Tracking, request: Sequencing | None) -> Sequencing:
    """TB.2.3 step 4."""
    root, current = tracking.tree.root, tracking.current
    if current is not None and tracking.is_active(current):
        end_attempt(tracking, current)
    terminate_descendent_attempts(tracking, root)
    if current is not root or tracking.is_active(root):
        end_attempt(tracking, root)
    tracking.current = root
    return request or Sequencing.EXIT


def _suspend_all(tracking: Tracking, current: Activity) -> Sequencing:
    """TB.2.3 step 5."""
    if tracking.is_active(current) or tracking.is_suspended(current):
        overall_rollup(tracking, current)
        tracking.suspended = current
    elif current.parent is not None:
        tracking.suspended = current.parent
    else:
        raise ProcessError("TB.2.3-3")
    for activity in tracking.suspended.up():
        tracking.set_active(activity, active=False)
        tracking.set_suspended(activity, suspended=True)
    tracking.current = tracking.tree.root
    return Sequencing.EXIT


def _abandon_all(tracking: Tracking, current: Activity) -> Sequencing:
    """TB.2.3 step 7."""
    for activity in current.up():
        tracking.set_active(activity, active=False)
    tracking.current = tracking.tree.root
    return Sequencing.EXIT


_SEQUENCING = {
    RuleAction.RETRY: Sequencing.RETRY,
    RuleAction.CONTINUE: Sequencing.CONTINUE,
    RuleAction.PREVIOUS: Sequencing.PREVIOUS,
}
