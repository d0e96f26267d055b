/**
 * Put the player page together (`README.md`, "The player page on the LMS host").
 */

import { ask, post } from "./asking.js";
import { awayAt } from "./away.js";
import { barAt } from "./bar.js";
import { bridgeTo } from "./bridge.js";
import { wireDrawer } from "./drawer.js";
import { watchElsewhere } from "./elsewhere.js";
import { wireFullScreen } from "./full_screen.js";
import { Keeping } from "./keeping.js";
import { sendKept } from "./late.js";
import { Leaving } from "./leaving.js";
import { lessonOf } from "./lesson.js";
import { modal } from "./modal.js";
import { saveState, wordsIn } from "./save_state.js";
import { signInAt } from "./sign_in.js";
import { storeIn } from "./store.js";
import { answerFor, channelOfTabs, shareCourse, tell } from "./tabs.js";

/**
 * @template {HTMLElement} Part
 * @param {string} name
 * @returns {Part | null}
 */
const part = (name) => document.querySelector(`[data-player="${name}"]`);

/** @type {(run: () => void, delayMs: number) => unknown} */
const after = (run, delayMs) => setTimeout(run, delayMs);
const isPageSeen = () => document.visibilityState === "visible";

const player = /** @type {HTMLElement} */ (part("player"));
const frame = /** @type {HTMLIFrameElement | null} */ (part("frame"));
const { contentOrigin = "", afterUrl = "", lookUrl = "", launch = "", owner = "" } = player.dataset;
let token = player.dataset.token ?? "";
const probe = launch === "" ? lookUrl : `/launches/${launch}`; // what tells of the lesson on the screen, if one is
const SILENT_AFTER_MS = 2_500;
const DOUBLE_CLICK_MS = 1_000; // after the page was asked for
let isPressed = false; // the learner has asked for something, which comes before what the unit asks for (SN 5.4)
let isLooking = false; // whether the server is there to carry it out
let isAskedByUnit = false;
let isCarriedOut = false; // what the learner asked for, which ends the launch

const bridge = bridgeTo({ window, frame, origin: contentOrigin });
part("save")?.removeAttribute("hidden"); // without a script nothing is saved, and nobody should read that it is
const state = saveState({ element: part("save-state"), say: wordsIn(player.dataset) });
const leaving = new Leaving({
  askToLeave: bridge.askToLeave,
  tellHeld: () => state.show("leave-anyway"),
  after,
});

const signIn = signInAt({
  dialog: part("sign-in"),
  modal: modal(part("sign-in")),
  launch,
  unreachable: player.dataset.textUnreachable ?? "",
  ask,
  post,
  renew(fresh) {
    token = fresh;
    for (const input of document.querySelectorAll("input[name=csrf_token]")) input.setAttribute("value", fresh);
  },
});
const away = awayAt({
  notice: part("away"),
  isReached: async () => (await isThere()).isReached,
  after,
});
const channel = channelOfTabs();
const lesson = launch === "" ? null : openLesson();
if (frame !== null) {
  shareCourse(channel, {
    course: afterUrl,
    shown: frame.name,
    wasElsewhere: () => part("moved-here")?.removeAttribute("hidden"),
    goesOn: (by) => (lesson === null ? goesOnElsewhere() : void lesson.letGo(by)),
  });
}
if (frame !== null && lookUrl !== "") {
  watchElsewhere({
    url: lookUrl,
    ask,
    isSeen: isPageSeen,
    whenSeen: (run) => document.addEventListener("visibilitychange", run),
    after,
    goesOn: goesOnElsewhere,
  });
}
part("moved-here-seen")?.addEventListener("click", () => part("moved-here")?.setAttribute("hidden", ""));

/** @type {HTMLFormElement | null} */
let onItsWay = null;
const bar = barAt({
  url: player.dataset.barUrl,
  document,
  parse: (html) => new DOMParser().parseFromString(html, "text/html"),
  isNeeded: () => leaving.isStaying,
  after,
  ask: (url) => fetch(url),
});

bridge.onMessage((message) => {
  // While the outline is in sight, it also tells how the lesson stands by what was just saved.
  const isSeen = message.type === "saved" && part("outline")?.hidden === false;
  if (message.type === "controls" || isSeen) bar.changed();
  lesson?.hear(message);
  // Of a lesson whose work is kept, these are said once it is known how it stands.
  const isSaidLater = message.type === "unreachable" || (message.type === "error" && message.code === "ended");
  if (lesson === null || !isSaidLater) state.hear(message);
  leaving.hear(message);
  if (message.type === "ready" && !document.activeElement?.closest(".player-bar, [data-player=outline]")) {
    frame?.focus();
  }
  if (message.type === "navigate") goAsTheUnitAsks();
});

bridge.sayHello();

