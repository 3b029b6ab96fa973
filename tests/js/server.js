// The official Socket.IO server, for the tests to compare ours with: says its port, ends with its stdin.
"use strict";

const { createServer } = require("node:http");
const { Server } = require("socket.io");

const http = createServer();
const io = new Server(http, JSON.parse(process.argv[2]));
io.on("connection", (socket) => {
  socket.on("echo", (...args) => socket.emit("echo", ...args));
  socket.on("all", (...args) => io.emit("all", ...args));
  socket.on("leave", () => socket.conn.close());
});
http.listen(0, "127.0.0.1", () => process.stdout.write(`${http.address().port}\n`));
process.stdin.on("close", () => process.exit()).resume();
