/**
 * Where one is in something that has pages or parts, and which of them were seen. They are counted from 0.
 */

import { Ranges } from "./ranges.js";

export class Reading {
  #weights;
  #seen;
  #at;

  /**
   * @param {object} given
   * @param {number[]} given.weights how much each page counts
   * @param {Ranges} given.seen is added to
   * @param {number} given.at the page to begin with, if there is one of this number
   */
  constructor({ weights, seen, at }) {
    this.#weights = weights;
    this.#seen = seen;
    this.#at = within(at, weights.length);
  }

  get at() {
    return this.#at;
  }

  get count() {
    return this.#weights.length;
  }

  /** @param {number} page */
  turnTo(page) {
    this.#at = within(page, this.count);
  }

  /** The page one is at was seen. */
  see() {
    this.#seen.add(this.#at, this.#at + 1);
  }

  /** The share that was seen. */
  get share() {
    const total = sum(this.#weights);
    return total === 0 ? 0 : sum(this.#weights.filter((_, page) => this.#seen.has(page))) / total;
  }

  /** The next page that was not seen, going round at the end; `null` when all were. */
  get nextUnseen() {
    const pages = this.#weights.map((_, page) => (this.#at + 1 + page) % this.count);
    return pages.find((page) => !this.#seen.has(page)) ?? null;
  }
}

/**
 * @param {number} page
 * @param {number} count
 */
function within(page, count) {
  return Number.isFinite(page) ? Math.min(Math.max(0, Math.trunc(page)), count - 1) : 0;
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
