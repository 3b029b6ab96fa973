import { useCallback, useState } from "react";
import { socket, useConnected, useEvent } from "./socket.js";

const SIGNS = { heart: "♥", star: "★", laugh: "☺" };

export function App() {
  const [node, setNode] = useState("");
  const [counts, setCounts] = useState({ heart: 0, star: 0, laugh: 0 });
  const [last, setLast] = useState([]);

  useEvent("node", setNode);
  useEvent("reaction", useCallback((event) => {
    setCounts((before) => ({ ...before, [event.reaction]: before[event.reaction] + 1 }));
    setLast((before) => [event, ...before].slice(0, 8));
  }, []));
  const connected = useConnected();

  return (
    <main>
      <h1>Reactions</h1>
      <p id="state">{connected ? `You are on ${node}.` : "Not connected, trying again …"}</p>
      <p>
        {Object.entries(SIGNS).map(([reaction, sign]) => (
          <button key={reaction} id={reaction} disabled={!connected} onClick={() => socket.emit("react", reaction)}>
            {sign} <output>{counts[reaction]}</output>
          </button>
        ))}
      </p>
      <ul>
        {last.map((event, place) => <li key={place}>{SIGNS[event.reaction]} through {event.node}</li>)}
      </ul>
    </main>
  );
}
