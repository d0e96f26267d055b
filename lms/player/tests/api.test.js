/**
 * Both APIs as a course sees them: states, error codes, and what "true" promises.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { aSession } from "./session.js";
import { settled } from "./server.js";

const SHARED = new URL("../../../../shared/scorm-cts/", import.meta.url);
const skip = existsSync(SHARED) ? false : "the folder ../shared is not here";

describe("SCORM 1.2", () => {
  test("a unit initializes once, works, and finishes once", () => {
    const { api, server } = aSession("scorm12");

    const answers = [
      api.LMSGetValue("cmi.core.lesson_status"),
      api.LMSGetLastError(),
      api.LMSInitialize(""),
      api.LMSInitialize(""),
      api.LMSGetLastError(),
      api.LMSSetValue("cmi.core.lesson_status", "completed"),
      api.LMSFinish(""),
      api.LMSFinish(""),
      api.LMSGetLastError(),
    ];

    assert.deepEqual(answers, ["", "301", "true", "false", "101", "true", "true", "false", "301"]);
    assert.equal(server.phase, "terminated");
    assert.equal(server.values["cmi.core.lesson_status"], "completed");
  });

  test("functions taken off the object work, and so do numbers and missing parameters", () => {
    const { api, server } = aSession("scorm12");
    const { LMSInitialize, LMSSetValue, LMSCommit } = api;

    LMSInitialize();
    LMSSetValue("cmi.core.score.raw", 85);
    LMSSetValue("cmi.suspend_data", undefined);
    LMSCommit(null);

    assert.deepEqual(server.values, { "cmi.core.score.raw": "85", "cmi.suspend_data": "" });
  });

  test("comments are sent whole", () => {
    const { api, server } = aSession("scorm12", { values: { "cmi.comments": "before " } });

    api.LMSInitialize("");
    api.LMSSetValue("cmi.comments", "after");
    api.LMSCommit("");

    assert.equal(server.values["cmi.comments"], "before after");
  });

  test("a value is sent under the one usual way to write its name", () => {
    const { api, server } = aSession("scorm12");

    api.LMSInitialize("");
    api.LMSSetValue("cmi.objectives.00.id", "A");
    api.LMSCommit("");

    assert.deepEqual(server.values, { "cmi.objectives.0.id": "A" });
  });

  test("errors are explained", () => {
    const { api } = aSession("scorm12");

    api.LMSInitialize("");
    api.LMSSetValue("cmi.core.lesson_status", "done");

    assert.equal(api.LMSGetErrorString("405"), "Incorrect data type");
    assert.equal(api.LMSGetErrorString("999"), "");
    assert.equal(api.LMSGetDiagnostic("405"), "cmi.core.lesson_status cannot be done");
    assert.equal(api.LMSGetDiagnostic(""), "cmi.core.lesson_status cannot be done");
    assert.equal(api.LMSGetLastError(), "405");
  });

  test("the checks made from the specification", { skip }, () => {
    const { seed, calls } = JSON.parse(readFileSync(new URL("scorm12_checks.json", SHARED), "utf8"));
    const values = { "cmi.launch_data": seed.launch_data };
    for (const group of ["core", "student_data"]) {
      for (const [name, value] of Object.entries(seed[group])) values[`cmi.${group}.${name}`] = value;
    }
    const { api } = aSession("scorm12", { values });
    const long = (text) => (text === "@4096" ? "s".repeat(4096) : text);

    const wrong = calls.filter(([name, given, expected, codes]) => {
      const value = api[name](...given.map(long));
      return !codes.includes(api.LMSGetLastError()) || (expected !== null && value !== long(expected));
    });

    assert.equal(calls.length, 113);
    assert.deepEqual(wrong, []);
  });
});

describe("SCORM 2004", () => {
  test("each call has its own code before and after the session", () => {
    const { api } = aSession("scorm2004");
    const calls = [
      () => api.GetValue("cmi.mode"),
      () => api.SetValue("cmi.location", "x"),
      () => api.Commit(""),
      () => api.Terminate(""),
    ];
    const codes = () => calls.map((call) => (call(), api.GetLastError()));

    const before = codes();
    api.Initialize("");
    const during = codes();
    const after = codes();
    api.Initialize("");

    assert.deepEqual(before, ["122", "132", "142", "112"]);
    assert.deepEqual(during, ["0", "0", "0", "0"]);
    assert.deepEqual(after, ["123", "133", "143", "113"]);
    assert.equal(api.GetLastError(), "104");
  });

  test("what the server computed can be read, and does not go back", async () => {
    const { api, server, outbox } = aSession("scorm2004");
    server.extra = { values: { "adl.nav.request_valid.continue": "true" } };

    api.Initialize("");
    await settled();

    assert.equal(api.GetValue("adl.nav.request_valid.continue"), "true");
    assert.ok(outbox.isEmpty);
  });

  test("half a character is not sent", () => {
    const { api, server } = aSession("scorm2004");

    api.Initialize("");
    api.SetValue("cmi.suspend_data", "a\ud83d");
    api.Commit("");

    assert.equal(server.values["cmi.suspend_data"], "a\ufffd");
  });

  test("the calls of ADL's API case", { skip }, () => {
    const { visits } = JSON.parse(readFileSync(new URL("cases/API.json", SHARED), "utf8"));
    const wrong = [];

    for (const { calls } of visits) {
      const { api } = aSession("scorm2004", { values: { "cmi.launch_data": "" } });
      for (const { fn, arg, value, expect, error } of calls) {
        const answer = api[fn.slice(2)](arg, value);
        const right = { less255: answer.length <= 255, emptyCS: answer === "" }[expect] ?? answer === expect;
        if (!right || api.GetLastError() !== error) wrong.push([fn, arg, answer, api.GetLastError(), error]);
      }
    }

    assert.deepEqual(wrong, []);
  });
});

describe("what is promised", () => {
  test("Commit is true once the server has the values", () => {
    const { api, server } = aSession("scorm2004");
    api.Initialize("");
    api.SetValue("cmi.location", "p3");

    const answer = api.Commit("");

    assert.equal(answer, "true");
    assert.equal(server.values["cmi.location"], "p3");
  });

  test("Commit is false while the server is out of reach, and nothing is lost", () => {
    const { api, server } = aSession("scorm2004");
    api.Initialize("");
    api.SetValue("cmi.location", "p3");

    server.reachable = false;
    const away = [api.Commit(""), api.GetLastError()];
    server.reachable = true;
    const back = [api.Commit(""), api.GetLastError()];

    assert.deepEqual(away, ["false", "391"]);
    assert.deepEqual(back, ["true", "0"]);
    assert.equal(server.values["cmi.location"], "p3");
  });

  test("Commit is false when the server refuses a value", async () => {
    const { api, server, told, outbox } = aSession("scorm2004");
    api.Initialize("");
    await settled();
    api.SetValue("cmi.location", "p3");
    server.extra = { refused: [{ element: "cmi.location", code: "406", diagnostic: "no" }] };

    const answer = api.Commit("");

    assert.equal(answer, "false");
    assert.ok(outbox.isEmpty);
    assert.deepEqual(told.at(-1), { type: "error", code: "refused" });
  });

  test("a Terminate that got lost leaves the unit running, and is sent with what goes next", async () => {
    const { api, server, timers } = aSession("scorm12");
    api.LMSInitialize("");
    await settled();

    server.reachable = false;
    const lost = [api.LMSFinish(""), api.LMSGetLastError()];
    await settled();
    const still = api.LMSSetValue("cmi.core.lesson_location", "p9");
    server.reachable = true;
    await timers.pass(1000);

    assert.deepEqual(lost, ["false", "101"]);
    assert.equal(still, "true");
    assert.equal(server.phase, "terminated");
    assert.equal(server.values["cmi.core.lesson_location"], "p9");
    assert.equal(api.LMSGetValue("cmi.core.lesson_location"), "");
    assert.equal(api.LMSGetLastError(), "301");
  });

  test("a token that is over makes Commit false", async () => {
    const { api, server, told } = aSession("scorm2004");
    api.Initialize("");
    await settled();
    server.status = 410;
    api.SetValue("cmi.location", "p3");

    const answers = [api.Commit(""), api.Commit("")];

    assert.deepEqual(answers, ["false", "false"]);
    assert.deepEqual(told.filter(({ type }) => type === "error"), [{ type: "error", code: "ended" }]);
  });
});
