/**
 * Pages that show single files: what was seen, where one is, what the run-time is told.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { depthOf, placeOf, targetOf } from "../viewer/book.js";
import { webVtt } from "../viewer/captions.js";
import { beginningOf, captionsFor, firstUnplayed, shareOf } from "../viewer/playing.js";
import { Ranges } from "../viewer/ranges.js";
import { Reading } from "../viewer/reading.js";
import { Sitting, durationOf, measureOf, runTimeAbove } from "../viewer/sitting.js";
import { stepOf } from "../viewer/turning.js";
import { aSession } from "./session.js";
import { settled } from "./server.js";

describe("ranges", () => {
  test("spans that touch or overlap are one", () => {
    const seen = new Ranges([[10, 20], [0, 5], [20, 25], [4, 6], [7, 7]]);

    assert.equal(String(seen), "0-6,10-25");
    assert.deepEqual([seen.has(5.9), seen.has(6), seen.has(10)], [true, false, true]);
    assert.equal(seen.covered(12), 8);
  });

  test("what was written is read again, and what cannot be read was never there", () => {
    assert.equal(String(Ranges.parse("0-12.5,40-41")), "0-12.5,40-41");
    assert.equal(String(Ranges.parse("")), "");
    assert.equal(String(Ranges.parse("{\"page\":3},7-x,2-3")), "2-3");
  });

  test("the first gap is where something is missing, short ones apart", () => {
    const seen = new Ranges([[0.4, 5], [5.5, 9], [20, 30]]);

    assert.deepEqual([seen.firstGap(30, 1), seen.firstGap(30), seen.firstGap(9.5, 1)], [9, 0, null]);
  });

  test("stay short enough to be kept however often somebody jumps about", () => {
    const seen = new Ranges();
    for (let n = 0; n < 5000; n += 1) seen.add(10 * n, 10 * n + 1);

    assert.ok(String(seen).length < 64_000);
  });
});

/** @param {[number, number][]} spans @param {object} more */
function aMedium(spans, more = {}) {
  const played = { length: spans.length, start: (n) => spans[n][0], end: (n) => spans[n][1] };
  return { played, duration: 100, currentTime: 0, ended: false, ...more };
}

describe("playing", () => {
  test("what earlier sittings played counts, and nothing twice", () => {
    const seen = Ranges.parse("0-30");

    assert.equal(shareOf(aMedium([[20, 50], [90, 95]]), seen), 0.55);
    assert.equal(shareOf(aMedium([[20, 50]]), seen), 0.55);
  });

  test("a jump to the end is not playing", () => {
    assert.equal(shareOf(aMedium([[99, 100]], { ended: true }), new Ranges()), 0.01);
  });

  test("nothing is known of a recording whose length is not known", () => {
    const medium = aMedium([[0, 5]], { duration: Infinity });

    assert.deepEqual([shareOf(medium, new Ranges()), firstUnplayed(medium, new Ranges())], [0, null]);
  });

  test("it begins where one stopped, and at the beginning where that was the end", () => {
    assert.deepEqual(["", "41.5", "99.6", "500", "x"].map((at) => beginningOf(at, 100)), [0, 41.5, 0, 0, 0]);
  });

  test("captions are those of the learner's language, or the first", () => {
    const captions = [{ language: "en" }, { language: "ar-EG" }];

    assert.deepEqual(["ar", "en-GB", "fr"].map((language) => captionsFor(captions, language)), [1, 0, 0]);
    assert.equal(captionsFor([], "ar"), 0);
  });
});

describe("captions", () => {
  const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text).buffer;

  test("SubRip becomes WebVTT", () => {
    const srt = "\uFEFF1\r\n0:0:1,5 --> 00:00:02,000 X1:40\r\n<font color=red>A &amp; <b>B</b></font>\r\n1 < 2\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\n\r\n";

    assert.equal(
      webVtt(bytes(srt), "en"),
      "WEBVTT\n\n00:00:01.500 --> 00:00:02.000\nA &amp; <b>B</b>\n1 &lt; 2\n",
    );
  });

  test("WebVTT stays as it is", () => {
    assert.equal(webVtt(bytes("WEBVTT\n\n00:01.000 --> 00:02.000\nX"), "en"), "WEBVTT\n\n00:01.000 --> 00:02.000\nX");
  });

  test("what is not UTF-8 is what Windows writes in that language", () => {
    const arabic = new Uint8Array([...new TextEncoder().encode("1\n00:00:01,000 --> 00:00:02,000\n"), 0xe3, 0xd1, 0xcd, 0xc8, 0xc7]);

    assert.match(webVtt(arabic.buffer, "ar"), /\u0645\u0631\u062d\u0628\u0627/);
  });
});

