/**
 * The controls of the bar and the outline, renewed when what the unit reports opens a way or closes one.
 */

const PARTS = ["go", "outline"]; // ids
const SOON_MS = 500; // a unit reports much at once, and one that asks to go on needs no new bar

/**
 * @param {object} given
 * @param {string | undefined} given.url where the server shows them as they are now
 * @param {Document} given.document
 * @param {(html: string) => Document} given.parse
 * @param {() => boolean} given.isNeeded not while the learner is leaving, by a button that must stay
 * @param {(run: () => void, delayMs: number) => unknown} given.after
 * @param {(url: string) => Promise<Pick<Response, "ok" | "text">>} given.ask
 */
export function barAt({ url, document, parse, isNeeded, after, ask }) {
  let waits = false;

  return {
    /** Renew them soon. */
    changed() {
      if (url === undefined || waits) return;
      waits = true;
      after(async () => {
        waits = false;
        if (!isNeeded()) return;
        const response = await ask(url).catch(() => null);
        if (!response?.ok) return; // out of reach or signed out: pressing a control will say so
        const fresh = parse(await response.text());
        if (isNeeded()) PARTS.forEach((id) => renew(document.getElementById(id), fresh.getElementById(id)));
      }, SOON_MS);
    },
  };

  /**
   * @param {HTMLElement | null} old
   * @param {HTMLElement | null} fresh
   */
  function renew(old, fresh) {
    if (old === null || fresh === null) return;
    const focused = /** @type {HTMLButtonElement | null} */ (
      old.contains(document.activeElement) ? document.activeElement : null
    );
    old.replaceChildren(...fresh.childNodes);
    if (focused === null) return;
    const same = [...old.querySelectorAll("button")].find(
      ({ name, value }) => name === focused.name && value === focused.value,
    );
    same?.focus();
  }
}
