/**
 * A whole shim without a browser: its API, a server, timers, and what the page was told.
 */

import { Activity } from "../shim/activity.js";
import assert from "node:assert/strict";

import { isRequest } from "../page/keeping.js";
import { CODES_12, api12 } from "../shim/api_12.js";
import { CODES_2004, api2004 } from "../shim/api_2004.js";
import { Attempt } from "../shim/attempt.js";
import { DataModel } from "../shim/data_model.js";
import { Outbox } from "../shim/outbox.js";
import { Saver } from "../shim/saver.js";
import { Server, Timers } from "./server.js";
import { tableOf } from "./tables.js";

/**
 * @param {"scorm12" | "scorm2004"} standard
 * @param {{values?: Record<string, string>, sequence?: number}} [given]
 */
export function aSession(standard, { values = {}, sequence = 0 } = {}) {
  const server = new Server();
  server.applied = sequence;
  const timers = new Timers();
  const told = [];
  const copies = []; // what the page is handed, and `null` when it may forget
  const table = tableOf(standard);
  const model = new DataModel(table, values);
  const nowMs = () => timers.nowMs;
  const activity = new Activity({ idleAfterMs: 300_000, nowMs });
  const outbox = new Outbox({ sequence, nowMs, activity });
  const saver = new Saver({
    outbox,
    network: server,
    timers,
    report(type, members) {
      if (type === "unsaved") {
        assert.ok(isRequest(members.body), members.body); // or the page would not keep it
        copies.push(JSON.parse(members.body));
      }
      else if (type === "durable") copies.push(null);
      else told.push({ type, ...members });
    },
    merge: (given) => model.merge(given),
  });
  const old = standard === "scorm12";
  const attempt = new Attempt({ table, model, outbox, saver, codes: old ? CODES_12 : CODES_2004 });
  const types = () => told.map(({ type }) => type);
  return { api: old ? api12(attempt) : api2004(attempt), server, timers, saver, outbox, activity, told, copies, types };
}
