/**
 * What of a session is learning, and what is a pause.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Activity, heedLearner } from "../shim/activity.js";
import { aSession } from "./session.js";

/** A clock, and the learner of a session that has begun; a pause begins after a minute. */
function aLearner() {
  const clock = { s: 0 };
  const activity = new Activity({ idleAfterMs: 60_000, nowMs: () => clock.s * 1000 });
  activity.begin();
  return { activity, pass: (/** @type {number} */ s) => (clock.s += s) };
}

describe("learning time", () => {
  test("runs on while signs come often enough", () => {
    const { activity, pass } = aLearner();
    for (let n = 0; n < 10; n += 1) {
      pass(50);
      activity.stir();
    }

    assert.equal(activity.learningS(), 500);
  });

  test("stops a while after the last sign, and goes on with the next", () => {
    const { activity, pass } = aLearner();
    pass(10);
    activity.stir();
    pass(600);
    assert.equal(activity.learningS(), 70);

    activity.stir();
    pass(5);

    assert.equal(activity.learningS(), 75);
  });

  test("does not run while the page is out of sight, whatever moves in it", () => {
    const { activity, pass } = aLearner();
    pass(10);
    activity.sight(true);
    pass(30);
    activity.stir();
    pass(30);
    activity.sight(false);
    pass(10);

    assert.equal(activity.learningS(), 20);
  });

  test("begins with the session, not with its page", () => {
    const { activity, pass } = aLearner();
    pass(40);
    activity.begin();
    pass(2);

    assert.equal(activity.learningS(), 2);
  });

  test("is nothing where the session begins out of sight", () => {
    const clock = { s: 0 };
    const activity = new Activity({ idleAfterMs: 60_000, nowMs: () => clock.s * 1000 });
    activity.sight(true);
    activity.begin();
    clock.s = 30;

    assert.equal(activity.learningS(), 0);
  });

  test("goes with each commit, beside the time with pauses", async () => {
    const { api, server, timers } = aSession("scorm2004");
    api.Initialize("");
    await timers.pass(900_000);

    api.SetValue("cmi.location", "p1");
    api.Commit("");

    const last = server.received.at(-1);
    assert.deepEqual([last.session_time_s, last.learning_time_s], [900, 300]);
  });
});

describe("signs", () => {
  /** A window with frames in it. */
  function aWindow(...frames) {
    const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
    return Object.assign(new EventTarget(), { document, ...frames, length: frames.length });
  }

  function heeded(window) {
    const signs = [];
    const looks = [];
    const real = globalThis.setInterval;
    globalThis.setInterval = /** @type {any} */ ((look) => looks.push(look));
    heedLearner({ stir: () => signs.push("sign"), sight: (hidden) => signs.push(hidden) }, window);
    globalThis.setInterval = real;
    return { signs, look: () => looks.forEach((run) => run()) };
  }

  test("are seen in all frames, each once, and in pages that come later", () => {
    const inner = aWindow();
    const outer = aWindow(inner);
    const { signs, look } = heeded(outer);
    look();
    inner.document.dispatchEvent(new Event("keydown"));
    outer.document.dispatchEvent(new Event("wheel"));
    assert.deepEqual(signs, [false, "sign", "sign"]);

    inner.document = aWindow().document;
    look();
    inner.document.dispatchEvent(new Event("scroll"));

    assert.equal(signs.length, 4);
  });

  test("are what plays, but not a background that moves by itself", () => {
    const top = aWindow();
    const { signs } = heeded(top);
    const played = (medium) => {
      const event = new Event("timeupdate");
      Object.defineProperty(event, "target", { value: medium });
      top.document.dispatchEvent(event);
    };

    played({ paused: false, loop: false, muted: false });
    played({ paused: false, loop: true, muted: true });
    played({ paused: true, loop: false, muted: false });

    assert.deepEqual(signs, [false, "sign"]);
  });

  test("of a frame of another origin are not looked for", () => {
    const stranger = { get document() { throw new DOMException("blocked", "SecurityError"); } };
    const { signs } = heeded(aWindow(stranger, aWindow()));

    assert.deepEqual(signs, [false]);
  });
});
