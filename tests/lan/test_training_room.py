"""Officers at laptops of a training room, which reach the hub by its address or a name, over HTTP and HTTPS."""

from __future__ import annotations

import re
import subprocess
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from tests.lan.conftest import NAME, Hub, Sitting, open_course
from tests.lan.lab import COURSES_ADDRESS, HUB_ADDRESS

pytestmark = pytest.mark.browser


def test_two_officers_take_a_course_stop_come_back_and_pass(hub: Hub, sit_down: Sitting) -> None:
    one, other = sit_down(hub, "laptop1"), sit_down(hub, "laptop2", host=NAME)
    open_course(one, hub, 1)
    one.expect_page(1, 5)
    one.turn_pages(2)
    open_course(other, hub, 2)
    other.expect_page(1, 5)
    other.turn_pages(1)
    one.expect_saved()
    one.close_tab()
    other.expect_page(2, 5)

    one.go(f"/learn/{hub.course}")
    one.expect_page(3, 5)
    one.turn_pages(2)
    one.answer_and_finish()
    one.expect_saved()
    one.press("nav-exit")

    expect(one.page.locator("main")).to_contain_text("Passed")
    other.turn_pages(1)
    other.expect_saved()
    other.press("nav-suspend")  # or the next to sit down as her would be asked whether to go on there
    expect(other.page.get_by_test_id("session-ended")).to_be_visible()


def test_the_lesson_goes_on_while_the_hub_is_out_of_reach_and_arrives_when_it_is_back(
    hub: Hub, sit_down: Sitting
) -> None:
    officer = sit_down(hub, "laptop2")
    open_course(officer, hub, 2)
    officer.lesson.locator("#page-number").wait_for()
    before = int(re.findall(r"\d+", officer.lesson.locator("#page-number").inner_text())[0])
    officer.expect_saved()

    hub.room.cut("laptop2")
    officer.turn_pages(1)
    officer.expect_page(before + 1, 5)
    expect(officer.page.get_by_test_id("save-state")).to_have_attribute("data-state", "unreachable")
    officer.turn_pages(1)
    hub.room.join("laptop2")
    officer.expect_saved()

    officer.close_tab()
    officer.go(f"/learn/{hub.course}")
    officer.expect_page(before + 2, 5)


def test_a_course_reaches_neither_the_session_nor_the_pages_of_the_hub(hub: Hub, sit_down: Sitting) -> None:
    officer = sit_down(hub, "laptop1")
    open_course(officer, hub, 1, course=hub.school.prying)
    officer.lesson.locator("#here").wait_for()
    unit = officer.page.frames[-1]
    assert urlsplit(unit.url).hostname == HUB_ADDRESS
    assert urlsplit(unit.url).port not in {None, 8000, 8001}
    [mine] = [one for one in officer.context.cookies() if "-session-" in one["name"]]
    assert mine["name"].startswith("__Host-Http-") == (hub.scheme == "https")

    assert unit.evaluate("document.cookie") == ""
    peep = "(() => { try { return top.document.title } catch (error) { return error.name } })()"
    assert unit.evaluate(peep) == "SecurityError"
    for path in ("/", "/learn"):
        unit.evaluate(
            "cookie => { document.cookie = cookie }", f"{mine['name']}=planted; path={path}; secure"
        )
        unit.evaluate("cookie => { document.cookie = cookie }", f"{mine['name']}=planted; path={path}")
    ask = (
        "address => fetch(address, {method: 'POST', credentials: 'include', mode: 'no-cors'}).catch(() => 0)"
    )
    unit.evaluate(ask, hub.at(HUB_ADDRESS) + "/sign-out")

    officer.go("/account")
    assert urlsplit(officer.page.url).path == "/account"  # still signed in, as herself
    expect(officer.page.get_by_test_id("person-menu")).to_contain_text(hub.officer(1))
    kept = {(one["path"], one["value"]) for one in officer.context.cookies() if one["name"] == mine["name"]}
    assert ("/", mine["value"]) in kept
    # What cannot be had over plain HTTP at one address is named on the page /reached, and shown here.
    assert (("/learn", "planted") in kept) == (hub.scheme == "http")


def test_the_hub_answers_to_its_own_names_only(hub: Hub) -> None:
    trust = ["--insecure"] if hub.scheme == "https" else []

    def status(url: str) -> str:
        return hub.room.fetch("laptop1", url, *trust).split(" ", 2)[1]

    for host in (HUB_ADDRESS, NAME, COURSES_ADDRESS):  # which is the hub's, too
        assert status(hub.at(host) + "/sign-in") == "200"
    for port in (8000, 8001, 8002):
        assert status(f"{hub.scheme}://evil.example:{port}/sign-in") == "421"


def test_the_hub_says_in_the_terminal_which_addresses_to_open(hub: Hub) -> None:
    told, root = hub.log(), hub.root()

    assert f"{hub.at(HUB_ADDRESS)} " in told
    assert hub.at(NAME) in told
    assert root is None or root.fingerprint in told


def test_a_laptop_without_the_root_is_warned_and_finds_it_at_the_plain_door(
    hub: Hub, sit_down: Sitting
) -> None:
    root = hub.root()
    if root is None:
        knock = hub.room.inside("laptop2", "bash", "-c", f"exec 3<>/dev/tcp/{HUB_ADDRESS}/8080")
        assert subprocess.run(knock, capture_output=True, check=False).returncode != 0  # no door is needed
        return
    newcomer = sit_down(hub, "laptop2", trusts=False)
    with pytest.raises(PlaywrightError, match="ERR_CERT_AUTHORITY_INVALID"):
        newcomer.go("/")

    newcomer.page = newcomer.context.new_page()
    newcomer.page.goto(f"http://{HUB_ADDRESS}:8080/")

    expect(newcomer.page.get_by_test_id("fingerprint")).to_have_text(root.fingerprint)
    with newcomer.page.expect_download() as fetched:
        newcomer.page.get_by_role("link", name="Download the root certificate").click()
    assert fetched.value.path().read_bytes() == root.root_der
    link = newcomer.page.get_by_role("link", name=hub.at(HUB_ADDRESS))
    expect(link).to_have_attribute("href", f"{hub.at(HUB_ADDRESS)}/")
    assert not newcomer.context.cookies()
    assert " 421" in hub.room.fetch("laptop2", "http://evil.example:8080/").splitlines()[0]
