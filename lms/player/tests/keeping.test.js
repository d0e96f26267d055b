/**
 * What the page keeps of unsaved work, what it takes for that, and how it is sent later.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Keeping, isRequest } from "../page/keeping.js";
import { sendKept, worthSaying } from "../page/late.js";
import { lessonOf } from "../page/lesson.js";
import { answerFor, shareCourse, tell } from "../page/tabs.js";
import { settled } from "./server.js";

const LAUNCH = "01234567-89ab-4cde-8f01-23456789abcd";
const aBody = (sequence, values = {}) =>
  JSON.stringify({ sequence, values, reason: "autosave", phase: "running", session_time_s: 1, learning_time_s: 1 });

/** A store in memory, which can refuse. */
function aStore() {
  const records = new Map();
  const store = {
    records,
    full: false,
    writes: 0,
    async put(record) {
      if (store.full) throw new Error("full");
      store.writes += 1;
      records.set(record.key, record);
    },
    remove: async (key) => void records.delete(key),
    of: async (owner) => [...records.values()].filter((one) => one.owner === owner),
  };
  return store;
}

describe("keeping", () => {
  function aPage(body = null) {
    const store = aStore();
    const due = [];
    const seen = [];
    const keeping = new Keeping({
      store, launch: LAUNCH, owner: "mine", now: () => 7, after: (run) => due.push(run),
      changed: () => seen.push(keeping.isKept), orphaned: () => seen.push("orphan"),
    });
    keeping.hear({ type: "ready", run: "a" });
    if (body !== null) keeping.hear({ type: "unsaved", body });
    const soon = async () => {
      due.splice(0).forEach((run) => run());
      await settled();
    };
    return { store, keeping, seen, soon };
  }

  test("a server that answers at once costs no write", async () => {
    const { store, keeping, soon } = aPage();

    keeping.hear({ type: "unsaved", body: aBody(1) });
    keeping.hear({ type: "durable" });
    await soon();

    assert.equal(store.writes, 0);
  });

  test("what is not durable soon is written, the last of it, and taken away when it is", async () => {
    const { store, keeping, soon } = aPage();

    for (let sequence = 1; sequence <= 1000; sequence += 1) keeping.hear({ type: "unsaved", body: aBody(sequence) });
    await soon();
    const [kept] = store.records.values();
    keeping.hear({ type: "durable" });
    await settled();

    assert.deepEqual([kept.launch, kept.owner, kept.body, store.writes], [LAUNCH, "mine", aBody(1000), 1]);
    assert.equal(store.records.size, 0);
  });

  test("it does not say that it keeps what it cannot write", async () => {
    const { store, keeping, seen, soon } = aPage();
    store.full = true;

    keeping.hear({ type: "unsaved", body: aBody(1) });
    await soon();
    store.full = false;
    keeping.hear({ type: "unsaved", body: aBody(2) });
    await soon();

    assert.deepEqual(seen, [false, true]);
  });

  test("nor what it does not understand", async () => {
    const { store, seen, soon } = aPage("{}");
    await soon();

    assert.deepEqual([seen, store.writes], [[false], 0]);
  });

  test("what one shim left is kept apart from what the next one says", async () => {
    const { store, keeping, seen, soon } = aPage();
    keeping.hear({ type: "unsaved", body: aBody(8) });
    await soon();

    keeping.hear({ type: "ready", run: "a" }); // it was asked again
    await soon();
    assert.equal(seen.includes("orphan"), false);
    keeping.hear({ type: "ready", run: "b" });
    await settled();
    keeping.hear({ type: "unsaved", body: aBody(8, { "cmi.location": "other" }) });
    await soon();

    assert.deepEqual([...store.records.values()].map(({ restarted }) => restarted), [true, false]);
    assert.ok(seen.includes("orphan"));
  });

  test("only a request is kept", () => {
    const wrong = [
      null, 7, {}, "", "null", "[]", "7", "{", aBody(0), aBody(1.5), aBody("1"), aBody(1, { a: 1 }), aBody(1, []), aBody(1, null),
      aBody(1).replace("running", "over"), aBody(1).replace("autosave", "because"), aBody(1).replace("}", ',"more":1}'), aBody(1).replace("}", ',"refused":"all"}'),
      aBody(1).replace(/"session_time_s":1/, '"session_time_s":-1'), aBody(1).replace(/,"learning_time_s":1/, ""), aBody(1, { a: "x".repeat(4 * 1024 * 1024) }),
    ];

    assert.deepEqual(wrong.filter(isRequest), []);
    assert.ok(isRequest(aBody(1, { "cmi.location": "p1" })));
  });
});

