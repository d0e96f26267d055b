/**
 * A question over the lesson. Browsers without `<dialog>` of their own show it as a part of the page.
 *
 * @param {HTMLElement | null} dialog
 */
export function modal(dialog) {
  const own = /** @type {HTMLDialogElement | null} */ (dialog);
  return {
    show() {
      if (own === null || own.hasAttribute("open")) return;
      if (typeof own.showModal === "function") own.showModal();
      else own.setAttribute("open", "");
      /** @type {HTMLElement | null} */ (own.querySelector("input, a, button"))?.focus();
    },
    close() {
      if (typeof own?.close === "function") own.close();
      else own?.removeAttribute("open");
    },
  };
}
