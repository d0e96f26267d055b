/**
 * The page around the shim: whom it believes, when it lets a learner leave, what it says of saving.
 */

import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";

import { barAt } from "../page/bar.js";
import { bridgeTo } from "../page/bridge.js";
import { watchElsewhere } from "../page/elsewhere.js";
import { Leaving } from "../page/leaving.js";
import { saveState, wordsIn } from "../page/save_state.js";
import { Timers } from "./server.js";

const CONTENT = "http://k1.localhost:8001";

describe("the bridge", () => {
  function aBridge() {
    const posted = [];
    const heard = [];
    const shim = { postMessage: (data, origin) => posted.push([data, origin]) };
    const window = new EventTarget();
    const bridge = bridgeTo({ window, frame: { contentWindow: shim }, origin: CONTENT });
    bridge.onMessage((message) => heard.push(message.type));
    const arrives = (source, origin, data) =>
      window.dispatchEvent(Object.assign(new Event("message"), { source, origin, data }));
    return { bridge, shim, heard, posted, arrives };
  }

  test("hears the shim", () => {
    const { shim, heard, arrives } = aBridge();

    arrives(shim, CONTENT, { outpost: 1, type: "saved" });

    assert.deepEqual(heard, ["saved"]);
  });

  test("hears no other window, no other origin and nothing that is no message", () => {
    const { shim, heard, arrives } = aBridge();

    arrives({}, CONTENT, { outpost: 1, type: "saved" });
    arrives(null, CONTENT, { outpost: 1, type: "saved" });
    arrives(shim, "http://k2.localhost:8001", { outpost: 1, type: "saved" });
    arrives(shim, CONTENT, { outpost: 2, type: "saved" });
    arrives(shim, CONTENT, { outpost: 1, type: ["saved"] });
    arrives(shim, CONTENT, "saved");
    arrives(shim, CONTENT, null);

    assert.deepEqual(heard, []);
  });

  test("without a frame nobody is heard, not even a message from nowhere", () => {
    const window = new EventTarget();
    const heard = [];
    const bridge = bridgeTo({ window, frame: null, origin: CONTENT });
    bridge.onMessage((message) => heard.push(message));

    for (const source of [null, undefined]) {
      const data = { outpost: 1, type: "saved" };
      window.dispatchEvent(Object.assign(new Event("message"), { source, origin: CONTENT, data }));
    }
    bridge.askToLeave({ overrules: true });

    assert.deepEqual(heard, []);
  });

  test("asks only the content origin", () => {
    const { bridge, posted } = aBridge();

    bridge.askToLeave({ overrules: true });

    assert.deepEqual(posted, [[{ outpost: 1, type: "leave", overrules: true }, CONTENT]]);
  });
});

describe("leaving", () => {
  function aPlayer({ ready = true } = {}) {
    const seen = [];
    let tooLate = () => {};
    const leaving = new Leaving({
      askToLeave: () => seen.push("asked"),
      tellHeld: () => seen.push("told"),
      after: (run) => (tooLate = run),
    });
    if (ready) leaving.hear({ type: "ready" });
    return { leaving, seen, go: () => seen.push("gone"), threeSecondsPass: () => tooLate() };
  }

  test("asks the shim and goes once it answers", () => {
    const { leaving, seen, go } = aPlayer();

    leaving.by(go);
    leaving.by(go);
    leaving.hear({ type: "left", durable: true });

    assert.deepEqual(seen, ["asked", "gone"]);
  });

  test("tells the shim whether the learner asks for something, or only goes away", () => {
    const asked = [];
    const player = () => {
      const leaving = new Leaving({ askToLeave: (how) => asked.push(how), tellHeld: () => {}, after: () => {} });
      leaving.hear({ type: "ready" });
      return leaving;
    };

    player().by(() => {}, { overrules: true });
    player().by(() => {});

    assert.deepEqual(asked, [{ overrules: true }, { overrules: false }]);
  });

  test("goes at once when the token is over: nothing can be saved any more", () => {
    const { leaving, seen, go } = aPlayer();
    leaving.hear({ type: "saving" });
    leaving.hear({ type: "error", code: "ended" });

    leaving.by(go);

    assert.deepEqual(seen, ["gone"]);
  });

  test("goes at once when no shim has come up", () => {
    const { leaving, seen, go } = aPlayer({ ready: false });

    leaving.by(go);

    assert.deepEqual(seen, ["gone"]);
  });

  test("goes by itself when the shim, asked a while ago, says that all is saved after all", () => {
    const { leaving, seen, go } = aPlayer();

    leaving.by(go);
    leaving.hear({ type: "left", durable: false });
    leaving.hear({ type: "left", durable: true });

    assert.deepEqual(seen, ["asked", "told", "gone"]);
  });

  test("goes after three seconds of silence when everything was saved", () => {
    const { leaving, seen, go, threeSecondsPass } = aPlayer();
    leaving.hear({ type: "saving" });
    leaving.hear({ type: "saved" });

    leaving.by(go);
    threeSecondsPass();

    assert.deepEqual(seen, ["asked", "gone"]);
  });

  test("stays while something is unsaved, and goes by itself once it is saved", () => {
    const { leaving, seen, go } = aPlayer();
    leaving.hear({ type: "saving" });

    leaving.by(go);
    leaving.hear({ type: "left", durable: false });
    const held = [...seen];
    leaving.hear({ type: "saved" });

    assert.deepEqual(held, ["asked", "told"]);
    assert.deepEqual(seen, ["asked", "told", "gone"]);
  });

  test("stays after silence while something is unsaved, and goes when asked again", () => {
    const { leaving, seen, go, threeSecondsPass } = aPlayer();
    leaving.hear({ type: "unreachable" });

    leaving.by(go);
    threeSecondsPass();
    leaving.by(go);

    assert.deepEqual(seen, ["asked", "told", "gone"]);
  });

  test("keeps saying so while the shim tries", () => {
    const { leaving, seen, go } = aPlayer();
    leaving.by(go);
    leaving.hear({ type: "left", durable: false });

    leaving.hear({ type: "unreachable" });

    assert.deepEqual(seen, ["asked", "told", "told"]);
  });

  test("takes the way asked for last", () => {
    const { leaving, seen, go } = aPlayer();

    leaving.by(() => seen.push("elsewhere"));
    leaving.by(go);
    leaving.hear({ type: "left", durable: true });

    assert.deepEqual(seen, ["asked", "gone"]);
  });

  test("an answer that comes too late sends nobody away twice", () => {
    const { leaving, seen, go, threeSecondsPass } = aPlayer();

    leaving.by(go);
    leaving.hear({ type: "left", durable: true });
    threeSecondsPass();
    leaving.hear({ type: "left", durable: true });

    assert.deepEqual(seen, ["asked", "gone"]);
  });

  test("closing the page would lose something only while the server is out of reach", () => {
    const { leaving } = aPlayer();
    const at = (type) => {
      leaving.hear({ type });
      return leaving.wouldLose;
    };

    assert.deepEqual(["saving", "unreachable", "saving", "unreachable", "saved"].map(at), [
      false,
      true,
      false,
      true,
      false,
    ]);
  });
});

