/**
 * A form that sends its file in parts (tus 1.0): seen to move, gone on with after a break or a reload, cancelable.
 *
 * Without this the form sends the file whole. Where the file stands is remembered by its name, size and time, so
 * that choosing it again goes on where it stopped, as long as the server keeps what came.
 */

const [SMALLEST_PART, FIRST_PART, LARGEST_PART] = [64 * 1024, 256 * 1024, 16 * 1024 * 1024];
const [QUICK_MS, SLOW_MS] = [1000, 4000]; // a part should take about this long: often enough to be seen, and to stop
const PAUSES_MS = [500, 1000, 2000, 4000, 8000, 15000];
const [SIGNED_OUT, NO_ROOM] = [401, 507];
const TUS = { "Tus-Resumable": "1.0.0" };

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {(name: string) => string | null} header
 * @property {() => Promise<string>} text
 *
 * @typedef {(method: string, path: string, headers: Record<string, string>, body?: Blob) => Promise<Answer>} Ask
 */

/** The server said no: to go on would not help. `message` is its reason, or empty; `canGoOn`, once that is mended. */
export class RefusedError extends Error {
  canGoOn = false;
}

/**
 * Send a file; resolve with the path of its upload once all of it has arrived.
 *
 * @param {object} given
 * @param {File} given.file
 * @param {string} given.to where uploads are made
 * @param {Record<string, string>} given.said metadata beside the file's name
 * @param {Ask} given.ask rejects where the server is out of reach
 * @param {{ get(key: string): string | null, set(key: string, value: string): void, remove(key: string): void }} given.memory
 * @param {(ms: number) => Promise<void>} given.pause
 * @param {(sent: number, isWaiting: boolean) => void} given.tell
 * @param {() => boolean} given.isCancelled
 * @param {(path: string) => void} given.gone told of an upload that the server has thrown away
 * @param {() => number} given.clock in milliseconds
 * @param {number} [given.firstPart] bytes
 * @returns {Promise<string | null>} null: cancelled, and the server keeps nothing
 */
export async function sendFile({
  file, to, said, ask, memory, pause, tell, isCancelled, gone, clock, firstPart = FIRST_PART,
}) {
  const key = `upload ${to} ${file.name} ${file.size} ${file.lastModified} ${Object.values(said).join(" ")}`;
  let path = memory.get(key);
  let offset = -1; // not known: ask
  let arrived = 0; // as far as was heard last
  let failures = 0;
  let part = firstPart;
  while (!isCancelled()) {
    try {
      if (path === null) {
        path = await begin();
        memory.set(key, path);
        offset = 0;
      } else if (offset < 0) {
        const answer = await ask("HEAD", path, TUS);
        if (answer.status === 404) {
          memory.remove(key);
          path = null;
          continue;
        }
        offset = Number((await expect(answer, 200)).header("Upload-Offset"));
      }
      arrived = offset;
      tell(arrived, false);
      if (offset >= file.size) {
        memory.remove(key);
        return path;
      }
      offset = await sendPart(path, offset);
      failures = 0;
    } catch (error) {
      if (error instanceof RefusedError) {
        if (!error.canGoOn) memory.remove(key);
        throw error;
      }
      tell(arrived, true);
      offset = -1;
      part = Math.max(part / 2, SMALLEST_PART);
      await pause(PAUSES_MS[Math.min(failures++, PAUSES_MS.length - 1)]);
    }
  }
  memory.remove(key);
  if (path !== null) {
    await ask("DELETE", path, TUS).then(() => gone(/** @type {string} */ (path)), () => {}); // out of reach: it expires by itself
  }
  return null;

  async function begin() {
    const pairs = Object.entries({ filename: file.name, ...said });
    const metadata = pairs.map(([name, value]) => `${name} ${inBase64(value)}`).join(",");
    const headers = { ...TUS, "Upload-Length": String(file.size), "Upload-Metadata": metadata };
    return (await expect(await ask("POST", to, headers), 201)).header("Location") ?? "";
  }

  /** @param {string} where @param {number} from */
  async function sendPart(where, from) {
    const headers = {
      ...TUS,
      "Upload-Offset": String(from),
      "Content-Type": "application/offset+octet-stream",
    };
    const began = clock();
    const answer = await ask("PATCH", where, headers, file.slice(from, from + part));
    const took = clock() - began;
    if (took < QUICK_MS) part = Math.min(part * 2, LARGEST_PART);
    if (took > SLOW_MS) part = Math.max(part / 2, SMALLEST_PART);
    return answer.status === 404 || answer.status === 409 || answer.status === 423
      ? Promise.reject(new Error("ask where to go on"))
      : Number((await expect(answer, 204)).header("Upload-Offset"));
  }
}

