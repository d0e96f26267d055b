/**
 * The face of the Arabic letters: what the style sheet promises is what the file holds.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { LETTERS } from "../fonts.mjs";

const styles = await readFile(new URL("../../web/styles/fonts.css", import.meta.url), "utf8");
const [letters, others] = [...styles.matchAll(/unicode-range: ([^;]+);/g)].map(([, ranges]) => pointsOf(ranges));

test("a browser asks the file of the letters for nothing it does not hold", () => {
  const held = new Set(LETTERS.flatMap(([first, last]) => between(first, last)));

  assert.deepEqual(letters.filter((point) => !held.has(point)), []);
});

test("what is no letter is in the other file, and nothing is in both or in none", () => {
  const covered = [...letters, ...others];

  assert.equal(new Set(covered).size, covered.length);
  assert.deepEqual(between(0x600, 0x6ff).filter((point) => !covered.includes(point)), []);
});

function pointsOf(ranges) {
  return ranges.split(",").flatMap((range) => {
    const [first, last = first] = range.trim().slice(2).split("-");
    return between(parseInt(first, 16), parseInt(last, 16));
  });
}

function between(first, last) {
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
}
