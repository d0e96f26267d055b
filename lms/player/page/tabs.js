/**
 * What the tabs of one browser tell each other of open lessons. Only pages of the LMS's origin are on this channel.
 */

const ANSWER_MS = 400; // a tab in the background is slow, not silent
const LET_GO_MS = 4_000; // the shim has 2.5 s to save, and what it could not is sent by the page

/**
 * @typedef {Pick<BroadcastChannel, "postMessage" | "addEventListener">} Channel
 *
 * @returns {Channel | null} none in a browser that has none
 */
export function channelOfTabs() {
  return typeof BroadcastChannel === "function" ? new BroadcastChannel("outpost-lessons") : null;
}

/**
 * Answer for the launch of this tab.
 *
 * @param {Channel | null} channel
 * @param {string} launch
 * @param {() => Promise<void>} letGo save and take the unit away
 */
export function answerFor(channel, launch, letGo) {
  channel?.addEventListener("message", async ({ data }) => {
    if (data?.launch !== launch) return;
    if (data.type === "ask") channel.postMessage({ type: "here", launch });
    if (data.type === "take") {
      await letGo();
      channel.postMessage({ type: "left", launch });
    }
  });
}

/**
 * Say that this tab shows a lesson of a course from now on, which ends what other tabs show of that course.
 *
 * @param {Channel | null} channel
 * @param {object} given
 * @param {string} given.course
 * @param {string} given.shown the launch or the session that this tab shows
 * @param {() => void} given.wasElsewhere another tab of this browser had the course open
 * @param {(by: string) => void} given.goesOn another tab of this browser goes on with the course
 */
export function shareCourse(channel, { course, shown, wasElsewhere, goesOn }) {
  let isOver = false;
  channel?.addEventListener("message", ({ data }) => {
    if (data?.type === "yielded" && data.to === shown) wasElsewhere();
    if (data?.type !== "opened" || data.course !== course || data.shown === shown || isOver) return;
    isOver = true;
    channel.postMessage({ type: "yielded", to: data.shown });
    goesOn(data.shown);
  });
  channel?.postMessage({ type: "opened", course, shown });
}

/**
 * @param {Channel | null} channel
 * @param {string} launch
 * @param {"ask" | "take"} type `take`: let go of it
 * @returns {Promise<boolean>} whether a tab of this browser has it, or has let go of it
 */
export function tell(channel, launch, type) {
  const wanted = type === "ask" ? "here" : "left";
  return new Promise((resolve) => {
    if (channel === null) return resolve(false);
    channel.addEventListener("message", ({ data }) => {
      if (data?.launch === launch && data.type === wanted) resolve(true);
    });
    channel.postMessage({ type, launch });
    setTimeout(() => resolve(false), type === "ask" ? ANSWER_MS : LET_GO_MS);
  });
}
