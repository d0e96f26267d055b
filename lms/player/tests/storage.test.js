/**
 * Storage in memory: what a package finds in the place of the browser's.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { cookieJar, keepsCookies, keepsStorage, keptIn, storageOver } from "../storage/memory.js";

class Storage {}
const aStorage = (map = new Map()) => /** @type {any} */ (storageOver(map, { Storage, DOMException }));

test("what is put in comes out as text, by method and by name", () => {
  const storage = aStorage();

  storage.setItem("page", 3);
  storage.name = { toString: () => "Amina" };
  storage["with space"] = null;

  assert.equal(storage.getItem("page"), "3");
  assert.equal(storage.page, "3");
  assert.equal(storage.getItem("name"), "Amina");
  assert.equal(storage["with space"], "null");
  assert.equal(storage.getItem("absent"), null);
  assert.equal(storage.absent, undefined);
  assert.deepEqual([storage.length, storage.key(0), storage.key(9)], [3, "page", null]);
});

test("it is listed, copied and emptied as a browser's is", () => {
  const storage = aStorage(new Map([["a", "1"], ["b", "2"]]));

  assert.deepEqual(Object.keys(storage), ["a", "b"]);
  assert.deepEqual({ ...storage }, { a: "1", b: "2" });
  assert.equal(JSON.stringify(storage), '{"a":"1","b":"2"}');
  assert.ok("a" in storage && "getItem" in storage && !("c" in storage));
  assert.ok(storage instanceof Storage);
  delete storage.a;
  assert.equal(storage.length, 1);
  storage.clear();
  assert.deepEqual([storage.length, Object.keys(storage)], [0, []]);
});

test("a key may be called as anything that objects have", () => {
  const storage = aStorage();

  storage.setItem("__proto__", "1");
  storage.setItem("constructor", "2");

  assert.deepEqual([storage.getItem("__proto__"), storage.getItem("constructor"), storage.length], ["1", "2", 2]);
  assert.equal(typeof storage.hasOwnProperty, "function");
  assert.equal(storage.hasOwnProperty("constructor"), true);
});

test("it is as large as a browser's, and says so as that does", () => {
  const storage = aStorage();
  storage.setItem("large", "x".repeat(5 * 1024 * 1024 - 5));

  assert.throws(() => storage.setItem("more", "x"), { name: "QuotaExceededError" });
  storage.setItem("large", "x");
  storage.setItem("more", "x");
});

test("cookies are kept until they end, and taken back by a date that has passed", () => {
  let now = Date.parse("2026-11-27T12:00:00Z");
  const jar = cookieJar(new Map(), () => now);

  jar.write("a=1; path=/; expires=Fri, 27 Nov 2026 13:00:00 GMT");
  jar.write("b = two=2 ; max-age=60");
  jar.write("c=3");
  assert.equal(jar.read(), "a=1; b=two=2; c=3");
  jar.write("c=; expires=Thu, 01 Jan 1970 00:00:00 GMT");
  now += 61_000;

  assert.equal(jar.read(), "a=1");
});

test("all frames of a course share what is kept by the outermost they can reach", () => {
  const aWindow = (parent) => {
    const window = { document: {} };
    window.parent = parent ?? window;
    return window;
  };
  const stranger = { get document() { throw new DOMException("another origin", "SecurityError"); } };
  const shim = aWindow(stranger);
  const unit = aWindow(shim);

  assert.equal(keptIn(aWindow(unit)), keptIn(unit));
  assert.equal(keptIn(unit), keptIn(shim));
});

test("storage is refused where asking for it throws, or there is none", () => {
  assert.equal(keepsStorage({ localStorage: {}, sessionStorage: {} }), true);
  assert.equal(keepsStorage({ localStorage: null, sessionStorage: {} }), false);
  const refusing = { localStorage: {}, get sessionStorage() { throw new DOMException("no", "SecurityError"); } };
  assert.equal(keepsStorage(refusing), false);
});

test("cookies are refused where one does not stay, and none is left of the trial", () => {
  const jar = cookieJar(new Map());
  const keeping = Object.defineProperty({}, "cookie", { get: jar.read, set: jar.write });
  const forgetting = Object.defineProperty({}, "cookie", { get: () => "", set: () => {} });

  assert.equal(keepsCookies(keeping), true);
  assert.equal(keeping.cookie, "");
  assert.equal(keepsCookies(forgetting), false);
});
