"""Draw the pictures of the README: a fresh node with the demo, seen by an officer in Chromium."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lms.cli.demo import PASSWORD  # noqa: E402 - after the path is set
from tests.servers import NodeUnderTest, node  # noqa: E402 - as above

PICTURES = Path(__file__).parent / "pictures"
WINDOW = {"width": 1366, "height": 768}


def main() -> None:
    """Start a node, sign in, take the pictures."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        sys.exit("No Chromium on the path; install one or set CHROMIUM=.")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, node(Path(folder)) as laptop:
        laptop.run("demo")
        laptop.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            _take(browser.new_page(viewport=WINDOW), laptop)
            browser.close()


def _take(page: Page, laptop: NodeUnderTest) -> None:
    page.goto(f"{laptop.url}/sign-in")
    page.fill("[name=personnel_number]", "officer")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{laptop.url}/")
    page.click("main a[href^='/courses/']")
    page.click("a[href^='/learn/']")
    content = page.frame_locator("[data-testid=player-frame]").frame_locator("iframe")
    content.locator("#next").click()
    content.locator("#page-number", has_text="2").wait_for()
    page.locator("[data-testid=save-state][data-state=saved]").wait_for()
    page.screenshot(path=PICTURES / "player.png")
    page.click("[data-testid=nav-suspend]")
    page.goto(f"{laptop.url}/")
    page.screenshot(path=PICTURES / "home.png")


if __name__ == "__main__":
    main()
