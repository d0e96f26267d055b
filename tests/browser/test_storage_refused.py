"""A package that keeps things in the browser, where the browser lets frames of another site keep nothing.

Playwright's own switches have Chromium refuse storage to such frames; without them it keeps it apart, as users' do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import playwright
import pytest
from playwright.sync_api import Browser, Frame, Playwright, expect

from tests.browser.conftest import QUIET
from tests.browser.visitor import PASSWORD, Visitor, at_browser
from tests.package_builders import demo_showing
from tests.servers import NodeUnderTest, node

pytestmark = pytest.mark.browser

# A package of old: two pages that take turns, and a frame of their own, with everything kept in the browser.
FIRST = """<!DOCTYPE html><html lang="en"><head><meta charset="windows-1252"><title>\xe9</title><script>
localStorage.setItem("name", "Amina \xe9"); sessionStorage.page = 1; localStorage["a b"] = "c";
document.cookie = "seen=1; path=/";
</script></head><body><p id="mode"></p><p id="sign">\xe9</p><a id="next" href="second.html">Next</a><script>
document.getElementById("mode").textContent = document.compatMode;
</script></body></html>""".encode("latin-1")
SECOND = b"""<!doctype html><title>2</title><p id="told"></p><iframe src="third.html"></iframe><script>
document.getElementById("told").textContent =
  [localStorage.name, sessionStorage.getItem("page"), Object.keys(localStorage).sort().join(), document.cookie]
    .join(" | ");
</script>"""
THIRD = b"""<!doctype html><title>3</title><p id="inner"></p><script>
document.getElementById("inner").textContent = localStorage.getItem("name") + " | " + document.cookie;
</script>"""


def partitioning() -> tuple[str, str]:
    """Return Playwright's switch that turns features off, and the same without that of storage partitioning."""
    driver = Path(playwright.__file__).parent / "driver/package/lib/coreBundle.js"
    block = driver.read_text(encoding="utf-8").partition("disabledFeatures = [")[2].partition("]")[0]
    features = re.findall(r'^\s+"(\w+)"', block, re.MULTILINE)
    assert "ThirdPartyStoragePartitioning" in features
    kept = [name for name in features if name != "ThirdPartyStoragePartitioning"]
    return f"--disable-features={','.join(features)}", f"--disable-features={','.join(kept)}"


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeUnderTest, str]]:
    folder = tmp_path_factory.mktemp("laptop")
    with node(folder, name="Post 4") as laptop:
        laptop.people({"A-1": "officer"}, password=PASSWORD)
        (folder / "keeps.zip").write_bytes(demo_showing(FIRST, {"second.html": SECOND, "third.html": THIRD}))
        course = laptop.facts("import", str(folder / "keeps.zip"), "--publish")["course_id"]
        laptop.run("enrol", course, "--user", "A-1")
        laptop.start()
        yield laptop, course


@pytest.fixture(params=["refused", "apart"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def its_browser(kind: str, driver: Playwright, chromium: str) -> Iterator[Browser]:
    old, new = partitioning()
    browser = (
        driver.chromium.launch(executable_path=chromium, args=QUIET)
        if kind == "refused"
        else driver.chromium.launch(executable_path=chromium, args=[*QUIET, new], ignore_default_args=[old])
    )
    yield browser
    browser.close()


def test_a_package_keeps_what_it_keeps_on_all_its_pages(
    its_browser: Browser, kind: str, laptop: tuple[NodeUnderTest, str]
) -> None:
    there, course = laptop
    with at_browser(its_browser, there) as officer:
        errors: list[str] = []
        officer.page.on("pageerror", lambda error: errors.append(str(error)))
        officer.sign_in("A-1")
        officer.go(f"/courses/{course}")
        officer.page.get_by_test_id("continue").click()
        expect(officer.lesson.locator("#mode")).to_have_text("CSS1Compat")
        expect(officer.lesson.locator("#sign")).to_have_text("é")
        shim = next(frame for frame in officer.page.frames if "/rt/" in frame.url)
        assert can_keep(shim) == (kind == "apart")  # or this test would show nothing

        officer.lesson.locator("#next").click()

        expect(officer.lesson.locator("#told")).to_have_text("Amina é | 1 | a b,name | seen=1")
        inner = officer.lesson.frame_locator("iframe").locator("#inner")
        expect(inner).to_have_text("Amina é | seen=1")
        assert not errors
        leave_and_come_back(officer, course)


def can_keep(frame: Frame) -> object:
    return frame.evaluate("() => { try { return localStorage.length >= 0 } catch { return false } }")


def leave_and_come_back(officer: Visitor, course: str) -> None:
    """See that the unit starts as well a second time."""
    officer.go(f"/learn/{course}")
    expect(officer.lesson.locator("#sign")).to_have_text("é")
