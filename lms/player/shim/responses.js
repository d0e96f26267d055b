/**
 * What a learner may answer and what is correct, per type of interaction (SCORM 2004 RTE 4th Ed. §4.2.9.1).
 *
 * The server's `content_packages/cmi/responses.py` says the same; both are held to the same cases.
 *
 * @typedef {Set<string>} Languages codes of ISO 639-1 and 639-2, and `i` and `x`
 * @typedef {(text: string, languages: Languages) => boolean} Judge
 */

const NAME = String.raw`[^\u0000-\u0020\u007f-\u00a0{}\[\]]+`; // a short identifier: a URI, and letters of any script
const IDENTIFIER = new RegExp(`^${NAME}$`, "u");
const PAIR = new RegExp(String.raw`^${NAME}\[\.\]${NAME}$`, "u");
const REAL = /^-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/;
const OPTION = /^\{(case_matters|order_matters)=([^}]*)\}/;
const LANGUAGE = /^\{lang=([^}]*)\}/;

/** Types for which a second correct response makes no sense: index 0 only. */
export const ONE_PATTERN = new Set(["true-false", "likert", "numeric", "other"]);

/** Types whose correct responses must differ from one another. */
export const UNIQUE_PATTERNS = new Set(["choice", "sequencing"]);

/**
 * Judge a string that may begin with `{lang=…}` (RTE §4.1.1.6).
 *
 * @type {Judge}
 */
export function localizedIsRight(text, languages) {
  const named = LANGUAGE.exec(text);
  return named === null || languages.has(named[1].split("-", 1)[0].toLowerCase());
}

/**
 * Judge `cmi.interactions.n.learner_response`.
 *
 * @param {string} kind type of the interaction
 * @param {string} text
 * @param {Languages} languages
 */
export function learnerResponseIsRight(kind, text, languages) {
  return LEARNER_RESPONSES.get(kind)?.(text, languages) ?? true;
}

/**
 * Judge `cmi.interactions.n.correct_responses.n.pattern`.
 *
 * @param {string} kind type of the interaction
 * @param {string} text
 * @param {Languages} languages
 */
export function correctResponseIsRight(kind, text, languages) {
  return CORRECT_RESPONSES.get(kind)?.(text, languages) ?? true;
}

/** @type {Judge} */
const choice = (text) => {
  const items = text.split("[,]");
  return text === "" || (new Set(items).size === items.length && items.every(isIdentifier));
};

/** @type {Judge} */
const fillIn = (text, languages) => text.split("[,]").every((item) => localizedIsRight(item, languages));

/** @type {Judge} */
const matching = (text) => text === "" || text.split("[,]").every((pair) => PAIR.test(pair));

/** @type {Judge} */
const performance = (text) => text.split("[,]").every((step) => stepIsRight(step, false));

/** @type {Judge} */
const sequencing = (text) => text === "" || text.split("[,]").every(isIdentifier);

/** @type {Judge} */
const correctFillIn = (text, languages) => {
  const rest = withoutOptions(text, ["case_matters", "order_matters"]);
  return rest !== null && fillIn(rest, languages);
};

/** @type {Judge} */
const correctLongFillIn = (text, languages) => {
  const rest = withoutOptions(text, ["case_matters"]);
  return rest !== null && localizedIsRight(rest, languages);
};

/** @type {Judge} */
const correctPerformance = (text) => {
  const rest = withoutOptions(text, ["order_matters"]);
  return rest !== null && rest.split("[,]").every((step) => stepIsRight(step, true));
};

/** @type {Map<string, Judge>} */
const LEARNER_RESPONSES = new Map([
  ["true-false", (text) => text === "true" || text === "false"],
  ["choice", choice],
  ["fill-in", fillIn],
  ["long-fill-in", localizedIsRight],
  ["likert", isIdentifier],
  ["matching", matching],
  ["performance", performance],
  ["sequencing", sequencing],
  ["numeric", isReal],
]);

/** @type {Map<string, Judge>} */
const CORRECT_RESPONSES = new Map([
  ...LEARNER_RESPONSES,
  ["fill-in", correctFillIn],
  ["long-fill-in", correctLongFillIn],
  ["performance", correctPerformance],
  ["numeric", rangeIsRight],
]);

/**
 * Take options such as `{case_matters=true}` off the front; `null` when one is no boolean.
 *
 * What follows a `{lang=…}` is text, whatever it looks like.
 *
 * @param {string} text
 * @param {string[]} allowed
 */
function withoutOptions(text, allowed) {
  for (let option = OPTION.exec(text); option && allowed.includes(option[1]); option = OPTION.exec(text)) {
    if (option[2] !== "true" && option[2] !== "false") return null;
    text = text.slice(option[0].length);
  }
  return text;
}

/**
 * @param {string} step `name[.]answer`, either of which may be missing
 * @param {boolean} ranges whether an answer may be `low[:]high`
 */
function stepIsRight(step, ranges) {
  const [name, answer, more] = step.split("[.]");
  if (answer === undefined || more !== undefined || !(name || answer)) return false;
  if (name && !isIdentifier(name)) return false;
  return !(ranges && answer.includes("[:]")) || rangeIsRight(answer);
}

/**
 * `low[:]high`, either side open, or one number, which then is both.
 *
 * @param {string} text
 */
function rangeIsRight(text) {
  const at = text.indexOf("[:]");
  if (at < 0) return isReal(text);
  const [low, high] = [text.slice(0, at), text.slice(at + 3)];
  if ((low && !isReal(low)) || (high && !isReal(high))) return false;
  return !(low && high) || Number(low) <= Number(high);
}

/** @param {string} text */
function isIdentifier(text) {
  return IDENTIFIER.test(text);
}

/** @param {string} text */
function isReal(text) {
  return REAL.test(text);
}
