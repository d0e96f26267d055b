/**
 * The log of a trial: its last lines, kept from one page of the trial to the next while the tab is open.
 *
 * @typedef {import("./entries.js").Line} Line
 */

import { calledAs, isError } from "./entries.js";

export const MOST_LINES = 5_000;
const PREFIX = "trial ";

export class Log {
  /** @type {Line[]} */
  #lines = [];
  #dropped = 0;
  #errors = 0;
  #told = "";
  #seen = 0;
  /** @type {Record<string, number>} */
  #heard = {};
  #beganMs;
  #key;
  #storage;

  /**
   * @param {object} given
   * @param {string} given.id of the trial
   * @param {Storage} given.storage
   * @param {number} given.nowMs
   */
  constructor({ id, storage, nowMs }) {
    this.#key = PREFIX + id;
    this.#storage = storage;
    this.#beganMs = nowMs;
    for (const key of Object.keys(storage)) {
      if (key.startsWith(PREFIX) && key !== this.#key) storage.removeItem(key); // of trials that are over
    }
    const kept = storage.getItem(this.#key);
    if (kept === null) return;
    const { beganMs, told, seen = 0, heard = {}, dropped, lines } = JSON.parse(kept);
    this.#beganMs = beganMs;
    this.#told = told;
    this.#seen = seen;
    this.#heard = heard;
    this.#dropped = dropped;
    this.#lines = lines;
    this.#errors = lines.filter(isError).length;
  }

  get lines() {
    return this.#lines;
  }

  /** How many lines were there and are no more. */
  get dropped() {
    return this.#dropped;
  }

  /** How many of the lines are errors. */
  get errors() {
    return this.#errors;
  }

  /** Up to which line of the server's part is here. */
  get seen() {
    return this.#seen;
  }

  get beganMs() {
    return this.#beganMs;
  }

  /**
   * Add lines, each where its time has it; return those that had to go for them.
   *
   * @param {Line[]} lines
   */
  add(lines) {
    let last = this.#lines[this.#lines.length - 1]?.at_ms ?? 0;
    let inOrder = true;
    for (const line of lines) {
      inOrder &&= line.at_ms >= last;
      last = line.at_ms;
      this.#lines.push(line);
    }
    if (!inOrder) this.#lines.sort((one, other) => one.at_ms - other.at_ms);
    this.#errors += lines.filter(isError).length;
    return this.#dropTo(MOST_LINES);
  }

  /**
   * Return those lines of a launch that were not heard before: what is told as a page closes may come twice.
   *
   * @param {string} launch
   * @param {Line[]} lines
   */
  unheard(launch, lines) {
    const before = this.#heard[launch] ?? 0;
    const fresh = lines.filter(({ number = 0 }) => number === 0 || number > before);
    this.#heard[launch] = Math.max(before, ...fresh.map(({ number = 0 }) => number));
    return fresh;
  }

  /**
   * Add lines of the server's part, which is told up to *last*; return those that had to go for them.
   *
   * @param {Line[]} lines
   * @param {number} last
   */
  addNews(lines, last) {
    this.#seen = last;
    return this.add(lines);
  }

  /**
   * Add what sequencing decided, unless the page that says so was only loaded again.
   *
   * @param {{key: string, answer: string, detail: string}} told
   * @param {{unit: string, nowMs: number}} given
   */
  addDecision({ key, answer, detail }, { unit, nowMs }) {
    if (key !== "" && key === this.#told) return;
    this.#told = key;
    const at_ms = Math.round(nowMs - this.#beganMs);
    this.add([
      { kind: "decision", at_ms, unit, name: "", arguments: [], answer, code: "", meaning: "", diagnostic: detail },
    ]);
  }

  /** Keep the log for the next page; where a browser takes no more, its older half goes. */
  keep() {
    for (;;) {
      const kept = {
        beganMs: this.#beganMs,
        told: this.#told,
        seen: this.#seen,
        heard: this.#heard,
        dropped: this.#dropped,
        lines: this.#lines,
      };
      try {
        this.#storage.setItem(this.#key, JSON.stringify(kept));
        return;
      } catch {
        if (this.#lines.length === 0) return;
        this.#dropTo(Math.floor(this.#lines.length / 2));
      }
    }
  }

  /** One line of JSON for each, and for those dropped one that says so. */
  toJsonLines() {
    const lines = this.#lines.map((line) => JSON.stringify(line));
    if (this.#dropped > 0) lines.unshift(JSON.stringify({ kind: "dropped", lines: this.#dropped }));
    return lines.map((line) => `${line}\n`).join("");
  }

  /** @param {number} most */
  #dropTo(most) {
    const gone = this.#lines.splice(0, Math.max(this.#lines.length - most, 0));
    this.#dropped += gone.length;
    this.#errors -= gone.filter(isError).length;
    return gone;
  }
}

/**
 * Which lines are asked for.
 *
 * @param {object} wanted
 * @param {boolean} wanted.errorsOnly
 * @param {string} wanted.text
 * @returns {(line: Line) => boolean}
 */
export function asked({ errorsOnly, text }) {
  const sought = text.trim().toLowerCase();
  return (line) => (!errorsOnly || isError(line)) && (sought === "" || textOf(line).toLowerCase().includes(sought));
}

/** @param {Line} line */
function textOf(line) {
  const { arguments: given, answer, code, meaning, diagnostic, unit } = line;
  return [calledAs(line), ...given, answer, code, meaning, diagnostic, unit].join("\n");
}
