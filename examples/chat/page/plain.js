// A client without a library: events are handed to hear(event, data), ask() resolves with the answer.
// It connects again by itself, with its token and the last id, and so misses nothing.
export function plain(url, hear) {
  const waiting = new Map();
  let ws, token, id, number = 0, closed = false;

  function open() {
    if (closed) return;
    ws = new WebSocket(url);
    ws.onopen = () => ws.send(JSON.stringify({ event: "connect", token, id }));
    ws.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      id = message.id ?? id;
      if (message.event === "connect") token = message.data.token;
      if ("event" in message) return hear(message.event, message.data);
      waiting.get(message.ack)?.("error" in message ? { error: message.error } : message.data);
      waiting.delete(message.ack);
    };
    ws.onclose = ({ reason }) => {
      waiting.forEach((answer) => answer({ error: "the connection was lost" }));
      waiting.clear();
      hear("disconnect", reason);
      setTimeout(open, 1000);
    };
  }

  open();
  return {
    ask: (event, data) => new Promise((answer) => {
      if (ws.readyState !== WebSocket.OPEN) return answer({ error: "not connected" });
      waiting.set(++number, answer);
      ws.send(JSON.stringify({ event, data, ack: number }));
    }),
    close: () => { closed = true; ws.close(1000); },
  };
}
