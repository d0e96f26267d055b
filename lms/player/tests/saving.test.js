/**
 * When what is unsaved is sent, under which number, and what happens when no answer comes.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { aSession } from "./session.js";
import { settled } from "./server.js";

/** A session that is running and has nothing unsaved. */
async function aRunningSession(given) {
  const session = aSession("scorm2004", given);
  session.api.Initialize("");
  await settled();
  session.server.received.length = 0;
  session.told.length = 0;
  session.copies.length = 0;
  return session;
}

describe("numbers", () => {
  test("go on from the last commit under this token", async () => {
    const { api, server } = await aRunningSession({ sequence: 7 });

    api.SetValue("cmi.location", "p1");
    api.Commit("");

    assert.equal(server.received[0].sequence, 9); // 8 said that the unit runs
  });

  test("a request carries what changed since the last answer, and nothing else", async () => {
    const { api, server } = await aRunningSession();

    api.SetValue("cmi.location", "p1");
    api.SetValue("cmi.suspend_data", "x");
    api.Commit("");
    api.SetValue("cmi.location", "p2");
    api.Commit("");

    assert.deepEqual(server.received.map(({ values }) => values), [
      { "cmi.location": "p1", "cmi.suspend_data": "x" },
      { "cmi.location": "p2" },
    ]);
  });

  test("a request without an answer is repeated as it was while nothing changes", async () => {
    const { api, server, timers } = await aRunningSession();
    api.SetValue("cmi.location", "p1");
    server.status = 503;
    api.Commit("");
    const [lost] = server.received;

    server.status = null;
    await timers.pass(1000);

    assert.deepEqual(server.received[1], lost);
    assert.equal(server.applied, lost.sequence);
  });

  test("a later request contains an earlier one, whichever arrives first", async () => {
    const { api, server, timers, types } = await aRunningSession();
    server.slow = true;
    api.SetValue("cmi.location", "p1");
    await timers.pass(1500); // the autosave is under way
    api.SetValue("cmi.suspend_data", "x");

    const answer = api.Commit(""); // overtakes it
    server.slow = false;
    await server.deliver();

    assert.equal(answer, "true");
    assert.deepEqual(server.values, { "cmi.location": "p1", "cmi.suspend_data": "x" });
    assert.deepEqual(types(), ["saving", "saved"]);
    assert.equal(server.received.length, 2);
  });

  test("an earlier request that fails after a later one was kept is no failure", async () => {
    const { api, server, timers, types } = await aRunningSession();
    server.slow = true;
    api.SetValue("cmi.location", "p1");
    await timers.pass(1500);

    api.SetValue("cmi.suspend_data", "x");
    api.Commit("");
    server.status = 503;
    await server.deliver();

    assert.deepEqual(types(), ["saving", "saved"]);
  });

  test("an earlier answer that comes after the end does not undo it", async () => {
    const { api, server } = aSession("scorm2004");
    server.late = true;
    api.Initialize("");
    const ended = api.Terminate("");

    await server.deliver();
    api.GetValue("cmi.mode");

    assert.equal(ended, "true");
    assert.equal(api.GetLastError(), "123");
  });

  test("what is set while a request is under way stays unsaved", async () => {
    const { api, server, timers, outbox } = await aRunningSession();
    server.slow = true;
    api.SetValue("cmi.location", "p1");
    await timers.pass(1500);
    api.SetValue("cmi.location", "p2");

    await server.deliver();
    const between = [server.values["cmi.location"], outbox.unsaved];
    server.slow = false;
    await timers.pass(1500);

    assert.deepEqual(between, ["p1", 1]);
    assert.equal(server.values["cmi.location"], "p2");
    assert.ok(outbox.isEmpty);
  });

  test("a server that has gone further is followed", async () => {
    const { api, server } = await aRunningSession();
    server.applied = 40; // a beacon of another window of this launch
    api.SetValue("cmi.location", "p1");

    const answer = api.Commit("");

    assert.equal(answer, "true");
    assert.equal(server.applied, 41);
    assert.equal(server.values["cmi.location"], "p1");
  });
});

