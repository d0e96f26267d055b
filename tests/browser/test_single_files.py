"""A PDF, a film, a recording and a book are taken to the end in a browser, stopped half-way and gone on with."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, expect

from tests.browser.conftest import Sitting
from tests.browser.visitor import Visitor
from tests.media_builders import a_pdf, a_zip_of, an_epub, an_mp3
from tests.servers import NodeUnderTest

pytestmark = pytest.mark.browser

FILM_S = 6
RECORD = """async ([seconds, ...kinds]) => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 320, height: 180});
  const pen = canvas.getContext("2d");
  const began = performance.now();
  const draw = () => {
    const hue = (performance.now() - began) / 20;
    pen.fillStyle = `hsl(${hue}, 60%, 50%)`;
    pen.fillRect(0, 0, 320, 180);
    pen.fillStyle = "white";
    pen.font = "48px sans-serif";
    pen.fillText(((performance.now() - began) / 1000).toFixed(1), 110, 105);
  };
  const timer = setInterval(draw, 40);
  const mimeType = kinds.find((kind) => MediaRecorder.isTypeSupported(kind));
  const recorder = new MediaRecorder(canvas.captureStream(25), {mimeType});
  const pieces = [];
  recorder.ondataavailable = (event) => pieces.push(event.data);
  const ended = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  recorder.stop();
  await ended;
  clearInterval(timer);
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}"""
SRT = "1\r\n00:00:00,000 --> 00:00:05,000\r\nNa\xefve at the border\r\n".encode("windows-1252")
ARABIC = "WEBVTT\n\n00:00.000 --> 00:05.000\nعند الحدود\n"


@pytest.fixture
def film(browser: Browser, kinds: Sequence[str]) -> bytes:
    """Seconds that count up, recorded by the browser itself: such a file does not say how long it is."""
    page = browser.new_page()
    recorded = base64.b64decode(page.evaluate(RECORD, [FILM_S, *kinds]))
    page.close()
    return recorded


def a_file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def officer_in(sit_down: Sitting, laptop: NodeUnderTest, course: str) -> Visitor:
    officer = sit_down(laptop)
    officer.sign_in("A-1")
    officer.go(f"/learn/{course}")
    return officer


def medium_of(officer: Visitor) -> Locator:
    """The film or recording, as soon as it can be played."""
    medium = part(officer, "medium")
    expect(medium).to_have_js_property("readyState", 4)
    return medium


def part(officer: Visitor, name: str) -> Locator:
    return officer.lesson.locator(f"[data-part={name}]")


def comes_back(officer: Visitor, course: str) -> None:
    officer.go("/")
    officer.go(f"/learn/{course}")


def expect_completed(sit_down: Sitting, laptop: NodeUnderTest, officer: Visitor, course: str) -> None:
    """See it in the lesson, on the officer's page and on the instructor's."""
    expect(officer.lesson.get_by_test_id("completed")).to_be_visible()
    officer.expect_saved()
    officer.press("nav-suspend")
    expect(officer.page.get_by_test_id("session-ended")).to_be_visible()
    expect(officer.page.locator("main")).to_contain_text("Completed")
    instructor = sit_down(laptop)
    instructor.sign_in("I-1")
    instructor.go(f"/courses/{course}/people")
    expect(instructor.roster_row("A-1")).to_contain_text("Completed")


def expect_page(officer: Visitor, number: int) -> None:
    expect(officer.lesson.locator(".textLayer")).to_contain_text(f"Page {number} of the handbook")


def test_a_pdf_is_read_to_the_end(sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path) -> None:
    course = laptop.give(a_file(tmp_path, "handbook.pdf", a_pdf(4)), "A-1")
    officer = officer_in(sit_down, laptop, course)
    expect_page(officer, 1)

    officer.page.keyboard.press("ArrowRight")  # the document has the focus by itself
    expect_page(officer, 2)
    officer.expect_saved()
    officer.close_tab()
    comes_back(officer, course)
    expect_page(officer, 2)
    expect(part(officer, "share")).to_have_text("Read: 50%")

    part(officer, "number").fill("4")
    part(officer, "number").press("Enter")
    expect_page(officer, 4)
    expect(officer.lesson.get_by_test_id("completed")).to_be_hidden()  # the third page was skipped
    part(officer, "unseen").click()
    expect_page(officer, 3)

    expect_completed(sit_down, laptop, officer, course)


@pytest.mark.parametrize(
    ("kinds", "ending"),
    [
        (("video/webm;codecs=vp8",), "webm"),
        (("video/mp4;codecs=avc1.42E01E", "video/mp4;codecs=vp9"), "mp4"),
    ],
    ids=["webm", "mp4"],
)
def test_a_captioned_film_is_complete_when_it_was_played(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path, film: bytes, ending: str
) -> None:
    bundle = a_zip_of({f"film.{ending}": film, "film.fr.srt": SRT, "film.ar.vtt": ARABIC})
    course = laptop.give(a_file(tmp_path, "film.zip", bundle), "A-1")
    officer = officer_in(sit_down, laptop, course)
    medium = medium_of(officer)
    shown = "film => [...film.textTracks].map((track) => [track.label, track.cues?.[0].text ?? null])"
    expect(officer.lesson.locator("track")).to_have_count(2)
    medium.evaluate("film => { for (const track of film.textTracks) track.mode = 'hidden'; }")
    for place in range(2):
        expect(officer.lesson.locator("track").nth(place)).to_have_js_property("readyState", 2)
    assert medium.evaluate(shown) == [["العربية", "عند الحدود"], ["Français", "Na\xefve at the border"]]

    medium.evaluate("film => film.play()")
    officer.page.wait_for_timeout(2500)
    medium.evaluate("film => film.pause()")
    officer.expect_saved()
    officer.close_tab()
    comes_back(officer, course)
    medium = medium_of(officer)
    assert 1.5 < medium.evaluate("film => film.currentTime") < 4
    assert 1.5 < medium.evaluate("film => film.duration") < FILM_S + 2

    jump = "film => { film.currentTime = film.duration - 0.3; return film.play(); }"
    medium.evaluate(jump)  # to the end, over what was not played
    expect(medium).to_have_js_property("ended", value=True)
    expect(officer.lesson.get_by_test_id("completed")).to_be_hidden()
    part(officer, "unseen").click()

    expect_completed(sit_down, laptop, officer, course)


def test_a_recording_is_complete_when_it_was_played(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    course = laptop.give(a_file(tmp_path, "talk.mp3", an_mp3(6, title="A talk")), "A-1")
    officer = officer_in(sit_down, laptop, course)
    expect(officer.lesson.get_by_role("heading")).to_have_text("A talk")
    medium = medium_of(officer)
    medium.evaluate("medium => medium.play()")
    officer.page.wait_for_timeout(2500)
    officer.close_tab()  # while it plays

    comes_back(officer, course)
    medium = medium_of(officer)
    assert medium.evaluate("medium => medium.currentTime") > 1
    medium.evaluate("medium => medium.play()")

    expect_completed(sit_down, laptop, officer, course)


def book_of(officer: Visitor) -> FrameLocator:
    return officer.lesson.frame_locator("[data-part=book]")


def expect_chapter(officer: Visitor, heading: str) -> None:
    expect(book_of(officer).get_by_role("heading")).to_have_text(heading)


def test_a_book_is_read_to_the_end_and_runs_no_scripts(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path
) -> None:
    long = "".join(f"<p>Line {n}. {'A calm sentence. ' * 12}</p>" for n in range(60))
    hostile = (
        "<h1>Two</h1><script>document.title = 'hacked'; top.location = 'about:blank'</script>"
        "<img src='x' onerror='parent.document.title = 1'/><p><a href='part%203.xhtml#end'>On</a> "
        "<a href='javascript:parent.document.body.remove()'>Bad</a></p>"
    )
    data = an_epub(["<h1>One</h1>" + long, hostile, f"<h1>Three</h1>{long}<p id='end'>The end</p>"])
    course = laptop.give(a_file(tmp_path, "book.epub", data), "A-1")
    officer = officer_in(sit_down, laptop, course)
    expect_chapter(officer, "One")
    expect(part(officer, "share")).to_have_text("Read: 0%")

    officer.page.keyboard.press("End")  # the part has the focus by itself
    expect(part(officer, "share")).not_to_have_text("Read: 0%")
    part(officer, "next").click()
    expect_chapter(officer, "Two")
    officer.expect_saved()
    officer.close_tab()
    comes_back(officer, course)
    expect_chapter(officer, "Two")
    book_of(officer).get_by_role("link", name="Bad").click()
    expect(part(officer, "next")).to_be_visible()

    part(officer, "contents-toggle").click()
    officer.lesson.get_by_role("button", name="Chapter 3").click()
    expect_chapter(officer, "Three")
    expect(officer.lesson.get_by_test_id("completed")).to_be_hidden()
    part(officer, "previous").click()
    book_of(officer).get_by_role("link", name="On").click()

    expect_completed(sit_down, laptop, officer, course)


def depth_of(officer: Visitor) -> float:
    """How far the part that is shown was scrolled, in pixels."""
    depth: float = book_of(officer).locator("html").evaluate("page => page.scrollTop")
    return depth


@pytest.mark.parametrize("way", ["next", "previous", "contents", "number", "link"])
def test_keys_go_to_the_part_that_was_turned_to(
    sit_down: Sitting, laptop: NodeUnderTest, tmp_path: Path, way: str
) -> None:
    long = "".join(f"<p>Line {n}. {'A calm sentence. ' * 12}</p>" for n in range(60))
    body = (
        f"<p><a href='part%202.xhtml#half'>Half</a></p>{long}<p id='half'>Half <a href='#a'>A</a></p>{long}"
    )
    data = an_epub([f"<h1>{name}</h1>{body}" for name in ("One", "Two", "Three")])
    course = laptop.give(a_file(tmp_path, "book.epub", data), "A-1")
    officer = officer_in(sit_down, laptop, course)
    expect_chapter(officer, "One")
    keyboard = officer.page.keyboard

    match way:
        case "next":
            part(officer, "next").click()
        case "previous":
            part(officer, "next").click()
            expect_chapter(officer, "Two")
            part(officer, "next").click()
            expect_chapter(officer, "Three")
            part(officer, "previous").click()
        case "contents":
            part(officer, "contents-toggle").click()
            officer.lesson.get_by_role("button", name="Chapter 2").click()
        case "number":
            part(officer, "number").fill("2")
            keyboard.press("Enter")
        case "link":
            book_of(officer).get_by_role("link", name="Half").click()
    expect_chapter(officer, "Two")
    began = depth_of(officer)
    keyboard.press("Tab")

    first = "A" if way == "link" else "Half"
    expect(book_of(officer).get_by_role("link", name=first, exact=True)).to_be_focused()
    keyboard.press("PageDown")
    expect(book_of(officer).locator("html")).not_to_have_js_property("scrollTop", began)
