"""Browsers for the journeys, cut off from every network but the nodes under test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.browser.browsers import ONLY_LOCALHOST, NewProfile, users_browser
from tests.browser.visitor import FLAGS, PASSWORD, Visitor, at_browser, at_profile
from tests.servers import NodeUnderTest, node

# Two browsers, servers and PostgreSQL share two cores in a test run: what is slow there is not broken.
expect.set_options(timeout=30_000)

QUIET = (*FLAGS, ONLY_LOCALHOST)
IN_FIREFOX = pytest.param("firefox", marks=pytest.mark.soak)  # the attacks alone take it minutes
IN_EACH = pytest.mark.parametrize("sit_down", ["chromium", IN_FIREFOX], indirect=True)


@pytest.fixture(scope="module")
def browser(driver: Playwright, headless_shell: str) -> Iterator[Browser]:
    """One Chromium that finds no other name than ``localhost`` and those below it.

    It draws no windows. What depends on those, on tabs that close and on what users have (``closing``, the hostile
    lesson, refused storage, the training room), is tested in the whole browser.
    """
    browser = driver.chromium.launch(executable_path=headless_shell, args=QUIET)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeUnderTest]:
    """A laptop that serves, with an instructor and an officer."""
    with node(tmp_path_factory.mktemp("laptop"), name="Post 4") as laptop:
        laptop.people({"I-1": "instructor", "A-1": "officer"}, password=PASSWORD)
        laptop.start()
        yield laptop


Sitting = Callable[[NodeUnderTest], Visitor]


@pytest.fixture(scope="module")
def new_firefox(driver: Playwright, firefox: str) -> Iterator[NewProfile]:
    """What opens a Firefox with a new profile."""
    with users_browser("firefox", driver, firefox) as new_profile:
        yield new_profile


@pytest.fixture
def sit_down(request: pytest.FixtureRequest) -> Iterator[Sitting]:
    """Give somebody a browser of her own in front of a node; at the end, see that it stayed there.

    It is Chromium; a test that is marked ``IN_EACH`` runs in Firefox too.
    """
    with ExitStack() as opened:
        if getattr(request, "param", "chromium") == "firefox":
            new_firefox: NewProfile = request.getfixturevalue("new_firefox")
            yield lambda node: opened.enter_context(at_profile(new_firefox(), node))
        else:
            browser: Browser = request.getfixturevalue("browser")
            yield lambda node: opened.enter_context(at_browser(browser, node))
