/**
 * `window.API_1484_11` (SCORM 2004 RTE 4th Ed. §3.1; IEEE 1484.11.2).
 *
 * @typedef {import("./attempt.js").Attempt} Attempt
 */

/** @type {import("./attempt.js").Codes} */
export const CODES_2004 = {
  state: {
    initialize: { running: "103", terminated: "104" },
    terminate: { launched: "112", terminated: "113" },
    get: { launched: "122", terminated: "123" },
    set: { launched: "132", terminated: "133" },
    commit: { launched: "142", terminated: "143" },
  },
  argument: "201",
  terminate: "111",
  commit: "391",
};

/** @param {Attempt} attempt */
export function api2004(attempt) {
  return {
    version: "1.0",
    Initialize: (/** @type {unknown} */ argument) => attempt.initialize(argument),
    Terminate: (/** @type {unknown} */ argument) => attempt.terminate(argument),
    GetValue: (/** @type {unknown} */ element) => attempt.get(element),
    SetValue: (/** @type {unknown} */ element, /** @type {unknown} */ value) => attempt.set(element, value),
    Commit: (/** @type {unknown} */ argument) => attempt.commit(argument),
    GetLastError: () => attempt.lastError(),
    GetErrorString: (/** @type {unknown} */ code) => attempt.errorString(code),
    GetDiagnostic: (/** @type {unknown} */ code) => attempt.diagnostic(code),
  };
}
