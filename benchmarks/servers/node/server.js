// Socket.IO for Node.js with its Redis adapter, or with recovery and the adapter for Redis streams.
// Usage: node server.js PORT REDIS_URL [recovery]
"use strict";

const { createServer } = require("node:http");
const { createAdapter } = require("@socket.io/redis-adapter");
const streams = require("@socket.io/redis-streams-adapter");
const { createClient } = require("redis");
const { Server } = require("socket.io");
const { addHandlers } = require("./handlers.js");

const [port, url, recovery] = process.argv.slice(2);

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
  addHandlers(new Server(http, await options()), process.hrtime.bigint);
  http.listen(Number(port), "127.0.0.1");
}

main();
