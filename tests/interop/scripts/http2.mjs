// WebSockets over Node's own http2 (RFC 8441), with frames by hand: a client, and a server.
import http2 from "node:http2";
import { randomBytes } from "node:crypto";

// A final frame (RFC 6455 section 5.2), with a masking key for a client.
function encode(opcode, payload, isClient) {
  const mask = isClient ? randomBytes(4) : Buffer.alloc(0);
  const { length } = payload;
  const bit = isClient ? 0x80 : 0;
  const header =
    length < 126
      ? Buffer.from([0x80 | opcode, bit | length])
      : Buffer.from([0x80 | opcode, bit | 126, length >> 8, length & 255]);
  const masked = payload.map((byte, at) => (isClient ? byte ^ mask[at % 4] : byte));
  return Buffer.concat([header, mask, masked]);
}

// The frames that a stream receives. A client sends masked frames only, a server none.
async function* frames(stream, isClient) {
  let buffer = Buffer.alloc(0);
  const decode = () => {
    if (buffer.length < 2) return;
    const isMasked = (buffer[1] & 0x80) !== 0;
    if (isMasked === isClient) throw new Error(`masked: ${isMasked}`);
    let length = buffer[1] & 0x7f;
    let start = 2;
    if (length === 126) {
      if (buffer.length < 4) return;
      length = buffer.readUInt16BE(2);
      start = 4;
    }
    const mask = isMasked ? buffer.subarray(start, start + 4) : undefined;
    if (isMasked) start += 4;
    if (buffer.length < start + length) return;
    const frame = {
      opcode: buffer[0] & 15,
      payload: buffer
        .subarray(start, start + length)
        .map((byte, at) => (mask ? byte ^ mask[at % 4] : byte)),
    };
    buffer = buffer.subarray(start + length);
    return frame;
  };
  for await (const chunk of stream) {
    buffer = Buffer.concat([buffer, chunk]);
    for (let frame = decode(); frame; frame = decode()) yield frame;
  }
}

const print = (value) => console.log(JSON.stringify(value));

// Opens a WebSocket. Returns its stream and the headers of the response.
async function open(session, path, headers = {}) {
  const stream = session.request({
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":path": path,
    "sec-websocket-version": "13",
    ...headers,
  });
  const response = await new Promise((resolve, reject) => {
    stream.once("response", resolve);
    stream.once("error", reject);
  });
  return { stream, response };
}

async function converse(session, name) {
  const { stream, response } = await open(session, "/", { "sec-websocket-protocol": "v1, v2" });
  print([response[":status"], response["sec-websocket-protocol"], response["upgrade"] ?? null]);
  const received = frames(stream, true);
  for (const value of [name, { text: "x".repeat(40000) }]) {
    stream.write(encode(1, Buffer.from(JSON.stringify(value)), true));
    const { payload } = (await received.next()).value;
    if (payload.toString() !== JSON.stringify({ echo: value })) throw new Error(`${payload}`);
  }
  stream.write(encode(8, Buffer.from([4001 >> 8, 4001 & 255]), true));
  const close = (await received.next()).value;
  print([close.opcode, close.payload.readUInt16BE(0)]);
  // The server ends its half, too.
  if (!(await received.next()).done) throw new Error("something behind the close frame");
  stream.end();
}

async function client(url) {
  const session = http2.connect(url, { rejectUnauthorized: false });
  const settings = await new Promise((resolve) => session.once("remoteSettings", resolve));
  print(settings.enableConnectProtocol);
  await converse(session, "ann");
  await converse(session, "bob");
  const { stream, response } = await open(session, "/other");
  print(response[":status"]);
  stream.resume();
  session.close();
}

function server() {
  const serving = http2.createServer({ settings: { enableConnectProtocol: true } });
  serving.on("stream", async (stream, headers) => {
    if (headers[":protocol"] !== "websocket" || headers[":path"] !== "/echo?room=7") {
      stream.respond({ ":status": 404 });
      stream.end("no such room");
      return;
    }
    stream.respond({ ":status": 200, "sec-websocket-protocol": "v2" });
    for await (const { opcode, payload } of frames(stream, false)) {
      stream.write(encode(opcode, payload, false));
      // To leave the loop would reset the stream.
      if (opcode === 8) stream.end();
    }
  });
  serving.listen(0, "127.0.0.1", () => print(serving.address().port));
}

if (process.argv[2]) await client(process.argv[2]);
else server();
