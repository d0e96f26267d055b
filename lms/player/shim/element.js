/**
 * Take the name of a data model element apart, as `content_packages/cmi/element.py` does.
 *
 * `cmi.objectives.3.score.raw` is member 3 of row `cmi.objectives.n.score.raw`. A name comes from a course and
 * may be anything; what cannot name an element simply matches no row.
 *
 * @typedef {object} Place one index in a name: member `index` of collection `path`, whose row is `row`
 * @property {string} path
 * @property {string} row
 * @property {number} index
 *
 * @typedef {object} Name
 * @property {string} path the name with every index written the one usual way (`01` is `1`): the key of a value
 * @property {string} row the name of its row in the table
 * @property {Place[]} places its indexes, outermost first
 * @property {string} keyword `_children`, `_count` or `_version` when the name ended so; the others are without it
 */

const TARGET = ".{target=";
const KEYWORDS = new Set(["_children", "_count", "_version"]);
const INDEX = /^[0-9]{1,6}$/;

/**
 * @param {string} element
 * @returns {Name}
 */
export function parse(element) {
  const at = element.indexOf(TARGET);
  const target = at < 0 ? "" : element.slice(at);
  const parts = (at < 0 ? element : element.slice(0, at)).split(".");
  const last = /** @type {string} */ (parts[parts.length - 1]);
  const keyword = !target && parts.length > 1 && KEYWORDS.has(last) ? last : "";
  if (keyword) parts.pop();
  const path = [];
  const row = [];
  const places = [];
  for (const part of parts) {
    if (INDEX.test(part)) {
      const index = Number(part);
      places.push({ path: path.join("."), row: row.join("."), index });
      path.push(String(index));
      row.push("n");
    } else {
      path.push(part);
      row.push(part === "n" || part === "{target}" ? "?" : part); // those stand for something; nobody may say them
    }
  }
  return { path: path.join(".") + target, row: row.join(".") + tailOf(target), places, keyword };
}

/**
 * The path of another row that belongs to the same members.
 *
 * @param {Name} name
 * @param {string} row
 */
export function beside(name, row) {
  let next = 0;
  return row
    .split(".")
    .map((part) => (part === "n" ? name.places[next++].index : part))
    .join(".");
}

/** @param {string} target */
function tailOf(target) {
  if (!target) return "";
  return target.length > TARGET.length + 1 && target.endsWith("}") ? ".{target}" : ".?";
}
