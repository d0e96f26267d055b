/**
 * Hear that a course goes on in another browser or on another device, where its units speak to the record store
 * themselves: no commit of theirs is refused before our eyes, so the page asks.
 */

const LOOK_EVERY_MS = 20_000;

/**
 * @param {object} given
 * @param {string} given.url answers `{"by": …}`: the session that came after the one shown here, if any
 * @param {typeof import("./asking.js").ask} given.ask
 * @param {() => boolean} given.isSeen nobody reads what a page says that is not seen
 * @param {(run: () => void) => void} given.whenSeen
 * @param {(run: () => void, delayMs: number) => unknown} given.after
 * @param {() => void} given.goesOn
 */
export function watchElsewhere({ url, ask, isSeen, whenSeen, after, goesOn }) {
  let isOver = false;

  async function look() {
    if (isOver || !isSeen()) return;
    const { status, answer } = await ask(url);
    if (status !== 200 || !answer.by || isOver) return;
    isOver = true;
    goesOn();
  }

  async function lookOnAndOn() {
    await look();
    if (!isOver) after(lookOnAndOn, LOOK_EVERY_MS);
  }

  whenSeen(look);
  after(lookOnAndOn, LOOK_EVERY_MS);
}
