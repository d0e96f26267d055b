/** What pages outside the player do by themselves; each works without it. */

import { post } from "../page/asking.js";
import { storeIn } from "../page/store.js";
import { channelOfTabs, tell } from "../page/tabs.js";
import { wireBefore } from "./before.js";
import { askServer, keepUp } from "./counters.js";
import { wireCopying } from "./copying.js";
import { askForSection, follow } from "./following.js";
import { wireKept } from "./kept.js";
import { wireUpload } from "./upload.js";

const store = storeIn(window.indexedDB);
const channel = channelOfTabs();
let kept = Promise.resolve();
for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-kept]"))) {
  kept = wireKept({ element, store, post, isOpen: (launch) => tell(channel, launch, "ask") });
}

for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-before]"))) {
  void wireBefore({
    element,
    kept,
    noted: store.noted,
    tell: (launch, type) => tell(channel, launch, type),
    go: (path) => location.replace(path),
  });
}

for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-counters]"))) {
  keepUp({
    element,
    ask: askServer,
    isSeen: () => document.visibilityState === "visible",
    after: (run, ms) => setTimeout(run, ms),
  });
}

for (const section of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-follow]"))) {
  follow({
    section,
    ask: askForSection,
    isSeen: () => document.visibilityState === "visible",
    after: (run, ms) => setTimeout(run, ms),
    reload: () => location.reload(),
  });
}

for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-copy]"))) {
  wireCopying({
    button,
    copy: navigator.clipboard && ((text) => navigator.clipboard.writeText(text)),
    find: (id) => document.getElementById(id),
  });
}

for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-upload]"))) {
  wireUpload({
    form,
    ask: async (method, path, headers, body) => {
      const answer = await fetch(path, { method, headers, body, redirect: "manual" });
      return { status: answer.status, header: (name) => answer.headers.get(name), text: () => answer.text() };
    },
    memory: {
      get: (key) => localStorage.getItem(key),
      set: (key, value) => localStorage.setItem(key, value),
      remove: (key) => localStorage.removeItem(key),
    },
    pause: (ms) => new Promise((done) => setTimeout(done, ms)),
    leave: (path) => location.assign(path),
    clock: () => performance.now(),
  });
}
