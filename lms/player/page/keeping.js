/**
 * The second copy of what is not durable: taken from the shim, judged, and kept while it is needed.
 *
 * What the frame says is a stranger's. It is kept only if it has the shape of a request and a bounded size, one write
 * is under way at a time, and the last wins.
 *
 * @typedef {import("./store.js").Store} Store
 */

const LARGEST = 4 * 1024 * 1024; // characters; the server takes as many bytes
const SOON_MS = 250; // a server that answers sooner costs no write
const PHASES = new Set(["launched", "running", "terminated"]);
const REASONS = new Set(["initialize", "shown", "commit", "autosave", "hidden", "leave", "terminate", "overruled"]);

export class Keeping {
  /** @type {string | null} what should be kept */
  #body = null;
  /** @type {string | null} what is */
  #kept = null;
  #able = true;
  #runs = 0;
  /** @type {unknown} which shim speaks, once it has said so */
  #run;
  #due = false;
  /** @type {Promise<void> | null} */
  #working = null;
  #given;

  /**
   * @param {object} given
   * @param {Store} given.store
   * @param {string} given.launch
   * @param {string} given.owner
   * @param {() => number} given.now ms since 1970
   * @param {(run: () => void, delayMs: number) => unknown} given.after
   * @param {() => void} given.changed whether it is kept may be different now
   * @param {() => void} given.orphaned something was kept of a shim that is no more
   */
  constructor(given) {
    this.#given = given;
  }

  /** Whether all that is needed is kept, a second of it apart. */
  get isKept() {
    return this.#able && (this.#body === null || this.#kept !== null);
  }

  /** @param {import("./bridge.js").Message} message from the shim */
  hear({ type, body, run }) {
    if (type === "ready") this.#begin(run);
    else if (type === "unsaved") {
      if (isRequest(body)) this.#body = body;
      else this.#able = false; // nobody is told that it is kept
      this.#soon();
    } else if (type === "durable") {
      this.#body = null;
      this.#able = true;
      if (this.#kept !== null) void this.settle();
    }
  }

  /** Keep what should be kept now; resolves when it is, or cannot be. */
  settle() {
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
      this.#given.changed();
    });
    return this.#working;
  }

  async #work() {
    while (this.#body !== this.#kept) {
      const body = this.#body;
      try {
        if (body === null) await this.#given.store.remove(this.#key);
        else await this.#given.store.put(this.#record(body, false));
        this.#kept = body;
        this.#able = true;
      } catch {
        this.#able = false;
        return;
      }
    }
  }

  /**
   * A shim is there; if it is not the first, what an earlier one left is sent by us.
   *
   * @param {unknown} run
   */
  #begin(run) {
    const isFirst = this.#run === undefined;
    if (run === this.#run) return;
    this.#run = run;
    if (isFirst) return;
    const left = this.#body;
    if (left !== null) {
      void this.#given.store.put(this.#record(left, true)).then(this.#given.orphaned, () => {});
    }
    this.#runs += 1;
    this.#body = this.#kept = null;
  }

  #soon() {
    if (this.#due) return;
    this.#due = true;
    this.#given.after(() => {
      this.#due = false;
      void this.settle();
    }, SOON_MS);
  }

  get #key() {
    return `${this.#given.launch} ${this.#runs}`;
  }

  /**
   * @param {string} body
   * @param {boolean} restarted
   */
  #record(body, restarted) {
    const { launch, owner, now } = this.#given;
    return { key: this.#key, launch, owner, restarted, body, at: now() };
  }
}

/**
 * @param {unknown} text
 * @returns {text is string} whether it is a request of the contract
 */
export function isRequest(text) {
  if (typeof text !== "string" || text.length > LARGEST) return false;
  try {
    const { sequence, values, refused = {}, reason, phase, session_time_s: session, learning_time_s: learning, ...more } =
      JSON.parse(text);
    return (
      Number.isSafeInteger(sequence) &&
      sequence > 0 &&
      Object.getPrototypeOf(values) === Object.prototype &&
      Object.values(values).every((value) => typeof value === "string") &&
      Object.getPrototypeOf(refused) === Object.prototype &&
      REASONS.has(reason) &&
      PHASES.has(phase) &&
      [session, learning].every((seconds) => Number.isSafeInteger(seconds) && seconds >= 0) &&
      Object.keys(more).length === 0
    );
  } catch {
    return false;
  }
}
