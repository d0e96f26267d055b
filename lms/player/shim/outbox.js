/**
 * What the server is not yet known to keep, and the requests that carry it.
 *
 * A request carries everything that is unsaved, so a later one contains every earlier unanswered one, and any of
 * them may be lost. A request whose answer did not come is sent again with the same number and the same bytes as
 * long as nothing changed, so that the server can tell a repetition from news.
 *
 * @typedef {"launched" | "running" | "terminated"} Phase
 *
 * @typedef {object} Request
 * @property {number} sequence
 * @property {Phase} phase
 * @property {number} change the last change it carries
 * @property {string} body
 *
 * @typedef {object} Refusal what the unit wanted to keep under an element, and could not
 * @property {string} code the error it was told
 * @property {string} value
 * @property {boolean} isTooLong
 *
 * @typedef {Pick<import("./activity.js").Activity, "begin" | "learningS">} Activity
 */

// Characters that wait before they are sent at once: at most 48 KiB of UTF-8, which a beacon (64 KiB) still carries.
const MANY_CHARACTERS = 16_384;
// What is told of refused values: the newest elements, and how their values begin.
const MOST_REFUSED = 8;
const LONGEST_ELEMENT = 255;
const SHOWN_CHARACTERS = 60;

export class Outbox {
  /** @type {Map<string, {value: string, change: number}>} */
  #unsaved = new Map();
  /** @type {Map<string, {told: {code: string, length: number, value: string}, change: number}>} */
  #refused = new Map();
  /** @type {Set<string>} */
  #full = new Set();
  #change = 0;
  /** @type {{name: Phase, change: number}} */
  #phase = { name: "launched", change: 0 };
  /** @type {Phase} */
  #durablePhase = "launched";
  /** @type {Request | null} */
  #unanswered = null;
  #startedMs = 0;
  #sequence;
  #nowMs;
  #activity;

  /**
   * @param {object} given
   * @param {number} given.sequence of the last request the server applied
   * @param {() => number} given.nowMs a clock that only goes forward
   * @param {Activity} given.activity
   */
  constructor({ sequence, nowMs, activity }) {
    this.#sequence = sequence;
    this.#nowMs = nowMs;
    this.#activity = activity;
  }

  /** The phase the server is known to have been told. */
  get durablePhase() {
    return this.#durablePhase;
  }

  /** The phase the next request tells. */
  get phase() {
    return this.#phase.name;
  }

  get sequence() {
    return this.#sequence;
  }

  /** How many elements are unsaved. */
  get unsaved() {
    return this.#unsaved.size;
  }

  get isEmpty() {
    return this.#unsaved.size + this.#refused.size === 0 && this.#phase.name === this.#durablePhase;
  }

  /** Whether the unit has more to keep under an element than there is room for, and holds the last that had. */
  get isFull() {
    return this.#full.size > 0;
  }

  get isLarge() {
    let characters = 0;
    for (const { value } of this.#unsaved.values()) characters += value.length;
    return characters > MANY_CHARACTERS;
  }

  /**
   * Keep a value the unit has set.
   *
   * @param {string} element
   * @param {string} value
   */
  record(element, value) {
    this.#change += 1;
    this.#unsaved.set(element, { value, change: this.#change });
    this.#refused.delete(element);
    this.#full.delete(element);
  }

  /**
   * Keep that a value was refused, for people to be told; the element's next value ends it.
   *
   * @param {string} element
   * @param {Refusal} refusal
   */
  refuse(element, { code, value, isTooLong }) {
    if (element.length > LONGEST_ELEMENT) return;
    const characters = Array.from(value);
    const told = { code, length: characters.length, value: characters.slice(0, SHOWN_CHARACTERS).join("") };
    this.#change += 1;
    this.#refused.delete(element);
    this.#refused.set(element, { told, change: this.#change });
    if (this.#refused.size > MOST_REFUSED) this.#refused.delete([...this.#refused.keys()][0]);
    if (isTooLong) this.#full.add(element);
  }

  /**
   * Keep that the session has come to another phase.
   *
   * @param {Phase} phase
   */
  announce(phase) {
    if (phase === this.#phase.name) return;
    if (phase === "running") {
      this.#startedMs = this.#nowMs();
      this.#activity.begin();
    }
    this.#change += 1;
    this.#phase = { name: phase, change: this.#change };
  }

  /**
   * The request to send now.
   *
   * @param {string} reason
   * @returns {Request}
   */
  next(reason) {
    if (this.#unanswered?.change === this.#change) return this.#unanswered;
    this.#sequence += 1;
    this.#unanswered = {
      sequence: this.#sequence,
      phase: this.#phase.name,
      change: this.#change,
      body: this.#told(reason),
    };
    return this.#unanswered;
  }

  /**
   * What a request would say now, for the page to keep. It has a number of its own, so that it is older than every
   * request that follows and says more; and it does not decide what the next request gives as its reason.
   *
   * @returns {string}
   */
  copy() {
    if (this.#unanswered?.change === this.#change) return this.#unanswered.body;
    this.#sequence += 1;
    return this.#told("autosave");
  }

  /**
   * The server keeps what a request carried (or has refused it for good).
   *
   * @param {Request} request
   */
  settle(request) {
    this.#forget(request);
    if (request.phase === this.#phase.name) this.#durablePhase = request.phase;
    for (const [element, { change }] of this.#unsaved) {
      if (change <= request.change) this.#unsaved.delete(element);
    }
    for (const [element, { change }] of this.#refused) {
      if (change <= request.change) this.#refused.delete(element);
    }
  }

  /**
   * The server did not take a request as it is: what it carried goes under another number.
   *
   * @param {Request} request
   * @param {unknown} [last] the last sequence the server says it applied
   */
  renumber(request, last) {
    this.#forget(request);
    if (Number.isSafeInteger(last)) this.#sequence = Math.max(this.#sequence, Number(last));
  }

  /** @param {string} reason */
  #told(reason) {
    const values = Object.fromEntries(Array.from(this.#unsaved, ([element, { value }]) => [element, value]));
    const refused = Object.fromEntries(Array.from(this.#refused, ([element, { told }]) => [element, told]));
    return JSON.stringify({
      sequence: this.#sequence,
      values,
      ...(this.#refused.size > 0 ? { refused } : {}),
      reason,
      phase: this.#phase.name,
      session_time_s: this.#sessionTimeS(),
      learning_time_s: this.#activity.learningS(),
    });
  }

  /** @param {Request} request */
  #forget(request) {
    if (this.#unanswered === request) this.#unanswered = null;
  }

  #sessionTimeS() {
    return this.#phase.name === "launched" ? 0 : Math.ceil((this.#nowMs() - this.#startedMs) / 1000);
  }
}
