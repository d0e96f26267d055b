"""One laptop with courses, and browsers that drop ``unload`` as those in the field will."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.closing.place import NO_UNLOAD, Officer, OwnBrowser, Post, Tab, sit
from tests.servers import NodeUnderTest, node


@pytest.fixture(scope="session")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    with node(tmp_path_factory.mktemp("laptop"), name="Post 4") as server:
        made = Post(server, tmp_path_factory.mktemp("packages"))
        server.start()
        yield made
        made.inside.close()


@pytest.fixture
def running(post: Post) -> NodeUnderTest:
    """The server, which a test before this one may have left as it was not."""
    if post.server.process is None:
        post.server.start()
    return post.server


@pytest.fixture
def own(browser: Browser, tmp_path: Path, running: NodeUnderTest) -> Iterator[OwnBrowser]:
    made = OwnBrowser(browser, tmp_path / "profile", running.url)
    made.start()
    yield made
    with suppress(Exception):
        made.context.close()


@pytest.fixture(scope="module")
def shared(browser: Browser, chromium: str) -> Iterator[Browser]:
    """One browser, for all that does not end it."""
    made = browser.browser_type.launch(executable_path=chromium, args=NO_UNLOAD)
    yield made
    made.close()


@pytest.fixture
def tab(shared: Browser, running: NodeUnderTest) -> Iterator[Tab]:
    made = Tab(shared, running.url)
    yield made
    made.context.close()


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[int], None]:
    """Note how many milliseconds were lost, for the report of a run (``--junitxml``)."""
    return lambda lost_ms: request.node.user_properties.append(("lost_ms", lost_ms))


@pytest.fixture
def lesson(tab: Tab, post: Post) -> Officer:
    officer = post.officer("restless")
    sit(tab, officer)
    return officer


@pytest.fixture
def own_lesson(own: OwnBrowser, post: Post) -> Officer:
    officer = post.officer("restless")
    sit(own, officer)
    return officer
