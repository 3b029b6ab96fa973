// Official Socket.IO servers on a Redis adapter, for the tests of the bridge. Each line on stdin is a piece of code to run
// with `servers`, `emitter` and `log`; its result goes out as a line of JSON. The process ends with its stdin.
"use strict";

const { createServer } = require("node:http");
const readline = require("node:readline");
const { Server } = require("socket.io");
const { createAdapter, createShardedAdapter } = require("@socket.io/redis-adapter");
const { Emitter } = require("@socket.io/redis-emitter");
const { createClient } = require("redis");

const { url, kind, key, namespaces, count } = JSON.parse(process.argv[2]);
const log = [];

function say(message) {
  process.stdout.write(JSON.stringify(message) + "\n");
}

async function connect() {
  const client = createClient({ url });
  client.on("error", (error) => console.error(error));
  return client.connect();
}

async function start(number) {
  const pair = [await connect(), await connect()];
  const adapter =
    kind === "sharded"
      ? createShardedAdapter(...pair, { channelPrefix: key, subscriptionMode: "static" })
      : createAdapter(...pair, { key });
  const http = createServer();
  const io = new Server(http, { adapter });
  for (const name of namespaces) {
    const namespace = io.of(name);
    namespace.on("connection", (socket) => {
      socket.data.number = number;
      socket.on("disconnect", (reason) => log.push([number, "disconnect", socket.id, reason]));
    });
    namespace.on("hello", (...args) => {
      const answer = typeof args.at(-1) === "function" ? args.pop() : () => {};
      log.push([number, "hello", ...args]);
      answer(`node ${number}`);
    });
  }
  await new Promise((done) => http.listen(0, "127.0.0.1", done));
  return { io, url: `http://127.0.0.1:${http.address().port}` };
}

async function main() {
  const servers = [];
  for (let number = 0; number < count; number++) servers.push(await start(number));
  const emitter = new Emitter(await connect(), { key });
  const expected = kind === "sharded" ? "SHARDNUMSUB" : "NUMSUB";
  const probe = await connect();
  const channel = kind === "sharded" ? `${key}#/#` : `${key}-request#/#`;
  while (Number((await probe.sendCommand(["PUBSUB", expected, channel]))[1]) < count) ;
  say(servers.map((server) => server.url));
  const AsyncFunction = (async () => {}).constructor;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const code = JSON.parse(line);
    new AsyncFunction("servers", "emitter", "log", code)(servers, emitter, log).then(
      (result) => say({ result: result ?? null }),
      (error) => say({ error: String(error) }),
    );
  }
  process.exit();
}

main();
