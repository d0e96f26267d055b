/** What pages outside the player do by themselves; each works without it. */

import { askServer, keepUp } from "./counters.js";
import { wireCopying } from "./copying.js";

for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-counters]"))) {
  keepUp({
    element,
    ask: askServer,
    isSeen: () => document.visibilityState === "visible",
    after: (run, ms) => setTimeout(run, ms),
  });
}

for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-copy]"))) {
  wireCopying({
    button,
    copy: navigator.clipboard && ((text) => navigator.clipboard.writeText(text)),
    find: (id) => document.getElementById(id),
  });
}
