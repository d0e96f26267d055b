/**
 * The shim of a trial: the very shim of a launch, watched from outside.
 *
 * A unit cannot call before this has run: its page is fetched only once this script has ended.
 */

import { Parting, watchExit } from "../trial/parting.js";
import { network, page } from "./main.js";
import { noting, watchApi, watchNetwork } from "./watching.js";

const parting = new Parting({
  tell: (entries) => page.tell("trace", { entries }),
  send: (text) => navigator.sendBeacon("trace", new Blob([text], { type: "application/json" })),
});
page.onListen(() => parting.listened());
const note = noting((entries) => parting.hear(entries));
const offered = /** @type {Record<string, any>} */ (/** @type {unknown} */ (window));

for (const name of ["API", "API_1484_11"]) {
  if (offered[name]) offered[name] = watchApi(offered[name], note);
}
const exit = watchExit(network, note);
Object.assign(network, watchNetwork(exit.network, note));
// After the shim's own, which sends what is unsaved.
addEventListener("pagehide", () => {
  exit.go();
  queueMicrotask(() => parting.go()); // behind what was noted in this moment
});
addEventListener("pageshow", (event) => {
  if (event.persisted) parting.stay();
});
