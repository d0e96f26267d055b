/**
 * An open lesson and its launch: kept a second copy of, woken when its token has lain still, given up when it is taken.
 *
 * @typedef {import("./bridge.js").Message} Message
 * @typedef {import("./keeping.js").Keeping} Keeping
 */

const LOOK_EVERY_MS = 20_000;
const TRY_AGAIN_MS = 5_000;
const LEAVES_WITHIN_MS = 3_000;
const WAKES_AT_MOST_EVERY_MS = 30_000; // or a token that stays over would be woken for ever

/**
 * @param {object} given
 * @param {string} given.launch
 * @param {Keeping} given.keeping
 * @param {{ensure: () => Promise<boolean>}} given.signIn
 * @param {(path: string) => Promise<{status: number, answer: any}>} given.ask
 * @param {(path: string) => Promise<{status: number, answer: any}>} given.post
 * @param {() => Promise<import("./late.js").Sent>} given.sendKept
 * @param {(state: string) => void} given.show in the bar
 * @param {() => void} given.askToLeave the shim
 * @param {() => void} given.again tell the shim that the token is awake
 * @param {(state: "sending" | "saved" | "waiting" | "aside", by: string | null) => void} given.showTaken
 * @param {() => boolean} given.isSeen
 * @param {(run: () => void, delayMs: number) => unknown} given.after
 * @param {() => number} given.nowMs
 */
export function lessonOf(given) {
  const { launch, keeping, signIn, ask, post, sendKept, show, askToLeave, again, showTaken, isSeen, after, nowMs } = given;
  let taken = false;
  let unreachable = false;
  let checking = false;
  let wokenMs = -Infinity;
  /** @type {(() => void) | null} */
  let left = null;

  after(look, LOOK_EVERY_MS);

  return {
    /** @param {Message} message from the shim */
    hear(message) {
      keeping.hear(message);
      const { type, code } = message;
      if (type === "unreachable") {
        unreachable = true;
        void keeping.settle();
      } else if (type === "saved" || type === "durable") unreachable = false;
      else if (type === "left") left?.();
      else if (type === "error" && code === "ended") void over();
    },

    /** Say whether what is unsaved is kept here, when that may have changed. */
    tell() {
      if (unreachable && !taken) show(keeping.isKept ? "unreachable" : "alone");
    },

    /**
     * Another tab goes on with the course: save, and take the unit away.
     *
     * @param {string | null} by the launch that took it, where it is known
     */
    letGo: giveUp,
  };

  /** The token is over. Wake it where that may be; else keep, send and say so. */
  async function over() {
    if (checking || taken) return;
    checking = true;
    await keeping.settle();
    show(keeping.isKept ? "unreachable" : "alone");
    const again_ = !(await decided());
    checking = false;
    if (again_) after(over, TRY_AGAIN_MS);
  }

  /** @returns {Promise<boolean>} whether anything was decided */
  async function decided() {
    const { status, answer } = await ask(`/launches/${launch}`);
    if (status !== 200) return false;
    if (answer.state === "taken") {
      await giveUp(answer.by);
      return true;
    }
    if (answer.state === "over" || nowMs() - wokenMs < WAKES_AT_MOST_EVERY_MS) {
      await sendKept();
      show("ended");
      return true;
    }
    if (!(await signIn.ensure())) return true; // a control, or the next visit, asks again
    const woken = await post(`/launches/${launch}/wake`);
    if (woken.status !== 200) return false;
    wokenMs = nowMs();
    unreachable = false;
    if (woken.answer.state === "open") again();
    return true;
  }

  /** @param {string | null} by */
  async function giveUp(by) {
    if (taken) return;
    taken = true;
    showTaken("sending", by);
    const gone = new Promise((resolve) => {
      left = () => resolve(undefined);
      after(() => resolve(undefined), LEAVES_WITHIN_MS);
    });
    askToLeave();
    await gone;
    await keeping.settle();
    const sent = await sendKept();
    const safe = sent.waiting === 0 && sent.refused === 0 && keeping.isKept;
    show(safe ? "saved" : "ended");
    showTaken(sent.aside.length > 0 ? "aside" : safe ? "saved" : "waiting", by);
  }

  async function look() {
    if (taken) return;
    if (isSeen()) {
      const { status, answer } = await ask(`/launches/${launch}`);
      if (status === 200 && answer.state === "taken") await giveUp(answer.by);
    }
    after(look, LOOK_EVERY_MS);
  }
}
