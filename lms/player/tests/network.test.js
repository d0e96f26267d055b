/**
 * What the one place that sends makes of the answers of a real HTTP server.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";

import { networkTo } from "../shim/network.js";

describe("send", () => {
  /** How the server answers, by path. */
  const ANSWERS = {
    "/kept": (response) => response.end('{"sequence": 1}'),
    "/stale": (response) => response.writeHead(409).end('{"error": "stale", "sequence": 7}'),
    "/over": (response) => response.writeHead(410).end("<h1>Gone</h1>"),
    "/between": (response) => response.end("<h1>Sign in to the network of the hotel</h1>"),
    "/moved": (response) => response.writeHead(302, { Location: "/kept" }).end(),
    "/cut": (response) => response.destroy(),
  };
  const received = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    received.push({ method: request.method, type: request.headers["content-type"], body });
    ANSWERS[request.url](response);
  });
  let root = "";

  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    root = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const never = { ask: () => "unable" };
  const answerOf = (path) => networkTo(`${root}${path}`, never).send('{"name": "é"}');

  test("posts JSON and reads JSON", async () => {
    const answer = await answerOf("/kept");

    assert.deepEqual(answer, { status: 200, answer: { sequence: 1 } });
    assert.deepEqual(received.at(-1), { method: "POST", type: "application/json", body: '{"name": "é"}' });
  });

  test("gives the status, whatever the body of an error is", async () => {
    assert.deepEqual(await answerOf("/stale"), { status: 409, answer: { error: "stale", sequence: 7 } });
    assert.deepEqual(await answerOf("/over"), { status: 410, answer: {} });
  });

  test("an answer that is not the server's is none", async () => {
    const none = { status: 0, answer: {} };

    assert.deepEqual(await answerOf("/between"), none);
    assert.deepEqual(await answerOf("/moved"), none);
    assert.deepEqual(await answerOf("/cut"), none);
  });
});

describe("sendNow", () => {
  const BODY = '{"sequence": 4}';

  test("a request that is kept as it was sent is answered without another one", () => {
    const network = networkTo("http://127.0.0.1/", { ask: () => "plain" });

    const reply = network.sendNow(BODY);

    assert.deepEqual(reply, { status: 200, answer: { sequence: 4, refused: [], navigation: null, values: {} } });
  });

  test("an answer that does not come in time is none", () => {
    const network = networkTo("http://127.0.0.1/", { ask: () => "silent" });

    const reply = network.sendNow(BODY);

    assert.deepEqual(reply, { status: 0, answer: {}, silent: true });
  });

  test("where nobody may wait, nothing is waited for", () => {
    const network = networkTo("http://127.0.0.1/", { ask: () => "forbidden" });

    const reply = network.sendNow(BODY);

    assert.deepEqual(reply, { status: 0, answer: {} });
  });
});