describe("late work", () => {
  async function sent(answers, records, open = null) {
    const store = aStore();
    for (const [place, record] of records.entries()) {
      await store.put({ key: String(place), launch: LAUNCH, owner: "mine", restarted: false, body: aBody(1), at: 1, ...record });
    }
    const asked = [];
    const told = await sendKept({
      store, owner: "mine", isOpen: async (launch) => open === launch,
      async post(path, body) {
        asked.push([path, JSON.parse(body)]);
        return answers.shift() ?? { status: 0, answer: {} };
      },
    });
    return { told, asked, left: [...store.records.values()] };
  }
  const done = (outcome) => ({ status: 200, answer: { outcome, course: "c" } });

  test("of the page's own owner alone is sent, and forgotten once the server has it", async () => {
    const { told, asked, left } = await sent([done("saved")], [{}, { owner: "theirs" }]);

    assert.deepEqual(asked, [[`/launches/${LAUNCH}/late`, { commit: aBody(1), restarted: false }]]);
    assert.deepEqual(left.map(({ owner }) => owner), ["theirs"]);
    assert.equal(worthSaying(told), "saved");
  });

  test("of a lesson that is open in another tab is left to that tab", async () => {
    const { asked, left, told } = await sent([done("saved")], [{}], LAUNCH);

    assert.deepEqual([asked.length, left.length, worthSaying(told)], [0, 1, null]);
  });

  test("that cannot be sent stays, and is sent another time", async () => {
    for (const status of [0, 403, 409, 500, 503]) {
      const { told, left } = await sent([{ status, answer: {} }], [{}]);

      assert.deepEqual([left.length, left[0].refused, worthSaying(told)], [1, undefined, "waiting"]);
    }
  });

  test("that a stranger answers for is not forgotten", async () => {
    const { left } = await sent([{ status: 200, answer: {} }], [{}]); // a page to sign in to somebody's network

    assert.equal(left.length, 1);
  });

  test("that the server does not take stays too, and is not sent again", async () => {
    for (const status of [404, 413, 422]) {
      const { told, left } = await sent([{ status, answer: {} }], [{}]);
      const again = await sent([done("saved")], left);

      assert.deepEqual([left[0].refused, worthSaying(told), again.asked.length, again.left.length], [true, "refused", 0, 1]);
    }
  });

  test("that was put aside is what is most worth saying", async () => {
    const { told, left } = await sent([done("saved"), done("aside")], [{}, {}]);

    assert.deepEqual([left.length, told.aside, worthSaying(told)], [0, ["c"], "aside"]);
  });
});

