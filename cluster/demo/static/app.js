"use strict";

const KEPT = 300;      // messages shown for one room; older ones go
const TRIES = 12;      // connections tried by "Move to another node"
const LOOK_EVERY = 2000;  // milliseconds between two looks at the nodes

const $ = (id) => document.getElementById(id);
const name = localStorage.name || (localStorage.name = invent());
const rooms = new Map(["lobby", "tea", "music"].map((room) => [room, { in: false, fresh: false, log: [] }]));
const me = { node: null, id: null, room: "lobby", hopping: false };
const received = { same: 0, other: 0 };

// WebSocket only: polling would send the requests of one client to different nodes.
const socket = io({ transports: ["websocket"], auth: { name } });

socket.on("connect", () => { if (!me.hopping) arrive(); });
socket.on("disconnect", () => showMe());
socket.on("message", (told) => {
  if (told.sid !== socket.id) received[told.node === me.node ? "same" : "other"]++;
  keep(told.room, { ...told, kind: "message", mine: told.sid === socket.id, far: told.node !== me.node });
  $("same").value = received.same;
  $("other").value = received.other;
});
socket.on("notice", (told) => {
  if (told.sid !== socket.id) keep(told.room, { ...told, kind: "notice", far: told.node !== me.node });
});

async function ask(event, ...values) {
  try {
    const reply = await socket.timeout(5000).emitWithAck(event, ...values);
    showError(reply.error);
    return reply;
  } catch {
    const error = "The node did not answer; this page connects again by itself.";
    showError(error);
    return { error };
  }
}

// A new connection is a new member: it joins again where the one before was.
async function arrive() {
  await look();
  for (const [room, state] of rooms) {
    if (state.in || room === me.room) state.in = !(await ask("join", room)).error;
  }
  show();
}

async function look() {
  const reply = await socket.timeout(5000).emitWithAck("who").catch(() => null);
  if (!reply) return;
  Object.assign(me, { node: reply.node, id: reply.id });
  showMe();
  const items = reply.nodes.map((node) => element("li", `${colour(node)} ${node === me.node ? "here" : ""}`, node));
  $("nodes").replaceChildren(...items);
}

async function join(room) {
  const reply = await ask("join", room);
  if (reply.error) return;
  if (!rooms.has(reply.room)) rooms.set(reply.room, { log: [] });
  rooms.get(reply.room).in = true;
  open(reply.room);
}

async function leave(room) {
  if ((await ask("leave", room)).error) return;
  rooms.get(room).in = false;
  const next = [...rooms].find(([, state]) => state.in);
  if (room === me.room && next) open(next[0]);
  else show();
}

function open(room) {
  me.room = room;
  rooms.get(room).fresh = false;
  show();
}

// The system chooses the worker of each connection, so trying again is all that is needed.
async function hop() {
  const before = me.node;
  $("hop").disabled = me.hopping = true;
  for (let tries = 0; tries < TRIES && me.node === before; tries++) {
    const connected = new Promise((done) => socket.once("connect", done));
    socket.disconnect().connect();
    await connected;
    await look();
  }
  $("hop").disabled = me.hopping = false;
  await arrive();
  if (me.node === before) showError(`${TRIES} connections all went to ${before}. Is it the only node?`);
}

function keep(room, entry) {
  const state = rooms.get(room);
  if (!state) return;
  state.log.push(entry);
  if (state.log.length > KEPT) state.log.shift();
  if (room === me.room) return showLog();
  state.fresh = entry.kind === "message" ? entry.node : state.fresh;
  showRooms();
}

function show() {
  showRooms();
  showLog();
  const inside = rooms.get(me.room).in;
  $("text").disabled = !inside;
  $("text").placeholder = inside ? `Say something in ${me.room}` : `Join ${me.room} to talk there`;
}

function showMe() {
  $("me").className = `me ${socket.connected ? colour(me.node) : ""}`;
  $("node").textContent = socket.connected ? me.node : "connecting…";
  $("detail").textContent = socket.connected ? `id ${me.id}, you are ${name}` : "";
}

function showRooms() {
  $("rooms").replaceChildren(...[...rooms].map(([room, state]) => {
    const chip = element("span", `chip ${state.in ? "in" : "out"} ${room === me.room && state.in ? "on" : ""}`);
    if (state.fresh) chip.append(element("i", `new ${colour(state.fresh)}`));
    chip.append(button(state.in ? room : `+ ${room}`, state.in ? `Open ${room}` : `Join ${room}`,
      () => (state.in ? open(room) : join(room))));
    if (state.in) chip.append(button("×", `Leave ${room}`, () => leave(room)));
    return chip;
  }));
}

function showLog() {
  const log = $("log");
  const entries = rooms.get(me.room).log;
  if (!entries.length) return log.replaceChildren(element("li", "empty", `Nobody has said anything in ${me.room} yet. Open a second tab and say hello from there.`));
  log.replaceChildren(...entries.map(line));
  log.scrollTop = log.scrollHeight;
}

function line(entry) {
  if (entry.kind === "notice") return element("li", "notice", `${entry.name} ${entry.text} on ${entry.node}`);
  const item = element("li", `message ${colour(entry.node)} ${entry.mine ? "mine" : entry.far ? "far" : ""}`);
  const by = element("p", "by");
  by.append(element("b", "", entry.mine ? "you" : entry.name), element("span", "badge", entry.far ? `from ${entry.node}` : entry.node));
  item.append(by, element("p", "words", entry.text));
  return item;
}

function showError(error) {
  $("error").hidden = !error;
  $("error").textContent = error || "";
}

function colour(node) {
  const number = /\d+$/.exec(node || "");
  const place = number ? number[0] - 1 : [...(node || "")].reduce((sum, letter) => sum + letter.codePointAt(0), 0);
  return `n${((place % 6) + 6) % 6}`;
}

// Whatever others wrote goes through textContent: it is never read as HTML.
function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  made.className = className.trim();
  made.textContent = text;
  return made;
}

function button(text, label, onclick) {
  const made = element("button", "", text);
  return Object.assign(made, { type: "button", ariaLabel: label, onclick });
}

function invent() {
  const pick = (words) => words[Math.floor(Math.random() * words.length)];
  return `${pick(["amber", "brisk", "calm", "fern", "misty", "quiet", "sunny", "velvet"])} ${pick(["badger", "fox", "heron", "lynx", "otter", "robin", "swift", "wren"])}`;
}

$("hop").onclick = hop;
$("say").onsubmit = async (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text || $("text").disabled) return;
  if (!(await ask("say", me.room, text)).error) $("text").value = "";
};
$("add").onsubmit = (event) => {
  event.preventDefault();
  const room = $("room").value.trim();
  if (room) join(room);
  $("room").value = "";
};
setInterval(() => { if (socket.connected && !document.hidden && !me.hopping) look(); }, LOOK_EVERY);
show();
