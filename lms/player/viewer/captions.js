/**
 * Captions as a browser takes them: WebVTT in UTF-8. SubRip files come in whatever Windows was set to.
 */

/** @type {Record<string, string>} what Windows writes in which language */
const WINDOWS = {
  ar: "windows-1256", fa: "windows-1256", ur: "windows-1256", ru: "windows-1251", uk: "windows-1251",
  bg: "windows-1251", sr: "windows-1251", kk: "windows-1251", ky: "windows-1251", tg: "windows-1251",
  el: "windows-1253", tr: "windows-1254", he: "windows-1255", th: "windows-874", vi: "windows-1258",
  pl: "windows-1250", cs: "windows-1250", sk: "windows-1250", hu: "windows-1250", ro: "windows-1250",
  zh: "gb18030", ja: "shift_jis", ko: "euc-kr",
};
const TIME = /(\d+):(\d{1,2}):(\d{1,2})[,.](\d{1,3})\s*-->\s*(\d+):(\d{1,2}):(\d{1,2})[,.](\d{1,3})[^\n]*/;

/**
 * @param {ArrayBuffer} bytes
 * @param {string} language
 */
export function webVtt(bytes, language) {
  const text = decoded(bytes, language).replace(/\r\n?/g, "\n");
  return text.startsWith("WEBVTT") ? text : `WEBVTT\n\n${text.split(/\n[ \t]*\n/).flatMap(cueOf).join("\n\n")}\n`;
}

/**
 * One block of a SubRip file; what holds no time is left out.
 *
 * @param {string} block
 * @returns {string[]}
 */
function cueOf(block) {
  const lines = block.split("\n");
  const at = lines.findIndex((line) => TIME.test(line));
  if (at < 0) return [];
  const [, ...numbers] = /** @type {RegExpExecArray} */ (TIME.exec(lines[at]));
  const said = lines.slice(at + 1).join("\n").replace(/\{\\[^}]*\}/g, "").replace(/<\/?font[^>]*>/gi, "").trim();
  return said === "" ? [] : [`${timeOf(numbers.slice(0, 4))} --> ${timeOf(numbers.slice(4))}\n${escaped(said)}`];
}

/** @param {string[]} numbers hours, minutes, seconds, thousandths */
function timeOf([hours, minutes, seconds, fraction]) {
  const two = (/** @type {string} */ number) => number.padStart(2, "0");
  return `${two(hours)}:${two(minutes)}:${two(seconds)}.${fraction.padEnd(3, "0")}`;
}

/**
 * `<b>`, `<i>` and `<u>` mean the same in both; any other "<" is text.
 *
 * @param {string} said
 */
function escaped(said) {
  return said.replace(/&(?![a-z]+;|#)/gi, "&amp;").replace(/<(?!\/?[biu]>)/gi, "&lt;").replace(/-->/g, "--&gt;");
}

/**
 * @param {ArrayBuffer} bytes
 * @param {string} language
 */
function decoded(bytes, language) {
  const start = new Uint8Array(bytes.slice(0, 2));
  if (start[0] === 0xff && start[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (start[0] === 0xfe && start[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder(WINDOWS[language.split("-")[0]] ?? "windows-1252").decode(bytes);
  }
}
