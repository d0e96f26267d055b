/**
 * One sitting with a file, told to the run-time of SCORM 2004: where one is, what was seen, how far that is.
 *
 * @typedef {object} Api what the shim offers (`shim/api_2004.js`)
 * @property {(argument: string) => string} Initialize
 * @property {(argument: string) => string} Commit
 * @property {(argument: string) => string} Terminate
 * @property {(element: string) => string} GetValue
 * @property {(element: string, value: string) => string} SetValue
 */

import { Ranges } from "./ranges.js";

const HIGHEST = 10; // frames above this one that are looked at

/**
 * Find the run-time in a window above (SCORM 2004 RTE 3.3.2).
 *
 * @param {Window} window
 * @returns {Api}
 */
export function runTimeAbove(window) {
  let at = /** @type {any} */ (window);
  for (let height = 0; height < HIGHEST && at.parent !== at; height += 1) {
    at = at.parent;
    if (at.API_1484_11) return at.API_1484_11;
  }
  throw new Error("There is no run-time above this page.");
}

export class Sitting {
  #api;
  #nowMs;
  #begunMs;
  /** @type {Map<string, string>} */
  #told = new Map();
  /** @type {boolean | null} */
  #isCompleted = null;

  /**
   * @param {Api} api
   * @param {() => number} nowMs
   */
  constructor(api, nowMs) {
    this.#api = api;
    this.#nowMs = nowMs;
    this.#begunMs = nowMs();
    api.Initialize("");
    this.#tell("cmi.exit", "suspend"); // whenever it ends, it goes on from there
    /** Where she stopped; empty at first. */
    this.location = api.GetValue("cmi.location");
    /** What was seen so far. */
    this.seen = Ranges.parse(api.GetValue("cmi.suspend_data"));
  }

  /** The server's judge says so as well: it knows how much is enough. */
  get isCompleted() {
    this.#isCompleted ??= this.#api.GetValue("cmi.completion_status") === "completed";
    return this.#isCompleted;
  }

  /**
   * Tell how far she is; once it completes the lesson, it is saved before anybody says so.
   *
   * @param {object} standing
   * @param {string} standing.location
   * @param {number} standing.share of the whole that was seen, 0 to 1
   */
  keep({ location, share }) {
    const wasCompleted = this.isCompleted;
    this.#tell("cmi.location", location);
    this.#tell("cmi.suspend_data", String(this.seen));
    this.#tell("cmi.progress_measure", String(measureOf(share)));
    if (this.isCompleted && !wasCompleted) this.#api.Commit("");
  }

  end() {
    this.#tell("cmi.session_time", durationOf(this.#nowMs() - this.#begunMs));
    this.#api.Terminate("");
  }

  /**
   * @param {string} element
   * @param {string} value
   */
  #tell(element, value) {
    if (this.#told.get(element) === value) return;
    this.#told.set(element, value);
    this.#isCompleted = null; // asked again only once something was told
    this.#api.SetValue(element, value);
  }
}

/**
 * Four decimals, never rounded up: nothing is complete before it is.
 *
 * @param {number} share
 */
export function measureOf(share) {
  return Math.min(1, Math.max(0, Math.floor(share * 10_000 + 1e-6) / 10_000));
}

/**
 * @param {number} ms
 * @returns {string} as ISO 8601 has it
 */
export function durationOf(ms) {
  const seconds = Math.round(ms / 1000);
  return `PT${Math.floor(seconds / 3600)}H${Math.floor((seconds % 3600) / 60)}M${seconds % 60}S`;
}
