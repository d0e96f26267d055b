/**
 * Leave a unit without losing what it has to say: the shim is asked first, and the way is taken once all is saved.
 *
 * When something could not be saved the learner stays and is told; the way is taken as soon as it is saved
 * after all, or when the learner asks again.
 *
 * @typedef {() => void} Way how to leave: submit a form, follow a link
 */

const LONGEST_ANSWER_MS = 3_000;

export class Leaving {
  /** @type {Way | null} */
  #way = null;
  /** @type {"staying" | "asking" | "held" | "gone"} */
  #state = "staying";
  #ready = false;
  #saved = true;
  #outOfReach = false;
  #over = false;
  #askToLeave;
  #tellHeld;
  #after;

  /**
   * @param {object} given
   * @param {(how: {overrules: boolean}) => void} given.askToLeave asks the shim
   * @param {() => void} given.tellHeld tells the learner that not everything is saved
   * @param {(run: () => void, delayMs: number) => unknown} given.after
   */
  constructor({ askToLeave, tellHeld, after }) {
    this.#askToLeave = askToLeave;
    this.#tellHeld = tellHeld;
    this.#after = after;
  }

  /** Whether closing the page now would lose what cannot be saved at the moment. */
  get wouldLose() {
    return this.#outOfReach;
  }

  get isStaying() {
    return this.#state === "staying";
  }

  /**
   * Leave on this way.
   *
   * @param {Way} way
   * @param {{overrules?: boolean}} [how] `overrules`: it carries out what the learner asks for, and comes before
   *   whatever the unit asks for as it is taken away (SCORM 2004 SN 5.4)
   */
  by(way, { overrules = false } = {}) {
    this.#way = way;
    if (this.#state === "asking") return;
    if (this.#state !== "staying" || !this.#ready || this.#over) return this.#go();
    this.#state = "asking";
    this.#askToLeave({ overrules });
    this.#after(() => {
      if (this.#state === "asking") this.#answered(this.#saved);
    }, LONGEST_ANSWER_MS);
  }

  /** The course goes on elsewhere: what is unsaved here is kept, and nothing holds the learner. */
  giveUp() {
    this.#state = "gone";
    this.#outOfReach = false;
    this.#way = null;
  }

  /** The token is awake again: what is unsaved can be saved. */
  again() {
    this.#over = false;
  }

  /** @param {import("./bridge.js").Message} message from the shim */
  hear({ type, code, durable }) {
    if (type === "ready") this.#ready = true;
    else if (type === "error" && code === "ended") this.#over = true; // nothing can be saved here any more
    else if (type === "saving" || type === "unreachable") {
      this.#saved = false;
      this.#outOfReach = type === "unreachable";
      if (this.#state === "held") this.#tellHeld();
    } else if (type === "saved") {
      this.#saved = true;
      this.#outOfReach = false;
      if (this.#state === "held") this.#go();
    } else if (type === "left") {
      if (this.#state === "asking") this.#answered(durable === true);
      else if (this.#state === "held" && durable) this.#go();
    }
  }

  /** @param {boolean} durable */
  #answered(durable) {
    if (durable) return this.#go();
    this.#state = "held";
    this.#tellHeld();
  }

  #go() {
    this.#state = "gone";
    this.#outOfReach = false; // the learner has decided
    this.#way?.();
  }
}
