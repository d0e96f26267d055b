/**
 * When to send what is unsaved, and what an answer means (`README.md`, "Contract with the server").
 *
 * Soon after the first unsaved value, so that the server has it within two seconds, or at once when much is waiting; by a synchronous request when the
 * unit asks and waits; by a beacon when the page goes. While the server is out of reach everything stays here
 * and is tried again; and the page is handed a copy of what is not durable, each time something is sent, and while
 * nothing can be sent a second after each change.
 *
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("./network.js").Reply} Reply
 * @typedef {import("./outbox.js").Outbox} Outbox
 * @typedef {import("./outbox.js").Request} Request
 *
 * @typedef {object} Timers
 * @property {(run: () => void, delayMs: number) => unknown} start
 * @property {(timer: any) => void} stop
 */

const AUTOSAVE_S = 1.5; // two seconds, with the way of the request
const COPY_S = 1;
const SILENT_AFTER_S = 3;
const FIRST_RETRY_S = 1;
const LONGEST_RETRY_S = 5; // whoever has the server back wants to read so
const MOST_NUMBERINGS = 3;
const OVER = new Set([401, 403, 404, 410]);
const REJECTED = new Set([400, 413, 422]);

export class Saver {
  #outbox;
  #network;
  #timers;
  #report;
  #merge;
  /** @type {unknown} */
  #timer = null;
  #copyIsDue = false;
  #copied = false;
  #retryS = FIRST_RETRY_S;
  #sending = 0;
  #unreachable = false;
  #silent = false;
  #over = false;
  #going = false;
  #left = false;
  #overruled = false;
  #beaconIsDue = false;
  #shown = "saved";

  /**
   * @param {object} given
   * @param {Outbox} given.outbox
   * @param {Network} given.network
   * @param {Timers} given.timers
   * @param {(type: string, members?: object) => void} given.report tells the page
   * @param {(values: Record<string, string>) => void} given.merge takes what the server computed
   */
  constructor({ outbox, network, timers, report, merge }) {
    this.#outbox = outbox;
    this.#network = network;
    this.#timers = timers;
    this.#report = report;
    this.#merge = merge;
  }

