/**
 * Stand in for storage that the browser refuses: the first script of a page of a course in a frame of another site.
 *
 * Where third-party storage is blocked, the mere mention of `localStorage` throws, and many packages end there;
 * cookies vanish without a word. What is kept here lives in memory, in the outermost window of the course's host (the
 * shim's, which stays for the whole launch), so that all pages and frames of a package share it. What works is not touched.
 */

import { cookieJar, keptIn, keepsCookies, keepsStorage, storageOver } from "./memory.js";

const kept = keptIn(window);
if (!keepsStorage(window)) {
  for (const name of /** @type {const} */ (["localStorage", "sessionStorage"])) {
    const value = storageOver(kept[name], window);
    Object.defineProperty(window, name, { configurable: true, enumerable: true, get: () => value });
  }
  // A database cannot be stood in for; without the name, what asks for one first looks for another way.
  Object.defineProperty(window, "indexedDB", { configurable: true, value: undefined });
}
if (!keepsCookies(document)) {
  const jar = cookieJar(kept.cookies);
  Object.defineProperty(document, "cookie", { configurable: true, enumerable: true, get: jar.read, set: jar.write });
}
