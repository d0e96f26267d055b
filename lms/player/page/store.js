/**
 * What this browser keeps of unsaved work, in the IndexedDB of the LMS's origin: it outlives tab, browser and power.
 *
 * @typedef {object} Kept
 * @property {string} key the launch, and which shim of it
 * @property {string} launch
 * @property {string} owner a mark that only pages of its learner carry
 * @property {boolean} restarted the shim was loaded again since
 * @property {string} body the request, as the shim would send it
 * @property {number} at when it was kept, ms since 1970
 * @property {boolean} [refused] the server does not take it
 *
 * @typedef {object} Store
 * @property {(record: Kept) => Promise<void>} put rejects where it cannot be kept
 * @property {(key: string) => Promise<void>} remove
 * @property {(owner: string) => Promise<Kept[]>} of oldest first
 * @property {(launch: string) => Promise<void>} note that this browser opened a launch
 * @property {() => Promise<string>} noted the last one it opened
 */

const NAME = "outpost-kept";
const WORK = "work";
const OPENED = "opened";
const MOST = 200;

/**
 * @param {IDBFactory | undefined} factory
 * @returns {Store}
 */
export function storeIn(factory) {
  /** @type {Promise<IDBDatabase> | null} */
  let opened = null;

  return {
    async put(record) {
      const known = await run(WORK, "readonly", (work) => work.getKey(record.key));
      const count = await run(WORK, "readonly", (work) => work.count());
      if (known === undefined && count >= MOST) throw new Error("full");
      await run(WORK, "readwrite", (work) => work.put(record));
    },
    remove: (key) => run(WORK, "readwrite", (work) => work.delete(key)),
    async of(owner) {
      /** @type {Kept[]} */
      const all = await run(WORK, "readonly", (work) => work.getAll());
      return all.filter((record) => record.owner === owner).sort((one, other) => one.at - other.at);
    },
    note: (launch) => run(OPENED, "readwrite", (names) => names.put(launch, "last")).then(() => {}),
    noted: () => run(OPENED, "readonly", (names) => names.get("last")),
  };

  /**
   * @param {string} name
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} act
   * @returns {Promise<any>} once it is on the disk
   */
  async function run(name, mode, act) {
    opened ??= open();
    let database;
    try {
      database = await opened;
    } catch (error) {
      opened = null;
      throw error;
    }
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(name, mode, { durability: "strict" });
      const request = act(transaction.objectStore(name));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }

  /** @returns {Promise<IDBDatabase>} */
  function open() {
    return new Promise((resolve, reject) => {
      if (factory === undefined) return reject(new Error("none"));
      const request = factory.open(NAME, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(WORK, { keyPath: "key" });
        request.result.createObjectStore(OPENED);
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }
}
