import { defineConfig } from "vite";

// `npm run dev` serves the page, and passes Socket.IO on to the nodes.
export default defineConfig({
  server: { proxy: { "/socket.io": { target: "http://127.0.0.1:8000", ws: true } } },
});
