"""Chromium and Firefox as those have them who take courses.

Playwright's own switches let pages open windows unasked, share storage between sites, and flood the browser. The fence
around courses is to hold without them too, and for no reason of theirs: Chromium gets none of them, and Firefox has the
preferences put back that touch the fence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import BrowserContext, Playwright, ViewportSize

from tests.browser.visitor import SCREEN

Kind = Literal["chromium", "firefox"]
NewProfile = Callable[[], BrowserContext]

ONLY_LOCALHOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost"

# What Playwright, or Firefox for whoever drives it, sets otherwise, back to what Firefox comes with.
_AS_FIREFOX_COMES: dict[str, str | float | bool] = {
    "remote.prefs.recommended": False,
    "browser.contentblocking.features.standard": "",
    "dom.disable_open_during_load": True,  # windows that nobody clicked for
    "dom.max_script_run_time": 10,
    "dom.min_background_timeout_value": 1000,
    "dom.timeout.enable_budget_timer_throttling": True,
    "network.http.speculative-parallel-limit": 20,
    "security.fileuri.strict_origin_policy": True,
}
# What it takes to drive it and to see what happens.
_TO_TEST_IT: dict[str, str | float | bool] = {
    "remote.events.async.mouse.enabled": True,  # or no click reaches a frame of another site
    "dom.successive_dialog_time_limit": 0,  # what Firefox asks about dialogs in a row, no driver sees
    "print.enabled": False,  # nor does it close the preview, which stops the page until then
    "media.peerconnection.ice.loopback": True,  # the attacker's server stands on this machine and not on a network
}

# A click outside the window is lost, and Firefox's is 1280 pixels wide wherever no screen is.
_IN_A_WINDOW: ViewportSize = {"width": 1180, "height": 640}


@contextmanager
def users_browser(kind: Kind, driver: Playwright, path: str, *, calls: bool = True) -> Iterator[NewProfile]:
    """Give what opens a browser with a new profile; all are closed at the end.

    Args:
        kind: which browser.
        driver: drives it.
        path: where it is.
        calls: whether WebRTC is on, as it is if nobody turns it off (Firefox only).
    """
    with ExitStack() as opened:
        if kind == "firefox":
            prefs = {**_AS_FIREFOX_COMES, **_TO_TEST_IT, "media.peerconnection.enabled": calls}
            # With this channel Playwright speaks WebDriver BiDi to the browser as it is distributed.
            browser = driver.firefox.launch(
                channel="moz-firefox", executable_path=path, firefox_user_prefs=prefs
            )
            opened.callback(browser.close)
            yield lambda: browser.new_context(viewport=_IN_A_WINDOW, locale="en")
        else:
            yield lambda: _chromium(driver, path, opened)


def _chromium(driver: Playwright, path: str, opened: ExitStack) -> BrowserContext:
    """Start a Chromium of its own: a second context of one would be a private window, which keeps less."""
    folder = opened.enter_context(TemporaryDirectory(prefix="outpost-profile-", ignore_cleanup_errors=True))
    to_drive_it = ("--headless", "--no-sandbox", "--remote-debugging-pipe", f"--user-data-dir={folder}")
    context = driver.chromium.launch_persistent_context(
        Path(folder),
        executable_path=path,
        ignore_default_args=True,
        args=[*to_drive_it, ONLY_LOCALHOST],
        viewport=SCREEN,
        locale="en",
    )
    opened.callback(context.close)
    return context
