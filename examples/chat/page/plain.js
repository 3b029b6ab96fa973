// A client without a library: events are handed to hear(event, data), ask() resolves with the answer.
export function plain(url, hear) {
  const ws = new WebSocket(url);
  const waiting = new Map();
  let number = 0;
  ws.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if ("event" in message) return hear(message.event, message.data);
    waiting.get(message.ack)?.("error" in message ? { error: message.error } : message.data);
    waiting.delete(message.ack);
  };
  ws.onclose = ({ reason }) => {
    waiting.forEach((answer) => answer({ error: "the connection was lost" }));
    hear("disconnect", reason);
  };
  return {
    ask: (event, data) => new Promise((answer) => {
      if (ws.readyState !== WebSocket.OPEN) return answer({ error: "not connected" });
      waiting.set(++number, answer);
      ws.send(JSON.stringify({ event, data, ack: number }));
    }),
    close: () => ws.close(1000),
  };
}
