/**
 * The shim without a browser, for pytest: what `lms/player/shim/main.js` puts together, over two pipes.
 *
 * A line of JSON in, a line out. Where the shim sends to the server, that line comes first, and its answer goes in.
 */

import { readFileSync, readSync, writeSync } from "node:fs";

import { Activity } from "../../lms/player/shim/activity.js";
import { CODES_12, api12 } from "../../lms/player/shim/api_12.js";
import { CODES_2004, api2004 } from "../../lms/player/shim/api_2004.js";
import { Attempt } from "../../lms/player/shim/attempt.js";
import { DataModel } from "../../lms/player/shim/data_model.js";
import { Outbox } from "../../lms/player/shim/outbox.js";
import { Saver } from "../../lms/player/shim/saver.js";
import { readTable } from "../../lms/player/shim/table.js";

const CMI = new URL("../../content_packages/cmi/", import.meta.url);
const NO_ANSWER = { status: 0, answer: {} };

let unheard = ""; // what has come in beyond the last line
let unit;

for (let line = hear(); line !== null; line = hear()) {
  const done = await COMMANDS()[line.command](line);
  await new Promise(setImmediate); // answers that were not waited for are taken in
  say({ ...done, told: unit.told.splice(0) });
}

function COMMANDS() {
  return {
    open({ boot }) {
      unit = opened(boot);
      return {};
    },
    call({ name, arguments: given }) {
      const value = unit.api[name](...given);
      return { value: String(value), code: unit.api[`${unit.prefix}GetLastError`]() };
    },
    /** Take the unit away: a browser lets nobody wait for an answer while its unload handlers run. */
    async leave({ overrules, lastWords }) {
      if (overrules) unit.saver.overrule();
      unit.mayWait = false;
      for (const [name, ...given] of lastWords) unit.api[name](...given);
      if (unit.asset) unit.outbox.announce("terminated");
      await unit.saver.leave();
      return {};
    },
  };
}

function opened({ standard, asset, values, sequence }) {
  const table = readTable(JSON.parse(readFileSync(new URL(`${standard}.json`, CMI), "utf8")));
  const model = new DataModel(table, values);
  const nowMs = () => performance.now();
  const activity = new Activity({ idleAfterMs: 600_000, nowMs }); // nobody is idle here
  const outbox = new Outbox({ sequence, nowMs, activity });
  const made = { asset, outbox, told: [], mayWait: true, prefix: standard === "scorm12" ? "LMS" : "" };
  made.saver = new Saver({
    outbox,
    network: {
      send: async (body) => sent(body),
      sendNow: (body) => (made.mayWait ? sent(body) : NO_ANSWER),
      sendAtExit: (body) => sent(body).status === 200,
    },
    timers: { start: () => 1, stop: () => {} }, // nobody is slow enough here for an autosave
    report: (type) => made.told.push(type),
    merge(given) {
      if (model.merge(given)) made.told.push("controls");
    },
  });
  const given = { table, model, outbox, saver: made.saver };
  made.api =
    standard === "scorm12"
      ? api12(new Attempt({ ...given, codes: CODES_12 }))
      : api2004(new Attempt({ ...given, codes: CODES_2004 }));
  if (asset) {
    outbox.announce("running");
    void made.saver.save("shown");
  }
  return made;
}

function sent(body) {
  say({ send: body });
  return hear();
}

function say(line) {
  let rest = Buffer.from(`${JSON.stringify(line)}\n`);
  while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
}

function hear() {
  const piece = Buffer.alloc(65_536);
  while (!unheard.includes("\n")) {
    const length = readSync(0, piece);
    if (length === 0) return null;
    unheard += piece.toString("latin1", 0, length); // ASCII: Python escapes all else
  }
  const end = unheard.indexOf("\n");
  const line = unheard.slice(0, end);
  unheard = unheard.slice(end + 1);
  return JSON.parse(line);
}
