/**
 * What both APIs share: the states of a session and the calls that pass through them.
 *
 * SCORM 1.2 RTE §3.3.2; SCORM 2004 RTE 4th Ed. §3.1.
 *
 * @typedef {import("./data_model.js").Answer} Answer
 * @typedef {import("./data_model.js").DataModel} DataModel
 * @typedef {import("./outbox.js").Outbox} Outbox
 * @typedef {import("./saver.js").Saver} Saver
 * @typedef {import("./table.js").Table} Table
 *
 * @typedef {"initialize" | "terminate" | "get" | "set" | "commit"} Call
 *
 * @typedef {object} Codes what a standard answers when a call cannot be carried out
 * @property {Record<Call, Partial<Record<import("./outbox.js").Phase, string>>>} state per call and state in which it is wrong
 * @property {string} argument a parameter that must be empty is not
 * @property {string} terminate Terminate is not durable
 * @property {string} commit Commit is not durable
 */

// What breaks one of these would have been kept; the others are questions, and slips that lose nothing.
const LOSING = new Set(["mismatch", "too_long", "range", "set_index", "dependency", "fixed", "unique"]);

const TRUE = Object.freeze({ value: "true", code: "0", diagnostic: "" });

export class Attempt {
  /** @type {Answer} */
  #last = TRUE;
  #initialized = false;
  #table;
  #model;
  #outbox;
  #saver;
  #codes;

  /**
   * @param {object} given
   * @param {Table} given.table
   * @param {DataModel} given.model
   * @param {Outbox} given.outbox
   * @param {Saver} given.saver
   * @param {Codes} given.codes
   */
  constructor({ table, model, outbox, saver, codes }) {
    this.#table = table;
    this.#model = model;
    this.#outbox = outbox;
    this.#saver = saver;
    this.#codes = codes;
  }

  /** @param {unknown} argument */
  initialize(argument) {
    return this.#call("initialize", "false", argument, () => {
      this.#initialized = true;
      this.#outbox.announce("running");
      void this.#saver.save("initialize");
      return TRUE;
    });
  }

  /**
   * End the session; `"true"` only once the server keeps all of it. What fails here is not forgotten: the next
   * request says it.
   *
   * @param {unknown} argument
   */
  terminate(argument) {
    return this.#call("terminate", "false", argument, () => {
      this.#outbox.announce("terminated");
      return this.#durably("terminate", this.#codes.terminate);
    });
  }

  /** @param {unknown} element */
  get(element) {
    return this.#call("get", "", "", () => this.#model.get(textOf(element)));
  }

  /**
   * @param {unknown} element
   * @param {unknown} value
   */
  set(element, value) {
    return this.#call("set", "false", "", () => {
      const name = textOf(element);
      const given = textOf(value);
      const answer = this.#model.set(name, given);
      if (LOSING.has(answer.rule ?? "")) {
        this.#outbox.refuse(this.#model.kept(name).path, { code: answer.code, value: given, isTooLong: answer.rule === "too_long" });
        this.#saver.changed();
      }
      if (answer.code !== "0") return answer;
      const kept = this.#model.kept(name);
      this.#outbox.record(kept.path, /** @type {string} */ (kept.value));
      this.#saver.changed();
      return answer;
    });
  }

  /** @param {unknown} argument */
  commit(argument) {
    return this.#call("commit", "false", argument, () => this.#durably("commit", this.#codes.commit));
  }

  lastError() {
    return this.#last.code;
  }

  /** @param {unknown} code */
  errorString(code) {
    return this.#table.errors.get(textOf(code)) ?? "";
  }

  /** @param {unknown} code of an error, or empty for the last one */
  diagnostic(code) {
    const asked = textOf(code);
    if (asked === "" || asked === this.#last.code) {
      return this.#last.diagnostic || this.errorString(this.#last.code);
    }
    return this.errorString(asked);
  }

  /** @returns {import("./outbox.js").Phase} */
  get #state() {
    if (this.#outbox.durablePhase === "terminated") return "terminated";
    return this.#initialized ? "running" : "launched";
  }

  /**
   * @param {Call} call
   * @param {string} failed
   * @param {unknown} argument
   * @param {() => Answer} act
   */
  #call(call, failed, argument, act) {
    const wrong = this.#codes.state[call][this.#state] ?? (textOf(argument) === "" ? "" : this.#codes.argument);
    this.#last = wrong ? { value: failed, code: wrong, diagnostic: "" } : act();
    return this.#last.value;
  }

  /**
   * @param {string} reason
   * @param {string} code
   * @returns {Answer}
   */
  #durably(reason, code) {
    if (this.#saver.saveNow(reason)) return TRUE;
    return { value: "false", code, diagnostic: "The server has not confirmed that everything is saved." };
  }
}

/**
 * Courses pass numbers, booleans and nothing at all where the standards ask for text. What no encoding can
 * carry, half of a character, becomes the sign for it.
 *
 * @param {unknown} value
 */
function textOf(value) {
  return String(value ?? "").replace(/\p{Surrogate}/gu, "\uFFFD");
}
