/**
 * A trial: what is noted of calls and commits, what the page believes of it, and what the log keeps.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { CODES_12, api12 } from "../shim/api_12.js";
import { Attempt } from "../shim/attempt.js";
import { DataModel } from "../shim/data_model.js";
import { Activity } from "../shim/activity.js";
import { Outbox } from "../shim/outbox.js";
import { SENT_AGAIN, noting, watchApi, watchNetwork } from "../shim/watching.js";
import { calledAs, isError, linesOf } from "../trial/entries.js";
import { Following, RESTS_AFTER_MS, SOONEST_MS } from "../trial/following.js";
import { Log, MOST_LINES, asked } from "../trial/log.js";
import { Parting, SENT_AT_EXIT, watchExit } from "../trial/parting.js";
import { tableOf } from "./tables.js";

const TABLE_12 = tableOf("scorm12");

const IN_THE_LESSON = { unit: "Lesson 1", beganMs: 1_000, nowMs: 5_000 };

function aTrace(...entries) {
  return { type: "trace", entries };
}

function aCall(members = {}) {
  const call = { kind: "call", at: 2_500, name: "SetValue", arguments: ["cmi.location", "p3"], answer: "true", code: "0" };
  return { ...call, meaning: "", diagnostic: "", ...members };
}

function aStorage({ most = Infinity } = {}) {
  const storage = Object.create({
    getItem: (key) => storage[key] ?? null,
    removeItem: (key) => delete storage[key],
    setItem(key, text) {
      if (text.length > most) throw new Error("QuotaExceededError");
      storage[key] = text;
    },
  });
  return storage;
}

function aLog(storage = aStorage()) {
  return new Log({ id: "t1", storage, nowMs: 1_000 });
}

describe("an API that is watched", () => {
  function watched() {
    const noted = [];
    const saver = { save: async () => true, saveNow: () => true, changed() {} };
    const outbox = new Outbox({ sequence: 0, nowMs: () => 0, activity: new Activity({ idleAfterMs: 1, nowMs: () => 0 }) });
    const attempt = new Attempt({ table: TABLE_12, model: new DataModel(TABLE_12, {}), outbox, saver, codes: CODES_12 });
    return { noted, api: watchApi(api12(attempt), (entry) => noted.push(entry)) };
  }

  test("answers as before, and each call is noted", () => {
    const { api, noted } = watched();

    assert.equal(api.LMSInitialize(""), "true");
    assert.equal(api.LMSSetValue("cmi.core.lesson_location", 3), "true");
    assert.equal(api.LMSGetValue("cmi.core.lesson_location"), "3");

    const told = noted.map(({ name, arguments: given, answer, code }) => [name, given, answer, code]);
    assert.deepEqual(told, [
      ["LMSInitialize", [""], "true", "0"],
      ["LMSSetValue", ["cmi.core.lesson_location", "3"], "true", "0"],
      ["LMSGetValue", ["cmi.core.lesson_location"], "3", "0"],
    ]);
  });

  test("a wrong call is noted with its code and what that means; to ask for it is no error", () => {
    const { api, noted } = watched();
    api.LMSInitialize("");

    assert.equal(api.LMSSetValue("cmi.nonsense", "x"), "false");
    assert.equal(api.LMSGetLastError(), "201");

    const [, wrong, asking] = noted;
    assert.equal(wrong.code, "201");
    assert.equal(wrong.meaning, api.LMSGetErrorString("201"));
    assert.match(wrong.diagnostic, /cmi\.nonsense/);
    assert.deepEqual([asking.name, asking.answer, asking.code], ["LMSGetLastError", "201", ""]);
  });

  test("what will not be text and what has no end harm nobody", () => {
    const { api, noted } = watched();
    api.LMSInitialize("");

    api.LMSGetErrorString("x".repeat(100_000));
    assert.throws(() => api.LMSSetValue("cmi.comments", Object.create(null)));

    assert.ok(noted.at(-2).arguments[0].length < 2_100);
    assert.equal(noted.at(-1).code, "exception");
    assert.match(noted.at(-1).meaning, /TypeError/);
  });
});

describe("a network that is watched", () => {
  test("commits are noted with what the server answered; what it computed stands apart", async () => {
    const noted = [];
    const answers = [
      { status: 200, answer: { sequence: 1, refused: [], navigation: null, values: { a: "1" } } },
      { status: 200, answer: { sequence: 2, refused: [{ element: "cmi.x", code: "401", diagnostic: "No." }] } },
      { status: 409, answer: { error: "stale", sequence: 2 } },
      { status: 0, answer: {} },
    ];
    const network = watchNetwork(
      { send: async () => answers.shift(), sendNow: () => answers.shift(), sendAtExit: () => true },
      (entry) => noted.push(entry),
    );
    const body = JSON.stringify({ sequence: 1, values: { "cmi.exit": "suspend" }, reason: "autosave", phase: "running" });

    await network.send(body);
    network.sendNow(body);
    network.sendNow(body);
    const reply = await network.send(body);

    assert.deepEqual(reply, { status: 0, answer: {} });
    assert.deepEqual(noted.map((one) => one.code), ["0", "401", "", "no answer"]);
    assert.deepEqual(noted[0].arguments, ["1", "running", '{"cmi.exit":"suspend"}', '{"a":"1"}']);
    assert.equal(noted[0].answer, '{"sequence":1,"refused":[],"navigation":null}');
    assert.equal(noted[1].meaning, "cmi.x: No.");
    assert.equal(noted[2].answer, SENT_AGAIN);
  });
});

test("a commit stands where it was sent, though a later one is answered first", async () => {
  const noted = [];
  const answer = { status: 200, answer: { values: {} } };
  let last;
  const late = new Promise((resolve) => (last = () => resolve(answer)));
  const network = watchNetwork({ send: () => late, sendNow: () => answer, sendAtExit: () => true }, (entry) => noted.push(entry));
  const body = (sequence) => JSON.stringify({ sequence, values: {}, reason: "autosave", phase: "running" });

  const first = network.send(body(1));
  network.sendNow(body(2));
  last();
  await first;

  const inOrder = noted.toSorted((one, other) => one.at - other.at);
  assert.deepEqual(inOrder.map((one) => one.arguments[0]), ["1", "2"]);
});

describe("noting", () => {
  test("what one run of a script does is told together, before anything that follows from it", async () => {
    const told = [];
    const note = noting((entries) => told.push(entries.length), () => 0);

    note({ name: "a" });
    note({ name: "b" });
    const follows = Promise.resolve().then(() => told.push("left"));
    await follows;

    assert.deepEqual(told, [2, "left"]);
  });

  test("a script without end is told in parts", () => {
    const told = [];
    const note = noting((entries) => told.push(entries.length), () => 0);

    for (let call = 0; call < 450; call += 1) note({ name: "a" });

    assert.deepEqual(told, [200, 200]);
  });
});

describe("what the page believes", () => {
  test("a call is a line with its time since the trial began and the unit the page knows", () => {
    const [line] = linesOf(aTrace(aCall({ unit: "Forged" })), IN_THE_LESSON);

    assert.deepEqual([line.at_ms, line.unit, calledAs(line)], [1_500, "Lesson 1", 'SetValue("cmi.location", "p3")']);
  });

  test("nothing but text of a bounded size is taken, and no time outside the trial", () => {
    const long = "x".repeat(10_000);
    const [line] = linesOf(
      aTrace(aCall({ at: 1e300, name: { toString: () => "x" }, arguments: Array(50).fill(long), answer: long, code: 401 })),
      IN_THE_LESSON,
    );

    assert.deepEqual([line.at_ms, line.name, line.code], [4_000, "", ""]);
    assert.equal(line.arguments.length, 8);
    assert.ok(line.answer.length < 2_200 && line.arguments[0].length < 2_200);
    assert.equal(linesOf(aTrace(...Array(5_000).fill(aCall())), IN_THE_LESSON).length, 1_000);
  });

  test("what is no trace, and no entry, is no line", () => {
    for (const message of [{ type: "saved" }, { type: "trace" }, { type: "trace", entries: "x" }, aTrace(null, 3, { kind: "decision" })]) {
      assert.deepEqual(linesOf(message, IN_THE_LESSON), []);
    }
  });

  test("an error is a code that is not 0", () => {
    const codes = ["0", "", "401"].map((code) => isError(linesOf(aTrace(aCall({ code })), IN_THE_LESSON)[0]));

    assert.deepEqual(codes, [false, false, true]);
  });
});

describe("the log", () => {
  const lines = (...codes) => codes.flatMap((code) => linesOf(aTrace(aCall({ code })), IN_THE_LESSON));

  test("goes on in the next page of the trial, and forgets other trials", () => {
    const storage = aStorage();
    new Log({ id: "t0", storage, nowMs: 0 }).keep();
    const first = aLog(storage);
    first.add(lines("0", "401"));
    first.keep();

    const second = new Log({ id: "t1", storage, nowMs: 9_000 });

    assert.deepEqual([second.lines.length, second.errors, second.beganMs], [2, 1, 1_000]);
    assert.deepEqual(Object.keys(storage), ["trial t1"]);
  });

  test("keeps the newest lines and says how many older ones are gone", () => {
    const log = aLog();
    log.add(lines("401"));

    const gone = log.add(Array(MOST_LINES + 1).fill(lines("0")[0]));

    assert.deepEqual([log.lines.length, log.dropped, log.errors, gone.length], [MOST_LINES, 2, 0, 2]);
    assert.deepEqual(JSON.parse(log.toJsonLines().split("\n")[0]), { kind: "dropped", lines: 2 });
  });

  test("where the browser keeps no more, the older half goes", () => {
    const storage = aStorage({ most: 3_000 });
    const log = aLog(storage);
    log.add(Array(40).fill(lines("0")[0]));

    log.keep();

    const kept = new Log({ id: "t1", storage, nowMs: 9_000 });
    assert.ok(kept.lines.length > 5 && kept.lines.length < 20);
    assert.equal(kept.lines.length + kept.dropped, 40);
  });

  test("a decision is told once, however often its page is loaded", () => {
    const log = aLog();

    for (const key of ["l1", "l1", "l2"]) {
      log.addDecision({ key, answer: "Opened", detail: "" }, { unit: "Lesson 1", nowMs: 2_000 });
    }

    assert.deepEqual(log.lines.map((line) => line.kind), ["decision", "decision"]);
  });

  test("is one line of JSON for each", () => {
    const log = aLog();
    log.add(lines("0", "401"));

    const told = log.toJsonLines().trimEnd().split("\n").map((line) => JSON.parse(line));

    assert.deepEqual(told.map(({ name, code }) => [name, code]), [["SetValue", "0"], ["SetValue", "401"]]);
  });

  test("is sought by errors and by text as it is seen", () => {
    const [right, wrong] = lines("0", "401");
    const sought = (wanted) => [right, wrong].map(asked({ errorsOnly: false, text: "", ...wanted }));

    assert.deepEqual(sought({}), [true, true]);
    assert.deepEqual(sought({ errorsOnly: true }), [false, true]);
    assert.deepEqual(sought({ text: 'setvalue("cmi.loc' }), [true, true]);
    assert.deepEqual(sought({ text: "lesson 2" }), [false, false]);
  });
});

describe("what comes from the server", () => {
  const anExchange = (members = {}) => ({
    kind: "exchange", at_ms: 900, unit: "A unit", name: "POST statements", arguments: ["passed", "", "{}", ""],
    answer: "200", code: "", meaning: "", diagnostic: "", ...members,
  });

  test("a request is written with what it is about, and is an error by its code", () => {
    const lines = [anExchange(), anExchange({ arguments: ["", "", "", ""], name: "GET about", code: "403" })];

    assert.deepEqual(lines.map(calledAs), ["POST statements (passed)", "GET about"]);
    assert.deepEqual(lines.map(isError), [false, true]);
  });

  test("the next page goes on where this one was told to", () => {
    const storage = aStorage();
    const first = aLog(storage);
    first.addNews([anExchange()], 7);
    first.keep();

    assert.deepEqual([first.seen, aLog(storage).seen, aLog(storage).lines.length], [7, 7, 1]);
  });

  test("what was told late stands where its time has it", () => {
    const log = aLog();
    log.add([anExchange({ at_ms: 10 }), anExchange({ at_ms: 30 })]);

    log.add([anExchange({ at_ms: 20 })]);

    assert.deepEqual(log.lines.map((line) => line.at_ms), [10, 20, 30]);
  });

  test("what comes twice is heard once, in every page of the trial", () => {
    const storage = aStorage();
    const log = aLog(storage);
    const heard = (numbers) => numbers.map((number) => ({ number }));
    const numbers = (lines) => lines.map(({ number }) => number);

    assert.deepEqual(numbers(log.unheard("l1", heard([1, 2]))), [1, 2]);
    log.keep();
    const next = aLog(storage);
    assert.deepEqual(numbers(next.unheard("l2", heard([1]))), [1]);
    assert.deepEqual(numbers(next.unheard("l1", heard([1, 2, 3]))), [3]);
    assert.deepEqual(numbers(next.unheard("l1", heard([0]))), [0]); // of no shim: cannot come twice
  });

  describe("is followed", () => {
    function followed(answers, { seen = () => true } = {}) {
      const waits = [];
      const taken = [];
      let run = () => {};
      const following = new Following({
        ask: async () => answers.shift(),
        take: (news) => taken.push(news.last),
        isSeen: seen,
        timers: { start: (next, delayMs) => (waits.push(Math.round(delayMs)), (run = next), 1), stop() {} },
        longestMs: 2_000,
      });
      return { following, waits, taken, go: async () => (run(), await new Promise((done) => setImmediate(done))) };
    }

    test("less often while nothing comes, and quickly again once something has", async () => {
      const none = { lines: [], last: 0 };
      const { following, waits, taken, go } = followed([none, none, undefined, none, { lines: [{}], last: 4 }]);

      await following.look();
      for (let time = 0; time < 4; time += 1) await go();

      assert.deepEqual(waits, [1_050, 1_575, 2_000, 2_000, SOONEST_MS]);
      assert.deepEqual(taken, [4]);
    });

    test("no more once nothing came for long, until somebody is there", async () => {
      const answers = Array.from({ length: 2_000 }, () => ({ lines: [], last: 0 }));
      const { following, waits, go } = followed(answers);
      await following.look();
      for (let time = 0; time < 1_500; time += 1) {
        if (waits.reduce((sum, wait) => sum + wait, 0) >= RESTS_AFTER_MS - 2_000) break;
        await go();
      }
      await go(); // the last that was waited for
      const [left, asked] = [answers.length, waits.length];

      following.wake();
      await new Promise((done) => setImmediate(done));
      following.wake();
      await new Promise((done) => setImmediate(done));

      assert.deepEqual([answers.length, waits.length], [left - 1, asked + 1]);
    });

    test("not at all while nobody looks, nor once the trial is over", async () => {
      let seen = false;
      const answers = [{ lines: [], last: 0 }, null, { lines: [{}], last: 9 }];
      const { following, waits, go } = followed(answers, { seen: () => seen });

      await following.look();
      assert.equal(answers.length, 3);
      seen = true;
      await following.look();
      await go();
      await following.look();

      assert.deepEqual([answers.length, waits.length], [1, 1]);
    });
  });
});

describe("a page that goes", () => {
  function parted() {
    const told = [];
    const sent = [];
    let at = 10_000;
    const parting = new Parting({
      tell: (entries) => told.push(...entries.map(({ number }) => number)),
      send: (text) => sent.push(JSON.parse(text).entries.map(({ number }) => number)),
      now: () => at,
    });
    const hear = (...names) => parting.hear(names.map((name) => ({ name, at })));
    return { parting, told, sent, hear, wait: (ms) => (at += ms) };
  }

  test("what is noted before the page listens is told as soon as it does, once and in its order", () => {
    const { parting, told, hear } = parted();
    hear("Initialize", "GetValue");
    assert.deepEqual(told, []);

    parting.listened();
    hear("SetValue");
    parting.listened();

    assert.deepEqual(told, [1, 2, 3]);
  });

  test("what it may not have told any more is sent besides, and so is what follows", () => {
    const { parting, told, sent, hear, wait } = parted();
    parting.listened();
    hear("long ago");
    wait(5_000);
    hear("SetValue", "Commit");

    parting.go();
    hear("Terminate");

    assert.deepEqual(told, [1, 2, 3, 4]);
    assert.deepEqual(sent, [[2, 3], [4]]);
  });

  test("that no answer came as it went is no news", () => {
    const { parting, sent } = parted();
    const entry = { kind: "commit", name: "terminate", at: 10_000 };

    parting.hear([{ ...entry, code: "no answer" }, { ...entry, code: "", answer: SENT_AT_EXIT }]);
    parting.go();
    parting.hear([{ ...entry, code: "no answer" }]);

    assert.deepEqual(sent, [[2]]);
  });

  test("one that came back tells as before", () => {
    const { parting, sent, hear } = parted();
    parting.go();
    parting.stay();

    hear("GetValue");

    assert.deepEqual(sent, []);
  });

  test("what is too much to outlive it loses its beginning", () => {
    const { parting, sent, hear } = parted();
    hear(...Array.from({ length: 90 }, () => "x".repeat(2_000)));

    parting.go();

    assert.ok(sent[0].length < 20);
    assert.equal(sent[0].at(-1), 90);
  });

  test("commits that nobody hears of again are noted as sent", async () => {
    const noted = [];
    let answer = () => {};
    const { network, go } = watchExit(
      { send: () => new Promise((done) => (answer = done)), sendNow: () => ({}), sendAtExit: (body) => body.length < 200 },
      (entry) => noted.push(entry),
    );
    const body = (reason, long = "") =>
      JSON.stringify({ sequence: 3, values: { "cmi.exit": "suspend", long }, reason, phase: "running" });

    const answered = network.send(body("commit"));
    go();
    answer({ status: 200, answer: {} });
    await answered;
    go();
    network.sendAtExit(body("leave"));
    network.sendAtExit(body("refused", "x".repeat(500)));

    assert.deepEqual(noted.map(({ name, answer: said, code }) => [name, said, code]), [
      ["commit", SENT_AT_EXIT, ""],
      ["leave", SENT_AT_EXIT, ""],
    ]);
  });
});
