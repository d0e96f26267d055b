"""What a learner has done in one edition, carried over into another and back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from content_packages.sequencing.carry_over import Aside, carry_over
from content_packages.sequencing.definition import ActivityNode, ControlModes, SequencingDefinition
from content_packages.sequencing.event import Event, Request, RunTime, RunTimeResult
from content_packages.sequencing.step import step
from content_packages.sequencing.tracking import State, Tracking, new_state
from content_packages.sequencing.tree import ActivityTree

FLOW = SequencingDefinition(control=ControlModes(flow=True))
Shape = Sequence["str | tuple[str, Shape]"]


def a_tree(shape: Shape, *, root: str = "course") -> ActivityTree:
    """Make a tree of lessons; a pair is a cluster with its children."""

    def node(one: str | tuple[str, Shape]) -> ActivityNode:
        name, below = (one, ()) if isinstance(one, str) else one
        return ActivityNode(
            identifier=name,
            title=name,
            definition=FLOW if below else SequencingDefinition(),
            children=tuple(node(child) for child in below),
        )

    return ActivityTree(node((root, shape)))


def begun(tree: ActivityTree, *done: str, then: str | None = None) -> State:
    """Take a course up, complete some lessons in their order, open *then*, and stop for now."""
    state, _ = step(tree, new_state(), Event(kind=Request.START))
    for name in done:
        if state["current"] != name:
            state, _ = step(tree, state, Event(kind=Request.CHOICE, target=name))
        result = RunTimeResult(completion_status="completed", success_status="passed")
        state, _ = step(tree, state, Event(kind=RunTime.TERMINATE, result=result))
    if then is not None and state["current"] != then:
        state, _ = step(tree, state, Event(kind=Request.CHOICE, target=then))
    state, _ = step(tree, state, Event(kind=Request.SUSPEND_ALL))
    return state


def completed(tree: ActivityTree, state: State) -> dict[str, bool | None]:
    tracking = Tracking(tree, state)
    return {one.identifier: tracking.completed(one, one.primary) for one in tree.activities}


def resumed(tree: ActivityTree, state: State) -> tuple[State, str | None, bool]:
    state, outcome = step(tree, state, Event(kind=Request.RESUME_ALL))
    assert outcome.delivery is not None
    return state, outcome.delivery.activity, outcome.delivery.resumed


def test_lessons_of_the_same_name_stay_done_and_the_open_one_is_resumed() -> None:
    old, new = a_tree(["a", "b", "c"]), a_tree(["c", "x", "b", "a"])

    state, aside = carry_over(old, new, begun(old, "a", then="b"), Aside())

    assert completed(new, state) == {"course": None, "c": None, "x": None, "b": None, "a": True}
    assert resumed(new, state)[1:] == ("b", True)
    assert aside == Aside()


def test_what_has_no_place_is_put_aside_and_comes_back_with_the_former_edition() -> None:
    old, new = a_tree(["a", "b"]), a_tree(["b", "x"])
    state = begun(old, "a", then="b")

    there, aside = carry_over(old, new, state, Aside())
    back, empty = carry_over(new, old, there, aside)

    assert set(aside.leaves) == {"a"}
    assert completed(old, back)["a"] is True
    assert back["suspended"] == "b"
    assert empty == Aside()


def test_who_comes_back_goes_on_in_the_lesson_she_had_stopped_in() -> None:
    old, new = a_tree(["a", "b", "c"]), a_tree(["x", "y"])
    there, aside = carry_over(old, new, begun(old, "a", then="b"), Aside())
    there, _ = step(new, there, Event(kind=Request.RESUME_ALL))
    there, _ = step(new, there, Event(kind=Request.SUSPEND_ALL))

    back, _ = carry_over(new, old, there, aside)

    assert resumed(old, back)[1:] == ("b", True)


def test_a_lesson_that_is_gone_is_followed_by_the_next_that_was_not_begun() -> None:
    old, new = a_tree(["a", "b", "c"]), a_tree(["a", "new", "c"])

    state, _ = carry_over(old, new, begun(old, "a", then="b"), Aside())

    after, delivered, is_resumed = resumed(new, state)
    assert (delivered, is_resumed) == ("c", False)
    assert completed(new, after)["a"] is True


def test_where_all_that_is_left_was_begun_none_of_it_is_begun_anew() -> None:
    old, new = a_tree(["a", "b"]), a_tree(["a"])

    state, _ = carry_over(old, new, begun(old, "a", then="b"), Aside())

    after, delivered, is_resumed = resumed(new, state)
    assert (delivered, is_resumed) == ("a", True)
    assert completed(new, after)["a"] is True


def test_the_whole_is_judged_by_the_lessons_of_the_new_edition() -> None:
    old, fewer, more = a_tree(["a", "b"]), a_tree(["a"]), a_tree(["a", "b", "c"])

    done, _ = carry_over(old, fewer, begun(old, "a", then="b"), Aside())
    open_again, _ = carry_over(old, more, begun(old, "a", "b"), Aside())

    assert completed(fewer, done)["course"] is True
    assert completed(more, open_again) == {"course": None, "a": True, "b": True, "c": None}


def test_lessons_count_under_another_heading_and_another_name_of_the_course() -> None:
    old, new = (
        a_tree([("one", ["a", "b"]), "c"]),
        a_tree([("first", ["a"]), ("second", ["b", "c"])], root="v2"),
    )

    state, _ = carry_over(old, new, begun(old, "a", "b", then="c"), Aside())
    after, delivered, is_resumed = resumed(new, state)

    assert completed(new, state) == {
        "v2": None, "first": True, "a": True, "second": None, "b": True, "c": None,
    }  # fmt: skip
    assert (delivered, is_resumed) == ("c", True)
    finished, _ = step(
        new,
        after,
        Event(kind=RunTime.TERMINATE, result=RunTimeResult(completion_status="completed")),
    )
    finished, _ = step(new, finished, Event(kind=Request.EXIT_ALL))
    assert completed(new, finished)["v2"] is True


def test_a_lesson_that_became_a_heading_is_another_thing() -> None:
    old, new = a_tree(["a", "b"]), a_tree([("a", ["a1"]), "b"])

    state, aside = carry_over(old, new, begun(old, "a", then="b"), Aside())

    assert completed(new, state)["a"] is None
    assert set(aside.leaves) == {"a"}


def test_a_course_that_was_left_stays_left() -> None:
    old, new = a_tree(["a", "b"]), a_tree(["a", "c"])
    state, _ = step(old, new_state(), Event(kind=Request.START))
    state, _ = step(old, state, Event(kind=Request.EXIT_ALL))

    carried, _ = carry_over(old, new, state, Aside())

    assert (carried["current"], carried["suspended"]) == (None, None)


@pytest.mark.parametrize("chosen", [["b", "a"], ["b", "gone"]])
def test_the_order_that_was_drawn_is_kept_and_new_lessons_follow(chosen: list[str]) -> None:
    old, new = a_tree(["a", "b", "gone"]), a_tree(["a", "b", "x"])
    state = begun(old, then="b")
    state["activities"]["course"]["children"] = chosen

    carried, _ = carry_over(old, new, state, Aside())

    assert carried["activities"]["course"]["children"] == [*(c for c in chosen if c != "gone"), "x"]


def test_the_order_that_was_drawn_under_a_heading_comes_back_with_it() -> None:
    old, new = a_tree([("one", ["a", "b"]), "c"]), a_tree(["c"])
    state = begun(old, "a", then="c")
    state["activities"]["one"]["children"] = ["b", "a"]

    there, aside = carry_over(old, new, state, Aside())
    back, _ = carry_over(new, old, there, aside)

    assert back["activities"]["one"]["children"] == ["b", "a"]
    assert completed(old, back)["a"] is True


def test_what_was_done_in_the_present_attempt_on_a_course_counts_under_a_heading_that_is_new() -> None:
    old, new = a_tree(["a", "b"]), a_tree([("first", ["a"]), "b"])
    state, _ = step(old, begun(old, then="a"), Event(kind=Request.RESUME_ALL))
    state, _ = step(old, state, Event(kind=Request.EXIT_ALL))
    for kind in (Request.START, Request.EXIT_ALL, Request.START):
        state, _ = step(old, state, Event(kind=kind))
    result = RunTimeResult(completion_status="completed")
    state, _ = step(old, state, Event(kind=RunTime.TERMINATE, result=result))
    state, _ = step(old, state, Event(kind=Request.SUSPEND_ALL))

    carried, _ = carry_over(old, new, state, Aside())

    assert state["activities"]["a"]["era"] > 1
    assert carried["activities"]["first"]["attempts"] == 1
    assert completed(new, carried)["first"] is True
