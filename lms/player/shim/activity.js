/**
 * How much of a session is learning: the time in which the learner is there.
 *
 * She is there from a sign of hers (pointer, key, scroll, something playing) until nothing was seen of her for so
 * long that it is a pause, and only while the page is in sight. So what was read without touching anything counts,
 * up to the length at which a pause begins.
 */

const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel", "scroll", "touchmove", "input"];
const LOOK_EVERY_MS = 1_000; // for frames that have come or have gone on to another page

export class Activity {
  #countedMs = 0;
  /** @type {number | null} up to when it is counted; `null` while the page is out of sight, or nothing has begun */
  #sinceMs = null;
  #untilMs = 0;
  #hidden = false;
  #begun = false;
  #idleAfterMs;
  #nowMs;

  /**
   * @param {object} given
   * @param {number} given.idleAfterMs without a sign, after which it is a pause
   * @param {() => number} given.nowMs a clock that only goes forward
   */
  constructor({ idleAfterMs, nowMs }) {
    this.#idleAfterMs = idleAfterMs;
    this.#nowMs = nowMs;
  }

  /** The session begins; what was before does not count. */
  begin() {
    this.#begun = true;
    this.#countedMs = 0;
    this.#sinceMs = null;
    this.#resume();
  }

  /** Here is a sign of the learner. */
  stir() {
    this.#settle();
    this.#untilMs = this.#nowMs() + this.#idleAfterMs;
  }

  /** @param {boolean} hidden whether the page is out of sight */
  sight(hidden) {
    this.#settle();
    this.#hidden = hidden;
    if (hidden) this.#sinceMs = null;
    else this.#resume();
  }

  /** Seconds of learning since the session began, a begun one counted. */
  learningS() {
    this.#settle();
    return Math.ceil(this.#countedMs / 1000);
  }

  #resume() {
    if (!this.#begun || this.#hidden) return;
    this.#sinceMs ??= this.#nowMs();
    this.#untilMs = this.#nowMs() + this.#idleAfterMs;
  }

  #settle() {
    if (this.#sinceMs === null) return;
    const now = this.#nowMs();
    this.#countedMs += Math.max(0, Math.min(now, this.#untilMs) - this.#sinceMs);
    this.#sinceMs = now;
  }
}

/**
 * Look for signs in the shim's page and in all frames below it. A course could make them up; the server knows at
 * most that the time has passed.
 *
 * @param {Pick<Activity, "stir" | "sight">} activity
 * @param {Window} window of the shim
 */
export function heedLearner(activity, window) {
  const { document } = window;
  /** @type {WeakSet<Document>} */
  const heard = new WeakSet();
  const stir = () => activity.stir();
  const sight = () => activity.sight(document.visibilityState === "hidden");

  document.addEventListener("visibilitychange", sight);
  sight();
  look(window);
  setInterval(() => look(window), LOOK_EVERY_MS);

  /** @param {Window} at */
  function look(at) {
    try {
      if (!heard.has(at.document)) {
        heard.add(at.document);
        for (const sign of SIGNS) at.document.addEventListener(sign, stir, { capture: true, passive: true });
        at.document.addEventListener("timeupdate", played, { capture: true });
      }
      for (let place = 0; place < at.length; place += 1) look(at[place]);
    } catch {
      // A frame of another origin shows nothing of itself.
    }
  }

  /** @param {Event} event which does not bubble, but is seen on its way down */
  function played(event) {
    const medium = /** @type {HTMLMediaElement} */ (event.target);
    if (!medium.paused && !(medium.loop && medium.muted)) activity.stir(); // a moving background is no film
  }
}
