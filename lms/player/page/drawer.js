/**
 * The outline: a drawer that a button opens, and Escape closes.
 *
 * @param {object} given
 * @param {HTMLElement | null} given.drawer
 * @param {HTMLElement | null} given.toggle
 */
export function wireDrawer({ drawer, toggle }) {
  if (drawer === null || toggle === null) return;

  /** @param {boolean} open */
  const show = (open) => {
    drawer.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
  };

  show(false); // the server may show it to those without JavaScript
  toggle.addEventListener("click", () => {
    show(drawer.hidden);
    if (!drawer.hidden) /** @type {HTMLElement | null} */ (drawer.querySelector("a, button"))?.focus();
  });
  for (const part of [drawer, toggle]) {
    part.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || drawer.hidden) return;
      show(false);
      toggle.focus();
    });
  }
}
