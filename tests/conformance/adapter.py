"""Lets the harness for ADL's SCORM 2004 LMS test play a real node in Chromium (``README.md``)."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page
from typer.testing import CliRunner

from lms.cli import app
from tests.browser.visitor import PASSWORD
from tests.servers import NodeUnderTest, node

Learner = dict[str, str]
# A unit that asks to leave takes the page with it, and a press on a page that goes is lost: a person looks first.
MOMENT_MS = 1_000


class Outpost:
    """A node, its commands, and the hands of a learner on its pages (``cts.adapter.Adapter``)."""

    # What the harness says itself, and besides: its units speak to a host of this machine, which is forbidden.
    browser_args: tuple[str, ...] = ("--disable-features=DeprecateUnload,ConnectionAllowlists",)

    def __init__(self) -> None:
        self._opened = ExitStack()
        self._node: NodeUnderTest
        self._here = ""  # the learner whose browser this is

    def setup(self) -> None:
        """Start a node with nobody on it."""
        folder = self._opened.enter_context(tempfile.TemporaryDirectory(prefix="outpost-conformance-"))
        self._node = self._opened.enter_context(node(Path(folder) / "laptop"))
        self._node.start()

    def teardown(self) -> None:
        """Stop it and forget everything."""
        self._opened.close()

    def new_learner(self, n: int) -> Learner:
        """Make a person who has done nothing yet."""
        number = f"A-{n}"
        made = self._command("user", "create", number, "--password-stdin", stdin=PASSWORD)
        return {"id": made["id"], "number": number}

    def import_package(self, zip_path: str) -> str:
        """Import and publish; return the id of the course."""
        course: str = self._command("import", zip_path, "--publish")["course_id"]
        return course

    def launch(self, page: Page, course: str, learner: Learner, choose: str | None = None) -> None:
        """Open the player, or begin with a line of the outline."""
        self._sign_in(page, learner)
        self._command("enrol", course, "--user", learner["number"])
        if choose is None:
            page.goto(f"{self._node.url}/learn/{course}")
        else:
            page.goto(f"{self._node.url}/learn/{course}/after")
            self._line(page, choose).click()

    def leave(self, page: Page) -> None:
        """Exit the course, which ends all attempts, unless the session is over already."""
        leave = page.get_by_test_id("nav-exit")
        if leave.count():
            leave.click()
            page.wait_for_url("**/after")

    def navigate(self, page: Page, request: str) -> None:
        """Press a control of the bar."""
        page.get_by_test_id(f"nav-{_CONTROLS.get(request, request)}").click()

    def choice(self, page: Page, title: str) -> None:
        """Pick a line of the outline."""
        page.wait_for_timeout(MOMENT_MS)
        page.wait_for_load_state()
        drawer = page.get_by_role("button", name="Outline")
        if drawer.count() and not page.get_by_test_id("toc").is_visible():
            drawer.click()
        self._line(page, title).click()

    def ui_state(self, page: Page) -> dict[str, Any]:
        """Tell what the bar and the outline offer; what the package hides is absent."""
        lines = {line.get_attribute("data-title"): line for line in page.get_by_test_id("toc-item").all()}
        return {
            "continue": "enabled" if page.get_by_test_id("nav-continue").count() else "hidden",
            "previous": "enabled" if page.get_by_test_id("nav-previous").count() else "hidden",
            "toc": {
                title: {"visible": True, "enabled": line.get_attribute("aria-disabled") == "false"}
                for title, line in lines.items()
            },
        }

    def session_ended(self, page: Page) -> bool:
        """Say whether the page tells what was reached, which it does when nothing is delivered any more."""
        return page.get_by_test_id("session-ended").count() > 0

    def _sign_in(self, page: Page, learner: Learner) -> None:
        if self._here == learner["number"]:
            return
        page.context.clear_cookies()
        page.goto(f"{self._node.url}/sign-in")
        page.fill("[name=personnel_number]", learner["number"])
        page.fill("[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url(lambda url: urlsplit(url).path == "/")
        self._here = learner["number"]

    def _line(self, page: Page, title: str) -> Locator:
        return page.get_by_test_id("toc").locator(f"[data-title={json.dumps(title)}]")

    def _command(self, *arguments: str, stdin: str = "") -> Any:
        """Run ``lms …`` in this process: a Python of its own for each of 600 commands would take half an hour."""
        done = CliRunner().invoke(app, [*arguments, "--data", str(self._node.data), "--json"], input=stdin)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


_CONTROLS = {"exitAll": "exit", "suspendAll": "suspend", "abandonAll": "abandon"}