  /** Something new is unsaved: see that it is saved soon. */
  changed() {
    if (this.#over || this.#unreachable) this.#copySoon();
    if (this.#over) return;
    if (this.#going) return this.#beaconSoon();
    if (!this.#unreachable) this.#show("saving");
    if (this.#outbox.isLarge && !this.#unreachable && this.#sending === 0) void this.save("autosave");
    else this.#schedule(AUTOSAVE_S);
  }

  /**
   * Send what is unsaved.
   *
   * @param {string} reason
   * @param {{evenNothing?: boolean}} [options] `evenNothing`: so that the server learns the time
   * @returns {Promise<boolean>} whether all of it is kept now
   */
  async save(reason, { evenNothing = false } = {}) {
    if (this.#over) return this.#outbox.isEmpty;
    if (this.#outbox.isEmpty && !evenNothing) return true;
    this.#cancel();
    for (let numbering = 0; numbering < MOST_NUMBERINGS; numbering += 1) {
      const request = this.#next(reason);
      this.#handOver(request.body);
      this.#sending += 1;
      const silent = this.#timers.start(() => (this.#silent = true), SILENT_AFTER_S * 1000);
      const reply = await this.#network.send(request.body);
      this.#timers.stop(silent);
      this.#sending -= 1;
      if (reply.status !== 0) this.#silent = false;
      if (reply.status !== 409) return this.#settle(request, reply);
      this.#outbox.renumber(request, reply.answer.sequence);
      if (this.#outbox.isEmpty) return true; // another request has carried it meanwhile
    }
    return this.#outOfReach();
  }

  /**
   * Send what is unsaved and wait, because the unit waits.
   *
   * @param {string} reason
   * @returns {boolean} whether all of it is kept now
   */
  saveNow(reason) {
    if (this.#over) return false;
    if (this.#outbox.isEmpty) return true;
    if (this.#going) {
      this.#beaconSoon();
      return false;
    }
    if (this.#silent) {
      // The lesson would stand still, with each call anew.
      this.#copySoon();
      if (this.#sending === 0) void this.save(reason);
      return false;
    }
    this.#cancel();
    for (let numbering = 0; numbering < MOST_NUMBERINGS; numbering += 1) {
      const request = this.#next(reason);
      this.#handOver(request.body);
      const reply = this.#network.sendNow(request.body);
      if (reply.silent) {
        this.#silent = true;
        return this.#outOfReach();
      }
      if (reply.status === 0) {
        // A browser forbids waiting while the unit's page is going; a request without waiting still gets out.
        void this.save(reason);
        return false;
      }
      if (reply.status !== 409) return this.#settle(request, reply);
      this.#outbox.renumber(request, reply.answer.sequence);
    }
    return this.#outOfReach();
  }

  /** The learner asks for something by a control of the page; what the unit may still ask for is not carried out. */
  overrule() {
    this.#overruled = true;
  }

  /**
   * The unit was taken away: send the rest, and the time of a session that was not ended.
   *
   * @returns {Promise<boolean>} whether all of it is kept now
   */
  leave() {
    this.#left = true;
    if (this.#over && !this.#outbox.isEmpty) this.#handOver(this.#outbox.copy());
    return this.save("leave", { evenNothing: this.#outbox.phase === "running" });
  }

  /** The page goes: send the rest in a way that outlives it. What the unit still does is sent after it. */
  go() {
    this.#going = true;
    const timeRuns = this.#outbox.phase === "running" && !this.#left;
    if (!this.#over && (!this.#outbox.isEmpty || timeRuns)) this.#beacon();
  }

  /** The page stays after all (the browser kept it and shows it again). */
  stay() {
    this.#going = false;
    if (!this.#outbox.isEmpty) this.changed();
  }

  /** The token that was over is awake again. */
  again() {
    if (!this.#over) return;
    this.#over = false;
    this.#shown = "";
    if (this.#outbox.isEmpty) this.#show("saved");
    else void this.save("autosave");
  }

  /** The browser believes to be connected again; a request under way may hang on the connection that was lost. */
  online() {
    if (this.#unreachable) void this.save("autosave");
  }

  /** The learner is back at the lesson: out of sight, a browser lets timers wait. */
  seen() {
    if (this.#unreachable && this.#sending === 0) void this.save("autosave");
  }

  /**
   * @param {Request} request
   * @param {Reply} reply
   */
  #settle(request, reply) {
    if (reply.status === 200) return this.#durable(request, reply);
    if (this.#outbox.isEmpty) return true; // another request has carried it meanwhile
    if (OVER.has(reply.status)) {
      this.#over = true;
      this.#report("error", { code: "ended" });
      return false;
    }
    if (REJECTED.has(reply.status)) {
      this.#outbox.renumber(request);
      this.#report("error", { code: "rejected" });
      this.#shown = "rejected";
      return false;
    }
    return this.#outOfReach();
  }

  /**
   * @param {Request} request
   * @param {Reply} reply
   */
  #durable(request, { answer }) {
    const wasTerminated = this.#outbox.durablePhase === "terminated";
    this.#outbox.settle(request);
    this.#unreachable = false;
    this.#retryS = FIRST_RETRY_S;
    this.#merge(answer.values ?? {});
    const refused = (answer.refused ?? []).length > 0;
    if (refused) this.#report("error", { code: "refused" });
    if (this.#outbox.isEmpty) {
      this.#cancel();
      if (this.#copied) this.#report("durable");
      this.#copied = false;
      if (refused) this.#shown = "refused";
      else this.#show("saved", { sequence: request.sequence });
    } else {
      this.#show("saving");
      this.#schedule(AUTOSAVE_S);
    }
    if (request.phase === "terminated" && !wasTerminated) {
      this.#report("terminated");
      if (answer.navigation) this.#report("navigate");
    }
    if (this.#outbox.isFull) {
      this.#shown = "full";
      this.#report("error", { code: "full" });
    }
    return !refused;
  }

  #outOfReach() {
    this.#unreachable = true;
    this.#shown = "unreachable";
    this.#report("unreachable", { unsaved: this.#outbox.unsaved });
    this.#schedule(this.#retryS);
    this.#retryS = Math.min(2 * this.#retryS, LONGEST_RETRY_S);
    return false;
  }

  /**
   * Hand the page what is not durable; a session's time alone is not worth a copy.
   *
   * @param {string} body
   */
  #handOver(body) {
    if (this.#outbox.isEmpty) return;
    this.#copied = true;
    this.#report("unsaved", { body });
  }

  #copySoon() {
    if (this.#copyIsDue) return;
    this.#copyIsDue = true;
    this.#timers.start(() => {
      this.#copyIsDue = false;
      if (!this.#outbox.isEmpty) this.#handOver(this.#outbox.copy());
    }, COPY_S * 1000);
  }

  /** @param {string} reason */
  #next(reason) {
    return this.#outbox.next(this.#overruled ? "overruled" : reason);
  }

  /** One beacon for all that a handler of the unit does, as soon as it has ended. */
  #beaconSoon() {
    if (this.#beaconIsDue) return;
    this.#beaconIsDue = true;
    queueMicrotask(() => {
      this.#beaconIsDue = false;
      this.#beacon();
    });
  }

  #beacon() {
    const { body } = this.#next("hidden");
    this.#handOver(body);
    if (!this.#network.sendAtExit(body)) void this.#network.send(body); // too large: it may still get out
  }

  /** @param {number} delayS */
  #schedule(delayS) {
    if (this.#timer !== null) return;
    this.#timer = this.#timers.start(() => {
      this.#timer = null;
      void this.save("autosave");
    }, delayS * 1000);
  }

  #cancel() {
    if (this.#timer !== null) this.#timers.stop(this.#timer);
    this.#timer = null;
  }

  /**
   * @param {string} type
   * @param {object} [members]
   */
  #show(type, members) {
    if (this.#shown === type) return;
    this.#shown = type;
    this.#report(type, members);
  }
}
