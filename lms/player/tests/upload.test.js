/**
 * A file sent in parts: to its end, over breaks, gone on with after a reload, given up.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { RefusedError, sendFile } from "../site/upload.js";

const MB = 1024 * 1024;

/** A server that keeps parts as ours does; `breaks` are the requests whose answer is lost, by number from 1. */
function aServer({ breaks = new Set(), refuses = 0, why = "" } = {}) {
  const server = { uploads: new Map(), asked: [], made: 0 };
  server.ask = async (method, path, headers, body) => {
    server.asked.push(method);
    const broken = breaks.has(server.asked.length);
    const told = {};
    let status = 404;
    if (refuses && (refuses === 413 || method === "PATCH")) status = refuses;
    else if (method === "POST") {
      const made = `/uploads/${(server.made += 1)}`;
      server.uploads.set(made, { length: Number(headers["Upload-Length"]), said: headers["Upload-Metadata"], size: 0 });
      told.Location = made;
      status = 201;
    } else if (server.uploads.has(path)) {
      const upload = server.uploads.get(path);
      status = method === "HEAD" ? 200 : 204;
      if (method === "DELETE") server.uploads.delete(path);
      if (method === "PATCH" && Number(headers["Upload-Offset"]) !== upload.size) status = 409;
      else if (method === "PATCH") upload.size += broken ? Math.floor(body.size / 2) : body.size;
      told["Upload-Offset"] = String(upload.size);
    }
    if (broken) throw new TypeError("the link is gone");
    return { status, header: (name) => told[name] ?? null, text: async () => why };
  };
  return server;
}

function aBrowser(server, { size = 10 * MB, cancelAfter = Infinity, takes = 2000 } = {}) {
  let time = 0;
  const kept = new Map();
  const pauses = [];
  const told = [];
  const gone = [];
  const file = new File([new Uint8Array(size)], "دورة.zip", { lastModified: 1 });
  return {
    kept,
    pauses,
    told,
    gone,
    send: () =>
      sendFile({
        file,
        to: "/uploads",
        said: { publish: "" },
        ask: server.ask,
        memory: { get: (key) => kept.get(key) ?? null, set: (key, value) => kept.set(key, value), remove: (key) => kept.delete(key) },
        pause: async (ms) => void pauses.push(ms),
        tell: (sent, isWaiting) => told.push([sent, isWaiting]),
        gone: (path) => gone.push(path),
        isCancelled: () => server.asked.length >= cancelAfter,
        clock: () => (time += takes),
        firstPart: 4 * MB,
      }),
  };
}

describe("a file in parts", () => {
  test("arrives whole, is seen to move, and is forgotten", async () => {
    const server = aServer();
    const browser = aBrowser(server);

    const path = await browser.send();

    assert.equal(server.uploads.get(path).size, 10 * MB);
    assert.deepEqual(browser.told.map(([sent]) => sent / MB), [0, 4, 8, 10]);
    assert.equal(browser.kept.size, 0);
    const [name] = server.uploads.get(path).said.split(",");
    assert.equal(Buffer.from(name.split(" ")[1], "base64").toString(), "دورة.zip");
  });

  test("comes in larger parts over a quick link, in smaller ones over a slow one", async () => {
    const quick = aBrowser(aServer(), { takes: 10 });
    const slow = aBrowser(aServer(), { takes: 9000 });

    await quick.send();
    await slow.send();

    assert.deepEqual(quick.told.map(([sent]) => sent / MB), [0, 4, 10]);
    assert.deepEqual(slow.told.map(([sent]) => sent / MB).slice(0, 4), [0, 4, 6, 7]);
  });

  test("goes on after a break from what had come", async () => {
    const server = aServer({ breaks: new Set([3, 4]) });
    const browser = aBrowser(server);

    const path = await browser.send();

    assert.equal(server.uploads.get(path).size, 10 * MB);
    assert.deepEqual(server.asked, ["POST", "PATCH", "PATCH", "HEAD", "HEAD", "PATCH", "PATCH", "PATCH", "PATCH"]);
    assert.deepEqual(browser.pauses, [500, 1000]);
    assert.ok(browser.told.some(([, isWaiting]) => isWaiting));
  });

  test("goes on after a reload of the page", async () => {
    const server = aServer();
    const before = aBrowser(server, { cancelAfter: 2 });
    const key = await remembered(before, server);
    const after = aBrowser(server);
    after.kept.set(...key);

    await after.send();

    assert.equal(server.made, 1);
    assert.equal(server.asked.filter((method) => method === "POST").length, 1);
  });

  test("begins anew where the server has thrown it away", async () => {
    const server = aServer();
    const browser = aBrowser(server);
    const key = await remembered(aBrowser(server, { cancelAfter: 2 }), server);
    browser.kept.set(...key);
    server.uploads.clear();

    const path = await browser.send();

    assert.equal(server.uploads.get(path).size, 10 * MB);
  });

  test("is given up, on the server too", async () => {
    const server = aServer();
    const browser = aBrowser(server, { cancelAfter: 2 });

    const path = await browser.send();

    assert.equal(path, null);
    assert.equal(server.uploads.size, 0);
    assert.equal(browser.kept.size, 0);
    assert.equal(browser.gone.length, 1);
  });

  test("is not sent again and again to a server that says no", async () => {
    const server = aServer({ refuses: 413 });

    await assert.rejects(aBrowser(server).send(), RefusedError);

    assert.deepEqual(server.asked, ["POST"]);
  });

  test("is refused with the server's own reason", async () => {
    const why = JSON.stringify({ title: "The file is too large", detail: "الملف أكبر من 3 GiB" });

    await assert.rejects(aBrowser(aServer({ refuses: 413, why })).send(), { message: "الملف أكبر من 3 GiB" });
    await assert.rejects(aBrowser(aServer({ refuses: 413, why: "<html>" })).send(), { message: "" });
  });

  for (const [status, why] of [[507, "the disk is full"], [401, "nobody is signed in"]]) {
    test(`stops where ${why}, and remembers where to go on`, async () => {
      const server = aServer({ refuses: status });
      const browser = aBrowser(server);

      await assert.rejects(browser.send(), RefusedError);

      assert.deepEqual(server.asked, ["POST", "PATCH"]);
      assert.equal(browser.kept.size, 1);
    });
  }

  test("shows what had come for as long as the link is gone", async () => {
    const browser = aBrowser(aServer({ breaks: new Set([3, 4]) }));

    await browser.send();

    assert.deepEqual(browser.told.slice(0, 4).map(([sent]) => sent / MB), [0, 4, 4, 4]);
  });
});

/** Send the first part, and close the page: return what it remembered. */
async function remembered(browser, server) {
  const ask = server.ask;
  let key;
  server.ask = async (method, ...rest) => {
    if (method === "DELETE") return { status: 204, header: () => null };
    const answer = await ask(method, ...rest);
    key ??= [...browser.kept][0];
    return answer;
  };
  await browser.send();
  server.ask = ask;
  return key;
}
