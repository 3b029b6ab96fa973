// Socket.IO for Bun with Bun's own engine and the Redis adapter.
// Usage: bun bun.js PORT REDIS_URL
"use strict";

const { dlopen, FFIType, ptr } = require("bun:ffi");
const { Server: Engine } = require("@socket.io/bun-engine");
const { createAdapter } = require("@socket.io/redis-adapter");
const { createClient } = require("redis");
const { Server } = require("socket.io");
const { addHandlers } = require("./handlers.js");

const [port, url] = process.argv.slice(2);

// Bun's clocks begin with the process; one look at CLOCK_MONOTONIC says by how much they are late.
function monotonicClock() {
  const MONOTONIC = 1;
  const libc = dlopen("libc.so.6", { clock_gettime: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 } });
  const time = new BigInt64Array(2);
  libc.symbols.clock_gettime(MONOTONIC, ptr(time));
  const late = time[0] * 1_000_000_000n + time[1] - BigInt(Bun.nanoseconds());
  return () => late + BigInt(Bun.nanoseconds());
}

async function main() {
  const publisher = createClient({ url });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const io = new Server({ adapter: createAdapter(publisher, subscriber) });
  const engine = new Engine({ path: "/socket.io/" });
  io.bind(engine);
  addHandlers(io, monotonicClock());
  Bun.serve({ port: Number(port), hostname: "127.0.0.1", idleTimeout: 30, ...engine.handler() });
}

main();
