/**
 * Whom the shim obeys.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { messagesWith } from "../shim/messages.js";

const PAGE = "http://localhost:8000";

function aShim() {
  const told = [];
  const left = [];
  const parent = { postMessage: (data, origin) => told.push([data, origin]) };
  const window = Object.assign(new EventTarget(), { parent });
  const page = messagesWith(window, PAGE);
  page.onLeave((how) => left.push(how));
  const arrives = (source, origin, data) =>
    window.dispatchEvent(Object.assign(new Event("message"), { source, origin, data }));
  return { page, parent, told, left, arrives };
}

test("only the page may ask to leave", () => {
  const { parent, left, arrives } = aShim();

  arrives({}, PAGE, { outpost: 1, type: "leave" }); // the unit, say
  arrives(parent, "http://evil.example", { outpost: 1, type: "leave" });
  arrives(parent, PAGE, { type: "leave" });
  const before = left.length;
  arrives(parent, PAGE, { outpost: 1, type: "leave" });

  assert.equal(before, 0);
  assert.deepEqual(left, [{ overrules: false }]);
});

test("the page says whether the learner has asked for something", () => {
  const { parent, left, arrives } = aShim();

  arrives(parent, PAGE, { outpost: 1, type: "leave", overrules: true });

  assert.deepEqual(left, [{ overrules: true }]);
});

test("only the page is told", () => {
  const { page, told } = aShim();

  page.tell("unreachable", { unsaved: 2 });

  assert.deepEqual(told, [[{ outpost: 1, type: "unreachable", unsaved: 2 }, PAGE]]);
});
