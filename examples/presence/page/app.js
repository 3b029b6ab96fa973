import { Presence } from "./presence.js";

const $ = (selector, inside = document) => inside.querySelector(selector);
const page = new URL(".", location.href);
const socket = io({ path: page.pathname + "socket.io", transports: ["websocket"] });
const where = new Map(); // the rooms this tab is in, with its mood, to enter them again after a reconnect

socket.on("node", (node) => { $("#state").textContent = `on ${node}`; });
socket.on("connect", () => where.forEach((mood, room) => enter(room, mood)));
socket.on("disconnect", () => { $("#state").textContent = "connection lost"; });

for (const section of document.querySelectorAll("section")) {
  const room = section.id, presence = new Presence(socket, room);
  presence.onchange = () => show(section, presence.list());
  presence.onjoin = (key) => log(`${key} entered the ${room}`);
  presence.onleave = (key) => log(`${key} left the ${room}`);
  $(".enter", section).onclick = () => enter(room, "here");
  $(".busy", section).onclick = () => enter(room, "busy");
  $(".leave", section).onclick = () => { where.delete(room); ask("leave", room); };
}

async function enter(room, mood) {
  const answer = await ask("enter", room, $("#name").value, mood);
  if (!answer.error) where.set(room, mood);
}

async function ask(event, ...values) {
  const answer = await socket.timeout(10000).emitWithAck(event, ...values).catch((error) => ({ error: error.message }));
  $("#error").textContent = answer.error ?? "";
  $("#error").hidden = !answer.error;
  return answer;
}

function show(section, people) {
  $("output", section).textContent = people.length;
  $("ul", section).replaceChildren(...people.map(({ key, metas }) => {
    const item = element("li", metas.every(({ mood }) => mood === "busy") ? "busy" : "", key);
    item.append(...metas.map(({ node }) => element("span", "", node)));
    return item;
  }));
}

function log(text) {
  $("#log").prepend(element("li", "", text));
  while ($("#log").children.length > 50) $("#log").lastChild.remove();
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
