/**
 * `window.API` (SCORM 1.2 RTE §3.3).
 *
 * @typedef {import("./attempt.js").Attempt} Attempt
 */

const NOT_INITIALIZED = { launched: "301", terminated: "301" };

/** @type {import("./attempt.js").Codes} */
export const CODES_12 = {
  state: {
    initialize: { running: "101", terminated: "101" },
    terminate: NOT_INITIALIZED,
    get: NOT_INITIALIZED,
    set: NOT_INITIALIZED,
    commit: NOT_INITIALIZED,
  },
  argument: "201",
  terminate: "101",
  commit: "101",
};

/** @param {Attempt} attempt */
export function api12(attempt) {
  return {
    LMSInitialize: (/** @type {unknown} */ argument) => attempt.initialize(argument),
    LMSFinish: (/** @type {unknown} */ argument) => attempt.terminate(argument),
    LMSGetValue: (/** @type {unknown} */ element) => attempt.get(element),
    LMSSetValue: (/** @type {unknown} */ element, /** @type {unknown} */ value) => attempt.set(element, value),
    LMSCommit: (/** @type {unknown} */ argument) => attempt.commit(argument),
    LMSGetLastError: () => attempt.lastError(),
    LMSGetErrorString: (/** @type {unknown} */ code) => attempt.errorString(code),
    LMSGetDiagnostic: (/** @type {unknown} */ code) => attempt.diagnostic(code),
  };
}
