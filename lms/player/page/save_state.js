/**
 * The words that say whether the learner's work is safe.
 */

const SAVING_SHOWS_AFTER_MS = 400; // so that nothing flickers

/**
 * @param {object} given
 * @param {HTMLElement | null} given.element
 * @param {DOMStringMap} given.texts `textSaved`, `textSaving` … of the player
 */
export function saveState({ element, texts }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let soon;

  /** @param {string} state */
  function show(state) {
    clearTimeout(soon);
    if (element === null || element.dataset.state === state) return;
    element.dataset.state = state;
    element.textContent = texts[keyOf(state)] ?? "";
  }

  return {
    show,
    /** @param {import("./bridge.js").Message} message */
    hear({ type, code }) {
      if (type === "saving") {
        clearTimeout(soon);
        soon = setTimeout(show, SAVING_SHOWS_AFTER_MS, "saving");
      } else if (type === "saved" || type === "unreachable") show(type);
      else if (type === "terminated") show("finished");
      else if (type === "error" && (code === "ended" || code === "rejected" || code === "refused")) show(code);
    },
  };
}

/** @param {string} state `leave-anyway` is `data-text-leave-anyway` */
function keyOf(state) {
  return `text-${state}`.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}
