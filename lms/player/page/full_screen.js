/**
 * The button for full screen, shown where the browser can.
 *
 * @param {object} given
 * @param {HTMLElement | null} given.button
 * @param {HTMLElement} given.player
 */
export function wireFullScreen({ button, player }) {
  if (button === null || !document.fullscreenEnabled) return;
  button.hidden = false;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    void (document.fullscreenElement ? document.exitFullscreen() : player.requestFullscreen());
  });
  document.addEventListener("fullscreenchange", () => {
    button.setAttribute("aria-pressed", String(document.fullscreenElement !== null));
  });
}
