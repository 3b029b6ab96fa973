// Socket.IO for Node.js with its Redis adapter, or with recovery and the adapter for Redis streams.
// Usage: node server.js PORT REDIS_URL [recovery]
"use strict";

const { createServer } = require("node:http");
const { setTimeout: sleep, setImmediate: turn } = require("node:timers/promises");
const { createAdapter } = require("@socket.io/redis-adapter");
const streams = require("@socket.io/redis-streams-adapter");
const { createClient } = require("redis");
const { Server } = require("socket.io");

const [port, url, recovery] = process.argv.slice(2);
const PAYLOAD = 128;
const stamp = () => process.hrtime.bigint();

async function emit(io, { prefix, rooms, count, rate, emitters }, first) {
  const began = performance.now();
  let done = 0;
  for (let number = first; number < count; number += emitters) {
    const target = rooms ? io.to(prefix + (number % rooms)) : io;
    target.emit("m", String(stamp()).padStart(20, "0").padEnd(PAYLOAD, "x"));
    const due = rate ? began + (++done * 1000) / rate - performance.now() : 0;
    await (due > 0 ? sleep(due) : turn());
  }
}

const flood = (io, order) =>
  Promise.all(Array.from({ length: order.emitters }, (_, first) => emit(io, order, first)));

async function options() {
  const publisher = createClient({ url });
  await publisher.connect();
  if (recovery) {
    const connectionStateRecovery = { maxDisconnectionDuration: 120_000 };
    return { adapter: streams.createAdapter(publisher), connectionStateRecovery };
  }
  const subscriber = publisher.duplicate();
  await subscriber.connect();
  return { adapter: createAdapter(publisher, subscriber) };
}

async function main() {
  const http = createServer();
  const io = new Server(http, await options());
  io.on("connection", (socket) => {
    socket.on("join", (rooms, answer) => {
      socket.join(rooms);
      answer("ok");
    });
    socket.on("echo", (data, answer) => answer(data));
    socket.on("flood", (order, answer) => flood(io, order).then(() => answer("ok")));
  });
  http.listen(Number(port), "127.0.0.1");
}

main();
