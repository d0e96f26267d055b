/**
 * Put the shim together: read what the server sent, offer the API, show the unit, save what it does.
 *
 * What it exports, `trial.js` watches.
 */

import scorm12 from "../../../content_packages/cmi/scorm12.json" with { type: "json" };
import scorm2004 from "../../../content_packages/cmi/scorm2004.json" with { type: "json" };
import { Activity, heedLearner } from "./activity.js";
import { nobodyAround } from "./alone.js";
import { CODES_12, api12 } from "./api_12.js";
import { CODES_2004, api2004 } from "./api_2004.js";
import { Attempt } from "./attempt.js";
import { readBoot } from "./boot.js";
import { DataModel } from "./data_model.js";
import { showUnit } from "./frame.js";
import { messagesWith } from "./messages.js";
import { networkTo } from "./network.js";
import { Outbox } from "./outbox.js";
import { Saver } from "./saver.js";
import { readTable } from "./table.js";
import { waiterAt } from "./waiting.js";

const LONGEST_LEAVE_MS = 2_500; // the page waits three seconds

const boot = readBoot(document);
export const page =
  boot.alone && window.parent === window ? nobodyAround(window, boot.alone) : messagesWith(window, boot.lms_origin);
const commits = new URL("commit", location.href).href;
export const network = networkTo(commits, waiterAt(commits));
const table = readTable(boot.standard === "scorm12" ? scorm12 : scorm2004);
const model = new DataModel(table, boot.values);
const nowMs = () => performance.now();
const activity = new Activity({ idleAfterMs: boot.idle_after_s * 1000, nowMs });
const outbox = new Outbox({ sequence: boot.sequence, nowMs, activity });
const saver = new Saver({
  outbox,
  network,
  timers: {
    start: (run, delayMs) => setTimeout(run, delayMs),
    stop: (timer) => clearTimeout(timer),
  },
  report: page.tell,
  merge(values) {
    if (model.merge(values)) page.tell("controls"); // what the server computes is which requests are valid
  },
});

if (boot.standard === "scorm12") {
  Object.assign(window, { API: api12(new Attempt({ table, model, outbox, saver, codes: CODES_12 })) });
} else {
  Object.assign(window, { API_1484_11: api2004(new Attempt({ table, model, outbox, saver, codes: CODES_2004 })) });
}

const unit = showUnit(document, {
  content: boot.content,
  title: boot.title,
  lang: boot.lang,
  whenShown() {
    if (document.hasFocus()) unit.focus();
    if (!boot.asset || outbox.phase !== "launched") return; // one that calls the API all the same speaks for itself
    outbox.announce("running");
    void saver.save("shown");
  },
});

heedLearner(activity, window);
page.onLeave(async ({ overrules }) => {
  if (overrules) saver.overrule();
  unit.takeAway();
  if (boot.asset) outbox.announce("terminated");
  const notYet = setTimeout(() => page.tell("left", { durable: false }), LONGEST_LEAVE_MS);
  const durable = await saver.leave();
  clearTimeout(notYet);
  page.tell("left", { durable }); // a page that was told "not yet" waits for this
});
page.onAgain(() => saver.again());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") void saver.save("hidden");
  else saver.seen();
});
addEventListener("pagehide", () => saver.go());
addEventListener("pageshow", (event) => {
  if (event.persisted) saver.stay();
});
addEventListener("online", () => saver.online());
addEventListener("focus", () => unit.focus());
const run = Math.random().toString(36).slice(2); // so that the page knows this shim from the next
const greet = () => page.tell("ready", { standard: boot.standard, run });
page.onHello(greet);
greet();
