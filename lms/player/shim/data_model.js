/**
 * Judge what a course reads and writes (SCORM 1.2 RTE §3.4; SCORM 2004 RTE 4th Ed. §3.1.7, §4.1, §4.2).
 *
 * The server judges again from the same tables by the same steps (`content_packages/cmi/data_model.py`), because
 * this side runs beside the course and is not believed. Both are held to the cases in
 * `tests/unit/content_packages/cmi_cases/`.
 *
 * @typedef {import("./element.js").Name} Name
 * @typedef {import("./table.js").Element} Element
 * @typedef {import("./table.js").Format} Format
 * @typedef {import("./table.js").Table} Table
 *
 * @typedef {object} Answer what a call gives back
 * @property {string} value `"true"` or `"false"` for a set
 * @property {string} code `"0"` when the call succeeded
 * @property {string} [rule] that the call broke, by its name in the table
 * @property {string} diagnostic
 */

import { beside, parse } from "./element.js";
import {
  ONE_PATTERN,
  UNIQUE_PATTERNS,
  correctResponseIsRight,
  learnerResponseIsRight,
  localizedIsRight,
} from "./responses.js";

const LONGEST_DIAGNOSTIC = 254;

/** A call breaks a rule of the data model; `rule` is its name in the table. */
class BrokenRule extends Error {
  /**
   * @param {string} rule
   * @param {string} sentence
   */
  constructor(rule, sentence) {
    super(sentence);
    this.rule = rule;
  }
}

/** The run-time data of one unit: a flat mapping of element to string, and the rules of its standard. */
export class DataModel {
  /** @type {Map<string, string>} */
  #values = new Map();
  /** @type {Map<string, number>} */
  #counts = new Map();
  #table;

  /**
   * @param {Table} table
   * @param {Record<string, string>} values everything that is set at launch; what is not has its default
   */
  constructor(table, values) {
    this.#table = table;
    this.merge(values);
  }

  /**
   * Answer `GetValue` / `LMSGetValue`.
   *
   * @param {string} element
   * @returns {Answer}
   */
  get(element) {
    return this.#answer("", () => this.#read(element));
  }

  /**
   * Carry out `SetValue` / `LMSSetValue`.
   *
   * @param {string} element
   * @param {string} value
   * @returns {Answer}
   */
  set(element, value) {
    return this.#answer("false", () => this.#write(element, value));
  }

  /**
   * The value that is kept under a name, whoever may read it.
   *
   * @param {string} element
   * @returns {{path: string, value: string | undefined}}
   */
  kept(element) {
    const { path } = parse(element);
    return { path, value: this.#values.get(path) };
  }

  /**
   * Take values the server gives; it need not be asked whether they may be set.
   *
   * @param {Record<string, string>} values
   * @returns {boolean} whether any of them is new
   */
  merge(values) {
    let isNew = false;
    for (const [element, value] of Object.entries(values)) {
      isNew ||= this.#values.get(element) !== value;
      this.#values.set(element, value);
      this.#countIn(parse(element));
    }
    return isNew;
  }

  /**
   * @param {string} failed
   * @param {() => string} act
   * @returns {Answer}
   */
  #answer(failed, act) {
    try {
      return { value: act(), code: "0", diagnostic: "" };
    } catch (error) {
      if (!(error instanceof BrokenRule)) throw error;
      const code = this.#table.rules.get(error.rule) ?? null;
      if (code === null) return { value: failed, code: "0", diagnostic: "" };
      return { value: failed, code, rule: error.rule, diagnostic: error.message.slice(0, LONGEST_DIAGNOSTIC) };
    }
  }

