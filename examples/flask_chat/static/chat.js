"use strict";

const KEPT = 300;  // messages shown for one room; older ones go

const $ = (id) => document.getElementById(id);
const name = new URLSearchParams(location.search).get("name") || `guest ${Math.floor(Math.random() * 900) + 100}`;
const rooms = new Map();  // what was said, by the rooms we are in
let here = "tea";

// Any transport works; a WebSocket at once saves the worker the threads of the first polls.
const socket = io({ transports: ["websocket"], auth: { name } });

socket.on("welcome", async (told) => {
  $("me").replaceChildren("you are ", bold(told.name), " on ", bold(told.node));
  const before = rooms.size ? [...rooms.keys()] : ["tea", "music"];  // a new connection is in no room
  for (const room of before) await join(room);
  open(here);
});
socket.on("disconnect", () => { $("me").textContent = "connecting…"; });
socket.on("connect_error", (error) => {
  $("me").textContent = socket.active ? "connecting…" : "not let in";  // it tries again, unless it was refused
  fail(error.message);
});
socket.on("message", (told) => keep(told, told.sid === socket.id ? "mine" : "message"));
socket.on("notice", (told) => keep(told, "notice"));

async function ask(event, ...values) {
  const reply = await socket.timeout(5000).emitWithAck(event, ...values)
    .catch(() => ({ error: "the server did not answer" }));
  fail(reply.error);
  return reply;
}

async function join(room) {
  const reply = await ask("join", room);
  if (reply.error) return;
  if (!rooms.has(reply.room)) rooms.set(reply.room, []);
  open(reply.room);
}

function open(room) {
  here = room;
  show();
  if (matchMedia("(hover: hover)").matches) $("text").focus();
}

function keep(told, kind) {
  if (!rooms.has(told.room)) {
    if (told.sid !== socket.id || told.text !== "joined") return;  // late words of a room we have left
    rooms.set(told.room, []);
  }
  const log = rooms.get(told.room);
  log.push({ ...told, kind });
  if (log.length > KEPT) log.shift();
  show();
}

function show() {
  $("rooms").replaceChildren(...[...rooms.keys()].map((room) => {
    const button = element("button", "", room);
    button.ariaPressed = String(room === here);
    button.onclick = () => open(room);
    return button;
  }));
  $("log").replaceChildren(...(rooms.get(here) || []).map((told) => {
    const item = element("li", told.kind);
    item.append(bold(told.name), told.text, element("small", "", told.node));
    return item;
  }));
  $("log").scrollTop = $("log").scrollHeight;
}

function fail(message) {
  $("error").hidden = !message;
  $("error").textContent = message || "";
}

function element(tag, className, text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

function bold(text) {
  return element("b", "", text);
}

$("leave").onclick = async () => {
  if ((await ask("leave", here)).error) return;
  rooms.delete(here);
  open([...rooms.keys()].at(-1) ?? "");
};
$("join").onsubmit = async (event) => {
  event.preventDefault();
  await join($("room").value);
  $("room").value = "";
};
$("say").onsubmit = async (event) => {
  event.preventDefault();
  const text = $("text").value;
  $("text").value = "";
  if ((await ask("say", here, text)).error) $("text").value = text;
};
