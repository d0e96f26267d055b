/**
 * Follow the part of the log that the server keeps: ask again and again, less often while nothing comes, and not at
 * all while nobody looks. Where nothing came for long it rests, or a page left open would keep its person signed in.
 *
 * @typedef {object} News
 * @property {any[]} lines
 * @property {number} last where to go on
 */

export const SOONEST_MS = 700;
export const RESTS_AFTER_MS = 30 * 60_000;
const SLOWER = 1.5;

export class Following {
  #wait = SOONEST_MS;
  #quietMs = 0;
  /** @type {unknown} */
  #timer = null;
  #asking = false;
  #over = false;
  #ask;
  #take;
  #isSeen;
  #timers;
  #longestMs;

  /**
   * @param {object} given
   * @param {() => Promise<News | null | undefined>} given.ask what came since; `null` once the trial has ended,
   *   `undefined` when there was no answer
   * @param {(news: News) => void} given.take
   * @param {() => boolean} given.isSeen whether anybody looks
   * @param {{start: (run: () => void, delayMs: number) => unknown, stop: (timer: unknown) => void}} given.timers
   * @param {number} given.longestMs between two questions
   */
  constructor({ ask, take, isSeen, timers, longestMs }) {
    this.#ask = ask;
    this.#take = take;
    this.#isSeen = isSeen;
    this.#timers = timers;
    this.#longestMs = longestMs;
  }

  /** Ask at once, and go on from there; when somebody looks again, too. */
  async look() {
    this.#quietMs = 0;
    await this.#go();
  }

  /** Somebody is there: ask again, if it rests. */
  wake() {
    if (this.#quietMs >= RESTS_AFTER_MS) void this.look();
  }

  async #go() {
    if (this.#asking || this.#over || !this.#isSeen()) return;
    this.#timers.stop(this.#timer);
    this.#asking = true;
    const news = await this.#ask();
    this.#asking = false;
    if (news === null) {
      this.#over = true;
      return;
    }
    if (news !== undefined && news.lines.length > 0) {
      this.#wait = SOONEST_MS;
      this.#quietMs = 0;
      this.#take(news);
    } else {
      this.#wait = Math.min(this.#wait * SLOWER, this.#longestMs);
    }
    this.#quietMs += this.#wait;
    if (this.#quietMs < RESTS_AFTER_MS) this.#timer = this.#timers.start(() => void this.#go(), this.#wait);
  }
}