// Heard on the document, because the forms of the bar and the outline are renewed.
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.dataset.player !== "leave") return;
  if (form === onItsWay) onItsWay = null;
  else if (isCarriedOut) event.preventDefault(); // a second press, before the page has gone
  else leaveBySubmitting(event, form);
});
document.addEventListener("click", (event) => {
  // The other half of a double click, on the page to which the first has led.
  const isLate = event.detail > 1 && performance.now() < DOUBLE_CLICK_MS;
  if (isLate && /** @type {Element} */ (event.target).closest?.("form[data-player=leave]")) event.preventDefault();
  const link = /** @type {Element} */ (event.target).closest?.("a[data-player=leave]");
  if (!(link instanceof HTMLAnchorElement)) return;
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  void askedFor(() => leaving.by(() => location.assign(link.href)), isThere);
});

// Without a unit the outline is what the page is about. With one, the server may show it to those without JavaScript.
const unit = frame ?? part("apart"); // in the frame, or in a window of its own
wireDrawer({
  open: unit === null,
  drawer: part("outline"),
  toggle: part("outline-toggle"),
  opened: bar.changed,
});
wireFullScreen({ button: part("full-screen"), player });

addEventListener("pagehide", () => {
  if (launch === "" || isCarriedOut) return;
  navigator.sendBeacon(`/launches/${launch}/gone`, new URLSearchParams({ csrf_token: token }));
});
addEventListener("beforeunload", (event) => {
  if (!leaving.wouldLose) return;
  event.preventDefault();
  event.returnValue = ""; // what older browsers look at
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // the unit was taken away before
});

/**
 * @param {SubmitEvent} event
 * @param {HTMLFormElement} form
 */
function leaveBySubmitting(event, form) {
  event.preventDefault();
  const submitter = /** @type {HTMLElement | null} */ (event.submitter);
  const leave = () =>
    leaving.by(
      () => {
        if (isCarriedOut) return; // by another press, which the server has answered first
        onItsWay = form;
        isCarriedOut = true;
        // The way may be free at once, inside this very event, and there a browser takes no second submission.
        setTimeout(() => form.requestSubmit(submitter));
      },
      { overrules: true },
    );
  // A form asks for something of hers: she has to be signed in, and is asked for her password where she is not.
  const isSignedIn = async () => ({ isMeant: await signIn.ensure(), isReached: signIn.isReached });
  void askedFor(leave, lesson === null ? isThere : isSignedIn);
}

/**
 * Carry out what the learner asks for, if the server is there to do it.
 *
 * @param {() => void} act
 * @param {() => Promise<{isReached: boolean, isMeant: boolean}>} look `isMeant`: she still wants it
 */
async function askedFor(act, look) {
  if (probe === "") return act();
  if (isLooking) return;
  isPressed = isLooking = true;
  const silent = setTimeout(away.stay, SILENT_AFTER_MS);
  const { isReached, isMeant } = await look();
  clearTimeout(silent);
  isLooking = false;
  if (isReached) away.goOn();
  else away.stay();
  if (isReached && isMeant) return act();
  isPressed = false;
  if (isAskedByUnit) goAsTheUnitAsks();
}

async function isThere() {
  const { status } = await ask(probe);
  return { isReached: status !== 0, isMeant: true };
}

/** The server has carried out what the unit asked for, and says on its next page what comes of it. */
function goAsTheUnitAsks() {
  isAskedByUnit = true;
  if (!isPressed) leaving.by(() => location.assign(afterUrl));
}

/** Of a unit that speaks to the record store itself: its session has ended, and nothing more of it would count. */
function goesOnElsewhere() {
  if (frame?.isConnected === false) return; // told already
  leaving.giveUp();
  frame?.remove();
  modal(part("goes-on-elsewhere")).show();
}

/** Keep a second copy of the lesson's work, and answer other tabs for it. */
function openLesson() {
  const store = storeIn(window.indexedDB);
  const send = () =>
    sendKept({
      store,
      owner,
      post: (path, body) => post(path, token, body),
      isOpen: async (other) => other !== launch && tell(channel, other, "ask"),
    });
  void store.note(launch).catch(() => {});
  void send(); // of earlier launches; the page of her courses says what became of it

  const opened = lessonOf({
    launch,
    keeping: new Keeping({
      store,
      launch,
      owner,
      now: () => Date.now(),
      after,
      changed: () => opened.tell(),
      orphaned: () => void send(),
    }),
    signIn,
    ask,
    post: (path) => post(path, token),
    sendKept: send,
    show: state.show,
    askToLeave: () => bridge.askToLeave({ overrules: false }),
    again() {
      leaving.again();
      bridge.sayAgain();
    },
    showTaken,
    isSeen: isPageSeen,
    after,
    nowMs: () => performance.now(),
  });
  answerFor(channel, launch, () => opened.letGo(null));
  return opened;

  /**
   * @param {string} how
   * @param {string | null} by
   */
  function showTaken(how, by) {
    leaving.giveUp();
    const told = part("taken-state");
    if (told) told.textContent = told.dataset[`text${how[0].toUpperCase()}${how.slice(1)}`] ?? "";
    const here = /** @type {HTMLAnchorElement | null} */ (part("taken-here"));
    if (here && by) {
      here.search = `here=${by}`;
      here.onclick = async (event) => {
        event.preventDefault();
        if (await tell(channel, by, "ask")) await tell(channel, by, "take");
        location.assign(here.href);
      };
    }
    modal(part("taken")).show();
  }
}
