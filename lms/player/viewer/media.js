/**
 * Show a film or play a recording by the browser's own element. It is complete when nine tenths of it were played.
 */

import { webVtt } from "./captions.js";
import { announce, boot, giveUp, part, sitDown, standingOf, words } from "./page.js";
import { beginningOf, captionsFor, firstUnplayed, isKnown, shareOf } from "./playing.js";

const KEEP_EVERY_S = 5;
const LATER_THAN_ANY = 1e7; // seconds

const { src, captions } = boot();
const medium = /** @type {HTMLMediaElement} */ (part("medium"));
const { sitting, beforeItEnds } = sitDown();
const show = standingOf(sitting);
const again = part("unseen");
let kept = -Infinity;
let ready = false;

for (const [place, caption] of captions.entries()) void addCaptions(caption, place === captionsFor(captions, document.documentElement.lang));
medium.addEventListener("error", () => giveUp("unplayable"));
medium.addEventListener("loadedmetadata", () => {
  if (medium instanceof HTMLVideoElement) part("stage").classList.toggle("only-sound", medium.videoWidth === 0);
  if (isKnown(medium.duration)) begin();
  else medium.currentTime = LATER_THAN_ANY;
});
medium.addEventListener("durationchange", () => {
  if (!ready && isKnown(medium.duration) && medium.readyState > 0) begin();
});
medium.addEventListener("timeupdate", () => {
  if (!ready) return;
  const share = shareOf(medium, sitting.seen);
  show(share);
  if (Math.abs(medium.currentTime - kept) >= KEEP_EVERY_S) keep();
});
for (const moment of ["pause", "ended", "seeked"]) medium.addEventListener(moment, keep);
medium.addEventListener("ended", offerUnplayed);
medium.addEventListener("play", () => (again.hidden = true));
again.addEventListener("click", () => {
  medium.currentTime = firstUnplayed(medium, sitting.seen) ?? 0;
  void medium.play();
});
beforeItEnds(keep);
medium.src = src;

function begin() {
  if (ready) return;
  ready = true;
  medium.currentTime = beginningOf(sitting.location, medium.duration);
  show(shareOf(medium, sitting.seen));
  if (medium.currentTime > 0) announce(words("resumed"));
  medium.focus();
}

function keep() {
  if (!ready) return;
  const share = shareOf(medium, sitting.seen);
  kept = medium.currentTime;
  sitting.keep({ location: medium.currentTime.toFixed(1), share });
  show(share);
}

/** Whoever has jumped ahead is shown the way back, once it is over. */
function offerUnplayed() {
  again.hidden = sitting.isCompleted || firstUnplayed(medium, sitting.seen) === null;
}

/**
 * @param {{src: string, language: string, label: string}} caption
 * @param {boolean} shown
 */
async function addCaptions({ src: address, language, label }, shown) {
  const track = document.createElement("track");
  track.kind = "captions";
  track.srclang = language;
  track.label = label;
  track.default = shown;
  medium.append(track);
  const answer = await fetch(address);
  if (!answer.ok) return;
  const text = webVtt(await answer.arrayBuffer(), language);
  track.src = URL.createObjectURL(new Blob([text], { type: "text/vtt" }));
  track.track.mode = shown ? "showing" : "disabled";
}
