/**
 * Put the log of a trial together (`README.md`, "A trial"). It stands beside the player, and on the page that comes after.
 */

import { bridgeTo } from "../page/bridge.js";
import { linesOf } from "./entries.js";
import { Following } from "./following.js";
import { Log } from "./log.js";
import { Panel } from "./panel.js";

/**
 * @template {HTMLElement} Part
 * @param {string} name
 */
const part = (name) => /** @type {Part} */ (document.querySelector(`[data-trial="${name}"]`));

const frame = /** @type {HTMLIFrameElement | null} */ (document.querySelector("[data-player=frame]"));
const panel = /** @type {HTMLElement} */ (part("panel"));
const { id = "", told = "", unit = "", origin = "", longestMs = "" } = panel.dataset;
const log = new Log({ id, storage: sessionStorage, nowMs: Date.now() });
if (told !== "") log.addDecision(JSON.parse(told), { unit, nowMs: Date.now() });
panel.hidden = false;

const shown = new Panel({
  log,
  texts: panel.dataset,
  parts: {
    scroll: part("scroll"),
    lines: part("lines"),
    row: part("row"),
    errorsOnly: part("errors-only"),
    text: part("text"),
    count: part("count"),
    dropped: part("dropped"),
    none: part("none"),
    newest: part("newest"),
  },
});

const bridge = bridgeTo({ window, frame, origin });
bridge.onMessage((message) => {
  if (message.type === "ready") bridge.sayListen(); // it was not there yet when we did
  const lines = log.unheard(frame?.name ?? "", linesOf(message, { unit, beganMs: log.beganMs, nowMs: Date.now() }));
  if (lines.length > 0) shown.add(lines, log.add(lines));
});
if (origin !== "") bridge.sayListen(); // else there is no shim: units with a record store of their own
const following = new Following({
  ask: askServer,
  take({ lines, last }) {
    const fresh = lines.flatMap((line) => (line.kind === "trace" ? lateLines(line) : [line]));
    shown.add(fresh, log.addNews(fresh, last));
  },
  isSeen: () => document.visibilityState === "visible",
  timers: {
    start: (run, delayMs) => setTimeout(run, delayMs),
    stop: (timer) => clearTimeout(/** @type {number} */ (timer)),
  },
  longestMs: Number(longestMs),
});
void following.look();
addEventListener("pagehide", () => log.keep());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") log.keep();
  else void following.look();
});
for (const sign of ["focus", "blur", "pointermove", "keydown"]) addEventListener(sign, () => following.wake());

/** @param {{launch: string, unit: string, entries: unknown}} trace what a page told as it closed */
function lateLines({ launch, unit: title, entries }) {
  const given = { unit: title, beganMs: log.beganMs, nowMs: Date.now() };
  return log.unheard(launch, linesOf({ type: "trace", entries }, given));
}

/** @returns {Promise<import("./following.js").News | null | undefined>} */
async function askServer() {
  try {
    const answer = await fetch(`/trials/${id}/log?after=${log.seen}`, { credentials: "same-origin", redirect: "error" });
    if (answer.ok) return await answer.json();
    return answer.status < 500 ? null : undefined;
  } catch {
    return undefined; // out of reach
  }
}

const copy = part("copy");
if (navigator.clipboard !== undefined) {
  copy.hidden = false; // a browser lets a page copy over TLS and on its own machine only
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(log.toJsonLines());
    copy.textContent = copy.dataset.copied ?? "";
  });
}
part("download").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([log.toJsonLines()], { type: "application/jsonl" }));
  link.download = `trial-${id}.jsonl`;
  link.click();
  URL.revokeObjectURL(link.href);
});
