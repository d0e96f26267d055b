/**
 * Read what the server put into the shim page (`README.md`, "The shim page").
 *
 * @typedef {object} Boot
 * @property {"scorm12" | "scorm2004"} standard
 * @property {boolean} asset
 * @property {string} content URL of the unit
 * @property {Record<string, string>} values
 * @property {number} sequence
 * @property {string} lms_origin
 * @property {string} title
 * @property {string} lang
 */

/**
 * @param {Document} document
 * @returns {Boot}
 */
export function readBoot(document) {
  return JSON.parse(document.getElementById("boot")?.textContent ?? "");
}
