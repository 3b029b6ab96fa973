import { plain } from "./plain.js";
import { Presence } from "./presence.js";

const $ = (id) => document.getElementById(id);
const page = new URL(".", location.href);
const events = new Map(); // what came over either connection, for the helper
const presence = new Presence({ on: (event, hear) => events.set(event, hear) }, "people");
presence.onchange = () => people(presence.list());
let connection, kind = "plain", name = null, generation = 0;

function overSocketIO(hear) {
  const socket = io({ path: page.pathname + "socket.io", transports: ["websocket"], forceNew: true });
  socket.onAny((event, data) => hear(event, data));
  socket.on("connect", () => hear("connect", { sid: socket.id }));
  socket.on("disconnect", (reason) => hear("disconnect", reason));
  return {
    ask: (event, data) => socket.timeout(10000).emitWithAck(event, ...(data === undefined ? [] : [data]))
      .catch((error) => ({ error: error.message })),
    close: () => socket.disconnect(),
  };
}

function connect() {
  const mine = ++generation;
  const hear = (event, data) => { if (mine === generation) heard(event, data); };
  connection?.close();
  $("state").textContent = "connecting …";
  const url = new URL("ws?recovery=1", page);
  url.protocol = url.protocol.replace("http", "ws");
  connection = kind === "plain" ? plain(url, hear) : overSocketIO(hear);
}

async function register(wanted) {
  const answer = await connection.ask("register", wanted);
  if (answer.error) { name = null; complain(answer.error); return show(); }
  name = answer.name;
  $("state").textContent = `on ${answer.node}`;
  complain("");
  show();
}

function heard(event, data) {
  events.get(event)?.(data);
  if (event === "connect") {
    $("state").textContent = "connected";
    if (name) register(name); else show();
  } else if (event === "disconnect") {
    $("state").textContent = "connection lost";
  } else if (event === "message") message(data);
  else if (event === "joined" || event === "left") notice(`${data} ${event}`);
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function badge(kind) { return element("span", kind === "WebSocket" ? "badge plain" : "badge", kind); }

function people(list) {
  $("people").replaceChildren(...list.map(({ key, metas }) => {
    const item = element("li", key === name ? "me" : "", key);
    item.append(badge(metas[0].kind));
    return item;
  }));
  $("count").textContent = list.length;
}

function add(item) {
  const log = $("log"), below = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(item);
  while (log.children.length > 300) log.firstChild.remove();
  if (below) log.scrollTop = log.scrollHeight;
}

function notice(text) { add(element("li", "notice", text)); }

function message({ name: by, kind, node, text }) {
  const item = element("li", by === name ? "message mine" : "message", "");
  const head = element("p", "by", "");
  head.append(element("b", "", by), badge(kind), element("span", "", node));
  item.append(head, element("p", "words", text));
  add(item);
}

function complain(text) { $("error").textContent = text; $("error").hidden = !text; }

function show() {
  $("enter").hidden = Boolean(name);
  $("inside").hidden = !name;
  if (name) $("text").focus(); else $("name").focus();
}

$("enter").onsubmit = (event) => { event.preventDefault(); register($("name").value); };
$("say").onsubmit = async (event) => {
  event.preventDefault();
  const text = $("text").value;
  const answer = await connection.ask("send", text);
  complain(answer.error ?? "");
  if (!answer.error && $("text").value === text) $("text").value = "";
};
$("leave").onclick = async () => {
  const answer = await connection.ask("unregister");
  complain(answer.error ?? "");
  if (!answer.error) { name = null; show(); }
};
for (const choice of document.getElementsByName("kind")) choice.onchange = () => { kind = choice.value; connect(); };
connect();
