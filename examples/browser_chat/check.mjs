// Opens the chat in two tabs of a headless Chrome or Chromium, says something in one and looks for it in the other,
// lets the server go away and come back, and keeps screenshots. Takes node and chromedriver, and nothing else.
//
//   node check.mjs SERVER DIST SCREENSHOTS     (the server's program, the built page, a folder)

import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";

const [server, dist, screenshots] = process.argv.slice(2);
mkdirSync(screenshots, { recursive: true });

const freePort = async () => {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return port;
};

const children = new Set();
const start = (program, ...args) => {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  children.add(child);
  return child;
};
const stop = async (child) => {
  children.delete(child);
  child.kill();
  await once(child, "exit");
};

const until = async (what, test, seconds = 30) => {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const found = await test().catch(() => false);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited too long for: ${what}`);
};

// The WebDriver protocol, as far as it is needed.
const driverPort = await freePort();
let session = `http://127.0.0.1:${driverPort}`;
const driver = async (method, path, body) => {
  const answer = await fetch(session + path, { method, body: body && JSON.stringify(body) });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${path}: ${value.message}`);
  return value;
};
const run = (script, ...args) => driver("POST", "/execute/sync", { script, args });
const text = () => run("return document.body.innerText");
const tab = (handle) => driver("POST", "/window", { handle });
const press = (keys) =>
  driver("POST", "/actions", {
    actions: [{
      type: "key", id: "keyboard",
      actions: [...keys].flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }]),
    }],
  });
const ENTER = "\uE007";
const emulate = (cmd, params) => driver("POST", "/goog/cdp/execute", { cmd, params });
const look = (width, height, scheme) => Promise.all([
  emulate("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 2, mobile: width < 600 }),
  emulate("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] }),
]);
const screenshot = async (name) => {
  await new Promise((resolve) => setTimeout(resolve, 300)); // Let what moves come to rest.
  writeFileSync(`${screenshots}/${name}.png`, Buffer.from(await driver("GET", "/screenshot"), "base64"));
};

try {
  const address = `127.0.0.1:${await freePort()}`;
  let chat = start(server, dist, address);
  start(process.env.CHROMEDRIVER ?? "chromedriver", `--port=${driverPort}`);
  await until("chromedriver", () => driver("GET", "/status"));
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=960,720"];
  const capabilities = { alwaysMatch: { "goog:chromeOptions": { args }, "goog:loggingPrefs": { browser: "ALL" } } };
  session += `/session/${(await driver("POST", "/session", { capabilities })).sessionId}`;

  const join = async (name, picture) => {
    await until("the server", () => driver("POST", "/url", { url: `http://${address}/` }).then(() => true));
    await until("the page", () => run("return document.activeElement?.id === 'name'"));
    if (picture) await screenshot(picture);
    await press(name + ENTER);
    await until("a round-trip time", async () => /\d ms/.test(await text()));
  };
  const ann = await driver("GET", "/window");
  await look(960, 640, "light");
  await join("Ann", "0-welcome");
  const { handle: bob } = await driver("POST", "/window/new", { type: "tab" });
  await tab(bob);
  await look(390, 760, "dark");
  await join("Bob");
  await press("Hi Ann! This came as a typed message from Rust." + ENTER);

  await tab(ann);
  await until("Bob's message", async () => (await text()).includes("a typed message from Rust"));
  await press("Hello Bob. <b>It did</b>, without JavaScript." + ENTER);
  await until("what is said as it was typed", async () => (await text()).includes("<b>It did</b>"));
  await until("both names", () => run("return document.querySelectorAll('#people li').length === 2"));
  await screenshot("1-light");

  await tab(bob);
  await until("Ann's message", async () => (await text()).includes("without JavaScript"));
  await screenshot("2-phone-dark");

  await stop(chat);
  await until("the notice", async () => (await text()).includes("The server is away"));
  await screenshot("3-phone-away");
  await tab(ann);
  await until("the notice", async () => (await text()).includes("The server is away"));
  await look(960, 640, "dark");
  await screenshot("4-dark-away");

  chat = start(server, dist, address);
  for (const handle of [bob, ann]) {
    await tab(handle);
    await until("the way back", async () => (await text()).includes("The server is back"));
  }
  await until("both names", () => run("return document.querySelectorAll('#people li').length === 2"));
  await press("And back again." + ENTER);
  await tab(bob);
  await until("Ann's message", async () => (await text()).includes("And back again."));
  await screenshot("5-phone-back");
  console.log(`The chat works in the browser. Screenshots: ${screenshots}`);
} catch (error) {
  if (session.includes("/session/")) {
    await screenshot("failed").catch(() => {});
    console.error(await driver("POST", "/se/log", { type: "browser" }).catch(String));
  }
  throw error;
} finally {
  if (session.includes("/session/")) await driver("DELETE", "").catch(() => {});
  for (const child of children) child.kill();
}
