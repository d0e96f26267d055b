/**
 * What the shim and the page around it tell each other (`README.md`, "Messages").
 *
 * Messages are about what to show; what must be kept travels this way only as a second copy.
 *
 * @param {Window} window of the shim
 * @param {string} origin of the page
 */
export function messagesWith(window, origin) {
  /**
   * @param {string} type
   * @param {(data: any) => void} hear
   */
  const on = (type, hear) =>
    window.addEventListener("message", ({ source, origin: from, data }) => {
      const believed = source === window.parent && from === origin && data?.outpost === 1;
      if (believed && data.type === type) hear(data);
    });

  return {
    /**
     * @param {string} type
     * @param {object} [members]
     */
    tell: (type, members = {}) => window.parent.postMessage({ outpost: 1, type, ...members }, origin),

    /** @param {(how: {overrules: boolean}) => void} leave */
    onLeave: (leave) => on("leave", (data) => leave({ overrules: data.overrules === true })),

    /** @param {() => void} greet the page listens only now: what was told before is lost */
    onHello: (greet) => on("hello", greet),

    /** @param {() => void} listened the page of a trial hears of calls from now on */
    onListen: (listened) => on("listen", listened),

    /** @param {() => void} again the token is awake again */
    onAgain: (again) => on("again", again),
  };
}
