/**
 * The frame around the unit: what the unit hears when it is taken away.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { showUnit } from "../shim/frame.js";

test("a unit that is taken away hears beforeunload, in every frame that listens, before it is gone", () => {
  const heard = [];
  const aWindow = (name, ...inner) => {
    const window = Object.assign(new EventTarget(), inner, { length: inner.length });
    window.addEventListener("beforeunload", () => heard.push(name));
    return window;
  };
  const stranger = { get length() { throw new DOMException("another origin", "SecurityError"); } };
  const frame = Object.assign(new EventTarget(), {
    style: {},
    contentWindow: aWindow("unit", stranger, aWindow("frame in the unit")),
    remove: () => heard.push("gone"),
  });
  const document = { createElement: () => frame, body: { append: () => {} } };

  showUnit(document, { content: "../../c/x/", title: "Unit", lang: "en", whenShown: () => {} }).takeAway();

  assert.deepEqual(heard, ["frame in the unit", "unit", "gone"]);
});
