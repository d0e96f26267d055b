/**
 * The log as people see it: lines that can be sought, the newest at the end.
 *
 * @typedef {import("./entries.js").Line} Line
 * @typedef {import("./log.js").Log} Log
 *
 * @typedef {object} Parts
 * @property {HTMLElement} scroll
 * @property {HTMLElement} lines in it
 * @property {HTMLTemplateElement} row
 * @property {HTMLInputElement} errorsOnly
 * @property {HTMLInputElement} text
 * @property {HTMLElement} count
 * @property {HTMLElement} dropped
 * @property {HTMLElement} none
 * @property {HTMLElement} newest a button
 */

import { NO_ANSWER, SENT_AGAIN } from "../shim/watching.js";
import { calledAs, isError } from "./entries.js";
import { asked } from "./log.js";
import { SENT_AT_EXIT } from "./parting.js";

const NEAR_THE_END = 32; // pixels
const MOST_SHOWN = 400; // characters; the file has all that was kept

export class Panel {
  /** @type {Map<Line, HTMLElement>} */
  #rows = new Map();
  /** @type {Line[]} */
  #waiting = [];
  #lastUnit = "";
  #shown = 0;
  #follows = true;
  #top = 0;
  #log;
  #parts;
  #texts;

  /**
   * @param {object} given
   * @param {Log} given.log
   * @param {Parts} given.parts
   * @param {DOMStringMap} given.texts `textCount`, `textDropped`, `textNotTaken`, `textNoAnswer`, `textAtExit`, `textSentAgain` of the panel
   */
  constructor({ log, parts, texts }) {
    this.#log = log;
    this.#parts = parts;
    this.#texts = texts;
    for (const control of [parts.errorsOnly, parts.text]) {
      control.addEventListener("input", () => this.#seek());
    }
    parts.scroll.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = parts.scroll;
      // Lines that came meanwhile do not end the following; only who goes up wants to read there.
      if (scrollHeight - scrollTop - clientHeight < NEAR_THE_END) this.#follows = true;
      else if (scrollTop < this.#top) this.#follows = false;
      this.#top = scrollTop;
      parts.newest.hidden = this.#follows;
    });
    parts.newest.addEventListener("click", () => {
      this.#follows = true;
      parts.newest.hidden = true;
      this.#toTheEnd();
      parts.scroll.focus();
    });
    this.#draw(log.lines);
  }

  /**
   * Show lines that were added, a moment later: a unit that calls without end must not hold up the page.
   *
   * @param {Line[]} lines
   * @param {Line[]} gone
   */
  add(lines, gone) {
    for (const line of gone) {
      this.#rows.get(line)?.remove();
      this.#rows.delete(line);
    }
    if (this.#waiting.length === 0) {
      requestAnimationFrame(() => {
        const waiting = this.#waiting;
        this.#waiting = [];
        const kept = new Set(this.#log.lines);
        this.#draw(waiting.filter((line) => kept.has(line)));
      });
    }
    this.#waiting.push(...lines);
  }

  /** @param {Line[]} lines */
  #draw(lines) {
    const matches = this.#asked();
    const drawn = document.createDocumentFragment();
    for (const line of lines) {
      const row = this.#row(line);
      this.#rows.set(line, row);
      this.#place(row, line, matches(line));
      drawn.append(row);
    }
    this.#parts.lines.append(drawn);
    const tail = this.#log.lines.slice(-lines.length);
    if (lines.some((line, place) => line !== tail[place])) return this.#arrange();
    this.#tell();
    if (this.#follows) this.#toTheEnd();
  }

  /** Put rows where the log has them: something was told late. */
  #arrange() {
    for (const line of this.#log.lines) {
      const row = this.#rows.get(line);
      if (row) this.#parts.lines.append(row);
    }
    this.#rows = new Map(this.#log.lines.map((line) => [line, /** @type {HTMLElement} */ (this.#rows.get(line))]));
    this.#seek();
  }

