/**
 * The cases that hold this judge and the server's to the same answers; pytest reads the same files.
 */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { describe, test } from "node:test";

import { DataModel } from "../shim/data_model.js";
import { tableOf } from "./tables.js";

const CASES = new URL("../../../tests/unit/content_packages/cmi_cases/", import.meta.url);

for (const file of readdirSync(CASES).sort()) {
  const { standard, about, cases } = JSON.parse(readFileSync(new URL(file, CASES), "utf8"));

  describe(about, () => {
    for (const { name, values = {}, calls } of cases) {
      test(name, () => {
        const model = new DataModel(tableOf(standard), values);

        const answered = calls.map(([call, element, value]) => {
          const answer = call === "get" ? model.get(element) : model.set(element, text(value));
          return [call, element, answer.value, answer.code];
        });

        assert.deepEqual(answered, calls.map(expected));
      });
    }
  });
}

function expected([call, element, value, code]) {
  return [call, element, call === "get" ? text(value) : String(code === "0"), code];
}

/** A value as it is, or a long one described by what it repeats. */
function text(value) {
  return typeof value === "string" ? value : value.repeat.repeat(value.times);
}