describe("when", () => {
  test("a second and a half after the first unsaved value, so that the server has it within two", async () => {
    const { api, server, timers } = await aRunningSession();

    api.SetValue("cmi.location", "p1");
    await timers.pass(1000);
    api.SetValue("cmi.location", "p2");
    const before = server.received.length;
    await timers.pass(500);

    assert.equal(before, 0);
    assert.deepEqual(server.received.map(({ reason, values }) => [reason, values["cmi.location"]]), [
      ["autosave", "p2"],
    ]);
  });

  test("values that keep coming are saved as often", async () => {
    const { api, server, timers } = await aRunningSession();

    for (let step = 0; step < 18; step += 1) {
      api.SetValue("cmi.location", `p${step}`);
      await timers.pass(500);
    }

    assert.equal(server.received.length, 6);
  });

  test("at once when much is waiting, but not over and over", async () => {
    const { api, server } = await aRunningSession();
    server.slow = true;

    api.SetValue("cmi.suspend_data", "x".repeat(20_000));
    api.SetValue("cmi.suspend_data", "y".repeat(20_000));

    assert.equal(server.waiting, 1);
  });

  test("a Commit with nothing unsaved asks nobody", async () => {
    const { api, server } = await aRunningSession();

    assert.equal(api.Commit(""), "true");
    assert.deepEqual(server.received, []);
  });

  test("the time since Initialize is told in seconds, a begun one counted", async () => {
    const { api, server, timers } = await aRunningSession();

    await timers.pass(41_100);
    api.SetValue("cmi.location", "p1");
    api.Commit("");

    assert.equal(server.received[0].session_time_s, 42);
  });

  test("when the page goes, and again after what the unit's own handlers do then", async () => {
    const { api, server, saver } = await aRunningSession();

    saver.go();
    api.SetValue("cmi.exit", "suspend");
    api.SetValue("cmi.location", "p9");
    const answer = api.Terminate("");
    await settled();

    assert.equal(answer, "false"); // no answer can be read any more
    assert.deepEqual(server.received.map(({ reason, phase }) => [reason, phase]), [
      ["hidden", "running"],
      ["hidden", "terminated"],
    ]);
    assert.deepEqual(server.values, { "cmi.exit": "suspend", "cmi.location": "p9" });
  });

  test("as the page goes, what is too large for a beacon is tried the other way", async () => {
    const { api, server, saver } = await aRunningSession();

    saver.go();
    api.SetValue("cmi.suspend_data", "\n".repeat(64_000)); // twice as long in JSON
    api.Terminate("");
    await settled();

    assert.equal(server.phase, "terminated");
    assert.equal(server.values["cmi.suspend_data"].length, 64_000);
  });

  test("a page that was going and came back waits for answers again", async () => {
    const { api, saver } = await aRunningSession();

    saver.go();
    saver.stay();
    api.SetValue("cmi.location", "p1");

    assert.equal(api.Commit(""), "true");
  });

  test("without waiting where the browser forbids it, as when a unit navigates its own frame", async () => {
    const { api, server } = await aRunningSession();
    server.forbidsWaiting = true;

    const answer = api.Terminate("");
    await settled();

    assert.equal(answer, "false");
    assert.equal(server.phase, "terminated");
  });

  test("leaving a unit that still runs tells its time even when nothing else is new", async () => {
    const { server, saver, timers } = await aRunningSession();
    await timers.pass(60_000);

    const durable = await saver.leave();
    saver.go(); // nothing is left to say

    assert.equal(durable, true);
    assert.deepEqual(server.received.map(({ reason, session_time_s: time }) => [reason, time]), [["leave", 60]]);
  });
});

test("what a unit asks for after the learner has is sent as overruled", async () => {
  const { api, server, saver } = await aRunningSession();

  saver.overrule();
  api.SetValue("adl.nav.request", "previous");
  api.Terminate("");

  assert.deepEqual(server.received.map(({ reason, phase }) => [reason, phase]), [["overruled", "terminated"]]);
});

