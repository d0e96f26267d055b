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
const PDF_JS = path.join(MODULES, "pdfjs-dist");
const MANIFEST = "manifest.json";

const entries = [
  { in: path.join(PLAYER, "shim/main.js"), out: "shim" },
  { in: path.join(PLAYER, "shim/trial.js"), out: "trial-shim" },
  { in: path.join(PLAYER, "page/main.js"), out: "page" },
  { in: path.join(PLAYER, "trial/main.js"), out: "trial" },
  { in: path.join(PLAYER, "site/main.js"), out: "site" },
  { in: path.join(PLAYER, "viewer/pdf.js"), out: "pdf" },
  { in: path.join(PLAYER, "viewer/media.js"), out: "media" },
  { in: path.join(PLAYER, "viewer/epub.js"), out: "epub" },
  { in: path.join(STYLES, "app.css"), out: "app" },
  { in: path.join(STYLES, "player.css"), out: "player" },
  { in: path.join(STYLES, "trial.css"), out: "trial" },
  { in: path.join(STYLES, "viewer.css"), out: "viewer" },
].filter((entry) => existsSync(entry.in));

/** @type {import("esbuild").BuildOptions & {write: false, metafile: true}} */
const common = {
  absWorkingDir: PLAYER,
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  outdir: TARGET,
  nodePaths: [MODULES], // so that a style sheet can name a font of a package
  plugins: [fonts],
  external: ["/static/*"],
  bundle: true,
  minify: true,
  target: ["chrome87", "firefox78"],
  charset: "utf8",
  metafile: true,
  write: false,
};
const { metafile, outputFiles } = await build({ ...common, entryPoints: entries, format: "esm" });
// A worker that is a module is too new for the browsers we build for.
const worker = await build({
  ...common,
  entryPoints: [{ in: path.join(PDF_JS, "legacy/build/pdf.worker.mjs"), out: "pdf-worker" }],
  format: "iife",
});
// The first script of a page must have run before the next begins, which a module does not.
const storage = await build({
  ...common,
  entryPoints: [{ in: path.join(PLAYER, "storage/main.js"), out: "storage" }],
  format: "iife",
});

/** @type {Record<string, string>} */
const manifest = {};
for (const [file, output] of Object.entries(metafile.outputs)) {
  const entry = entries.find(({ in: source }) => path.relative(PLAYER, source) === path.normalize(output.entryPoint ?? ""));
  if (entry) manifest[`${entry.out}${path.extname(file)}`] = path.basename(file);
}

/** @type {Map<string, Uint8Array>} */
const files = new Map([...outputFiles, ...worker.outputFiles, ...storage.outputFiles].map((file) => [path.basename(file.path), file.contents]));
manifest["pdf-worker.js"] = path.basename(worker.outputFiles[0].path);
manifest["storage.js"] = path.basename(storage.outputFiles[0].path);
for (const [name, contents] of [...(await licencesOfFonts()), ...(await partsOfPdfJs())]) files.set(name, contents);
files.set(MANIFEST, new TextEncoder().encode(`${JSON.stringify(manifest, Object.keys(manifest).sort(), 1)}\n`));

await mkdir(TARGET, { recursive: true });
for (const [name, contents] of files) {
  await mkdir(path.dirname(path.join(TARGET, name)), { recursive: true });
  const beside = path.join(TARGET, `${name}.new`);
  await writeFile(beside, contents);
  await rename(beside, path.join(TARGET, name));
}
const kept = new Set([...files.keys()].map((name) => name.split("/")[0]));
for (const name of await readdir(TARGET)) {
  if (!kept.has(name)) await rm(path.join(TARGET, name), { recursive: true });
}

/** What pdf.js loads when a document asks for it: tables of East Asian scripts, fonts that documents leave out. */
async function partsOfPdfJs() {
  const { version } = JSON.parse(await readFile(path.join(PDF_JS, "package.json"), "utf8"));
  const home = `pdfjs-${version}`;
  /** @type {[string, Uint8Array][]} */
  const parts = [[`${home}/LICENSE`, await readFile(path.join(PDF_JS, "LICENSE"))]];
  for (const folder of ["cmaps", "standard_fonts"]) {
    manifest[`pdf-${folder}`] = `${home}/${folder}/`;
    for (const name of (await readdir(path.join(PDF_JS, folder))).sort()) {
      parts.push([`${home}/${folder}/${name}`, await readFile(path.join(PDF_JS, folder, name))]);
    }
  }
  return parts;
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
