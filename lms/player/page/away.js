/**
 * Stay in the lesson while the server is out of reach: whoever leaves it then finds an error of the browser.
 */

const LOOK_EVERY_MS = 3_000;

/**
 * @param {object} given
 * @param {HTMLElement | null} given.notice says so
 * @param {() => Promise<boolean>} given.isReached asks the server
 * @param {(run: () => void, delayMs: number) => unknown} given.after
 */
export function awayAt({ notice, isReached, after }) {
  /** @param {boolean} away */
  const show = (away) => notice?.toggleAttribute("hidden", !away);

  async function lookAgain() {
    if (notice?.hidden !== false) return;
    if (await isReached()) show(false);
    else after(lookAgain, LOOK_EVERY_MS);
  }

  return {
    /** The server did not answer, and she stays. */
    stay() {
      if (notice?.hidden === false) return;
      show(true);
      after(lookAgain, LOOK_EVERY_MS);
    },
    /** It did. */
    goOn: () => show(false),
  };
}