describe("a lesson", () => {
  function aLesson({ state = "asleep", signsIn = true, woken = "open", sent = {}, isKept = true } = {}) {
    const seen = [];
    const due = [];
    const lesson = lessonOf({
      launch: LAUNCH,
      keeping: { hear() {}, settle: async () => {}, isKept },
      signIn: { ensure: async () => (seen.push("sign-in"), signsIn) },
      ask: async () => (state === null ? { status: 0, answer: {} } : { status: 200, answer: { state, by: "b" } }),
      post: async () => (seen.push("wake"), { status: 200, answer: { state: woken } }),
      sendKept: async () => (seen.push("send"), { saved: 0, aside: [], waiting: 0, refused: 0, ...sent }),
      show: (how) => seen.push(how),
      askToLeave: () => (seen.push("leave"), lesson.hear({ type: "left", durable: false })),
      again: () => seen.push("again"),
      showTaken: (how, by) => seen.push([how, by]),
      isSeen: () => true,
      after: (run, delayMs) => due.push([run, delayMs]),
      nowMs: () => 0,
    });
    return { lesson, seen, due };
  }
  const ended = { type: "error", code: "ended" };

  test("whose token has lain still goes on under the same one", async () => {
    const { lesson, seen } = aLesson();

    lesson.hear(ended);
    await settled();

    assert.deepEqual(seen, ["unreachable", "sign-in", "wake", "again"]);
  });

  test("whose learner does not want to sign in now wakes nothing, and keeps what it has", async () => {
    const { lesson, seen } = aLesson({ signsIn: false });

    lesson.hear(ended);
    await settled();

    assert.deepEqual(seen, ["unreachable", "sign-in"]);
  });

  test("whose token stays over is not woken for ever", async () => {
    const { lesson, seen } = aLesson();

    lesson.hear(ended);
    await settled();
    lesson.hear(ended);
    await settled();

    assert.deepEqual(seen.slice(4), ["unreachable", "send", "ended"]);
  });

  test("that was taken says so, lets the unit go, and sends what is unsaved", async () => {
    for (const [sent, word] of [[{ saved: 1 }, "saved"], [{ aside: ["c"] }, "aside"], [{ waiting: 1 }, "waiting"]]) {
      const { lesson, seen } = aLesson({ state: "taken", sent });

      lesson.hear(ended);
      await settled();

      assert.deepEqual(seen, ["unreachable", ["sending", "b"], "leave", "send", word === "waiting" ? "ended" : "saved", [word, "b"]]);
    }
  });

  test("of which the server says nothing asks again", async () => {
    const { lesson, seen, due } = aLesson({ state: null });

    lesson.hear(ended);
    await settled();

    assert.deepEqual(seen, ["unreachable"]);
    assert.equal(due.at(-1)[1], 5_000);
  });

  test("says that work is kept here only where it is", () => {
    for (const [isKept, word] of [[true, "unreachable"], [false, "alone"]]) {
      const { lesson, seen } = aLesson({ isKept });

      lesson.hear({ type: "unreachable" });
      lesson.tell();

      assert.deepEqual(seen, [word]);
    }
  });
});

describe("tabs of one browser", () => {
  test("answer for their own lesson, and have let go of it before they say so", async () => {
    const [one, other] = [new BroadcastChannel("t"), new BroadcastChannel("t")];
    const seen = [];
    answerFor(one, LAUNCH, async () => void seen.push("gone"));

    assert.equal(await tell(other, LAUNCH, "ask"), true);
    assert.equal(await tell(other, "another", "ask"), false);
    assert.equal(await tell(other, LAUNCH, "take"), true);
    assert.deepEqual(seen, ["gone"]);
    one.close();
    other.close();
  });

  test("tell each other when a course goes on in the one opened last", async () => {
    const seen = [];
    const channels = ["first", "second", "third", "elsewhere"].map((shown) => {
      const channel = new BroadcastChannel("courses");
      return { channel, shown, course: shown === "elsewhere" ? "another" : "one" };
    });
    for (const { channel, shown, course } of channels) {
      shareCourse(channel, {
        course,
        shown,
        wasElsewhere: () => seen.push(`${shown} was elsewhere`),
        goesOn: (by) => seen.push(`${shown} goes on in ${by}`),
      });
      await new Promise((done) => setTimeout(done, 50));
    }

    assert.deepEqual(seen, [
      "first goes on in second",
      "second was elsewhere",
      "second goes on in third",
      "third was elsewhere",
    ]);
    channels.forEach(({ channel }) => channel.close());
  });
});
