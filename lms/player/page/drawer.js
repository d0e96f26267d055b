/**
 * The outline: a drawer that a button opens, and Escape closes.
 *
 * @param {object} given
 * @param {boolean} given.open at first
 * @param {HTMLElement | null} given.drawer
 * @param {HTMLElement | null} given.toggle
 * @param {() => void} given.opened by the learner
 */
export function wireDrawer({ open, drawer, toggle, opened }) {
  if (drawer === null || toggle === null) return;

  /** @param {boolean} visible */
  const show = (visible) => {
    drawer.hidden = !visible;
    toggle.setAttribute("aria-expanded", String(visible));
  };

  show(open);
  toggle.addEventListener("click", () => {
    show(drawer.hidden);
    if (drawer.hidden) return;
    opened();
    /** @type {HTMLElement | null} */ (drawer.querySelector("a[href], button:enabled"))?.focus();
  });
  for (const part of [drawer, toggle]) {
    part.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || drawer.hidden) return;
      show(false);
      toggle.focus();
    });
  }
}
