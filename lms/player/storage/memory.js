/**
 * Storage and cookies in memory, as pages find them in a browser (HTML §12.2, RFC 6265 §5).
 *
 * @typedef {object} Kept
 * @property {Map<string, string>} localStorage
 * @property {Map<string, string>} sessionStorage
 * @property {Map<string, {value: string, ends: number}>} cookies `ends`: milliseconds since 1970
 */

const PLACE = "__outpostStorage";
const MOST_CHARACTERS = 5 * 1024 * 1024; // of one storage, as browsers have it

/**
 * Whether a window may keep anything.
 *
 * @param {Window} window
 */
export function keepsStorage(window) {
  try {
    return window.localStorage !== null && window.sessionStorage !== null;
  } catch {
    return false;
  }
}

/**
 * Whether a cookie stays. What `navigator.cookieEnabled` says of a frame is not to be believed (Chromium 156).
 *
 * @param {Document} document
 */
export function keepsCookies(document) {
  try {
    if (document.cookie) return true;
    document.cookie = `${PLACE}=1`;
    const stays = document.cookie !== "";
    document.cookie = `${PLACE}=; max-age=0`;
    return stays;
  } catch {
    return false;
  }
}

/**
 * Return what is kept for all windows of this origin up to the outermost one that can be reached.
 *
 * @param {Window} window
 * @returns {Kept}
 */
export function keptIn(window) {
  /** @type {any} */
  let place = window;
  try {
    while (place.parent !== place && place.parent.document) place = place.parent;
  } catch {
    // The parent is of another origin: this window is the outermost.
  }
  if (!place[PLACE]) {
    const kept = { localStorage: new Map(), sessionStorage: new Map(), cookies: new Map() };
    Object.defineProperty(place, PLACE, { value: kept });
  }
  return place[PLACE];
}

/**
 * Return an object that behaves as `Storage` over a map: methods, `length`, and keys as properties.
 *
 * @param {Map<string, string>} map
 * @param {{Storage?: any, DOMException?: any}} window
 */
export function storageOver(map, { Storage, DOMException }) {
  /** @param {string} key @param {string} value */
  const put = (key, value) => {
    let characters = key.length + value.length;
    for (const [one, kept] of map) if (one !== key) characters += one.length + kept.length;
    if (characters > MOST_CHARACTERS) throw new DOMException("There is no more room.", "QuotaExceededError");
    map.set(key, value);
  };
  /** @type {Record<string, any>} */
  const methods = {
    getItem: (/** @type {any} */ key) => map.get(String(key)) ?? null,
    setItem: (/** @type {any} */ key, /** @type {any} */ value) => put(String(key), String(value)),
    removeItem: (/** @type {any} */ key) => void map.delete(String(key)),
    clear: () => map.clear(),
    key: (/** @type {any} */ place) => [...map.keys()][place] ?? null,
  };
  const isKey = (/** @type {string | symbol} */ name) => typeof name === "string" && map.has(name);
  return new Proxy(Object.create(Storage?.prototype ?? null), {
    get(target, name) {
      if (name === "length") return map.size;
      if (typeof name === "symbol") return Reflect.get(target, name, target);
      return methods[name] ?? map.get(name) ?? (name in Object.prototype ? Reflect.get(target, name) : undefined);
    },
    set(_target, name, value) {
      if (typeof name === "string") put(name, String(value));
      return true;
    },
    has: (target, name) => isKey(name) || name in methods || name === "length" || name in target,
    deleteProperty(_target, name) {
      if (typeof name === "string") map.delete(name);
      return true;
    },
    ownKeys: () => [...map.keys()],
    getOwnPropertyDescriptor: (_target, name) =>
      isKey(name)
        ? { value: map.get(/** @type {string} */ (name)), configurable: true, enumerable: true, writable: true }
        : undefined,
    defineProperty(_target, name, { value }) {
      if (typeof name === "string") put(name, String(value));
      return true;
    },
  });
}

/**
 * Return how `document.cookie` is read and written over a map; paths and domains are all the same here.
 *
 * @param {Kept["cookies"]} cookies
 */
export function cookieJar(cookies, now = Date.now) {
  return {
    read: () =>
      [...cookies]
        .filter(([, { ends }]) => ends > now())
        .map(([name, { value }]) => (name ? `${name}=${value}` : value))
        .join("; "),
    /** @param {any} text */
    write(text) {
      const [pair, ...attributes] = String(text).split(";");
      const equals = pair.indexOf("=");
      const name = equals < 0 ? "" : pair.slice(0, equals).trim();
      const ends = endOf(attributes, now());
      if (ends > now()) cookies.set(name, { value: pair.slice(equals + 1).trim(), ends });
      else cookies.delete(name);
    },
  };
}

/**
 * @param {string[]} attributes
 * @param {number} nowMs
 */
function endOf(attributes, nowMs) {
  const given = new Map(
    attributes.map((attribute) => {
      const [name, ...value] = attribute.split("=");
      return [name.trim().toLowerCase(), value.join("=").trim()];
    }),
  );
  const seconds = given.get("max-age"); // counts before `expires`
  if (seconds !== undefined && /^-?\d+$/.test(seconds)) return nowMs + Number(seconds) * 1000;
  const until = Date.parse(given.get("expires") ?? "");
  return Number.isNaN(until) ? Infinity : until;
}
