const buttons = [...document.querySelectorAll("#choices button")];
const state = document.getElementById("state");
const error = document.getElementById("error");
let ws, revision = -1;

function voter() {
  let mine = localStorage.getItem("voter");
  if (!mine) {
    mine = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    localStorage.setItem("voter", mine);
  }
  return mine;
}

function connect() {
  const url = new URL(`vote?voter=${voter()}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  ws = new WebSocket(url);
  ws.onmessage = ({ data }) => heard(JSON.parse(data));
  ws.onclose = () => {
    state.textContent = "connection lost";
    setTimeout(connect, 1000);
  };
}

function heard(message) {
  if (typeof message === "number") {
    localStorage.setItem("choice", message);
    press();
    complain("");
  } else if (message.error) complain(message.error);
  else if (message.revision >= revision) {
    revision = message.revision;
    show(message.counts);
  }
}

function show(counts) {
  const all = buttons.map((button) => counts[button.value] ?? 0);
  const sum = all.reduce((one, other) => one + other);
  buttons.forEach((button, at) => {
    button.querySelector("output").textContent = all[at];
    button.style.setProperty("--share", sum ? all[at] / sum : 0);
  });
  state.textContent = sum === 1 ? "1 vote" : `${sum} votes`;
}

function press() {
  for (const button of buttons) button.ariaPressed = String(button.value === localStorage.getItem("choice"));
}

function complain(text) {
  error.textContent = text;
  error.hidden = !text;
}

for (const button of buttons) {
  button.onclick = () => {
    if (ws.readyState === WebSocket.OPEN) ws.send(button.value);
    else complain("not connected: your vote was not sent");
  };
}
press();
connect();
