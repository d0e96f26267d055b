/**
 * What is noted as the page goes: the page that is told of it goes as well, so it is sent to the server besides.
 *
 * Which of the two is gone first differs (`README.md`, "A unit that is going is not waited for"). So entries are numbered,
 * those of the last moments are sent whether or not the page has heard them, and the page leaves out what it knows.
 *
 * @typedef {import("../shim/watching.js").Entry} Entry
 * @typedef {import("../shim/network.js").Network} Network
 */

import { NO_ANSWER } from "../shim/watching.js";

export const SENT_AT_EXIT = "sent at exit"; // in the place of an answer
const HEARD_AFTER_MS = 2_000; // by a page that goes on
const MOST_ENTRIES = 100;
const MOST_CHARACTERS = 30_000; // a browser gives all that outlives a page 64 KiB together, and commits come first

export class Parting {
  #number = 0;
  /** @type {Entry[] | null} what nobody listened to yet */
  #held = [];
  #going = false;
  /** @type {(Entry & {number: number})[]} */
  #recent = [];
  #tell;
  #send;
  #now;

  /**
   * @param {object} given
   * @param {(entries: Entry[]) => void} given.tell the page
   * @param {(text: string) => void} given.send to the server
   * @param {() => number} [given.now]
   */
  constructor({ tell, send, now = () => performance.timeOrigin + performance.now() }) {
    this.#tell = tell;
    this.#send = send;
    this.#now = now;
  }

  /** @param {Entry[]} entries */
  hear(entries) {
    const numbered = entries.map((entry) => ({ ...entry, number: (this.#number += 1) }));
    if (this.#held === null) this.#tell(numbered);
    else this.#held.push(...numbered);
    const since = this.#now() - HEARD_AFTER_MS;
    this.#recent = [...this.#recent, ...numbered].filter(({ at }) => at >= since).slice(-MOST_ENTRIES);
    if (this.#going) this.#sendRecent();
  }

  /** The page listens: it is told what it has missed, in its order. */
  listened() {
    const held = this.#held ?? [];
    this.#held = null;
    if (held.length > 0) this.#tell(held);
  }

  /** The page goes: from now on nobody may hear. */
  go() {
    this.#going = true;
    this.#sendRecent();
  }

  /** It came back as it was. */
  stay() {
    this.#going = false;
  }

  #sendRecent() {
    // Of what the page still had under way a browser tells no answer; it is noted as sent.
    const entries = this.#recent.filter(({ kind, code }) => kind !== "commit" || code !== NO_ANSWER);
    this.#recent = [];
    while (entries.length > 0 && JSON.stringify(entries).length > MOST_CHARACTERS) entries.shift();
    if (entries.length > 0) this.#send(JSON.stringify({ entries }));
  }
}

/**
 * The same network; what it sends without hearing of it again is noted.
 *
 * @param {Network} network
 * @param {(entry: Omit<Entry, "at">) => void} note
 * @returns {{network: Network, go: () => void}} `go` notes what is still under way
 */
export function watchExit(network, note) {
  const { send, sendNow, sendAtExit } = { ...network };
  /** @type {Set<string>} */
  const underWay = new Set();
  return {
    network: {
      async send(body) {
        underWay.add(body);
        try {
          return await send(body);
        } finally {
          underWay.delete(body);
        }
      },
      sendNow,
      sendAtExit(body) {
        const taken = sendAtExit(body);
        if (taken) note(unanswered(body));
        return taken;
      },
    },
    go() {
      for (const body of underWay) note(unanswered(body));
    },
  };
}

/**
 * @param {string} body
 * @returns {Omit<Entry, "at">}
 */
function unanswered(body) {
  const { reason, phase, sequence, values } = JSON.parse(body);
  const sent = JSON.stringify(values).slice(0, 2_000);
  const given = [String(sequence), phase, sent, ""];
  return { kind: "commit", name: String(reason), arguments: given, answer: SENT_AT_EXIT, code: "", meaning: "", diagnostic: "" };
}
