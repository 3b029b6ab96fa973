// Socket.IO for Node.js with its Redis adapter. Usage: node server.js PORT REDIS_URL
"use strict";

const { createServer } = require("node:http");
const { hostname } = require("node:os");
const { createAdapter } = require("@socket.io/redis-adapter");
const { createClient } = require("redis");
const { Server } = require("socket.io");

const [port, url] = process.argv.slice(2);
const node = process.env.LOADTEST_NODE || `${hostname()}-${process.pid}`;
const token = process.env.LOADTEST_TOKEN;

function serve(socket) {
  const to = (room) => (room === null ? socket.nsp : socket.nsp.to(room));
  socket.emit("welcome", { sid: socket.id, node, server: "node" });
  socket.on("clock", (answer) => answer(Date.now() / 1000));
  socket.on("echo", (payload, answer) => answer(payload));
  socket.on("join", async (room, answer) => answer(await socket.join(room) ?? true));
  socket.on("leave", async (room, answer) => answer(await socket.leave(room) ?? true));
  socket.on("say", ({ room, skip, data }, answer) => {
    (skip ? to(room).except(socket.id) : to(room)).emit("said", data);
    answer(true);
  });
  socket.on("tell", (order, answer) => {
    socket.nsp.to(order.to).emit("said", order.data);
    answer(true);
  });
}

async function main() {
  const publisher = createClient({ url });
  const subscriber = publisher.duplicate();
  for (const client of [publisher, subscriber]) client.on("error", (error) => console.error(String(error)));
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const http = createServer();
  const io = new Server(http, { adapter: createAdapter(publisher, subscriber) });
  for (const namespace of [io.of("/"), io.of(/./)]) {
    namespace.use((socket, next) =>
      next(token && socket.handshake.auth.token !== token ? new Error("wrong token") : undefined),
    );
    namespace.on("connection", serve);
  }
  http.listen(Number(port), "127.0.0.1");
}

main();
