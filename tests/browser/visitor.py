"""Somebody in front of a node: her own browser, and what she does with the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, FrameLocator, Locator, Page, ViewportSize, expect

from lms.demo.packages import RIGHT_ANSWERS
from tests.servers import NodeUnderTest

PASSWORD = "nine-words-for-tests"
SCREEN: ViewportSize = {"width": 1366, "height": 768}
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class Place(Protocol):
    """Where somebody sits: all she needs to know of the node."""

    @property
    def url(self) -> str:
        """The address of its pages, for her."""


class Visitor:
    """One person's browser at one node."""

    def __init__(self, context: BrowserContext, place: Place) -> None:
        self.context = context
        self.place = place
        self.page: Page = context.new_page()

    def go(self, path: str) -> None:
        """Open a page of the node, in front of what others have open: in Firefox, only what is in front is clicked."""
        self.page.bring_to_front()
        self.page.goto(self.place.url + path)

    def sign_in(self, number: str) -> None:
        """Sign in and see the first page."""
        self.go("/sign-in")
        self.page.fill("[name=personnel_number]", number)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("main button[type=submit]")
        expect(self.page).to_have_url(self.place.url + "/")

    def import_course(self, package: Path) -> str:
        """Upload a package, publish what was found, and return the course's id."""
        self.go("/courses/import")
        self.page.set_input_files("[name=file]", package)
        self.page.click("main button[type=submit]:has-text('Import')")
        publish = self.page.get_by_role("button", name="Publish edition 1")
        publish.wait_for()  # the page of an import under way asks again by itself
        publish.click()
        self.page.wait_for_url(re.compile(r"/courses/[0-9a-f-]{36}/editions(\?.*)?$"))
        return urlsplit(self.page.url).path.split("/")[2]

    def enrol(self, course: str, number: str) -> None:
        """Let somebody take a course."""
        self.go(f"/courses/{course}/people")
        self.page.fill("[name=numbers]", number)
        self.page.get_by_role("button", name="Enrol").click()
        expect(self.roster_row(number)).to_be_visible()

    def roster_row(self, number: str) -> Locator:
        """The line of one person on the page of who takes a course."""
        return self.page.get_by_role("row").filter(has_text=number)

    @property
    def lesson(self) -> FrameLocator:
        """The unit, in the shim, in the player."""
        return self.page.frame_locator("[data-testid=player-frame]").frame_locator("iframe")

    def expect_page(self, number: int, pages: int) -> None:
        """See that the unit shows this page."""
        expect(self.lesson.locator("#page-number")).to_have_text(f"Page {number} of {pages}")

    def turn_pages(self, pages: int) -> None:
        """Go on in the unit."""
        for _ in range(pages):
            self.lesson.locator("#next").click()

    def answer_and_finish(self) -> None:
        """Answer everything right, and end the unit."""
        for answer in RIGHT_ANSWERS:
            self.lesson.locator(f"#{answer}").check()
        self.lesson.locator("#check").click()
        self.lesson.locator("#finish").click()

    def press(self, control: str) -> None:
        """Use a control of the player's bar."""
        self.page.get_by_test_id(control).click()

    def expect_saved(self) -> None:
        """See that the player says that all is kept."""
        kept = re.compile("^(saved|finished)$")
        expect(self.page.get_by_test_id("save-state")).to_have_attribute("data-state", kept)

    def close_tab(self) -> None:
        """Close the tab as its cross does, saying yes should the page ask whether to leave, and open another."""
        closing, self.page = self.page, self.context.new_page()
        closing.on("dialog", lambda dialog: dialog.accept())  # what is not answered is taken for a no
        with closing.expect_event("close"):  # waited for from before on: it may come at any moment
            closing.close(run_before_unload=True)


def at_browser(browser: Browser, node: NodeUnderTest) -> AbstractContextManager[Visitor]:
    """Open a browser of her own; afterwards, see that nothing but the node was asked for."""
    return at_profile(browser.new_context(viewport=SCREEN, locale="en"), node)


@contextmanager
def at_profile(context: BrowserContext, node: NodeUnderTest) -> Iterator[Visitor]:
    """Sit down at a browser and close it; afterwards, see that nothing but the node was asked for."""
    asked: list[str] = []
    context.set_default_timeout(20_000)
    context.on("request", lambda request: asked.append(request.url))
    try:
        yield Visitor(context, node)
    finally:
        context.close()
    strangers = {url for url in asked if not _is_of(node, url)}
    assert not strangers, f"the browser asked elsewhere: {sorted(strangers)}"


def _is_of(node: NodeUnderTest, url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme in {"data", "blob", "about"}:
        return True
    host = parts.hostname or ""
    if parts.port == node.port:
        return host == "localhost"
    return parts.port == node.content_port and host.endswith(".localhost")
