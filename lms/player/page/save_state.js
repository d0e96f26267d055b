/**
 * The words that say whether the learner's work is safe.
 */

const SAVING_SHOWS_AFTER_MS = 400; // so that nothing flickers
const WITH_WORDS = new Set(["ended", "rejected", "refused", "full"]);

/**
 * @param {object} given
 * @param {HTMLElement | null} given.element
 * @param {(state: string) => string | undefined} given.say
 */
export function saveState({ element, say }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let soon;

  /** @param {string} state */
  function show(state) {
    clearTimeout(soon);
    if (element === null || element.dataset.state === state) return;
    element.dataset.state = state;
    element.textContent = say(state) ?? "";
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
      else if (type === "error" && WITH_WORDS.has(code ?? "")) show(/** @type {string} */ (code));
    },
  };
}

/**
 * The words in the markup of the player: for `leave-anyway`, `data-text-leave-anyway`.
 *
 * @param {DOMStringMap} texts
 * @returns {(state: string) => string | undefined}
 */
export function wordsIn(texts) {
  return (state) => texts[`text-${state}`.replace(/-(.)/g, (_, letter) => letter.toUpperCase())];
}
