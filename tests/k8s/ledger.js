// Many official Socket.IO clients that talk in rooms, come back by themselves, and note all that happens to them.
// node ledger.js '{"url": ..., "clients": ..., "rooms": ..., "pause": ...}' says "here" when all are connected, and
// talks until its standard input ends. It then waits until all is quiet and prints one JSON object.
"use strict";

const path = require("node:path");
const { io } = require(path.join(__dirname, "../js/node_modules/socket.io-client"));

const { url, clients, rooms, pause } = JSON.parse(process.argv[2]);
const KINDS = [["websocket"], ["polling"], ["polling", "websocket"]];
const PATIENCE = 30000; // milliseconds until all are connected
const QUIET = 3000; // milliseconds after the last word
const sessions = [];
const errors = [];
const said = {}; // "room node" -> when its words were said

const now = () => Date.now() / 1000;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

class Client {
  constructor(number) {
    this.number = number;
    this.room = `room${number % rooms}`;
    const transports = KINDS[Math.floor(number / rooms) % KINDS.length];
    this.here = new Promise((resolve) => (this.arrive = resolve));
    // The options are the client's own, also for how soon it comes back.
    this.socket = io(url, { transports, forceNew: true, auth: { room: this.room } });
    this.socket.on("connect", () => this.come());
    this.socket.on("disconnect", (reason, details) => this.go(reason, details));
    this.socket.on("said", (node, seq, at) => this.hear(node, seq, at));
    this.socket.on("connect_error", (error) => this.fail("connect_error", error));
    this.socket.io.on("open", () => this.socket.io.engine.on("upgradeError", (error) => this.fail("upgrade", error)));
  }

  come() {
    const [came, transport] = [now(), this.transport()];
    this.session = { client: this.number, sid: this.socket.id, room: this.room, came, transport, heard: {} };
    sessions.push(this.session);
    this.arrive();
  }

  go(reason, details) {
    Object.assign(this.session, { went: now(), reason, why: details?.context?.responseText });
  }

  hear(node, number, at) {
    this.session.transport = this.transport();
    (this.session.heard[node] ??= []).push(number);
    (said[`${this.room} ${node}`] ??= {})[number] = at;
  }

  transport() {
    return this.socket.io.engine.transport.name;
  }

  fail(what, error) {
    errors.push({ client: this.number, at: now(), what, message: error.message, why: error.context?.responseText });
  }
}

async function main() {
  const all = Array.from({ length: clients }, (_, number) => new Client(number));
  const late = setTimeout(() => process.exit(1), PATIENCE);
  await Promise.all(all.map((client) => client.here));
  clearTimeout(late);
  let next = 0;
  const talk = setInterval(() => {
    const { socket } = all[next++ % clients];
    if (socket.connected) socket.emit("say");
  }, pause * 1000);
  process.stdout.write("here\n");
  for await (const _ of process.stdin);
  clearInterval(talk);
  await sleep(QUIET);
  const ledger = await all.find((client) => client.socket.connected).socket.emitWithAck("ledger");
  process.stdout.write(JSON.stringify({ sessions, errors, said, ledger }), () => process.exit());
}

main();
