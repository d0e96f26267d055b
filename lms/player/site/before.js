/**
 * Before a lesson that may still be open elsewhere: what was kept is sent first, then the other tabs are asked.
 *
 * Where nobody answers and this browser opened it itself, its page is gone without a word, as after a crash or a
 * reload, and the way is free. Else the learner decides.
 *
 * @param {object} given
 * @param {HTMLElement} given.element `data-before` is the launch, `data-go` where the lesson is
 * @param {Promise<void>} given.kept when what was kept here has been sent
 * @param {() => Promise<string | undefined>} given.noted the launch this browser opened last
 * @param {(launch: string, type: "ask" | "take") => Promise<boolean>} given.tell the other tabs
 * @param {(path: string) => void} given.go
 */
export async function wireBefore({ element, kept, noted, tell, go }) {
  const { before: launch = "", go: path = "" } = element.dataset;
  const wait = /** @type {HTMLElement | null} */ (element.querySelector("[data-before-wait]"));
  const question = /** @type {HTMLElement | null} */ (element.querySelector("[data-before-ask]"));
  show(true);
  await kept;
  const isHere = await tell(launch, "ask");
  const isOurs = (await noted().catch(() => undefined)) === launch;
  if (!isHere && (isOurs || element.dataset.asleep !== undefined)) return go(path);
  show(false);
  /** @type {HTMLElement | null} */ (question?.querySelector("a"))?.addEventListener("click", async (event) => {
    event.preventDefault();
    show(true);
    if (isHere) await tell(launch, "take");
    go(path);
  });

  /** @param {boolean} waits */
  function show(waits) {
    if (wait) wait.hidden = !waits;
    if (question) question.hidden = waits;
  }
}
