/**
 * The shim in a window of its own: what the page around it does otherwise, for a course that is allowed to have none.
 *
 * There is a bar with one way out, which leads back to the LMS, and with a word on whether the work is safe. The unit is
 * taken away and everything sent first; what could not be saved holds her, until it is or she asks again.
 *
 * @typedef {object} Around
 * @property {string} back address of the page to go to
 * @property {string} dir `ltr` or `rtl`, of the words that follow
 * @property {string} label of the link that leads there
 * @property {Record<string, string>} states words for what `page/save_state.js` shows
 */

import { Leaving } from "../page/leaving.js";
import { saveState } from "../page/save_state.js";

const BAR_PX = 44;
const BAR =
  `position:fixed;inset:0 0 auto 0;height:${BAR_PX}px;line-height:${BAR_PX}px;padding:0 16px;box-sizing:border-box;` +
  "font:600 16px/44px sans-serif;background:#fbfaf7;border-bottom:1px solid #d9d5cb;display:flex;gap:24px";

/**
 * @param {Window} window of the shim
 * @param {Around} around
 * @returns {ReturnType<typeof import("./messages.js").messagesWith>}
 */
export function nobodyAround(window, { back, dir, label, states }) {
  const { document } = window;
  const word = document.createElement("span");
  word.setAttribute("role", "status");
  const state = saveState({ element: word, say: (name) => states[name] });
  /** @type {(how: {overrules: boolean}) => void} */
  let askToLeave = () => {};
  const leaving = new Leaving({
    askToLeave: (how) => askToLeave(how),
    tellHeld: () => state.show("leave-anyway"),
    after: (run, delayMs) => window.setTimeout(run, delayMs),
  });
  const goBack = () => window.location.replace(back);

  const bar = document.createElement("header");
  const link = document.createElement("a");
  bar.style.cssText = BAR;
  bar.dir = dir;
  link.style.color = "#1f4e79";
  word.style.fontWeight = "400";
  link.href = back;
  link.textContent = label;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    leaving.by(goBack);
  });
  bar.append(link, word);
  document.documentElement.style.setProperty("--bar", `${BAR_PX}px`);
  document.body.append(bar);
  window.addEventListener("beforeunload", (event) => {
    if (leaving.wouldLose) event.preventDefault();
  });

  return {
    tell(type, members = {}) {
      const message = /** @type {import("../page/bridge.js").Message} */ ({ ...members, type });
      state.hear(message);
      leaving.hear(message);
      if (type === "navigate") leaving.by(goBack);
    },
    onLeave(taken) {
      askToLeave = taken;
    },
    onHello() {}, // nobody asks,
    onListen() {},
    onAgain() {}, // and nobody wakes a token that has expired
  };
}
