/**
 * What the shim and the page around it tell each other (`README.md`, "Messages").
 *
 * Messages are about what to show; nothing that must be kept travels this way.
 *
 * @param {Window} window of the shim
 * @param {string} origin of the page
 */
export function messagesWith(window, origin) {
  return {
    /**
     * @param {string} type
     * @param {object} [members]
     */
    tell: (type, members = {}) => window.parent.postMessage({ outpost: 1, type, ...members }, origin),

    /** @param {(how: {overrules: boolean}) => void} leave */
    onLeave: (leave) =>
      window.addEventListener("message", ({ source, origin: from, data }) => {
        const believed = source === window.parent && from === origin && data?.outpost === 1;
        if (believed && data.type === "leave") leave({ overrules: data.overrules === true });
      }),
  };
}