  /** @param {string} element */
  #read(element) {
    if (element === "") throw new BrokenRule("empty_get", "GetValue needs the name of an element.");
    const name = parse(element);
    if (name.keyword) return this.#readKeyword(element, name);
    const row = this.#row(element, name);
    this.#checkMembersExist(name);
    if (["wo", "none"].includes(this.#access(name, row))) {
      throw new BrokenRule("write_only", `${element} can only be written.`);
    }
    const value = this.#evaluated(name.row) ?? this.#values.get(name.path) ?? row.default;
    if (value === undefined || (value === "" && row.emptyIsUnset)) {
      throw new BrokenRule("unset", `${element} has no value yet.`);
    }
    return value;
  }

  /**
   * @param {string} element
   * @param {Name} name
   */
  #readKeyword(element, name) {
    const { nodes, version, children, collections } = this.#table;
    if (!nodes.has(name.row)) this.#row(element, name);
    if (name.keyword === "_version" && version.has(name.row)) {
      return /** @type {string} */ (version.get(name.row));
    }
    if (name.keyword === "_children" && children.has(name.row)) {
      this.#checkMembersExist(name);
      return /** @type {string} */ (children.get(name.row));
    }
    if (name.keyword === "_count" && collections.has(name.row)) {
      this.#checkMembersExist(name);
      return String(this.#count(name.path));
    }
    throw new BrokenRule(`no${name.keyword}`, `${name.path} has no ${name.keyword}.`);
  }

  /**
   * @param {string} element
   * @param {string} value
   */
  #write(element, value) {
    if (element === "") throw new BrokenRule("empty_set", "SetValue needs the name of an element.");
    const name = parse(element);
    const keyword = () => new BrokenRule("keyword", `${element} is kept by the LMS and cannot be set.`);
    if (name.keyword && this.#table.nodes.has(name.row)) throw keyword();
    const row = this.#row(element, name);
    if (name.keyword) throw keyword();
    if (row.access === "ro") throw new BrokenRule("read_only", `${element} can only be read.`);
    this.#checkOrder(element, name, row);
    if (row.append) value = (this.#values.get(name.path) ?? "") + value;
    this.#checkValue(element, name, row, value);
    this.#values.set(name.path, value);
    this.#countIn(name);
    return "true";
  }

  /**
   * @param {string} element
   * @param {Name} name
   */
  #row(element, name) {
    const row = this.#table.elements.get(name.row);
    if (row === undefined) throw new BrokenRule("unknown", `${element} is not an element of this data model.`);
    return row;
  }

