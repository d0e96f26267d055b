"""An open lesson that has to be let in again, or is opened a second time: nothing is lost or asked in vain."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import delete

from lms.people.tables import LoginSession
from tests.browser.closing.place import (
    PASSWORD,
    Officer,
    Tab,
    bar_says,
    go_back,
    go_elsewhere,
    in_unit,
    load_again,
    sleep_past_the_token,
    unit_of,
)
from tests.servers import NodeUnderTest

pytestmark = pytest.mark.browser


def test_a_token_that_expired_over_night_goes_on_in_place(tab: Tab, lesson: Officer) -> None:
    first = lesson.launch.public_id
    sleep_past_the_token(lesson, signs_out=False)

    time.sleep(3)  # an autosave has found the token over
    written = in_unit(tab.page, "rest()")

    bar_says(tab.page, "saved")
    assert lesson.lost_ms(written) == 0
    assert lesson.launch.public_id == first


def test_a_sign_in_that_ended_is_asked_for_over_the_lesson(tab: Tab, lesson: Officer) -> None:
    first = lesson.launch.public_id
    sleep_past_the_token(lesson, signs_out=True)
    dialog = tab.page.get_by_test_id("sign-in-again")

    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Amina Wanjiru")
    expect(dialog.get_by_label("Password")).to_be_focused()
    dialog.get_by_label("Password").fill("wrong")
    tab.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("This is not your current password.")
    dialog.get_by_label("Password").fill(PASSWORD)
    tab.page.keyboard.press("Enter")

    expect(dialog).to_be_hidden()
    written = in_unit(tab.page, "rest()")
    bar_says(tab.page, "saved")
    assert lesson.lost_ms(written) == 0
    assert lesson.launch.public_id == first
    tab.page.get_by_test_id("nav-exit").click()
    expect(tab.page.get_by_test_id("session-ended")).to_be_visible()


def test_a_control_asks_for_the_sign_in_before_it_leaves(tab: Tab, lesson: Officer) -> None:
    with lesson.post.inside.database.write() as session:
        session.execute(delete(LoginSession).where(LoginSession.person_id == lesson.person))
    tab.page.get_by_test_id("nav-exit").click()
    dialog = tab.page.get_by_test_id("sign-in-again")
    expect(dialog).to_be_visible()
    expect(unit_of(tab.page).locator("#page")).to_have_count(1)

    dialog.get_by_role("button", name="Later").click()
    expect(dialog).to_be_hidden()
    tab.page.get_by_test_id("nav-exit").click()
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()

    expect(tab.page.get_by_test_id("session-ended")).to_be_visible()


def test_a_second_tab_says_so_and_the_first_lets_go_of_nothing_unsaved(tab: Tab, lesson: Officer) -> None:
    first = tab.page
    second = tab.context.new_page()
    second.goto(f"{lesson.post.server.url}/learn/{lesson.course}")
    expect(second.get_by_role("heading", level=2)).to_have_text(
        "This course is open in another tab or on another device"
    )
    in_unit(first, "api.SetValue('cmi.suspend_data', 'the last of it')")

    second.get_by_test_id("go-on-here").click()

    expect(unit_of(second).locator("#page")).to_be_visible()
    assert in_unit(second, "api.GetValue('cmi.suspend_data')") == "the last of it"
    expect(first.get_by_test_id("taken")).to_contain_text("Everything you did here is saved.")


def test_a_second_tab_that_need_not_ask_tells_both_where_the_lesson_goes_on(
    tab: Tab, lesson: Officer
) -> None:
    in_unit(tab.page, "api.Terminate('')")  # nothing runs there: the second tab may open at once
    bar_says(tab.page, "finished")
    second = tab.context.new_page()
    second.goto(f"{lesson.post.server.url}/learn/{lesson.course}")

    expect(unit_of(second).locator("#page")).to_be_visible()
    expect(second.get_by_test_id("moved-here")).to_contain_text("was open in another tab")
    expect(tab.page.get_by_test_id("taken")).to_contain_text("Everything you did here is saved.")

    second.get_by_test_id("moved-here").get_by_role("button").click()
    expect(second.get_by_test_id("moved-here")).to_be_hidden()


def test_a_second_device_says_so_and_what_the_first_had_not_sent_is_put_aside(
    tab: Tab, browser: Browser, lesson: Officer, running: NodeUnderTest
) -> None:
    tab.context.set_offline(True)
    bar_says(tab.page, "unreachable")
    in_unit(tab.page, "api.SetValue('cmi.suspend_data', 'only on the first')")
    time.sleep(2)  # an autosave has found no network
    device = browser.new_context()
    lesson.let_in(device)
    there = device.new_page()
    there.goto(f"{running.url}/learn/{lesson.course}")
    there.get_by_test_id("go-on-here").click()
    expect(unit_of(there).locator("#page")).to_be_visible()
    in_unit(there, "api.SetValue('cmi.suspend_data', 'on the second')")
    in_unit(there, "api.Commit('')")

    tab.context.set_offline(False)

    expect(tab.page.get_by_test_id("taken")).to_contain_text("It was put aside and nothing of it is lost.")
    assert lesson.values["cmi.suspend_data"] == "on the second"
    tab.go(f"/learn/{lesson.course}/late")
    tab.page.get_by_text("What the lesson wanted to save").click()
    expect(tab.page.get_by_role("table")).to_contain_text("only on the first")
    device.close()


def test_leaving_and_coming_back_asks_nothing(tab: Tab, lesson: Officer) -> None:
    for way in (go_back, go_elsewhere, load_again):
        way(tab, lesson)
        tab.go(f"/learn/{lesson.course}")
        expect(unit_of(tab.page).locator("#page")).to_be_visible()