describe("the bar", () => {
  const element = (children) => ({
    children,
    get childNodes() {
      return this.children;
    },
    contains: () => false,
    replaceChildren(...fresh) {
      this.children = fresh;
    },
  });

  function aBar({ url = "/bar", ok = true, isNeeded = () => true } = {}) {
    const shown = { go: element(["Previous"]) };
    const asked = [];
    const due = [];
    const pageOf = (parts) => ({ activeElement: null, getElementById: (id) => parts[id] ?? null });
    const bar = barAt({
      url,
      document: pageOf(shown),
      parse: () => pageOf({ go: element(["Previous", "Next"]), outline: element(["One"]) }),
      isNeeded,
      after: (run) => due.push(run),
      ask: async (where) => (asked.push(where), { ok, text: async () => "<form id=go>" }),
    });
    return { bar, shown, asked, soon: () => Promise.all(due.splice(0).map((run) => run())) };
  }

  test("offers what may be asked for by now, however much was reported at once", async () => {
    const { bar, shown, asked, soon } = aBar();

    bar.changed();
    bar.changed();
    await soon();

    assert.deepEqual(asked, ["/bar"]);
    assert.deepEqual(shown.go.children, ["Previous", "Next"]);
  });

  test("stays as it is while the learner leaves, and where the server shows none", async () => {
    for (const given of [{ isNeeded: () => false }, { ok: false }]) {
      const { bar, shown, soon } = aBar(given);

      bar.changed();
      await soon();

      assert.deepEqual(shown.go.children, ["Previous"]);
    }
  });
});

describe("the state of saving", () => {
  const texts = { textSaved: "Saved", textSaving: "Saving", textUnreachable: "Kept", textEnded: "Over" };

  function anElement() {
    return { dataset: { state: "saved" }, textContent: "Saved" };
  }

  test("a short save does not flicker", () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    const element = anElement();
    const { hear } = saveState({ element, say: wordsIn(texts) });

    hear({ type: "saving" });
    mock.timers.tick(399);
    hear({ type: "saved" });
    mock.timers.tick(1000);

    assert.equal(element.textContent, "Saved");
    mock.timers.reset();
  });

  test("a long one is said", () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    const element = anElement();
    const { hear } = saveState({ element, say: wordsIn(texts) });

    hear({ type: "saving" });
    mock.timers.tick(400);

    assert.deepEqual([element.dataset.state, element.textContent], ["saving", "Saving"]);
    mock.timers.reset();
  });

  test("errors have their own words, and only the known ones", () => {
    const element = anElement();
    const { hear } = saveState({ element, say: wordsIn(texts) });

    hear({ type: "error", code: "constructor" });
    const before = element.textContent;
    hear({ type: "error", code: "ended" });

    assert.equal(before, "Saved");
    assert.deepEqual([element.dataset.state, element.textContent], ["ended", "Over"]);
  });
});

describe("a course that goes on on another device", () => {
  test("is asked for every twenty seconds while the page is seen, at once when it comes back, and told once", async () => {
    const timers = new Timers();
    const asked = [];
    let reply = { status: 200, answer: { by: null } };
    let seen = true;
    let comesBack = async () => {};
    const told = [];
    watchElsewhere({
      url: "/unit-sessions/7",
      ask: async (url) => (asked.push(url), reply),
      isSeen: () => seen,
      whenSeen: (run) => (comesBack = run),
      after: timers.start,
      goesOn: () => told.push(timers.nowMs),
    });

    await timers.pass(60_000);
    assert.equal(asked.length, 3);
    seen = false;
    await timers.pass(60_000);
    assert.equal(asked.length, 3);
    seen = true;
    reply = { status: 0, answer: {} };
    await comesBack();
    assert.deepEqual(told, []);
    reply = { status: 200, answer: { by: "8" } };
    await comesBack();
    await timers.pass(60_000);

    assert.equal(asked.length, 5);
    assert.deepEqual(told, [120_000]);
  });
});
