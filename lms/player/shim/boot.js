/**
 * Read what the server put into the shim page (`README.md`, "The shim page").
 *
 * @typedef {object} Boot
 * @property {"scorm12" | "scorm2004"} standard
 * @property {boolean} asset
 * @property {string} content URL of the unit
 * @property {string} without_storage URL of the same where the browser refuses storage
 * @property {Record<string, string>} values
 * @property {number} sequence
 * @property {string} lms_origin
 * @property {string} title
 * @property {string} lang
 * @property {number} idle_after_s
 * @property {import("./alone.js").Around} [alone] where it leads back, if it may have a window of its own
 */

import { keepsCookies, keepsStorage } from "../storage/memory.js";

/**
 * @param {Document} document
 * @returns {Boot} its `content` is what this browser can show
 */
export function readBoot(document) {
  /** @type {Boot} */
  const boot = JSON.parse(document.getElementById("boot")?.textContent ?? "");
  if (!keepsStorage(window) || !keepsCookies(document)) boot.content = boot.without_storage;
  return boot;
}