/** @param {Answer} answer @param {number} status */
async function expect(answer, status) {
  if (answer.status === status) return answer;
  const isFull = answer.status === NO_ROOM;
  if (!isFull && (answer.status < 400 || answer.status >= 500)) throw new Error(String(answer.status));
  const refused = new RefusedError(await reason(answer));
  refused.canGoOn = isFull || answer.status === SIGNED_OUT;
  throw refused;
}

/** @param {Answer} answer a problem (RFC 9457), in the reader's language */
async function reason(answer) {
  try {
    return String(JSON.parse(await answer.text()).detail ?? "");
  } catch {
    return "";
  }
}

/**
 * Take an upload that is gone off the list of those that stopped.
 *
 * @param {string} upload
 */
function forget(upload) {
  const list = document.querySelector("[data-uploads-stopped]");
  list?.querySelector(`[data-upload-stopped="${CSS.escape(upload)}"]`)?.remove();
  if (list instanceof HTMLElement) list.hidden = list.querySelector("[data-upload-stopped]") === null;
}

/** @returns {never} */
function refuse() {
  throw new Error("cancelled");
}

/** @param {string} text */
function inBase64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/**
 * Let a form send its file in parts.
 *
 * @param {object} given
 * @param {HTMLFormElement} given.form `data-upload`: where uploads are made; `data-then`: the page of an import
 * @param {Ask} given.ask
 * @param {{ get(key: string): string | null, set(key: string, value: string): void, remove(key: string): void }} given.memory
 * @param {(ms: number) => Promise<void>} given.pause
 * @param {(path: string) => void} given.leave
 * @param {() => number} given.clock in milliseconds
 */
export function wireUpload({ form, ask, memory, pause, leave, clock }) {
  const shown = /** @type {HTMLElement} */ (form.querySelector("[data-upload-shown]"));
  const bar = /** @type {HTMLProgressElement} */ (shown.querySelector("progress"));
  const words = /** @type {HTMLElement} */ (shown.querySelector("[role=status]"));
  const cancel = /** @type {HTMLButtonElement} */ (shown.querySelector("button"));
  const submit = /** @type {HTMLButtonElement} */ (form.querySelector("button[type=submit]"));
  let cancelled = false;
  let stop = () => {};

  cancel.addEventListener("click", () => {
    cancelled = true;
    cancel.disabled = true;
    stop();
  });
  form.addEventListener("submit", async (event) => {
    const fields = new FormData(form);
    const file = fields.get("file");
    if (!(file instanceof File) || file.size === 0) return;
    event.preventDefault();
    cancelled = cancel.disabled = cancel.hidden = bar.hidden = false;
    submit.disabled = true;
    shown.hidden = false;
    const stopped = /** @type {Promise<void>} */ (new Promise((resolve) => (stop = resolve)));
    /** @type {Record<string, string>} */
    const said = {};
    if (fields.has("publish")) said.publish = "";
    if (fields.get("into")) said.as = String(fields.get("into"));
    try {
      const path = await sendFile({
        file, to: form.dataset.upload ?? "", said, memory, tell, clock,
        ask: (...asked) => (cancelled ? ask(...asked) : Promise.race([ask(...asked), stopped.then(refuse)])),
        pause: (ms) => Promise.race([pause(ms), stopped]),
        isCancelled: () => cancelled,
        gone: (path) => forget(path.slice(path.lastIndexOf("/") + 1)),
      });
      if (path !== null) {
        leave(`${form.dataset.then ?? ""}${path.slice(path.lastIndexOf("/") + 1)}`);
        return;
      }
      words.textContent = form.dataset.textCancelled ?? "";
    } catch (error) {
      const why = error instanceof RefusedError ? error.message : "";
      words.textContent = why || (form.dataset.textRefused ?? "");
    }
    bar.hidden = cancel.hidden = true;
    submit.disabled = false;

    /** @param {number} sent @param {boolean} isWaiting */
    function tell(sent, isWaiting) {
      const inMb = (/** @type {number} */ bytes) => (bytes / 1e6).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });
      bar.value = sent / file.size;
      words.textContent = isWaiting
        ? (form.dataset.textWaiting ?? "")
        : (form.dataset.textSent ?? "").replace("{sent}", inMb(sent)).replace("{total}", inMb(file.size));
    }
  });
}