describe("reading", () => {
  const aReading = ({ weights = [1, 1, 2], seen = "", at = 0 } = {}) =>
    new Reading({ weights, seen: Ranges.parse(seen), at });

  test("a page counts when it was seen, by its weight, and once", () => {
    const reading = aReading();
    reading.see();
    reading.see();
    assert.equal(reading.share, 0.25);

    reading.turnTo(2);
    assert.equal(reading.share, 0.25);
    reading.see();

    assert.equal(reading.share, 0.75);
    assert.equal(reading.nextUnseen, 1);
  });

  test("where nothing is unseen nothing is offered", () => {
    assert.equal(aReading({ seen: "0-3" }).nextUnseen, null);
    assert.equal(aReading({ seen: "0-3" }).share, 1);
  });

  test("a place that is not there is the nearest that is", () => {
    assert.deepEqual([-1, 7, NaN, 1.9].map((at) => aReading({ at }).at), [0, 2, 0, 1]);
  });

  test("keys turn pages the way the script runs, and leave a field alone", () => {
    const pressed = (key, more = {}) => ({ key, ctrlKey: false, altKey: false, metaKey: false, shiftKey: false, target: null, ...more });

    assert.deepEqual([stepOf(pressed("ArrowLeft"), "ltr"), stepOf(pressed("ArrowLeft"), "rtl")], [-1, 1]);
    assert.equal(stepOf(pressed("ArrowRight", { altKey: true }), "ltr"), 0);
    assert.equal(stepOf(pressed("ArrowRight", { target: { localName: "input" } }), "ltr"), 0);
  });
});

describe("a book", () => {
  test("a part that needs no scrolling is at its end", () => {
    assert.equal(depthOf({ scrollTop: 0, scrollHeight: 500, clientHeight: 500 }), 1);
    assert.equal(depthOf({ scrollTop: 0, scrollHeight: 900, clientHeight: 500 }), 0);
    assert.equal(depthOf({ scrollTop: 397, scrollHeight: 900, clientHeight: 500 }), 1);
  });

  test("places are read back, whatever they were", () => {
    assert.deepEqual(["3:0.25", "", "x:y"].map(placeOf), [[3, 0.25], [0, 0], [0, 0]]);
  });

  test("links lead to parts however they are escaped, and nowhere else", () => {
    const parts = ["http://k.localhost/c/t/a%28b%29.xhtml", "http://k.localhost/c/t/c.xhtml"];

    assert.deepEqual(targetOf("http://k.localhost/c/t/a(b).xhtml#x%20y", parts), { part: 0, fragment: "x y" });
    assert.equal(targetOf("https://elsewhere.example/c.xhtml", parts), null);
  });
});

describe("a sitting", () => {
  test("is told to the run-time, which says when it is enough", async () => {
    const session = aSession("scorm2004", { values: { "cmi.completion_threshold": "0.9" } });
    let now = 0;
    const sitting = new Sitting(session.api, () => now);

    sitting.seen.add(0, 89.99);
    sitting.keep({ location: "90", share: 0.8999 });
    const before = sitting.isCompleted;
    sitting.seen.add(89, 90);
    sitting.keep({ location: "90", share: 0.9 });
    const after = sitting.isCompleted;
    const savedBefore = { ...session.server.values };
    now = 3_725_000;
    sitting.end();
    await settled();

    assert.deepEqual([before, after], [false, true]);
    assert.equal(savedBefore["cmi.progress_measure"], "0.9"); // before anybody reads "Completed"
    assert.deepEqual(session.server.values, {
      "cmi.exit": "suspend",
      "cmi.location": "90",
      "cmi.suspend_data": "0-90",
      "cmi.progress_measure": "0.9",
      "cmi.session_time": "PT1H2M5S",
    });
    assert.equal(session.server.phase, "terminated");
  });

  test("goes on where the last one stopped", () => {
    const values = { "cmi.location": "3", "cmi.suspend_data": "0-3", "cmi.progress_measure": "0.75", "cmi.completion_threshold": "0.7" };

    const sitting = new Sitting(aSession("scorm2004", { values }).api, () => 0);

    assert.deepEqual([sitting.location, String(sitting.seen), sitting.isCompleted], ["3", "0-3", true]);
  });

  test("nothing is complete before it is", () => {
    assert.deepEqual([0.99999, 1, 2 / 3, -1].map(measureOf), [0.9999, 1, 0.6666, 0]);
    assert.equal(durationOf(59_600), "PT0H1M0S");
  });

  test("the run-time is found above, however many frames lie between", () => {
    const top = { API_1484_11: { Initialize: () => "true" } };
    Object.assign(top, { parent: top });

    assert.equal(runTimeAbove(/** @type {any} */ ({ parent: { parent: top } })), top.API_1484_11);
    const alone = {};
    Object.assign(alone, { parent: alone });
    assert.throws(() => runTimeAbove(/** @type {any} */ (alone)), /no run-time/);
  });
});
