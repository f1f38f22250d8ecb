// A server without ws-framed. Prints its port, and how each connection was closed.

import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: { threshold: 0 } });
let connections = 0;

server.on("listening", () => console.log(server.address().port));
server.on("connection", (socket) => {
  connections += 1;
  const closes = connections === 2;
  socket.on("message", (data, isBinary) => {
    if (isBinary) throw new Error("a binary message");
    if (closes) socket.close(4002, "enough");
    else socket.send(JSON.stringify({ echo: JSON.parse(data) }));
  });
  socket.on("close", (code, reason) => {
    console.log(JSON.stringify([code, reason.toString()]));
    if (closes) server.close();
  });
});
