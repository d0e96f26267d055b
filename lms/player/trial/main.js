/**
 * Put the log of a trial together (`README.md`, "A trial"). It stands beside the player, and on the page that comes after.
 */

import { bridgeTo } from "../page/bridge.js";
import { linesOf } from "./entries.js";
import { Log } from "./log.js";
import { Panel } from "./panel.js";

/**
 * @template {HTMLElement} Part
 * @param {string} name
 */
const part = (name) => /** @type {Part} */ (document.querySelector(`[data-trial="${name}"]`));

const panel = /** @type {HTMLElement} */ (part("panel"));
const { id = "", told = "", unit = "", origin = "" } = panel.dataset;
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

bridgeTo({ window, frame: document.querySelector("[data-player=frame]"), origin }).onMessage((message) => {
  const lines = linesOf(message, { unit, beganMs: log.beganMs, nowMs: Date.now() });
  if (lines.length > 0) shown.add(lines, log.add(lines));
});
addEventListener("pagehide", () => log.keep());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") log.keep();
});

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
