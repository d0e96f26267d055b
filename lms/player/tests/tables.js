/**
 * The tables of the two standards, as the build bundles them.
 */

import { readFileSync } from "node:fs";

import { readTable } from "../shim/table.js";

const CMI = new URL("../../../content_packages/cmi/", import.meta.url);

/** @param {"scorm12" | "scorm2004"} standard */
export function tableOf(standard) {
  return readTable(JSON.parse(readFileSync(new URL(`${standard}.json`, CMI), "utf8")));
}
