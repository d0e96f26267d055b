/**
 * Send what this browser kept while the server was out of reach, of one owner and nobody else.
 *
 * @typedef {import("./store.js").Store} Store
 *
 * @typedef {object} Sent
 * @property {number} saved records that are saved now, or were
 * @property {string[]} aside courses in which something was put aside
 * @property {number} waiting records that could not be sent
 * @property {number} refused records the server does not take
 */

const REFUSED = new Set([404, 413, 422]);
const ID = /^[0-9a-f-]{36}$/;

/**
 * @param {object} given
 * @param {Store} given.store
 * @param {string} given.owner
 * @param {(path: string, body: string) => Promise<{status: number, answer: any}>} given.post status 0: no answer
 * @param {(launch: string) => Promise<boolean>} given.isOpen in another tab, which sends its work itself
 * @returns {Promise<Sent>}
 */
export async function sendKept({ store, owner, post, isOpen }) {
  /** @type {Sent} */
  const sent = { saved: 0, aside: [], waiting: 0, refused: 0 };
  for (const record of await store.of(owner).catch(() => [])) {
    if (record.refused || !ID.test(record.launch)) {
      sent.refused += 1;
      continue;
    }
    if (await isOpen(record.launch)) continue;
    const body = JSON.stringify({ commit: record.body, restarted: record.restarted });
    const { status, answer } = await post(`/launches/${record.launch}/late`, body);
    if (status === 200 && typeof answer.outcome === "string") {
      await store.remove(record.key).catch(() => {});
      if (answer.outcome === "aside") sent.aside.push(String(answer.course));
      else sent.saved += 1;
    } else if (REFUSED.has(status)) {
      await store.put({ ...record, refused: true }).catch(() => {});
      sent.refused += 1;
    } else sent.waiting += 1;
  }
  return sent;
}

/**
 * @param {Sent} sent
 * @returns {"aside" | "refused" | "waiting" | "saved" | null} what is most worth saying
 */
export function worthSaying({ saved, aside, waiting, refused }) {
  if (aside.length > 0) return "aside";
  if (refused > 0) return "refused";
  if (waiting > 0) return "waiting";
  return saved > 0 ? "saved" : null;
}
