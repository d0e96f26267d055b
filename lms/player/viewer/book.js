/**
 * One part of a book in its frame. The frame runs no scripts; its page is ours to look at, because it has our origin.
 */

const XHTML = "http://www.w3.org/1999/xhtml";
const ALMOST_PX = 4;
const STYLE = `
  :root { background: #fff; color: #1d2430; color-scheme: light; }
  body { max-width: 42em; margin-inline: auto !important; padding: 24px 20px 48px !important; line-height: 1.6; overflow-wrap: break-word; }
  img, svg, video { max-width: 100% !important; height: auto; }
  table, pre { display: block; max-width: 100%; overflow: auto; }
`;

/**
 * Make a part readable on a screen of any width: books are set for one of their own.
 *
 * @param {Document} page
 * @param {object} given
 * @param {number} given.size of the letters, in per cent
 * @param {string} given.script which way the book's language is written; many books leave that to the reader
 */
export function dress(page, { size, script }) {
  const root = page.documentElement;
  if (root.namespaceURI !== XHTML) return; // a picture that stands alone
  root.style.fontSize = `${size}%`;
  if (!root.dir && !page.body?.dir) root.dir = script;
  if (page.getElementById("outpost-style") || !page.head) return;
  const style = page.createElementNS(XHTML, "style");
  style.id = "outpost-style";
  style.textContent = STYLE;
  page.head.prepend(style); // the book's own rules come later and win
}

/**
 * How far down one has got: 0 at the top, 1 where the end is in sight.
 *
 * @param {Pick<Element, "scrollTop" | "scrollHeight" | "clientHeight">} scroller
 */
export function depthOf({ scrollTop, scrollHeight, clientHeight }) {
  const most = scrollHeight - clientHeight;
  return most <= ALMOST_PX ? 1 : Math.min(1, scrollTop / (most - ALMOST_PX));
}

/**
 * Where one stopped: the part, and how far down.
 *
 * @param {string} location `3:0.25`
 * @returns {[number, number]}
 */
export function placeOf(location) {
  const [part, depth] = location.split(":").map(Number);
  return [Number.isFinite(part) ? part : 0, Number.isFinite(depth) ? depth : 0];
}

/**
 * Where a link in a book leads: a part and a place in it, or `null` for what is not in the book.
 *
 * @param {string} href absolute
 * @param {string[]} parts their absolute addresses
 * @returns {{part: number, fragment: string} | null}
 */
export function targetOf(href, parts) {
  const [address, fragment = ""] = href.split("#");
  const part = parts.map(decoded).indexOf(decoded(address));
  return part < 0 ? null : { part, fragment: decoded(fragment) };
}

/**
 * Two ways to write an address are one: books escape more or less of it.
 *
 * @param {string} address
 */
function decoded(address) {
  try {
    return decodeURIComponent(address);
  } catch {
    return address;
  }
}
