/**
 * Pages outside the player: counters that keep up, a button that copies.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { wireCopying } from "../site/copying.js";
import { keepUp } from "../site/counters.js";
import { follow } from "../site/following.js";

describe("a section that follows work under way", () => {
  function somePage(answers, { seen = true } = {}) {
    const lost = { hidden: true };
    const section = { innerHTML: "10 %", parentElement: { querySelector: () => lost } };
    const waiting = [];
    const page = { section, lost, asked: 0, reloads: 0, passes: async () => waiting.shift()?.(), waiting };
    follow({
      section,
      isSeen: () => seen,
      after: (run) => waiting.push(run),
      reload: () => (page.reloads += 1),
      ask: async () => {
        page.asked += 1;
        const answer = answers.shift();
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
    return page;
  }

  test("shows how far it is, and loads its page anew once it has ended", async () => {
    const page = somePage(["20 %", null]);

    await page.passes();
    const shown = page.section.innerHTML;
    await page.passes();

    assert.equal(shown, "20 %");
    assert.equal(page.reloads, 1);
    assert.equal(page.waiting.length, 0);
  });

  test("stays, says so, and asks on while the server is out of reach", async () => {
    const page = somePage([new Error("offline"), "30 %"]);

    await page.passes();
    const lost = [page.section.innerHTML, page.lost.hidden];
    await page.passes();

    assert.deepEqual(lost, ["10 %", false]);
    assert.deepEqual([page.section.innerHTML, page.lost.hidden], ["30 %", true]);
    assert.equal(page.reloads, 0);
  });

  test("asks nothing while nobody looks", async () => {
    const page = somePage([], { seen: false });

    await page.passes();

    assert.equal(page.asked, 0);
    assert.equal(page.waiting.length, 1);
  });
});

describe("counters", () => {
  function somePage({ answers, seen = true }) {
    const counter = { dataset: { counter: "statements" }, textContent: "1" };
    const element = { dataset: { counters: "/records/counters" }, querySelectorAll: () => [counter] };
    const asked = [];
    const waiting = [];
    keepUp({
      element,
      isSeen: () => seen,
      after: (run) => waiting.push(run),
      ask: async (path) => {
        asked.push(path);
        const answer = answers.shift();
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
    return { counter, asked, waiting, fiveSecondsPass: async () => waiting.shift()?.() };
  }

  test("show what the server tells", async () => {
    const page = somePage({ answers: [{ statements: "2" }] });

    await page.fiveSecondsPass();

    assert.equal(page.counter.textContent, "2");
    assert.deepEqual(page.asked, ["/records/counters"]);
    assert.equal(page.waiting.length, 1);
  });

  test("stay as they are while the server is out of reach, and are asked for again", async () => {
    const page = somePage({ answers: [new Error("offline"), { statements: "3" }] });

    await page.fiveSecondsPass();
    const before = page.counter.textContent;
    await page.fiveSecondsPass();

    assert.deepEqual([before, page.counter.textContent], ["1", "3"]);
  });

  test("are asked for no more once the server says no", async () => {
    const page = somePage({ answers: [null] });

    await page.fiveSecondsPass();

    assert.equal(page.counter.textContent, "1");
    assert.equal(page.waiting.length, 0);
  });

  test("ask nothing while nobody looks", async () => {
    const page = somePage({ answers: [], seen: false });

    await page.fiveSecondsPass();

    assert.deepEqual(page.asked, []);
    assert.equal(page.waiting.length, 1);
  });
});

describe("copying", () => {
  function aButton() {
    const button = new EventTarget();
    return Object.assign(button, { hidden: true, dataset: { copy: "secret", copied: "Copied" }, textContent: "Copy" });
  }

  test("copies the text and says so", async () => {
    const button = aButton();
    const copied = [];
    const find = (id) => (id === "secret" ? { textContent: " s3cret\n" } : null);
    wireCopying({ button, copy: async (text) => void copied.push(text), find });

    button.dispatchEvent(new Event("click"));
    await new Promise(setImmediate);

    assert.deepEqual([button.hidden, copied, button.textContent], [false, ["s3cret"], "Copied"]);
  });

  test("is not offered where the browser does not let a page copy", () => {
    const button = aButton();

    wireCopying({ button, copy: undefined, find: () => null });

    assert.equal(button.hidden, true);
  });
});
