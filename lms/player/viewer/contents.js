/**
 * The table of contents, as a drawer over the page from the inline start.
 *
 * @typedef {{title: string, level: number, go: () => void}} Entry
 */

import { wireDrawer } from "../page/drawer.js";
import { part } from "./page.js";

/** @param {Entry[]} entries */
export function showContents(entries) {
  const drawer = part("contents");
  const toggle = part("contents-toggle");
  const list = drawer.querySelector("ol");
  if (entries.length === 0 || list === null) return;
  for (const { title, level, go } of entries) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = title;
    button.dir = "auto";
    button.dataset.level = String(level);
    button.addEventListener("click", () => {
      toggle.click();
      go();
    });
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
  }
  toggle.hidden = false;
  wireDrawer({ open: false, drawer, toggle });
}