describe("out of reach", () => {
  test("tries again after 1, 2, 4 … at most 5 seconds, and says how much is kept", async () => {
    const { api, server, timers, told } = await aRunningSession();
    server.status = 503;
    api.SetValue("cmi.location", "p1");

    await timers.pass(1500); // autosave
    const tried = [];
    for (const wait of [1, 2, 4, 5, 5, 5, 5]) {
      await timers.pass(wait * 1000 - 1);
      const early = server.received.length;
      await timers.pass(1);
      tried.push(server.received.length - early);
    }

    assert.deepEqual(tried, [1, 1, 1, 1, 1, 1, 1]);
    assert.equal(server.received.length, 8);
    assert.deepEqual(told.at(-1), { type: "unreachable", unsaved: 1 });
  });

  test("more values do not hurry it, and all of them arrive", async () => {
    const { api, server, timers, types } = await aRunningSession();
    server.status = 503;
    api.SetValue("cmi.location", "p1");
    await timers.pass(1500);
    const before = server.received.length;
    api.SetValue("cmi.suspend_data", "x".repeat(20_000));
    await settled();

    assert.equal(server.received.length, before);
    server.status = null;
    await timers.pass(1000);
    assert.equal(server.values["cmi.location"], "p1");
    assert.equal(server.values["cmi.suspend_data"].length, 20_000);
    assert.deepEqual(types(), ["saving", "unreachable", "saved"]);
  });

  test("a browser that is online again tries at once", async () => {
    const { api, server, timers, saver } = await aRunningSession();
    server.status = 503;
    api.SetValue("cmi.location", "p1");
    await timers.pass(1500);

    server.status = null;
    saver.online();
    await settled();

    assert.equal(server.values["cmi.location"], "p1");
  });

  test("a request that hangs on a lost connection keeps nobody waiting once the browser is online", async () => {
    const { api, server, timers, saver } = await aRunningSession();
    server.status = 503;
    api.SetValue("cmi.location", "p1");
    await timers.pass(1500);
    server.status = null;
    server.slow = true;
    await timers.pass(1000);
    const hanging = server.waiting;

    server.slow = false;
    saver.seen();
    await settled();
    const whileInSight = server.values["cmi.location"];
    saver.online();
    await settled();

    assert.deepEqual([hanging, whileInSight, server.values["cmi.location"]], [1, undefined, "p1"]);
  });

  test("a learner who comes back to the page need not wait for a timer", async () => {
    const { api, server, timers, saver } = await aRunningSession();
    server.status = 503;
    api.SetValue("cmi.location", "p1");
    await timers.pass(1500);

    server.status = null;
    saver.seen();
    await settled();

    assert.equal(server.values["cmi.location"], "p1");
  });

  test("after it was reached, the next failure is tried again after one second", async () => {
    const { api, server, timers } = await aRunningSession();
    server.status = 503;
    api.SetValue("cmi.location", "p1");
    await timers.pass(1500 + 1000 + 2000);
    server.status = null;
    await timers.pass(4000);

    server.status = 503;
    api.SetValue("cmi.location", "p2");
    api.Commit("");
    const before = server.received.length;
    await timers.pass(1000);

    assert.equal(server.received.length, before + 1);
  });

  test("a Terminate asked for again is the same request", async () => {
    const { api, server } = await aRunningSession();
    server.status = 503;

    api.Terminate("");
    api.Terminate("");

    assert.deepEqual(server.received[1], server.received[0]);
  });

  test("a server that is silent is not waited for, or the lesson would stand still", async () => {
    const { api, server, timers } = await aRunningSession();
    server.slow = true;
    api.SetValue("cmi.location", "p1");
    await timers.pass(1500 + 3000);
    const before = server.received.length;

    const answers = ["p2", "p3"].map((place) => (api.SetValue("cmi.location", place), api.Commit("")));
    const waited = server.received.length - before;
    server.slow = false;
    await server.deliver();
    await timers.pass(1500);

    assert.deepEqual([answers, waited], [["false", "false"], 0]);
    assert.equal(server.values["cmi.location"], "p3");
    api.SetValue("cmi.location", "p4");
    assert.equal(api.Commit(""), "true");
  });

  test("a server that vanishes without a word is waited for once", async () => {
    const { api, server, timers, types, copies } = await aRunningSession();
    server.vanished = true;
    server.reachable = false;

    const answers = ["p1", "p2"].map((place) => (api.SetValue("cmi.location", place), api.Commit("")));
    await timers.pass(1000);
    const waitedFor = server.waitedFor;
    server.vanished = false;
    server.reachable = true;
    await timers.pass(30_000);

    assert.deepEqual([answers, waitedFor], [["false", "false"], 1]);
    assert.ok(types().includes("unreachable"));
    assert.equal(copies.at(-2).values["cmi.location"], "p2");
    assert.equal(server.values["cmi.location"], "p2");
  });

  test("a rejected request waits for something new", async () => {
    const { api, server, timers, told } = await aRunningSession();
    server.status = 413;
    api.SetValue("cmi.location", "p1");
    await timers.pass(60_000);
    const rejected = server.received.length;

    server.status = null;
    api.SetValue("cmi.location", "p2");
    await timers.pass(1500);

    assert.equal(rejected, 1);
    assert.equal(server.values["cmi.location"], "p2");
    assert.deepEqual(told.filter(({ type }) => type === "error"), [{ type: "error", code: "rejected" }]);
  });

  test("a token that is over ends the sending", async () => {
    const { api, server, timers, saver, types } = await aRunningSession();
    server.status = 401;
    api.SetValue("cmi.location", "p1");

    await timers.pass(60_000);
    api.SetValue("cmi.location", "p2");
    await timers.pass(60_000);
    saver.go();
    api.SetValue("cmi.location", "p3");
    await settled();

    assert.equal(server.received.length, 1);
    assert.deepEqual(types(), ["saving", "error"]);
  });
});

