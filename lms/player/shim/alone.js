/**
 * The shim in a window of its own: what the page around it does otherwise, for a course that is allowed to have none.
 *
 * There is a bar with one way out, which leads back to the LMS; the unit is taken away and everything sent first.
 */

const BAR_PX = 44;
const BAR =
  `position:fixed;inset:0 0 auto 0;height:${BAR_PX}px;line-height:${BAR_PX}px;padding:0 16px;box-sizing:border-box;` +
  "font:600 16px/44px sans-serif;background:#fbfaf7;border-bottom:1px solid #d9d5cb";

/**
 * @param {Window} window of the shim
 * @param {object} around
 * @param {string} around.back address of the page to go to
 * @param {string} around.label of the link that leads there
 * @returns {ReturnType<typeof import("./messages.js").messagesWith>}
 */
export function nobodyAround(window, { back, label }) {
  const { document } = window;
  /** @type {(how: {overrules: boolean}) => void} */
  let leave = () => window.location.replace(back);
  const bar = document.createElement("header");
  const link = document.createElement("a");
  bar.style.cssText = BAR;
  link.style.color = "#1f4e79";
  link.href = back;
  link.textContent = label;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    leave({ overrules: false });
  });
  bar.append(link);
  document.documentElement.style.setProperty("--bar", `${BAR_PX}px`);
  document.body.append(bar);

  return {
    /** @param {string} type */
    tell(type) {
      if (type === "navigate") leave({ overrules: false });
      if (type === "left") window.location.replace(back);
    },
    onLeave(taken) {
      leave = taken;
    },
    onHello() {}, // nobody asks,
    onListen() {},
    onAgain() {}, // and nobody wakes a token that has expired
  };
}
