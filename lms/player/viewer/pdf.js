/**
 * Show a PDF page by page, with pdf.js: the browser's own reader tells nobody which pages were shown.
 *
 * It is complete when every page was shown. Text lies over the picture of a page, for screen readers, search and copying.
 */

import { GlobalWorkerOptions, TextLayer, getDocument } from "pdfjs-dist/legacy/build/pdf.mjs";

import { showContents } from "./contents.js";
import { announce, boot, giveUp, part, sitDown, standingOf, words } from "./page.js";
import { Reading } from "./reading.js";
import { wireTurning } from "./turning.js";

const WIDEST = 960; // CSS pixels; beyond it lines are too long for the eye
const MOST_PIXELS = 12e6; // of one picture: memory of an old laptop
const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4];
const SETTLED_MS = 150;

const given = boot();
const { sitting, beforeItEnds } = sitDown();
const stage = part("stage");
const sheet = part("sheet");
let zoom = ZOOMS.indexOf(1);
let drawing = 0;

GlobalWorkerOptions.workerPort = new Worker(given.worker);
const task = getDocument({
  url: given.src,
  cMapUrl: given.cmaps,
  cMapPacked: true,
  standardFontDataUrl: given.fonts,
  useSystemFonts: false, // so that a page looks the same on every laptop
  isEvalSupported: false,
  enableXfa: false,
  disableAutoFetch: true,
});
task.promise.then(open, (error) => giveUp(error.name === "PasswordException" ? "locked" : "unreadable"));

/** @param {import("pdfjs-dist").PDFDocumentProxy} file */
function open(file) {
  const reading = new Reading({
    weights: new Array(file.numPages).fill(1),
    seen: sitting.seen,
    at: Number(sitting.location || 1) - 1,
  });
  const show = standingOf(sitting);
  const turning = wireTurning({ reading, direction: given.direction, goTo });
  show(reading.share);
  beforeItEnds(keep);

  /** @param {number} page */
  function goTo(page) {
    if (!Number.isFinite(page)) return turning.show();
    reading.turnTo(page);
    stage.scrollTop = 0;
    if (!document.querySelector(".controls input:focus")) stage.focus(); // so that keys scroll the page
    void draw();
  }

  function keep() {
    sitting.keep({ location: String(reading.at + 1), share: reading.share });
  }

  async function draw() {
    const mine = ++drawing;
    turning.show();
    const page = await file.getPage(reading.at + 1);
    const size = page.getViewport({ scale: 1 });
    const wide = Math.min(stage.clientWidth, WIDEST) / size.width;
    const viewport = page.getViewport({ scale: wide * ZOOMS[zoom] });
    const { canvas, drawn } = pictureOf(page, viewport);
    await drawn;
    if (mine !== drawing) return; // somebody has turned on meanwhile
    const text = document.createElement("div");
    text.className = "textLayer";
    sheet.style.cssText = `width:${viewport.width}px;height:${viewport.height}px;--scale-factor:${viewport.scale}`;
    sheet.replaceChildren(canvas, text);
    const where = words("place", { number: reading.at + 1, count: reading.count });
    stage.setAttribute("aria-label", where);
    announce(where);
    reading.see();
    keep();
    show(reading.share);
    turning.show();
    await new TextLayer({ textContentSource: page.streamTextContent(), container: text, viewport }).render();
    if (mine === drawing) await addLinks(page, viewport, text);
  }

  /**
   * Links that lead to another page of the document; those that lead outside do not work without a network.
   *
   * @param {import("pdfjs-dist").PDFPageProxy} page
   * @param {import("pdfjs-dist").PageViewport} viewport
   * @param {HTMLElement} over
   */
  async function addLinks(page, viewport, over) {
    for (const { subtype, dest, rect } of await page.getAnnotations()) {
      if (subtype !== "Link" || !dest) continue;
      const [x, y, right, bottom] = viewport.convertToViewportRectangle(rect);
      const link = document.createElement("button");
      link.type = "button";
      link.className = "link";
      link.setAttribute("aria-label", words("follow"));
      link.style.cssText = `left:${Math.min(x, right)}px;top:${Math.min(y, bottom)}px;width:${Math.abs(right - x)}px;height:${Math.abs(bottom - y)}px`;
      link.addEventListener("click", () => void follow(dest));
      over.append(link);
    }
  }

  /** @param {string | any[]} dest */
  async function follow(dest) {
    const place = typeof dest === "string" ? await file.getDestination(dest) : dest;
    if (place?.[0]) goTo(await file.getPageIndex(place[0]));
  }

  /** @param {number} by */
  function enlarge(by) {
    const wanted = Math.min(Math.max(0, zoom + by), ZOOMS.length - 1);
    if (wanted === zoom) return;
    zoom = wanted;
    void draw();
  }

  async function readContents() {
    /** @type {import("./contents.js").Entry[]} */
    const entries = [];
    /** @param {any[]} items @param {number} level */
    const add = (items, level) => {
      for (const { title, dest, items: below } of items) {
        if (dest) entries.push({ title, level, go: () => void follow(dest) });
        add(below, level + 1);
      }
    };
    add((await file.getOutline()) ?? [], 1);
    showContents(entries);
  }

  part("smaller").addEventListener("click", () => enlarge(-1));
  part("larger").addEventListener("click", () => enlarge(1));
  document.addEventListener("keydown", (event) => {
    const sideways = stage.scrollWidth > stage.clientWidth + 1;
    if (!sideways) turning.hear(event); // a page that is wider than the window is moved by these keys
    turnAtTheEdge(event);
  });
  let settling = 0;
  let width = stage.clientWidth;
  addEventListener("resize", () => {
    clearTimeout(settling);
    settling = setTimeout(() => {
      if (stage.clientWidth !== width) void draw();
      width = stage.clientWidth;
    }, SETTLED_MS);
  });

  /**
   * The keys that scroll a page turn it where it has no more to show.
   *
   * @param {KeyboardEvent} event
   */
  function turnAtTheEdge(event) {
    if (event.target !== stage && event.target !== document.body) return;
    const atEnd = stage.scrollTop + stage.clientHeight >= stage.scrollHeight - 2;
    const on = event.key === "PageDown" || (event.key === " " && !event.shiftKey);
    const back = event.key === "PageUp" || (event.key === " " && event.shiftKey);
    if (on && atEnd && reading.at < reading.count - 1) goTo(reading.at + 1);
    else if (back && stage.scrollTop <= 0 && reading.at > 0) goTo(reading.at - 1);
    else return;
    event.preventDefault();
  }

  stage.focus();
  void draw();
  void readContents();
}

/**
 * @param {import("pdfjs-dist").PDFPageProxy} page
 * @param {import("pdfjs-dist").PageViewport} viewport
 */
function pictureOf(page, viewport) {
  const canvas = document.createElement("canvas");
  const sharp = Math.min(window.devicePixelRatio || 1, Math.sqrt(MOST_PIXELS / (viewport.width * viewport.height)));
  canvas.width = Math.floor(viewport.width * sharp);
  canvas.height = Math.floor(viewport.height * sharp);
  canvas.setAttribute("aria-hidden", "true"); // its text lies over it
  const canvasContext = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const drawn = page.render({ canvasContext, viewport, transform: [sharp, 0, 0, sharp, 0, 0] }).promise;
  return { canvas, drawn };
}