describe("the second copy", () => {
  test("is handed over as a request goes out, and forgotten when it is durable", async () => {
    const { api, copies, server } = await aRunningSession();

    api.SetValue("cmi.location", "p1");
    api.Commit("");

    assert.deepEqual(copies, [server.received[0], null]);
  });

  test("is brought up to date every second while nothing can be sent, however often values change", async () => {
    const { api, copies, server, timers } = await aRunningSession();
    server.status = 503;
    api.SetValue("cmi.location", "p0");
    await timers.pass(1500);
    copies.length = 0;

    for (let step = 1; step <= 8; step += 1) {
      api.SetValue("cmi.location", `p${step}`);
      await timers.pass(250);
    }

    const said = copies.map(({ values }) => values["cmi.location"]);
    assert.ok(said.length <= 4, said.join());
    assert.equal(said.at(-1), "p8");
  });

  test("has a number that the server can order: older than what follows, newer than what went before", async () => {
    const { api, copies, server, timers } = await aRunningSession();
    server.status = 503;
    api.SetValue("cmi.location", "p1");
    await timers.pass(1500);
    api.SetValue("cmi.location", "p2");
    await timers.pass(1000);
    const copy = copies.at(-1);
    const before = Math.max(...server.received.map(({ sequence }) => sequence).slice(0, 1));

    server.status = null;
    await timers.pass(30_000);

    assert.ok(before < copy.sequence);
    assert.ok(copy.sequence <= server.applied);
    assert.equal(copies.at(-1), null);
  });

  test("goes on when the token is over, and all of it is sent when it is awake again", async () => {
    const { api, copies, server, timers, saver, types } = await aRunningSession();
    server.status = 410;
    api.SetValue("cmi.location", "p1");
    await timers.pass(1500);
    api.SetValue("cmi.location", "p2");
    await timers.pass(1000);
    assert.equal(copies.at(-1).values["cmi.location"], "p2");

    server.status = null;
    saver.again();
    await settled();

    assert.equal(server.values["cmi.location"], "p2");
    assert.equal(copies.at(-1), null);
    assert.equal(types().at(-1), "saved");
  });

  test("does not change what the unit's own Commit is called", async () => {
    const { api, server, timers } = await aRunningSession();
    server.status = 503;
    api.SetValue("cmi.location", "p1");
    await timers.pass(1500 + 1000); // the next try comes in two seconds
    api.SetValue("cmi.location", "p2");
    await timers.pass(1000);
    server.status = null;

    api.Commit("");

    assert.equal(server.received.at(-1).reason, "commit");
  });
});

