/**
 * Numbers that keep up: what stands in `[data-counter]` is asked for again every few seconds.
 *
 * The page came with them, so nothing is lost without this. A page that is not looked at asks nothing, and one
 * that was told no (signed out, no right) asks no more.
 *
 * @param {object} given
 * @param {HTMLElement} given.element holds the counters; `data-counters` says where they come from
 * @param {(path: string) => Promise<Record<string, string> | null>} given.ask null: do not ask again
 * @param {() => boolean} given.isSeen
 * @param {(run: () => void, ms: number) => void} given.after
 */
export function keepUp({ element, ask, isSeen, after }) {
  const EVERY_MS = 5000;

  async function once() {
    if (isSeen()) {
      try {
        const told = await ask(/** @type {string} */ (element.dataset.counters));
        if (told === null) return;
        for (const counter of element.querySelectorAll("[data-counter]")) {
          const text = told[/** @type {HTMLElement} */ (counter).dataset.counter ?? ""];
          if (typeof text === "string" && counter.textContent !== text) counter.textContent = text;
        }
      } catch {
        // Out of reach for now: the numbers stay as they were.
      }
    }
    after(once, EVERY_MS);
  }
  after(once, EVERY_MS);
}

/**
 * Ask our own server for counters.
 *
 * @param {string} path
 */
export async function askServer(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" }, redirect: "manual" });
  return answer.ok ? answer.json() : null;
}
