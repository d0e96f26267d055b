"""Units of old that save only in ``unload``: complete, however a browser says that it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from lms.launch.tables import Launch
from tests.browser.closing.place import (
    Officer,
    OwnBrowser,
    Post,
    Tab,
    bar_says,
    close_browser,
    close_tab,
    go_back,
    go_elsewhere,
    load_again,
    press_exit,
    unit_of,
)
from tests.closing_packages import OLD_STYLES

pytestmark = pytest.mark.browser


ANNOUNCED = [close_tab, go_elsewhere, go_back, load_again, press_exit]
FIRST, *OTHERS = OLD_STYLES
# Each style once and each way once; all thirty, with the browser that is closed, are a soak.
BRIEFLY = [(style, close_tab) for style in OLD_STYLES] + [(FIRST, closing) for closing in ANNOUNCED[1:]]
AT_LENGTH = [
    pytest.param(style, closing, marks=pytest.mark.soak) for style in OTHERS for closing in ANNOUNCED[1:]
]


@pytest.mark.parametrize(("style", "closing"), [*BRIEFLY, *AT_LENGTH])
def test_a_unit_that_saves_only_in_unload_completes(
    tab: Tab, post: Post, style: str, closing: Callable[[Tab, Officer], None]
) -> None:
    completes(tab, post, style, closing)


@pytest.mark.parametrize("style", [FIRST, *(pytest.param(one, marks=pytest.mark.soak) for one in OTHERS)])
def test_a_unit_that_saves_only_in_unload_completes_as_the_browser_is_closed(
    own: OwnBrowser, post: Post, style: str
) -> None:
    completes(own, post, style, close_browser)


def completes(place: Any, post: Post, style: str, closing: Callable[[Any, Officer], None]) -> None:
    """Take a course, end it in one way, and see that it is complete and its session ended."""
    officer = post.officer(style)
    officer.let_in(place.context)
    place.go(f"/learn/{officer.course}")
    unit = unit_of(place.page)
    inside = unit.frame_locator("frame[name=body]") if "frameset" in style else unit
    expect(inside.locator("#page")).to_be_visible()
    bar_says(place.page, "saved")
    first = officer.launch.public_id

    closing(place, officer)

    is_2004 = "Terminate" in style
    status = "cmi.completion_status" if is_2004 else "cmi.core.lesson_status"
    where = "cmi.location" if is_2004 else "cmi.core.lesson_location"

    def is_done(values: dict[str, str]) -> bool:
        with post.inside.database.read() as session:
            ended = session.scalars(select(Launch).where(Launch.public_id == first)).one()
        return (values.get(status), values.get(where), ended.phase) == ("completed", "p7", "terminated")

    officer.expect(is_done)


class SaysGoodBye(BaseHTTPRequestHandler):
    """Serves a page that sends a word in ``unload``; ``/asks`` asks for that event, ``/plain`` does not."""

    heard: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        if self.path == "/asks":
            self.send_header("Permissions-Policy", "unload=*")
        self.end_headers()
        self.wfile.write(b"<!doctype html><body onunload='navigator.sendBeacon(location.pathname)'>Page")

    def do_POST(self) -> None:
        self.heard.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_this_browser_takes_unload_from_who_does_not_ask_for_it(own: OwnBrowser) -> None:
    """What the tests above rest on: a page without the header of ours never hears of its end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), SaysGoodBye) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        for path in ("/plain", "/asks", "/plain"):
            own.page.goto(f"http://localhost:{server.server_port}{path}")
        own.page.goto("about:blank")
        deadline = time.monotonic() + 10
        while not SaysGoodBye.heard and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)  # for a word that should not come
        server.shutdown()

    assert SaysGoodBye.heard == ["/asks"]
