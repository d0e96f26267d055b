/**
 * Buttons and keys that turn pages, in something whose pages follow one another to the left or to the right.
 */

import { part, words } from "./page.js";

/**
 * @param {object} given
 * @param {import("./reading.js").Reading} given.reading
 * @param {"ltr" | "rtl"} given.direction
 * @param {(page: number) => void} given.goTo
 */
export function wireTurning({ reading, direction, goTo }) {
  const back = /** @type {HTMLButtonElement} */ (part("previous"));
  const on = /** @type {HTMLButtonElement} */ (part("next"));
  const unseen = part("unseen");
  const field = /** @type {HTMLInputElement} */ (part("number"));

  back.addEventListener("click", () => turn(-1));
  on.addEventListener("click", () => turn(1));
  unseen.addEventListener("click", () => goTo(reading.nextUnseen ?? reading.at));
  field.addEventListener("change", () => goTo(field.valueAsNumber - 1));
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    field.blur(); // whoever has said which, wants to read it
    goTo(field.valueAsNumber - 1);
  });
  field.max = String(reading.count);
  part("count").textContent = words("count", { count: reading.count });

  /** @param {number} by */
  function turn(by) {
    const page = reading.at + by;
    if (page >= 0 && page < reading.count) goTo(page);
  }

  return {
    /** @param {KeyboardEvent} event */
    hear(event) {
      const by = stepOf(event, direction);
      if (by === 0) return;
      event.preventDefault();
      turn(by);
    },

    /** Say where one is, and offer what can be done from here. */
    show() {
      field.value = String(reading.at + 1);
      // A button that goes away under a finger takes the focus with it: it stays, and says that it leads nowhere.
      back.setAttribute("aria-disabled", String(reading.at === 0));
      on.setAttribute("aria-disabled", String(reading.at === reading.count - 1));
      unseen.hidden = reading.at < reading.count - 1 || reading.nextUnseen === null;
    },
  };
}

/**
 * How many pages a key turns.
 *
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "altKey" | "metaKey" | "shiftKey" | "target">} event
 * @param {"ltr" | "rtl"} direction
 */
export function stepOf({ key, ctrlKey, altKey, metaKey, shiftKey, target }, direction) {
  if (ctrlKey || altKey || metaKey || shiftKey) return 0;
  if (/** @type {any} */ (target)?.localName === "input") return 0;
  const forward = direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  if (key === forward) return 1;
  return key === "ArrowLeft" || key === "ArrowRight" ? -1 : 0;
}
