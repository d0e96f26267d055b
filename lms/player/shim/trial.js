/**
 * The shim of a trial: the very shim of a launch, watched from outside.
 *
 * A unit cannot call before this has run: its page is fetched only once this script has ended.
 */

import { network, page } from "./main.js";
import { noting, watchApi, watchNetwork } from "./watching.js";

const note = noting((entries) => page.tell("trace", { entries }));
const offered = /** @type {Record<string, any>} */ (/** @type {unknown} */ (window));

for (const name of ["API", "API_1484_11"]) {
  if (offered[name]) offered[name] = watchApi(offered[name], note);
}
Object.assign(network, watchNetwork(network, note));
