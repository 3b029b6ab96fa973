// Holds many official Socket.IO clients for the tests: commands come as JSON lines on stdin, whatever
// happens to a client goes out as JSON lines on stdout. Bytes travel as {"$bytes": "<base64>"}.
"use strict";

const readline = require("node:readline");
const { io } = require("socket.io-client");
const msgpackParser = require("socket.io-msgpack-parser");

const sockets = new Map();

function say(message) {
  process.stdout.write(JSON.stringify(message) + "\n");
}

function pack(value) {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return { $bytes: Buffer.from(value).toString("base64") };
  }
  return walk(value, pack);
}

function unpack(value) {
  if (value && typeof value.$bytes === "string") return Buffer.from(value.$bytes, "base64");
  return walk(value, unpack);
}

function walk(value, step) {
  if (Array.isArray(value)) return value.map(step);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, step(item)]));
}

const commands = {
  connect({ client, url, options, serializer, reply, beside }) {
    const parser = serializer === "msgpack" ? msgpackParser : undefined;
    const socket =
      beside === undefined || beside === null
        ? io(url, { reconnection: false, ...options, parser, forceNew: true })
        : sockets.get(beside).io.socket(new URL(url).pathname, options);
    sockets.set(client, socket);
    socket.on("connect", () => {
      const { id, recovered = null, _pid = null } = socket;
      say({ client, what: "connect", sid: id, recovered, pid: _pid });
    });
    socket.on("disconnect", (reason) => say({ client, what: "disconnect", reason }));
    socket.on("connect_error", (error) =>
      say({ client, what: "refused", message: error.message, data: error.data ?? null }),
    );
    socket.onAny((event, ...args) => {
      const ack = typeof args.at(-1) === "function" ? args.pop() : null;
      say({ client, what: "event", event, args: pack(args) });
      if (ack && reply) ack(...args);
    });
  },
  emit({ client, event, args }) {
    sockets.get(client).emit(event, ...unpack(args));
  },
  call({ client, id, event, args }) {
    const answered = (...values) => say({ client, what: "answer", id, args: pack(values) });
    sockets.get(client).emit(event, ...unpack(args), answered);
  },
  drop({ client }) {
    sockets.get(client).io.engine.close();
  },
  reconnect({ client }) {
    sockets.get(client).connect();
  },
  disconnect({ client }) {
    sockets.get(client).disconnect();
  },
};

readline
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { command, ...parameters } = JSON.parse(line);
    commands[command](parameters);
  })
  .on("close", () => sockets.forEach((socket) => socket.disconnect())); // node ends when all are closed
