import { useEffect, useState } from "react";
import { io } from "socket.io-client";

// One socket for the whole page. React may mount a component twice, so a component does not make it. It connects when the
// page listens (useConnected): what the server says at once would be missed otherwise.
export const socket = io({ autoConnect: false });

// Call a function for each event of this name while the component is there. The function stays the same between
// renderings: wrap it in useCallback if it uses what changes.
export function useEvent(name, handle) {
  useEffect(() => {
    socket.on(name, handle);
    return () => socket.off(name, handle);
  }, [name, handle]);
}

// Whether the socket is connected. Use it behind useEvent: it connects.
export function useConnected() {
  const [connected, setConnected] = useState(socket.connected);
  useEffect(() => {
    const change = () => setConnected(socket.connected);
    change();
    socket.on("connect", change);
    socket.on("disconnect", change);
    socket.connect();
    return () => {
      socket.off("connect", change);
      socket.off("disconnect", change);
    };
  }, []);
  return connected;
}
