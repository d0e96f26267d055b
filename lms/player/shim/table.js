/**
 * Read the table of a standard: the very file the server reads, `content_packages/cmi/*.json`.
 *
 * @typedef {object} Format what a value must look like; what is absent is not asked
 * @property {Set<string>} values
 * @property {RegExp | null} pattern
 * @property {[number | null, number | null] | null} range
 * @property {number} most the longest value that is kept, in characters
 * @property {boolean} localized
 * @property {string} response
 *
 * @typedef {object} Element one row
 * @property {string} access
 * @property {Format} format
 * @property {string | undefined} default
 * @property {string[]} needs
 * @property {boolean} append
 * @property {boolean} unique
 * @property {boolean} fixed
 * @property {boolean} ownAccess
 * @property {boolean} emptyIsUnset
 *
 * @typedef {object} Table in names `n` stands for an index, `{target}` for a named target
 * @property {Map<string, string>} version
 * @property {Map<string, string>} errors
 * @property {Map<string, string | null>} rules
 * @property {Map<string, Element>} elements
 * @property {Set<string>} nodes
 * @property {Map<string, string>} children
 * @property {Map<string, {most: number, closed?: boolean}>} collections
 * @property {Map<string, {measure: string, threshold: string, reached: string, below: string}>} evaluated
 * @property {Set<string>} languages
 */

/**
 * @param {any} raw the parsed file
 * @returns {Table}
 */
export function readTable(raw) {
  const formats = mapOf(raw.formats, readFormat);
  const below = namesBelow(Object.keys(raw.elements));
  return {
    version: mapOf(raw.version),
    errors: mapOf(raw.errors),
    rules: mapOf(raw.rules),
    elements: mapOf(raw.elements, (spec) => readElement(spec, formats)),
    nodes: new Set(below.keys()),
    children: new Map(
      raw.children.map((/** @type {string} */ name) => [
        name,
        [...(below.get(`${name}.n`) ?? below.get(name) ?? [])].join(","),
      ]),
    ),
    collections: mapOf(raw.collections),
    evaluated: mapOf(raw.evaluated),
    languages: new Set((raw.languages ?? "").split(" ")),
  };
}

/**
 * What stands below each node, in the order of the table.
 *
 * @param {string[]} names
 */
function namesBelow(names) {
  /** @type {Map<string, Set<string>>} */
  const below = new Map();
  for (const name of names) {
    const parts = name.split(".");
    for (let depth = 1; depth < parts.length; depth += 1) {
      const node = parts.slice(0, depth).join(".");
      below.set(node, (below.get(node) ?? new Set()).add(parts[depth]));
    }
  }
  return below;
}

/**
 * @param {any} spec
 * @returns {Format}
 */
function readFormat(spec) {
  return {
    values: new Set(spec.values),
    pattern: spec.pattern === undefined ? null : new RegExp(`^(?:${spec.pattern})$`, "u"),
    range: spec.range ?? null,
    most: spec.most ?? Infinity,
    localized: spec.localized ?? false,
    response: spec.response ?? "",
  };
}

/**
 * @param {any} spec
 * @param {Map<string, Format>} formats
 * @returns {Element}
 */
function readElement(spec, formats) {
  return {
    access: spec.access,
    format: /** @type {Format} */ (formats.get(spec.format)),
    default: spec.default,
    needs: spec.needs ?? [],
    append: spec.append ?? false,
    unique: spec.unique ?? false,
    fixed: spec.fixed ?? false,
    ownAccess: spec.own_access ?? false,
    emptyIsUnset: spec.empty_is_unset ?? false,
  };
}

/**
 * A map, because a course may ask for an element named `constructor`.
 *
 * @param {Record<string, any>} object
 * @param {(value: any) => any} read
 */
function mapOf(object, read = (value) => value) {
  return new Map(Object.entries(object).map(([name, value]) => [name, read(value)]));
}
