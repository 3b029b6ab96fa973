// Socket.IO for Node.js with its Redis adapter. Usage: node server.js PORT REDIS_URL
"use strict";

const { createServer } = require("node:http");
const { setTimeout: sleep, setImmediate: turn } = require("node:timers/promises");
const { createAdapter } = require("@socket.io/redis-adapter");
const { createClient } = require("redis");
const { Server } = require("socket.io");

const [port, url] = process.argv.slice(2);
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

async function main() {
  const publisher = createClient({ url });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const http = createServer();
  const io = new Server(http, { adapter: createAdapter(publisher, subscriber) });
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
