/**
 * What was really played: the browser itself knows, seeking apart; what earlier sittings played is added to it.
 *
 * @typedef {import("./ranges.js").Ranges} Ranges
 * @typedef {Pick<HTMLMediaElement, "played" | "duration" | "currentTime" | "ended">} Medium
 */

const CLOSE_S = 1; // nearer to the end than this is at the end
const BREATH_S = 1; // a gap as short as this is no gap

/**
 * @param {Medium} medium
 * @param {Ranges} seen is added to
 * @returns {number} the share that was played by now
 */
export function shareOf(medium, seen) {
  for (let place = 0; place < medium.played.length; place += 1) {
    seen.add(medium.played.start(place), medium.played.end(place));
  }
  return isKnown(medium.duration) ? seen.covered(medium.duration) / medium.duration : 0;
}

/**
 * Where to begin: where one stopped, or at the beginning where that was the end.
 *
 * @param {string} location
 * @param {number} duration
 */
export function beginningOf(location, duration) {
  const at = Number(location);
  return Number.isFinite(at) && at > 0 && at < duration - CLOSE_S ? at : 0;
}

/**
 * The first moment that was not played; `null` where nothing worth speaking of is missing.
 *
 * @param {Medium} medium
 * @param {Ranges} seen
 */
export function firstUnplayed(medium, seen) {
  return isKnown(medium.duration) ? seen.firstGap(medium.duration, BREATH_S) : null;
}

/**
 * A recording made by a browser does not say how long it is until it has been looked for.
 *
 * @param {number} duration
 */
export function isKnown(duration) {
  return Number.isFinite(duration) && duration > 0;
}

/**
 * The captions to begin with: those in the learner's language, or else the first.
 *
 * @param {{language: string}[]} captions
 * @param {string} language
 */
export function captionsFor(captions, language) {
  const base = (/** @type {string} */ tag) => tag.toLowerCase().split("-")[0];
  return Math.max(0, captions.findIndex((one) => base(one.language) === base(language)));
}
