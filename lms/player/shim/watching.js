/**
 * Note every call of an API and every commit, with what came of it (`README.md`, "A trial").
 *
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("./network.js").Reply} Reply
 *
 * @typedef {object} Entry
 * @property {"call" | "commit"} kind
 * @property {number} at when it began, in milliseconds since 1970
 * @property {string} name of the function, or the reason of the commit
 * @property {string[]} arguments of a commit: its sequence and phase, the values sent, those the server computed
 * @property {string} answer
 * @property {string} code of the error; empty for calls that cannot fail
 * @property {string} meaning of the code, in the words of the standard
 * @property {string} diagnostic
 *
 * @typedef {(entry: Omit<Entry, "at"> & {at?: number}) => void} Note
 */

export const MOST_CHARACTERS = 2_000; // of one text
export const SENT_AGAIN = "sent again"; // in the place of an answer
export const NO_ANSWER = "no answer"; // in the place of a status
const MANY_ENTRIES = 200; // that wait, before they are told in the middle of a script
const WELL = Object.freeze({ code: "", meaning: "", diagnostic: "" });
const ABOUT_ERRORS = /^(LMS)?Get(LastError|ErrorString|Diagnostic)$/;

const clock = () => performance.timeOrigin + performance.now();

/**
 * Gather entries, and tell those of one run of the unit's script together as soon as it ends: before the page hears
 * of anything that follows from them.
 *
 * @param {(entries: Entry[]) => void} tell
 * @param {() => number} [now]
 * @returns {Note}
 */
export function noting(tell, now = clock) {
  /** @type {Entry[]} */
  let waiting = [];

  function tellAll() {
    const entries = waiting;
    waiting = [];
    if (entries.length > 0) tell(entries);
  }

  return (entry) => {
    if (waiting.length === 0) queueMicrotask(tellAll);
    waiting.push({ at: now(), ...entry });
    if (waiting.length >= MANY_ENTRIES) tellAll();
  };
}

/**
 * The same API, every call of which is noted.
 *
 * @template {Record<string, any>} Api
 * @param {Api} api
 * @param {Note} note
 * @returns {Api}
 */
export function watchApi(api, note) {
  const prefix = "LMSInitialize" in api ? "LMS" : "";
  /** @param {string} name */
  const ask = (name) => api[`${prefix}${name}`];

  /** @type {Record<string, any>} */
  const watched = { ...api };
  for (const [name, call] of Object.entries(api)) {
    if (typeof call !== "function") continue;
    watched[name] = (/** @type {unknown[]} */ ...given) => {
      const called = /** @type {const} */ ({ kind: "call", at: clock(), name, arguments: given.map(cut) });
      try {
        const answer = call(...given);
        note({ ...called, answer: cut(answer), ...(ABOUT_ERRORS.test(name) ? WELL : errorNow()) });
        return answer;
      } catch (error) {
        note({ ...called, answer: "", code: "exception", meaning: cut(error), diagnostic: "" });
        throw error;
      }
    };
  }
  return /** @type {Api} */ (watched);

  function errorNow() {
    const code = ask("GetLastError")();
    if (code === "0") return { ...WELL, code };
    const meaning = ask("GetErrorString")(code);
    const diagnostic = ask("GetDiagnostic")(code);
    return { code, meaning, diagnostic: diagnostic === meaning ? "" : cut(diagnostic) };
  }
}

/**
 * The same network, every commit of which is noted with the server's answer.
 *
 * @param {Network} network
 * @param {Note} note
 * @returns {Network}
 */
export function watchNetwork(network, note) {
  const { send, sendNow, sendAtExit } = { ...network };
  return {
    async send(body) {
      const at = clock();
      const reply = await send(body);
      noteCommit(note, at, body, reply);
      return reply;
    },
    sendNow(body) {
      const at = clock();
      const reply = sendNow(body);
      noteCommit(note, at, body, reply);
      return reply;
    },
    sendAtExit, // the page that would be told is gone
  };
}

/**
 * @param {Note} note
 * @param {number} at when it was sent: a later one may be answered first
 * @param {string} body
 * @param {Reply} reply
 */
function noteCommit(note, at, body, { status, answer: { values: computed, ...answer } }) {
  const { reason, phase, sequence, values } = JSON.parse(body);
  const refused = answer.refused ?? [];
  let code = status === 0 ? NO_ANSWER : String(status);
  if (status === 200) code = refused[0]?.code ?? "0";
  if (status === 409) code = ""; // another request was quicker; the same goes again under another number
  note({
    kind: "commit",
    at,
    name: String(reason),
    arguments: [String(sequence), phase, cut(JSON.stringify(values)), cut(JSON.stringify(computed ?? {}))],
    answer: status === 409 ? SENT_AGAIN : cut(JSON.stringify(answer)),
    code,
    meaning: refused.map((/** @type {any} */ one) => `${one.element}: ${one.diagnostic || one.code}`).join("; "),
    diagnostic: "",
  });
}

/** @param {unknown} given */
function cut(given) {
  const text = textOf(given);
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}… (${text.length})`;
}

/**
 * Courses pass what they like, things that will not be text among it.
 *
 * @param {unknown} given
 */
function textOf(given) {
  try {
    return String(given);
  } catch {
    return typeof given;
  }
}
