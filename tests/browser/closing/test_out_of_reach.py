"""A hub that is away or silent: the lesson goes on, and all of it arrives, with the lesson or on the next visit."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.browser.closing.place import (
    MOST_LOST_MS,
    Officer,
    OwnBrowser,
    Tab,
    bar_says,
    crash_page,
    in_unit,
    sleep_past_the_token,
    unit_of,
)
from tests.servers import NodeUnderTest

pytestmark = pytest.mark.browser


OUT_OF_REACH = [
    pytest.param(8.0, id="eight seconds"),
    pytest.param(600.0, id="ten minutes", marks=pytest.mark.soak),
]


@contextmanager
def gone_for(running: NodeUnderTest, seconds: float) -> Iterator[None]:
    """Let the server be gone, and back at the end."""
    running.kill()
    began = time.monotonic()
    yield
    time.sleep(max(0.0, seconds - (time.monotonic() - began)))
    running.start()


@pytest.mark.parametrize("seconds", OUT_OF_REACH)
def test_a_hub_that_is_away_finds_all_of_it_when_it_is_back(
    tab: Tab,
    lesson: Officer,
    running: NodeUnderTest,
    seconds: float,
    measured: Callable[[int], None],
) -> None:
    with gone_for(running, seconds):
        bar_says(tab.page, "unreachable")
        expect(tab.page.get_by_test_id("save-state")).to_have_text(
            "Server out of reach, your work is kept here"
        )

    written = in_unit(tab.page, "rest()")
    expect(tab.page.get_by_test_id("save-state")).to_have_attribute("data-state", "saved", timeout=60_000)
    lost = lesson.lost_ms(written)
    measured(lost)
    assert lost == 0


def test_a_hub_that_is_silent_does_not_stop_the_lesson(
    tab: Tab, lesson: Officer, running: NodeUnderTest
) -> None:
    assert in_unit(tab.page, "commit()")[0] == "true"
    assert running.process is not None
    running.process.send_signal(signal.SIGSTOP)
    try:
        answered = in_unit(tab.page, "commit()")  # the first that gets no answer comes back all the same
        bar_says(tab.page, "unreachable")
    finally:
        running.process.send_signal(signal.SIGCONT)

    written = in_unit(tab.page, "rest()")
    expect(tab.page.get_by_test_id("save-state")).to_have_attribute("data-state", "saved", timeout=60_000)
    assert answered[0] == "false"
    assert lesson.lost_ms(written) == 0


def die(own: OwnBrowser) -> None:
    own.kill()


def crash_and_close(own: OwnBrowser) -> None:
    crash_page(own)
    time.sleep(0.5)  # a browser that ends in the middle of a crash is another test
    own.context.close()


def close_for_good(own: OwnBrowser) -> None:
    own.page.on("dialog", lambda dialog: dialog.accept())
    own.page.close(run_before_unload=True)
    time.sleep(1)  # for what the page does as it goes
    own.context.close()


@pytest.mark.parametrize(
    ("end", "token_expires"),
    [
        (die, False),
        (close_for_good, True),
        *(
            pytest.param(*one, marks=pytest.mark.soak)
            for one in (
                (die, True),
                (close_for_good, False),
                (crash_and_close, False),
                (crash_and_close, True),
            )
        ),
    ],
)
def test_work_kept_while_the_hub_was_away_arrives_on_the_next_visit(
    own: OwnBrowser,
    own_lesson: Officer,
    running: NodeUnderTest,
    end: Callable[[OwnBrowser], None],
    *,
    token_expires: bool,
    measured: Callable[[int], None],
) -> None:
    with gone_for(running, 8):
        bar_says(own.page, "unreachable")
        time.sleep(3)  # a copy is kept one second after a change
        written = in_unit(own.page, "last")
        end(own)
        if token_expires:
            sleep_past_the_token(own_lesson, signs_out=True)
    own.start()
    stranger = own_lesson.post.officer("restless")
    stranger.let_in(own.context)
    own.go("/")
    expect(own.page.get_by_test_id("start")).to_be_visible()
    time.sleep(1)  # for what should not be sent
    expect(own.page.get_by_test_id("kept-work")).to_be_hidden()
    assert own_lesson.lost_ms(written) > MOST_LOST_MS  # nothing of it was sent by somebody else

    own_lesson.let_in(own.context)
    own.go("/")

    expect(own.page.get_by_test_id("kept-work")).to_contain_text("has arrived and is saved")
    lost = own_lesson.lost_ms(written)
    measured(lost)
    assert lost <= MOST_LOST_MS
    own.go("/")
    expect(own.page.get_by_test_id("start").or_(own.page.get_by_test_id("continue"))).to_be_visible()
    expect(own.page.get_by_test_id("kept-work")).to_be_hidden()  # once


def test_a_course_opened_straight_after_an_outage_begins_with_the_kept_work(
    own: OwnBrowser, own_lesson: Officer, running: NodeUnderTest
) -> None:
    with gone_for(running, 8):
        bar_says(own.page, "unreachable")
        in_unit(own.page, "api.SetValue('cmi.suspend_data', 'kept')")
        time.sleep(3)  # as above
        own.kill()
    own.start()
    own_lesson.let_in(own.context)

    own.go(f"/learn/{own_lesson.course}")

    expect(unit_of(own.page).locator("#page")).to_be_visible()
    assert in_unit(own.page, "api.GetValue('cmi.suspend_data')") == "kept"
