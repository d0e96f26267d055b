/**
 * Wait for the server's answer in the middle of a call of the unit, but no longer than a learner may be kept waiting.
 *
 * A window may give a synchronous request no time limit: sent to a hub that has lost its power it stops the lesson
 * until the system gives the connection up, which was measured as more than 400 s. So the request is sent by a worker, which can stop waiting.
 * What it heard it has to tell a thread that hears no messages while it waits: it revokes addresses of blobs, which that thread tries to read.
 *
 * An outcome is `plain` (kept as it was sent, and nothing else to say), `more` (answered; the same request again brings
 * the same answer at once), `silent` (no answer in time), `forbidden` (the page is going, and a browser lets nobody wait) or `unable` (no such
 * worker here, or not yet).
 *
 * @typedef {"plain" | "more" | "silent" | "forbidden" | "unable"} Outcome
 *
 * @typedef {object} Waiter
 * @property {(body: string, known: string) => Outcome} ask `known`: the values, as JSON, that are no news
 */

const LONGEST_MS = 3_000;
const LONGEST_TRIAL_MS = 500;

/**
 * @param {string} url where commits go
 * @returns {Waiter}
 */
export function waiterAt(url) {
  const control = mark(); // stays readable: when it is not, no reading says anything
  /** @type {"starting" | "untried" | "able" | "unable"} */
  let state = "starting";
  const worker = started();
  if (worker === null) state = "unable";
  else worker.onmessage = () => (state = "untried");

  return {
    ask(body, known) {
      if (!isReadable(control)) return "forbidden";
      if (state === "untried") {
        // There are browsers in which a worker gets nothing done while the window waits.
        const tried = outcomeOf({ url: control, body: null, known: "" }, LONGEST_TRIAL_MS);
        state = tried === "more" ? "able" : "unable";
      }
      return state === "able" ? outcomeOf({ url, body, known }, LONGEST_MS) : "unable";
    },
  };

  /**
   * @param {{url: string, body: string | null, known: string}} request
   * @param {number} longestMs
   * @returns {Outcome}
   */
  function outcomeOf(request, longestMs) {
    const marks = { answered: mark(), plain: mark(), more: mark() };
    const deadlineMs = performance.now() + longestMs;
    try {
      worker?.postMessage({ ...request, marks, longestMs });
      while (isReadable(marks.answered)) {
        if (performance.now() > deadlineMs) return "silent";
      }
      if (!isReadable(control)) return "forbidden";
      if (!isReadable(marks.plain)) return "plain";
      return isReadable(marks.more) ? "silent" : "more";
    } finally {
      Object.values(marks).forEach((url) => URL.revokeObjectURL(url));
    }
  }
}

/** @returns {Worker | null} */
function started() {
  try {
    const script = URL.createObjectURL(new Blob([`(${work})()`], { type: "text/javascript" }));
    return new Worker(script);
  } catch {
    return null;
  }
}

/** What the worker does; its text is the script, so it uses nothing from outside. */
function work() {
  onmessage = async ({ data: { url, body, known, marks, longestMs } }) => {
    const aborter = new AbortController();
    const timer = setTimeout(() => aborter.abort(), longestMs);
    try {
      const response = await fetch(url, {
        method: body === null ? "GET" : "POST",
        headers: body === null ? {} : { "Content-Type": "application/json" },
        body,
        credentials: "omit",
        redirect: "error",
        signal: aborter.signal,
      });
      const text = await response.text();
      URL.revokeObjectURL(response.status === 200 && isPlain(text) ? marks.plain : marks.more);
    } catch {
      // Nothing is marked: there was no answer.
    }
    clearTimeout(timer);
    URL.revokeObjectURL(marks.answered);

    /** @param {string} text */
    function isPlain(text) {
      try {
        const { refused, navigation, values } = JSON.parse(text);
        return refused.length === 0 && navigation === null && JSON.stringify(values || {}) === known;
      } catch {
        return false;
      }
    }
  };
  postMessage("ready");
}

/** @returns {string} an address that can be read until it is revoked */
function mark() {
  return URL.createObjectURL(new Blob(["."]));
}

/** @param {string} url */
function isReadable(url) {
  const request = new XMLHttpRequest();
  try {
    request.open("GET", url, false);
    request.overrideMimeType("text/plain"); // Firefox would read it as XML, and complain each time
    request.send();
    return request.responseText === ".";
  } catch {
    return false;
  }
}
