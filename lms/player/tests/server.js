/**
 * A server that keeps the contract of `README.md`, for tests: the network of a saver, without a network.
 */

const LARGEST_BEACON = 65_536;

export class Server {
  /** @type {any[]} every request that arrived */
  received = [];
  /** @type {Record<string, string>} */
  values = {};
  phase = "launched";
  applied = 0;
  reachable = true;
  /** What the next answers say beside the contract's bare minimum. */
  extra = {};
  /** @type {number | null} answer every request so */
  status = null;
  /** Requests of `send` arrive only with `deliver`. */
  slow = false;
  /** Requests of `send` arrive, and are answered with `deliver`. */
  late = false;
  /** As a browser that forbids `sendNow` while the unit's page is going. */
  forbidsWaiting = false;
  /** What is sent goes nowhere, and nobody says so. */
  vanished = false;
  waitedFor = 0;
  #waiting = [];
  #last = { body: "", reply: null };

  send = async (body) => {
    if (!this.slow && !this.late) return this.#receive(body);
    const answer = this.late ? this.#receive(body) : null;
    return new Promise((resolve) => this.#waiting.push(() => resolve(answer ?? this.#receive(body))));
  };

  sendNow = (body) => {
    this.waitedFor += 1;
    if (this.vanished) return { status: 0, answer: {}, silent: true };
    return this.forbidsWaiting ? { status: 0, answer: {} } : this.#receive(body);
  };

  sendAtExit = (body) => {
    const fits = body.length <= LARGEST_BEACON;
    if (fits) this.#receive(body);
    return fits;
  };

  get waiting() {
    return this.#waiting.length;
  }

  /** Let the oldest waiting request go on. */
  async deliver() {
    this.#waiting.shift()();
    await settled();
  }

  #receive(body) {
    if (!this.reachable) return { status: 0, answer: {} };
    const request = JSON.parse(body);
    this.received.push(request);
    if (this.status !== null) return { status: this.status, answer: { error: "as told" } };
    if (request.sequence === this.applied && body === this.#last.body) return this.#last.reply;
    if (request.sequence <= this.applied) {
      return { status: 409, answer: { error: "stale", sequence: this.applied } };
    }
    this.applied = request.sequence;
    this.phase = request.phase;
    Object.assign(this.values, request.values);
    const reply = {
      status: 200,
      answer: { sequence: request.sequence, refused: [], navigation: null, ...this.extra },
    };
    this.#last = { body, reply };
    return reply;
  }
}

/** Timers that run when the test says so. */
export class Timers {
  nowMs = 0;
  #due = [];

  start = (run, delayMs) => {
    const timer = { run, at: this.nowMs + delayMs };
    this.#due.push(timer);
    return timer;
  };

  stop = (timer) => {
    this.#due = this.#due.filter((other) => other !== timer);
  };

  async pass(ms) {
    const until = this.nowMs + ms;
    for (;;) {
      const [next] = this.#due.filter(({ at }) => at <= until).sort((one, other) => one.at - other.at);
      if (!next) break;
      this.nowMs = next.at;
      this.stop(next);
      next.run();
      await settled();
    }
    this.nowMs = until;
  }
}

/** Everything that was ready to run has run. */
export function settled() {
  return new Promise((resolve) => setImmediate(resolve));
}
