"""Selection and Randomization (SR.1, SR.2): which children take part in an attempt, and in which order.

Where the pseudo-code draws while it walks, this draws beforehand: what is drawn once, before the learner's
first session; what is new with each attempt, then and each time an attempt on the cluster has ended. So the
table of contents, a dry run and the delivery always speak of the same children. Every draw comes from the
state's seed and a counter, and its result stands in the state.
"""

from __future__ import annotations

from random import Random

from content_packages.sequencing.definition import Timing
from content_packages.sequencing.tracking import NO_RECORD, ActivityRecord, State, Tracking
from content_packages.sequencing.tree import Activity, ActivityTree


def prepare_first_attempts(tracking: Tracking) -> None:
    """Draw for every cluster that asks for it and has never been attempted."""
    for cluster in tracking.tree.activities:
        if cluster.children and not tracking.attempts(cluster):
            _draw(tracking, cluster, {Timing.ONCE, Timing.ON_EACH_NEW_ATTEMPT})


def prepare_next_attempt(tracking: Tracking, cluster: Activity) -> None:
    """Draw again what is new with each attempt, once the attempt on the cluster has ended."""
    took_part = tracking.available_children(cluster)
    _draw(tracking, cluster, {Timing.ON_EACH_NEW_ATTEMPT})
    drawn = tracking.available_children(cluster)
    if drawn is not took_part and set(drawn) != set(took_part):
        tracking.keep_former_children(cluster, took_part)


def as_attempted(tree: ActivityTree, state: State) -> State:
    """Return the state with the children that took part in the last attempt on each cluster: it is judged by them.

    Of a cluster whose attempt has ended, the state itself has those of the next.
    """
    kept = state["activities"]
    drawn_again = [one.identifier for one in tree.clusters if "former" in kept.get(one.identifier, NO_RECORD)]
    if not drawn_again:
        return state
    former = {one: ActivityRecord(**{**kept[one], "children": kept[one]["former"]}) for one in drawn_again}
    return State(**{**state, "activities": {**kept, **former}})


def select_children(tracking: Tracking, cluster: Activity, random: Random) -> None:
    """Select Children Process (SR.1): keep so many of the children, in document order."""
    count = cluster.definition.selection.count
    if count is not None and count < len(cluster.children):
        chosen = sorted(random.sample(range(len(cluster.children)), max(count, 0)))
        tracking.set_available_children(cluster, [cluster.children[i] for i in chosen])


def randomize_children(tracking: Tracking, cluster: Activity, random: Random) -> None:
    """Randomize Children Process (SR.2): put the available children into a new order."""
    if cluster.definition.randomization.reorder_children:
        children = list(tracking.available_children(cluster))
        random.shuffle(children)
        tracking.set_available_children(cluster, children)


def _draw(tracking: Tracking, cluster: Activity, timings: set[Timing]) -> None:
    definition = cluster.definition
    selects, reorders = definition.selection.timing in timings, definition.randomization.timing in timings
    if not (selects or reorders):
        return
    tracking.draws += 1
    # Not a secret: the same seed has to give the same course again when an attempt is replayed.
    random = Random(f"{tracking.seed}/{tracking.draws}/{cluster.identifier}")  # noqa: S311
    if selects:
        select_children(tracking, cluster, random)
    if reorders:
        randomize_children(tracking, cluster, random)