  #seek() {
    const matches = this.#asked();
    this.#lastUnit = "";
    for (const [line, row] of this.#rows) this.#place(row, line, matches(line));
    this.#tell();
    if (this.#follows) this.#toTheEnd();
  }

  #asked() {
    return asked({ errorsOnly: this.#parts.errorsOnly.checked, text: this.#parts.text.value });
  }

  /**
   * Show a row or not, and name its unit where another began.
   *
   * @param {HTMLElement} row
   * @param {Line} line
   * @param {boolean} visible
   */
  #place(row, line, visible) {
    row.hidden = !visible;
    if (!visible) return;
    part(row, "unit").hidden = line.unit === this.#lastUnit;
    this.#lastUnit = line.unit;
  }

  #tell() {
    const { count, dropped, none, lines } = this.#parts;
    this.#shown = lines.querySelectorAll(":scope > :not([hidden])").length;
    count.textContent = filled(this.#texts.textCount, {
      shown: this.#shown,
      all: this.#log.lines.length,
      errors: this.#log.errors,
    });
    dropped.hidden = this.#log.dropped === 0;
    dropped.textContent = filled(this.#texts.textDropped, { count: this.#log.dropped });
    none.hidden = this.#shown > 0;
  }

  #toTheEnd() {
    this.#parts.scroll.scrollTop = this.#parts.scroll.scrollHeight;
  }

  /** @param {Line} line */
  #row(line) {
    const row = /** @type {HTMLElement} */ (this.#parts.row.content.cloneNode(true)).querySelector("li");
    if (row === null) throw new TypeError("The template has no row.");
    row.dataset.kind = line.kind;
    part(row, "unit").textContent = line.unit;
    part(row, "at").textContent = seconds(line.at_ms);
    part(row, "what").textContent = shown(calledAs(line));
    part(row, "answer").textContent = answerOf(line, this.#texts);
    const wrong = isError(line);
    const [, ...exchanged] = line.kind === "exchange" ? line.arguments : [];
    const [query = "", asked = "", answered = ""] = exchanged;
    if (wrong) row.dataset.error = line.code;
    // What a line does not have it does not keep hidden either: of thousands, each would be laid out with it.
    const has = {
      arrow: line.kind !== "decision",
      problem: wrong,
      detail: line.kind === "decision" && line.diagnostic !== "",
      values: line.kind === "commit",
      "query-part": query !== "",
      "asked-part": asked !== "",
      "answered-part": answered !== "",
      exchange: exchanged.some(Boolean),
    };
    const says = {
      "problem-text": wrong ? problem(line, this.#texts) : "",
      detail: line.diagnostic,
      sent: line.arguments[2] ?? "",
      computed: line.arguments[3] ?? "",
      query,
      asked,
      answered,
    };
    for (const [name, wanted] of Object.entries(has)) if (!wanted) part(row, name).remove();
    for (const [name, text] of Object.entries(says)) {
      const place = row.querySelector(`[data-line="${name}"]`);
      if (place !== null) place.textContent = text;
    }
    return row;
  }
}

/**
 * @param {Line} line
 * @param {DOMStringMap} texts
 */
function answerOf({ kind, answer }, { textAtExit, textSentAgain }) {
  if (kind === "commit" && answer === SENT_AT_EXIT) return textAtExit ?? "";
  if (kind === "commit" && answer === SENT_AGAIN) return textSentAgain ?? "";
  return shown(answer);
}

/**
 * @param {Line} line
 * @param {DOMStringMap} texts
 */
function problem({ kind, code, meaning, diagnostic }, { textNotTaken, textNoAnswer }) {
  if (kind === "commit" && code === NO_ANSWER) return textNoAnswer ?? "";
  return [code, kind === "commit" ? textNotTaken : "", meaning, diagnostic].filter(Boolean).join(" · ");
}

/** @param {number} ms */
function seconds(ms) {
  const minutes = Math.floor(ms / 60_000);
  return `${minutes}:${((ms % 60_000) / 1000).toFixed(3).padStart(6, "0")}`;
}

/** @param {string} text */
function shown(text) {
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}…`;
}

/**
 * @param {string | undefined} text
 * @param {Record<string, number>} facts
 */
function filled(text, facts) {
  return (text ?? "").replace(/\{(\w+)\}/g, (_, name) => String(facts[name]));
}

/**
 * @param {HTMLElement} row
 * @param {string} name
 */
function part(row, name) {
  return /** @type {HTMLElement} */ (row.querySelector(`[data-line="${name}"]`));
}
