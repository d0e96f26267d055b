/**
 * The one place that sends.
 *
 * @typedef {object} Reply
 * @property {number} status 0 when no answer came
 * @property {any} answer the JSON of the body, `{}` when there is none
 * @property {boolean} [silent] an answer was waited for as long as may be
 *
 * @typedef {object} Network
 * @property {(body: string) => Promise<Reply>} send
 * @property {(body: string) => Reply} sendNow waits for the answer
 * @property {(body: string) => boolean} sendAtExit outlives the page; no answer is read
 */

const TYPE = "application/json";
const TIMEOUT_MS = 10_000;
const LARGEST_KEPT_ALIVE = 60_000; // a browser gives all such requests of a page 64 KiB together
const NO_ANSWER = Object.freeze({ status: 0, answer: {} });

/**
 * @param {string} url where commits go
 * @param {import("./waiting.js").Waiter} waiter for their answers
 * @returns {Network}
 */
export function networkTo(url, waiter) {
  let values = {}; // that the server computed, as its last answer gave them

  return { send, sendNow, sendAtExit };

  /** @param {string} body */
  async function send(body) {
    const bytes = new TextEncoder().encode(body);
    const aborter = new AbortController();
    const timer = setTimeout(() => aborter.abort(), TIMEOUT_MS);
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": TYPE },
        body: bytes,
        credentials: "omit",
        keepalive: bytes.length <= LARGEST_KEPT_ALIVE,
        redirect: "error",
        signal: aborter.signal,
      });
      return heard(read(response.status, await response.text()));
    } catch {
      return NO_ANSWER;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {string} body */
  function sendNow(body) {
    const outcome = waiter.ask(body, JSON.stringify(values));
    if (outcome === "plain") {
      return { status: 200, answer: { sequence: JSON.parse(body).sequence, refused: [], navigation: null, values } };
    }
    if (outcome === "silent") return { ...NO_ANSWER, silent: true };
    return outcome === "forbidden" ? NO_ANSWER : sendAndWait(body);
  }

  /** @param {string} body */
  function sendAndWait(body) {
    const request = new XMLHttpRequest();
    try {
      request.open("POST", url, false);
      request.setRequestHeader("Content-Type", TYPE);
      request.send(body);
    } catch {
      return NO_ANSWER;
    }
    return heard(read(request.status, request.responseText));
  }

  /** @param {string} body */
  function sendAtExit(body) {
    return navigator.sendBeacon(url, new Blob([body], { type: TYPE }));
  }

  /** @param {Reply} reply */
  function heard(reply) {
    if (reply.status === 200) values = reply.answer.values ?? {};
    return reply;
  }
}

/**
 * @param {number} status
 * @param {string} text
 * @returns {Reply}
 */
function read(status, text) {
  try {
    return { status, answer: JSON.parse(text) ?? {} };
  } catch {
    // An answer of the contract is JSON; another 200 comes from something between us and the server.
    return status === 200 || status === 409 ? NO_ANSWER : { status, answer: {} };
  }
}
