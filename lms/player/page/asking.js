/**
 * Requests of our own pages to our own server. No answer is status 0; a page of the server's is no answer of a script.
 */

const LONGEST_MS = 10_000;

/**
 * @param {string} path
 * @param {RequestInit} [how]
 * @returns {Promise<{status: number, answer: any}>}
 */
export async function ask(path, how = {}) {
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), LONGEST_MS);
  try {
    const response = await fetch(path, {
      ...how,
      headers: { Accept: "application/json", ...how.headers },
      redirect: "error",
      signal: aborter.signal,
    });
    return { status: response.status, answer: await response.json().catch(() => ({})) };
  } catch {
    return { status: 0, answer: {} };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {string} path
 * @param {string} token against requests that other pages forge
 * @param {BodyInit} [body]
 */
export function post(path, token, body) {
  const type = typeof body === "string" ? { "Content-Type": "application/json" } : {};
  return ask(path, { method: "POST", headers: { "X-CSRF-Token": token, ...type }, body });
}
