/**
 * Messages to and from the shim (`README.md`, "Messages").
 *
 * Only the window of the player's frame is heard, and only from the content origin. The course stands on that
 * origin too and can forge what the shim says; so a message never brings an address, a text or markup. What it brings to be
 * kept is judged before it is (`keeping.js`), and by the server, as if the shim had sent it.
 *
 * @typedef {object} Message
 * @property {string} type
 * @property {string} [code]
 * @property {boolean} [durable]
 * @property {unknown} [body]
 * @property {unknown} [run]
 *
 * @typedef {ReturnType<typeof bridgeTo>} Bridge
 */

/**
 * @param {object} given
 * @param {Pick<Window, "addEventListener">} given.window
 * @param {{contentWindow: Window | null} | null} given.frame none while no unit is delivered
 * @param {string} given.origin
 */
export function bridgeTo({ window, frame, origin }) {
  return {
    /** @param {(message: Message) => void} hear */
    onMessage: (hear) =>
      window.addEventListener("message", ({ source, origin: from, data }) => {
        const believed = Boolean(source) && source === frame?.contentWindow && from === origin;
        if (believed && data?.outpost === 1 && typeof data.type === "string") hear(data);
      }),

    /** @param {{overrules: boolean}} how see `Leaving.by` */
    askToLeave: ({ overrules }) =>
      frame?.contentWindow?.postMessage({ outpost: 1, type: "leave", overrules }, origin),

    /** We listen only now; a shim that was quicker says again that it is there. */
    sayHello: () => frame?.contentWindow?.postMessage({ outpost: 1, type: "hello" }, origin),

    /** The log of a trial hears of calls from now on; until then the shim keeps them. */
    sayListen: () => frame?.contentWindow?.postMessage({ outpost: 1, type: "listen" }, origin),

    /** The token is awake again. */
    sayAgain: () => frame?.contentWindow?.postMessage({ outpost: 1, type: "again" }, origin),
  };
}
