/**
 * The frame in which the unit stands; the shim page shows nothing else.
 */

const FILL = "position:fixed;inset:var(--bar,0px) 0 0;width:100%;height:calc(100% - var(--bar,0px));border:0";

/**
 * @param {Document} document
 * @param {object} unit
 * @param {string} unit.content its URL
 * @param {string} unit.title
 * @param {string} unit.lang
 * @param {() => void} unit.whenShown
 */
export function showUnit(document, { content, title, lang, whenShown }) {
  const frame = document.createElement("iframe");
  frame.title = title;
  frame.lang = lang;
  frame.allow = "fullscreen; autoplay; unload";
  frame.style.cssText = FILL;
  frame.addEventListener("load", whenShown, { once: true });
  frame.src = content;
  document.body.append(frame);

  return {
    /** Let keys reach the unit: a frame that is only focused from outside does not hear them. */
    focus: () => frame.contentWindow?.focus(),
    /** Take the unit away; its `beforeunload` and unload handlers run before this returns. */
    takeAway: () => {
      announce(frame.contentWindow);
      frame.remove();
    },
  };
}

/**
 * Say `beforeunload` to a window and those inside it. A browser says it when a frame is navigated, not when it is
 * removed, and there are units that set `exit` to `suspend` in it and nowhere else.
 *
 * @param {Window | null} window
 */
function announce(window) {
  try {
    if (window === null) return;
    for (let place = 0; place < window.length; place += 1) announce(window[place]);
    window.dispatchEvent(new Event("beforeunload", { cancelable: true }));
  } catch {
    // A window of another origin does not listen, and what a handler throws concerns the unit alone.
  }
}
