const $ = (id) => document.getElementById(id);
const socket = io({ path: new URL("socket.io", location.href).pathname, transports: ["websocket"] });
const SHOWN = 60; // measurements in a curve, one a second
let house = null, curve = [];

async function ask(event, ...args) {
  try {
    const answer = await socket.timeout(10000).emitWithAck(event, ...args);
    complain(answer.error ?? "");
    return answer.error ? null : answer;
  } catch (error) {
    complain("no answer: is the server there?");
    return null;
  }
}

function complain(text) {
  $("error").textContent = text;
  $("error").hidden = !text;
}

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

async function choices() {
  const list = await ask("storehouses", Number($("organisation").value));
  $("storehouses").replaceChildren(...(list ?? []).map((one) => {
    const button = element("button", one.name);
    button.type = "button";
    button.value = one.id;
    button.ariaPressed = String(one.id === house?.id);
    button.onclick = () => register(one.id);
    return button;
  }));
}

async function register(id) {
  const answer = await ask("register", id);
  if (!answer) return;
  if (answer.id !== house?.id) curve = [];
  house = answer;
  for (const button of $("storehouses").children) button.ariaPressed = String(Number(button.value) === id);
  $("temperature").querySelector(".limits").textContent = `${house.coldest} to ${house.warmest} °C`;
  $("humidity").querySelector(".limits").textContent = `at most ${house.wettest} %`;
  $("house").hidden = false;
  $("choose").hidden = true;
  if (!curve.length) for (const output of document.querySelectorAll("output")) output.textContent = "–";
  draw();
  alarms();
}

async function alarms() {
  const text = $("minutes").value.trim();
  const list = await ask("alarms", text !== "" && !isNaN(text) ? Number(text) : text);
  if (!list) return;
  $("list").replaceChildren(...list.map(alarm));
  $("none").hidden = list.length > 0;
}

function alarm({ second, kind, value }) {
  const item = element("li", "");
  const time = element("time", new Date(second * 1000).toLocaleTimeString());
  item.append(time, element("b", kind), element("span", `${value} ${kind === "too humid" ? "%" : "°C"}`));
  return item;
}

function draw() {
  if (!house) return;
  line("temperature", house.coldest, house.warmest, house.coldest - 2, house.warmest + 2);
  line("humidity", 0, house.wettest, house.wettest - 30, house.wettest + 8);
}

function line(name, least, most, low, high) {
  const box = $(name), at = (value) => 90 - 90 * (Math.min(Math.max(value, low), high) - low) / (high - low);
  const values = curve.map((one) => one[name]), offset = SHOWN - values.length;
  const points = values.map((value, n) => `${(300 * (n + offset) / (SHOWN - 1)).toFixed(1)},${at(value).toFixed(1)}`);
  box.querySelector("polyline").setAttribute("points", points.join(" "));
  const within = box.querySelector("rect");
  for (const [key, value] of Object.entries({ x: 0, y: at(most), width: 300, height: at(least) - at(most) })) within.setAttribute(key, value);
  if (!values.length) return;
  const last = values.at(-1);
  box.querySelector("output").textContent = last.toFixed(1);
  box.classList.toggle("wrong", last > most || last < least);
}

socket.on("measured", (one) => {
  if (one.storehouse !== house?.id) return; // on its way when another was chosen
  curve = [...curve, one].sort((a, b) => a.second - b.second).slice(-SHOWN); // two nodes may have measured
  draw();
});
socket.on("alarm", (one) => {
  if (one.storehouse !== house?.id) return;
  $("none").hidden = true;
  $("list").prepend(alarm(one));
});
socket.on("connect", async () => {
  $("state").textContent = "connected";
  const chosen = $("organisation").value;
  const list = await ask("organisations");
  if (!list) return;
  $("organisation").replaceChildren(...list.map((one) => Object.assign(element("option", one.name), { value: one.id })));
  if (chosen) $("organisation").value = chosen;
  await choices();
  if (house) register(house.id);
});
socket.on("disconnect", () => { $("state").textContent = "connection lost"; });
$("organisation").onchange = choices;
$("back").onsubmit = (event) => { event.preventDefault(); alarms(); };
$("minutes").onchange = alarms;
