/**
 * Make the fonts as small as the interface needs them, while they are bundled.
 *
 * Of each font the weights 400 to 700 remain. One that a style sheet names with `?letters` keeps only the letters
 * of the languages written with Arabic script that people of this product are likely to have; another face, for
 * everything else in that script, is loaded only where something else stands on the page.
 */

import { readFile } from "node:fs/promises";

import subsetFont from "subset-font";

/** Arabic, Persian, Urdu, Pashto and Sorani: letters, vowel signs, both rows of digits, punctuation. */
export const LETTERS = [
  [0x20, 0x20], [0x60c, 0x60c], [0x61b, 0x61b], [0x61f, 0x63a], [0x640, 0x655], [0x660, 0x66c], [0x670, 0x671],
  [0x679, 0x67c], [0x67e, 0x67e], [0x681, 0x681], [0x685, 0x689], [0x691, 0x693], [0x695, 0x696], [0x698, 0x698],
  [0x69a, 0x69a], [0x6a9, 0x6a9], [0x6ab, 0x6ab], [0x6af, 0x6af], [0x6b5, 0x6b5], [0x6ba, 0x6ba], [0x6bc, 0x6bc],
  [0x6be, 0x6be], [0x6c0, 0x6c3], [0x6c6, 0x6c6], [0x6cc, 0x6ce], [0x6d0, 0x6d0], [0x6d2, 0x6d5], [0x6f0, 0x6f9],
  [0x200c, 0x200e],
];

const text = LETTERS.flatMap(([first, last]) =>
  Array.from({ length: last - first + 1 }, (_, n) => String.fromCodePoint(first + n)),
).join("");

/** @type {import("esbuild").Plugin} */
export const fonts = {
  name: "fonts",
  setup(build) {
    build.onLoad({ filter: /\.woff2$/ }, async ({ path, suffix }) => {
      const wanted = suffix === "?letters" ? [text, {}] : [null, { keepAllGlyphs: true }];
      const options = { ...wanted[1], targetFormat: "woff2", variationAxes: { wght: { min: 400, max: 700 } } };
      return { contents: await subsetFont(await readFile(path), wanted[0], options), loader: "file" };
    });
  },
};
