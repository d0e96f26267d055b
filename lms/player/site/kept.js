/**
 * Work that was kept in this browser is sent on the next visit of its owner, by itself; she is told what became of it.
 *
 * What others have kept here is neither sent nor shown: it waits until they sign in.
 */

import { sendKept, worthSaying } from "../page/late.js";

/**
 * @param {object} given
 * @param {HTMLElement} given.element a notice; `data-kept` is the owner's mark
 * @param {import("../page/store.js").Store} given.store
 * @param {(path: string, token: string, body: string) => Promise<{status: number, answer: any}>} given.post
 * @param {(launch: string) => Promise<boolean>} given.isOpen in another tab, which sends its work itself
 * @returns {Promise<void>} when all was tried once
 */
export async function wireKept({ element, store, post, isOpen }) {
  const { kept: owner = "", token = "" } = element.dataset;
  const sent = await sendKept({
    store,
    owner,
    isOpen,
    post(path, body) {
      say(element, "sending");
      return post(path, token, body);
    },
  });
  const word = worthSaying(sent);
  if (word) say(element, word);
  const more = /** @type {HTMLElement | null} */ (element.querySelector("[data-kept-more]"));
  if (more && sent.aside.length > 0) {
    more.setAttribute("href", `/learn/${sent.aside[0]}/late`);
    more.hidden = false;
  }
}

/**
 * @param {HTMLElement} element
 * @param {string} word
 */
function say(element, word) {
  const text = element.querySelector("[data-kept-text]");
  if (text) text.textContent = element.dataset[`text${word[0].toUpperCase()}${word.slice(1)}`] ?? "";
  element.className = word === "saved" ? "notice notice-done" : "notice notice-waiting";
  element.hidden = false;
}
