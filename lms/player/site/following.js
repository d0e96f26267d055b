/**
 * A section that keeps up with work under way: its page is asked for again, and the section taken from it.
 *
 * While the server is out of reach the section stays as it is and says so; a page loaded anew by itself would leave
 * the browser's own error in its place. Where the page has no such section any more, the work has ended.
 *
 * @param {object} given
 * @param {HTMLElement} given.section
 * @param {() => Promise<string | null>} given.ask what stands in the section now, null where there is none
 * @param {() => boolean} given.isSeen
 * @param {(run: () => void, ms: number) => void} given.after
 * @param {() => void} given.reload
 */
export function follow({ section, ask, isSeen, after, reload }) {
  const EVERY_MS = 2000;
  const lost = /** @type {HTMLElement | null} */ (section.parentElement?.querySelector("[data-follow-lost]"));

  async function once() {
    if (isSeen()) {
      try {
        const now = await ask();
        if (now === null) {
          reload();
          return;
        }
        if (section.innerHTML !== now) section.innerHTML = now;
        if (lost) lost.hidden = true;
      } catch {
        if (lost) lost.hidden = false;
      }
    }
    after(once, EVERY_MS);
  }
  after(once, EVERY_MS);
}

/** Ask our own server for this page, and take the section from it. */
export async function askForSection() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (answer.status >= 500) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("[data-follow]")?.innerHTML ?? null;
}
