/**
 * Spans on a line: seconds of a film that were played, pages of a document that were shown.
 *
 * Spans that touch are one, so that what is kept stays short however often somebody jumps about.
 */

const MOST_SPANS = 500; // some 8 kB; more are kept a little rougher
const DECIMALS = 1;

export class Ranges {
  /** @type {[number, number][]} sorted, apart from one another */
  #spans = [];

  /**
   * @param {Iterable<readonly [number, number]>} [spans]
   */
  constructor(spans = []) {
    for (const [from, to] of spans) this.add(from, to);
  }

  /**
   * Read what `toString` wrote; what cannot be read is as if it had never been.
   *
   * @param {string} text `0-12.5,40-41`
   */
  static parse(text) {
    const spans = text.split(",").map((span) => /** @type {[number, number]} */ (span.split("-").map(Number)));
    return new Ranges(spans.filter(([from, to]) => Number.isFinite(from) && Number.isFinite(to)));
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  add(from, to) {
    if (!(to > from)) return;
    const apart = this.#spans.filter(([start, end]) => end < from || start > to);
    const touching = this.#spans.filter(([start, end]) => end >= from && start <= to);
    const joined = /** @type {[number, number]} */ ([
      Math.min(from, ...touching.map(([start]) => start)),
      Math.max(to, ...touching.map(([, end]) => end)),
    ]);
    this.#spans = [...apart, joined].sort(([one], [other]) => one - other);
    if (this.#spans.length > MOST_SPANS) this.#forgetNarrowest();
  }

  /** @param {Ranges} others */
  addAll(others) {
    for (const [from, to] of others) this.add(from, to);
  }

  [Symbol.iterator]() {
    return this.#spans[Symbol.iterator]();
  }

  /** @param {number} point */
  has(point) {
    return this.#spans.some(([start, end]) => start <= point && point < end);
  }

  /**
   * How much of the line up to *end* is covered.
   *
   * @param {number} end
   */
  covered(end) {
    return this.#spans.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, end) - Math.min(from, end)), 0);
  }

  /**
   * Where the first gap begins that is wider than *tolerated*; `null` where there is none before *end*.
   *
   * @param {number} end
   * @param {number} [tolerated]
   */
  firstGap(end, tolerated = 0) {
    let at = 0;
    for (const [from, to] of this.#spans) {
      if (from - at > tolerated) break;
      at = Math.max(at, to);
    }
    return end - at > tolerated ? at : null;
  }

  toString() {
    return this.#spans.map(([from, to]) => `${rounded(from)}-${rounded(to)}`).join(",");
  }

  #forgetNarrowest() {
    const widths = this.#spans.map(([from, to]) => to - from);
    this.#spans.splice(widths.indexOf(Math.min(...widths)), 1);
  }
}

/** @param {number} value */
function rounded(value) {
  return Number(value.toFixed(DECIMALS));
}
