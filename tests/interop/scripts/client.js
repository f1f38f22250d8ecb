// A client without ws-framed, for `ws` of Node and for a web page.

const VALUES = ["ann", { n: 1.5, text: "Grüße, 世界" }, [], null, "x".repeat(40000)];

async function open(WebSocket, url) {
  const socket = new WebSocket(url);
  const next = (kind) =>
    new Promise((resolve) => socket.addEventListener(kind, resolve, { once: true }));
  const closed = next("close").then(({ code, reason }) => [code, reason]);
  await Promise.race([
    next("open"),
    closed.then((close) => {
      throw new Error(`not opened: ${close}`);
    }),
  ]);
  return { socket, next, closed };
}

// Returns how each connection was closed.
async function converse(WebSocket, url) {
  const first = await open(WebSocket, url);
  for (const value of VALUES) {
    const reply = first.next("message");
    first.socket.send(JSON.stringify(value));
    const { data } = await reply;
    if (data !== JSON.stringify({ echo: value })) throw new Error(`not an echo: ${data}`);
  }
  first.socket.close(3001, "done");
  const second = await open(WebSocket, url);
  second.socket.send(JSON.stringify("close"));
  return [await first.closed, await second.closed];
}
