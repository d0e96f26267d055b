/**
 * Put the player page together (`README.md`, "The player page on the LMS host").
 */

import { barAt } from "./bar.js";
import { bridgeTo } from "./bridge.js";
import { wireDrawer } from "./drawer.js";
import { wireFullScreen } from "./full_screen.js";
import { Leaving } from "./leaving.js";
import { saveState } from "./save_state.js";

/**
 * @template {HTMLElement} Part
 * @param {string} name
 * @returns {Part | null}
 */
const part = (name) => document.querySelector(`[data-player="${name}"]`);

const player = /** @type {HTMLElement} */ (part("player"));
const frame = /** @type {HTMLIFrameElement | null} */ (part("frame"));
const { contentOrigin = "", afterUrl = "" } = player.dataset;

const bridge = bridgeTo({ window, frame, origin: contentOrigin });
part("save")?.removeAttribute("hidden"); // without a script nothing is saved, and nobody should read that it is
const state = saveState({ element: part("save-state"), texts: player.dataset });
const leaving = new Leaving({
  askToLeave: bridge.askToLeave,
  tellHeld: () => state.show("leave-anyway"),
  after: (run, delayMs) => setTimeout(run, delayMs),
});

/** @type {HTMLFormElement | null} */
let onItsWay = null;
const bar = barAt({
  url: player.dataset.barUrl,
  document,
  parse: (html) => new DOMParser().parseFromString(html, "text/html"),
  isNeeded: () => leaving.isStaying,
  after: (run, delayMs) => setTimeout(run, delayMs),
  ask: (url) => fetch(url),
});

bridge.onMessage((message) => {
  if (message.type === "controls") bar.changed();
  state.hear(message);
  leaving.hear(message);
  if (message.type === "ready" && !document.activeElement?.closest(".player-bar, [data-player=outline]")) {
    frame?.focus();
  }
  if (message.type === "navigate") leaving.by(() => location.assign(afterUrl));
});

// Heard on the document, because the forms of the bar and the outline are renewed.
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.dataset.player === "leave" && form !== onItsWay) leaveBySubmitting(event, form);
});
document.addEventListener("click", (event) => {
  const link = /** @type {Element} */ (event.target).closest?.("a[data-player=leave]");
  if (!(link instanceof HTMLAnchorElement)) return;
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  leaving.by(() => location.assign(link.href));
});

// Without a unit the outline is what the page is about. With one, the server may show it to those without JavaScript.
const unit = frame ?? part("apart"); // in the frame, or in a window of its own
wireDrawer({ open: unit === null, drawer: part("outline"), toggle: part("outline-toggle") });
wireFullScreen({ button: part("full-screen"), player });

addEventListener("beforeunload", (event) => {
  if (!leaving.wouldLose) return;
  event.preventDefault();
  event.returnValue = ""; // what older browsers look at
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // the unit was taken away before
});

/**
 * @param {SubmitEvent} event
 * @param {HTMLFormElement} form
 */
function leaveBySubmitting(event, form) {
  event.preventDefault();
  const submitter = /** @type {HTMLElement | null} */ (event.submitter);
  leaving.by(
    () => {
      onItsWay = form;
      // The way may be free at once, inside this very event, and there a browser takes no second submission.
      setTimeout(() => form.requestSubmit(submitter));
    },
    { overrules: true },
  );
}
