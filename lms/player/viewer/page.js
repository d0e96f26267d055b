/**
 * What the pages that show a file have in common: their parts, their words, how far one is, and how a sitting ends.
 *
 * @typedef {import("./sitting.js").Sitting} Sitting
 */

import { runTimeAbove, Sitting as Sat } from "./sitting.js";

/**
 * @template {HTMLElement} Part
 * @param {string} name
 * @returns {Part}
 */
export const part = (name) => /** @type {Part} */ (document.querySelector(`[data-part="${name}"]`));

/** @returns {any} what the server wrote into the page */
export const boot = () => JSON.parse(document.getElementById("boot")?.textContent ?? "");

/** Begin; what is under way when the page goes is kept by *last*. */
export function sitDown() {
  const sitting = new Sat(runTimeAbove(window), () => performance.now());
  /** @type {(() => void)[]} */
  const last = [];
  addEventListener("pagehide", () => {
    for (const keep of last) keep();
    sitting.end();
  });
  return { sitting, /** @param {() => void} keep */ beforeItEnds: (keep) => last.push(keep) };
}

/**
 * A sentence of the page with its facts filled in.
 *
 * @param {string} name
 * @param {Record<string, string | number>} [facts]
 */
export function words(name, facts = {}) {
  const sentence = document.body.dataset[name] ?? "";
  return sentence.replace(/\{(\w+)\}/g, (_, fact) => {
    const value = facts[fact];
    return typeof value === "number" ? value.toLocaleString(document.documentElement.lang) : value;
  });
}

/**
 * How far one is, as a bar, a number and, at last, a word.
 *
 * @param {Sitting} sitting
 */
export function standingOf(sitting) {
  const bar = /** @type {HTMLProgressElement} */ (part("progress"));
  const share = part("share");
  const done = part("done");
  const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" });
  let wasCompleted = sitting.isCompleted;
  done.hidden = !wasCompleted;

  /** @param {number} now */
  return (now) => {
    const text = percent.format(Math.floor(now * 100) / 100);
    bar.value = now;
    bar.setAttribute("aria-valuetext", text);
    share.textContent = words("share", { share: text });
    if (sitting.isCompleted === wasCompleted) return;
    wasCompleted = sitting.isCompleted;
    done.hidden = !wasCompleted;
    if (wasCompleted) announce(words("completed"));
  };
}

/**
 * Say something to who does not see it.
 *
 * @param {string} text
 */
export function announce(text) {
  part("announced").textContent = text;
}

/**
 * The file cannot be shown: say what happened and what to do.
 *
 * @param {string} name of the sentence
 */
export function giveUp(name) {
  part("trouble").hidden = false;
  part("trouble-text").textContent = words(name);
}
