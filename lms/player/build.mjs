/**
 * Bundle the shim, the pages and the styles into `lms/web/static/build`, each file named after its content.
 *
 * The same sources give the same bytes. Files appear first, then `manifest.json`, which says what stands behind
 * which name; what no name stands for any more is taken away last.
 */

import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { fonts } from "./fonts.mjs";

const PLAYER = path.dirname(fileURLToPath(import.meta.url));
const STYLES = path.resolve(PLAYER, "../web/styles");
const TARGET = path.resolve(PLAYER, "../web/static/build");
const MODULES = path.join(PLAYER, "node_modules");
const MANIFEST = "manifest.json";

const entries = [
  { in: path.join(PLAYER, "shim/main.js"), out: "shim" },
  { in: path.join(PLAYER, "page/main.js"), out: "page" },
  { in: path.join(PLAYER, "site/main.js"), out: "site" },
  { in: path.join(STYLES, "app.css"), out: "app" },
  { in: path.join(STYLES, "player.css"), out: "player" },
].filter((entry) => existsSync(entry.in));

const { metafile, outputFiles } = await build({
  absWorkingDir: PLAYER,
  entryPoints: entries,
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  outdir: TARGET,
  nodePaths: [MODULES], // so that a style sheet can name a font of a package
  plugins: [fonts],
  external: ["/static/*"],
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome87", "firefox78"],
  charset: "utf8",
  metafile: true,
  write: false,
});

/** @type {Record<string, string>} */
const manifest = {};
for (const [file, output] of Object.entries(metafile.outputs)) {
  const entry = entries.find(({ in: source }) => path.relative(PLAYER, source) === path.normalize(output.entryPoint ?? ""));
  if (entry) manifest[`${entry.out}${path.extname(file)}`] = path.basename(file);
}

const files = new Map(outputFiles.map((file) => [path.basename(file.path), file.contents]));
for (const [name, licence] of await licencesOfFonts()) files.set(name, licence);
files.set(MANIFEST, new TextEncoder().encode(`${JSON.stringify(manifest, Object.keys(manifest).sort(), 1)}\n`));

await mkdir(TARGET, { recursive: true });
for (const [name, contents] of files) {
  const beside = path.join(TARGET, `.${name}.new`);
  await writeFile(beside, contents);
  await rename(beside, path.join(TARGET, name));
}
for (const name of await readdir(TARGET)) {
  if (!files.has(name)) await rm(path.join(TARGET, name), { recursive: true });
}

/** The Open Font License travels with the fonts. */
async function licencesOfFonts() {
  const fonts = new Set(
    Object.keys(metafile.inputs)
      .map((input) => /node_modules\/(@fontsource[^/]*\/[^/]+)\/.*\.woff2$/.exec(input)?.[1])
      .filter((name) => name !== undefined),
  );
  return Promise.all(
    [...fonts].sort().map(async (name) => {
      const text = await readFile(path.join(MODULES, name, "LICENSE"));
      return /** @type {const} */ ([`${path.basename(name)}-LICENSE.txt`, text]);
    }),
  );
}