describe("a value that is refused", () => {
  const many = "x".repeat(64_001);

  test("is told to the server, until the unit gives another", async () => {
    const { api, server, timers } = await aRunningSession();

    api.SetValue("cmi.suspend_data", many);
    api.SetValue("cmi.score.scaled", "2");
    await timers.pass(1500);
    api.SetValue("cmi.location", "p2");
    await timers.pass(1500);

    assert.deepEqual(server.received[0].values, {});
    assert.deepEqual(server.received[0].refused, {
      "cmi.suspend_data": { code: "406", length: 64_001, value: "x".repeat(60) },
      "cmi.score.scaled": { code: "407", length: 1, value: "2" },
    });
    assert.equal(server.received[1].refused, undefined); // it was told
    api.SetValue("cmi.score.scaled", "3");
    api.SetValue("cmi.score.scaled", "0.3");
    api.Commit("");
    assert.equal(server.received[2].refused, undefined);
  });

  test("and was too long shows as long as nothing shorter is kept in its place", async () => {
    const { api, told, timers } = await aRunningSession();
    const last = () => told.at(-1);

    api.SetValue("cmi.suspend_data", many);
    await timers.pass(1500);
    assert.deepEqual(last(), { type: "error", code: "full" });
    api.SetValue("cmi.location", "p2");
    assert.equal(api.Commit(""), "true");
    assert.deepEqual(last(), { type: "error", code: "full" });
    api.SetValue("cmi.suspend_data", "x");
    api.Commit("");
    assert.equal(last().type, "saved");
    api.SetValue("cmi.score.scaled", "2");
    api.Commit("");
    assert.equal(last().type, "saved");
  });

  test("is none where the unit only asked, or wrote what it may not", async () => {
    const { api, server } = await aRunningSession();

    api.SetValue("cmi.learner_id", "me");
    api.SetValue("cmi.no_such_thing", "1");
    api.SetValue("cmi.objectives._count", "1");
    api.Commit("");

    assert.deepEqual(server.received, []);
  });

  test("is told of eight elements at most, the newest, and of no name that is longer than names are", async () => {
    const { api, server } = await aRunningSession();
    for (let place = 1; place < 12; place += 1) api.SetValue(`cmi.interactions.${place}.id`, "i");
    api.SetValue(`cmi.interactions.${"9".repeat(300)}.id`, "i");

    api.Commit("");

    const places = Array.from({ length: 8 }, (_, place) => `cmi.interactions.${place + 4}.id`);
    assert.deepEqual(Object.keys(server.received[0].refused), places);
  });
});

describe("the page is told", () => {
  test("once that the unit has ended, and that it may be taken away", async () => {
    const { api, server, types } = await aRunningSession();
    server.extra = { navigation: { request: "continue" } };

    api.SetValue("adl.nav.request", "continue");
    api.Terminate("");

    assert.deepEqual(types(), ["saving", "saved", "terminated", "navigate"]);
  });

  test("once, however often the end is answered", async () => {
    const { api, server, saver, types } = await aRunningSession();
    server.extra = { navigation: {} };
    server.forbidsWaiting = true;
    server.slow = true;

    api.Terminate("");
    void saver.leave();
    await server.deliver();
    await server.deliver();

    assert.deepEqual(types(), ["terminated", "navigate"]);
  });

  test("nothing of navigation while the unit runs", async () => {
    const { api, server, types } = await aRunningSession();
    server.extra = { navigation: null };

    api.Terminate("");

    assert.deepEqual(types(), ["terminated"]);
  });
});
