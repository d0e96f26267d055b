/**
 * Put the player page together (`README.md`, "The player page on the LMS host").
 */

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

bridge.onMessage((message) => {
  state.hear(message);
  leaving.hear(message);
  if (message.type === "ready" && !document.activeElement?.closest(".player-bar, [data-player=outline]")) {
    frame?.focus();
  }
  if (message.type === "navigate") leaving.by(() => location.assign(afterUrl));
});

for (const way of document.querySelectorAll("[data-player=leave]")) {
  if (way instanceof HTMLFormElement) {
    way.addEventListener("submit", leaveBySubmitting);
  } else if (way instanceof HTMLAnchorElement) {
    way.addEventListener("click", (event) => {
      if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      leaving.by(() => location.assign(way.href));
    });
  }
}

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
 * @this {HTMLFormElement}
 * @param {SubmitEvent} event
 */
function leaveBySubmitting(event) {
  event.preventDefault();
  const submitter = /** @type {HTMLElement | null} */ (event.submitter);
  leaving.by(
    () => {
      this.removeEventListener("submit", leaveBySubmitting);
      // The way may be free at once, inside this very event, and there a browser takes no second submission.
      setTimeout(() => this.requestSubmit(submitter));
    },
    { overrules: true },
  );
}