  /** @param {Name} name */
  #checkMembersExist(name) {
    for (const place of name.places) {
      if (place.index >= this.#count(place.path)) {
        throw new BrokenRule("get_index", `${place.path} has no member ${place.index}.`);
      }
    }
  }

  /**
   * Members are made one after another, and what depends on an element waits for it.
   *
   * @param {string} element
   * @param {Name} name
   * @param {Element} row
   */
  #checkOrder(element, name, row) {
    for (const place of name.places) {
      const count = this.#count(place.path);
      if (place.index > count) {
        throw new BrokenRule("set_index", `The next member of ${place.path} is ${count}.`);
      }
      const limit = this.#table.collections.get(place.row);
      if (limit && (place.index >= limit.most || (limit.closed && place.index === count))) {
        throw new BrokenRule("set_index", `${place.path} cannot hold more members.`);
      }
    }
    if (["ro", "none"].includes(this.#access(name, row))) {
      throw new BrokenRule("read_only", `${element} can only be read.`);
    }
    for (const needed of row.needs) {
      const path = beside(name, needed);
      if (!this.#values.has(path)) {
        throw new BrokenRule("dependency", `${path} must be set before ${element}.`);
      }
    }
    if (row.format.response === "correct_response" && name.places[name.places.length - 1].index > 0) {
      const kind = this.#interactionType(name);
      if (ONE_PATTERN.has(kind)) {
        throw new BrokenRule("set_index", `An interaction of type ${kind} has one correct response.`);
      }
    }
  }

  /**
   * A value has the right form and range, changes nothing fixed, and doubles nothing unique.
   *
   * @param {string} element
   * @param {Name} name
   * @param {Element} row
   * @param {string} value
   */
  #checkValue(element, name, row, value) {
    if (row.fixed && (this.#values.get(name.path) ?? value) !== value) {
      throw new BrokenRule("fixed", `${element} is set and cannot change.`);
    }
    const { most, range, values } = row.format;
    if (isLonger(value, most)) {
      throw new BrokenRule("too_long", `${element} would be longer than ${most} characters.`);
    }
    if (!this.#hasForm(name, row.format, value)) {
      throw new BrokenRule("mismatch", `${element} cannot be ${value}`);
    }
    if (range && !values.has(value) && !lies(Number(value), range)) {
      throw new BrokenRule("range", `${element} cannot be ${value}: out of range.`);
    }
    if (this.#isDouble(name, row, value)) {
      throw new BrokenRule("unique", `Another member beside ${element} has this value.`);
    }
  }

  /**
   * @param {Name} name
   * @param {Format} wanted
   * @param {string} value
   */
  #hasForm(name, wanted, value) {
    const { languages } = this.#table;
    if (wanted.response === "correct_response") {
      return correctResponseIsRight(this.#interactionType(name), value, languages);
    }
    if (wanted.response === "learner_response") {
      return learnerResponseIsRight(this.#interactionType(name), value, languages);
    }
    if (wanted.localized) return localizedIsRight(value, languages);
    if (wanted.values.has(value)) return true;
    if (wanted.pattern) return wanted.pattern.test(value);
    return wanted.values.size === 0;
  }

  /**
   * @param {Name} name
   * @param {Element} row
   * @param {string} value
   */
  #isDouble(name, row, value) {
    const unique =
      row.format.response === "correct_response"
        ? UNIQUE_PATTERNS.has(this.#interactionType(name))
        : row.unique;
    if (!unique) return false;
    const place = name.places[name.places.length - 1];
    const leaf = name.path.slice(`${place.path}.${place.index}.`.length);
    for (let index = 0; index < this.#count(place.path); index += 1) {
      if (index !== place.index && this.#values.get(`${place.path}.${index}.${leaf}`) === value) return true;
    }
    return false;
  }

  /** @param {Name} name */
  #interactionType(name) {
    return this.#values.get(beside(name, "cmi.interactions.n.type")) ?? "";
  }

  /**
   * A status that follows from a measure once its threshold is given (RTE 4th Ed. §4.2.4.1, §4.2.22.1).
   *
   * @param {string} row
   */
  #evaluated(row) {
    const rule = this.#table.evaluated.get(row);
    const threshold = rule && this.#values.get(rule.threshold);
    if (rule === undefined || threshold === undefined) return undefined;
    const measure = this.#values.get(rule.measure);
    if (measure === undefined) return "unknown";
    return Number(measure) >= Number(threshold) ? rule.reached : rule.below;
  }

  /**
   * A bucket of `adl.data` has its access beside it, `adl.data.n._access`: ro, wo, rw or none.
   *
   * @param {Name} name
   * @param {Element} row
   */
  #access(name, row) {
    if (!row.ownAccess) return row.access;
    return this.#values.get(beside(name, "adl.data.n._access")) ?? row.access;
  }

  /** @param {string} path */
  #count(path) {
    return this.#counts.get(path) ?? 0;
  }

  /** @param {Name} name */
  #countIn(name) {
    for (const { path, index } of name.places) {
      this.#counts.set(path, Math.max(this.#count(path), index + 1));
    }
  }
}

/**
 * @param {string} text
 * @param {number} most in characters, of which one may be two units of a JavaScript string
 */
function isLonger(text, most) {
  return text.length > most && Array.from(text).length > most;
}

/**
 * @param {number} number
 * @param {[number | null, number | null]} range
 */
function lies(number, [least, greatest]) {
  return (least === null || number >= least) && (greatest === null || number <= greatest);
}
