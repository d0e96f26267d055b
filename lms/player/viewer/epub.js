/**
 * Show a book part by part. It is complete when the end of every part was in sight.
 */

import { depthOf, dress, placeOf, targetOf } from "./book.js";
import { showContents } from "./contents.js";
import { announce, boot, giveUp, part, sitDown, standingOf, words } from "./page.js";
import { Reading } from "./reading.js";
import { wireTurning } from "./turning.js";

const SIZES = [80, 90, 100, 115, 130, 150, 175, 200]; // per cent
const KEEP_MS = 1000;
const LENIENT = "lenient=1";
const HANDS = ["keydown", "pointerdown"];

const given = boot();
const { sitting, beforeItEnds } = sitDown();
const frame = /** @type {HTMLIFrameElement} */ (part("book"));
const [firstPart, firstDepth] = placeOf(sitting.location);
/** @type {string[]} */
const parts = given.parts.map((/** @type {{src: string}} */ { src }) => new URL(src, location.href).href);
const reading = new Reading({
  weights: given.parts.map((/** @type {{size: number}} */ { size }) => size),
  seen: sitting.seen,
  at: firstPart,
});
const show = standingOf(sitting);
const turning = wireTurning({ reading, direction: given.direction, goTo });
let size = SIZES.indexOf(100);
/** @type {{depth?: number, fragment?: string}} where to begin in the part that is coming */
let wanted = { depth: firstDepth };
let keeping = 0;
let turnedTo = false; // somebody asked for the part that is coming
let byKeys = false; // somebody goes about by keys, not with a mouse

frame.addEventListener("load", arrive);
document.addEventListener("keydown", turning.hear);
part("smaller").addEventListener("click", () => enlarge(-1));
part("larger").addEventListener("click", () => enlarge(1));
addEventListener("resize", look);
addEventListener("focus", () => setTimeout(focusBook)); // within the event, the browser has not finished yet
for (const happens of HANDS) addEventListener(happens, hearOfHand, true);
beforeItEnds(keep);
showContents(
  given.toc.map((/** @type {{title: string, level: number, part: number, fragment: string}} */ heading) => ({
    title: heading.title,
    level: heading.level,
    go: () => goTo(heading.part, { fragment: heading.fragment }),
  })),
);
show(reading.share);
load();

/**
 * @param {number} page
 * @param {{depth?: number, fragment?: string}} [place]
 */
function goTo(page, place = {}) {
  if (!Number.isFinite(page)) return turning.show();
  reading.turnTo(page);
  wanted = place;
  turnedTo = true;
  if (shown()) begin();
  else load();
}

/** The page of the part that was asked for, once it is there; until then the frame shows the one before. */
function shown() {
  const page = frame.contentDocument;
  return page?.URL.split(/[?#]/)[0] === parts[reading.at] ? page : null;
}

function load() {
  turning.show();
  // Going back is ours to offer: the frame must not fill the browser's history.
  if (frame.contentWindow && frame.contentDocument) frame.contentWindow.location.replace(parts[reading.at]);
  else frame.src = parts[reading.at];
}

function arrive() {
  const page = frame.contentDocument;
  if (page === null || page.URL === "about:blank") return;
  const [address, asked] = page.URL.split(/[?#]/);
  if (address !== parts[reading.at]) return giveUp("unreadable");
  if (page.getElementsByTagName("parsererror").length > 0 && asked !== LENIENT) {
    return frame.contentWindow?.location.replace(`${address}?${LENIENT}`); // it is no XHTML, but perhaps it is HTML
  }
  dress(page, { size: SIZES[size], script: given.script });
  frame.title = words("place", { number: reading.at + 1, count: reading.count });
  announce(frame.title);
  page.addEventListener("scroll", look, { passive: true });
  page.addEventListener("keydown", turning.hear);
  page.addEventListener("click", follow);
  for (const happens of HANDS) page.addEventListener(happens, hearOfHand, true);
  for (const happens of ["focus", "blur"]) frame.contentWindow?.addEventListener(happens, mark);
  begin();
}

/** Go to the place that was asked for in the part that is shown. */
function begin() {
  const page = /** @type {Document} */ (frame.contentDocument);
  const scroller = page.scrollingElement ?? page.documentElement;
  const target = wanted.fragment ? page.getElementById(wanted.fragment) : null;
  focusBook();
  if (target) goOnFrom(target);
  else if (wanted.depth) scroller.scrollTop = wanted.depth * (scroller.scrollHeight - scroller.clientHeight);
  look();
  keep();
}

/**
 * Let keys reach the book: a frame that is only focused from outside hears none. Somebody at the controls stays there,
 * but for whoever asked for a part by one of them, and is not just typing a number.
 */
function focusBook() {
  const busy = turnedTo ? ".controls input:focus" : ".controls :focus, .contents :focus";
  if (!document.querySelector(busy)) frame.contentWindow?.focus();
  turnedTo = false;
}

/**
 * Show a place of the part, and let the tab key go on from there.
 *
 * @param {HTMLElement} place
 */
function goOnFrom(place) {
  place.scrollIntoView();
  if (place.tabIndex < 0) place.tabIndex = -1;
  if (document.activeElement === frame) place.focus?.({ preventScroll: true });
}

/** @param {Event} event */
function hearOfHand(event) {
  byKeys = event.type === "keydown";
  if (!byKeys) delete frame.dataset.reached;
}

/**
 * Mark the book that was reached by keys: no browser draws a ring around a frame.
 *
 * @param {Event} event
 */
function mark(event) {
  if (event.type === "focus" && byKeys) frame.dataset.reached = "";
  else delete frame.dataset.reached;
}

/** See how far down one is; the end of a part makes it seen. */
function look() {
  const scroller = shown()?.scrollingElement;
  if (!scroller || !sitting) return;
  if (depthOf(scroller) >= 1) reading.see();
  show(reading.share);
  turning.show();
  if (reading.share >= 1 && !sitting.isCompleted) return keep();
  clearTimeout(keeping);
  keeping = setTimeout(keep, KEEP_MS);
}

function keep() {
  clearTimeout(keeping);
  const scroller = shown()?.scrollingElement;
  const depth = scroller ? scroller.scrollTop / Math.max(1, scroller.scrollHeight - scroller.clientHeight) : (wanted.depth ?? 0);
  sitting.keep({ location: `${reading.at}:${depth.toFixed(3)}`, share: reading.share });
  show(reading.share);
}

/** @param {number} by */
function enlarge(by) {
  size = Math.min(Math.max(0, size + by), SIZES.length - 1);
  if (frame.contentDocument) dress(frame.contentDocument, { size: SIZES[size], script: given.script });
  look();
}

/**
 * A link in the book: within it we go; what is outside does not work without a network, and would not come back.
 *
 * @param {MouseEvent} event
 */
function follow(event) {
  const link = /** @type {Element} */ (event.target).closest?.("a");
  const href = link && (/** @type {any} */ (link).href?.baseVal ?? /** @type {HTMLAnchorElement} */ (link).href);
  if (!href) return;
  event.preventDefault();
  const target = targetOf(String(new URL(href, link.baseURI)), parts);
  if (target) goTo(target.part, { fragment: target.fragment });
  else announce(words("outside"));
}
