/**
 * Lines of a trial's log, read from what the frame tells, and from what the server has noted.
 *
 * The course stands on the shim's origin and may forge what the shim says: everything of it is text of a stranger, and
 * no more of it is taken than a line needs.
 *
 * @typedef {object} Line
 * @property {"call" | "commit" | "decision" | "exchange"} kind
 * @property {number} at_ms since the trial began
 * @property {string} unit
 * @property {string} name
 * @property {string[]} arguments
 * @property {string} answer
 * @property {string} code
 * @property {string} meaning
 * @property {string} diagnostic
 * @property {number} [number] of an entry of its launch
 */

const MOST_IN_A_MESSAGE = 1_000;
const MOST_ARGUMENTS = 8;
const MOST_CHARACTERS = 2_100;

/**
 * @param {any} message
 * @param {object} given
 * @param {string} given.unit
 * @param {number} given.beganMs
 * @param {number} given.nowMs
 * @returns {Line[]}
 */
export function linesOf(message, { unit, beganMs, nowMs }) {
  if (message.type !== "trace" || !Array.isArray(message.entries)) return [];
  return message.entries
    .slice(0, MOST_IN_A_MESSAGE)
    .filter((/** @type {any} */ entry) => entry?.kind === "call" || entry?.kind === "commit")
    .map((/** @type {any} */ entry) => ({
      kind: entry.kind,
      at_ms: Math.round((entry.at >= beganMs && entry.at <= nowMs ? entry.at : nowMs) - beganMs),
      unit,
      name: text(entry.name),
      arguments: Array.isArray(entry.arguments) ? entry.arguments.slice(0, MOST_ARGUMENTS).map(text) : [],
      answer: text(entry.answer),
      code: text(entry.code),
      meaning: text(entry.meaning),
      diagnostic: text(entry.diagnostic),
      number: Number.isSafeInteger(entry.number) ? entry.number : 0,
    }));
}

/** @param {Line} line */
export function isError({ kind, code }) {
  return kind !== "decision" && code !== "" && code !== "0";
}

/**
 * A call as one would write it; a commit with its number, its reason and its phase; of what was asked of a record store
 * the resource, and what it was about.
 *
 * @param {Line} line
 */
export function calledAs({ kind, name, arguments: given }) {
  if (kind === "decision") return "";
  if (kind === "exchange") return given[0] ? `${name} (${given[0]})` : name;
  if (kind === "commit") return `commit ${given[0] ?? ""} (${name}, ${given[1] ?? ""})`;
  return `${name}(${given.map((one) => JSON.stringify(one)).join(", ")})`;
}

/** @param {unknown} given */
function text(given) {
  return typeof given === "string" ? given.slice(0, MOST_CHARACTERS) : "";
}
