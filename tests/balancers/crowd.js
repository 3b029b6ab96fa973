// Many official Socket.IO clients at a time: each joins a room, speaks, and hears all that is said there.
// node crowd.js '{"url": ..., "clients": ..., "room": ..., "each": ..., "seconds": ...}' prints a report.
"use strict";

const path = require("node:path");
const { io } = require(path.join(__dirname, "../js/node_modules/socket.io-client"));

const { url, clients, room, each, seconds } = JSON.parse(process.argv[2]);
const KINDS = [["polling"], ["polling", "websocket"], ["websocket"]];
const report = { connected: 0, upgraded: 0, said: 0, heard: 0, repeated: 0, errors: [], nodes: {} };

class Member {
  constructor(number) {
    this.number = number;
    this.room = `room ${Math.floor(number / room)}`;
    this.heard = new Set();
    this.done = new Promise((resolve) => (this.finish = resolve));
    // withCredentials: outside of browsers the client keeps cookies only then.
    const options = { transports: KINDS[number % KINDS.length], withCredentials: true };
    this.socket = io(url, { ...options, forceNew: true, reconnection: false });
    this.socket.on("connect_error", (error) => this.fail(`connect_error: ${error.message}`));
    this.socket.on("disconnect", (reason) => {
      if (reason !== "io client disconnect") this.fail(`disconnect: ${reason}`);
    });
    this.socket.io.engine.on("upgradeError", (error) => this.fail(`upgradeError: ${error.message}`));
    this.socket.io.engine.on("upgrade", () => report.upgraded++);
    this.socket.on("said", (where, text) => this.hear(`${where}: ${text}`));
  }

  fail(what) {
    report.errors.push(`${KINDS[this.number % KINDS.length]} ${what}`);
    this.finish();
  }

  hear(text) {
    if (this.heard.has(text)) report.repeated++;
    else report.heard++;
    this.heard.add(text);
    if (this.heard.size === room * each) this.finish();
  }

  async join() {
    const [node] = await this.socket.emitWithAck("where");
    report.nodes[node] = (report.nodes[node] ?? 0) + 1;
    await this.socket.emitWithAck("join", this.room);
    report.connected++;
  }

  speak() {
    for (let at = 0; at < each; at++) this.socket.emit("say", this.room, `${this.number} ${at}`);
    report.said += each;
  }
}

async function main() {
  const members = Array.from({ length: clients }, (_, number) => new Member(number));
  const joined = Promise.all(members.map((member) => Promise.race([member.join(), member.done])));
  const talked = joined.then(() => {
    members.forEach((member) => member.speak());
    return Promise.all(members.map((member) => member.done));
  });
  await Promise.race([talked, new Promise((resolve) => setTimeout(resolve, seconds * 1000))]);
  process.stdout.write(JSON.stringify(report), () => process.exit());
}

main();
