import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// In development the page runs on Vite's own port and talks to a program started by ./run.sh.
export default defineConfig({
  plugins: [react()],
  worker: { format: "es" },
  build: { target: "es2020", sourcemap: false, chunkSizeWarningLimit: 1500 },
  server: { host: "127.0.0.1", fs: { allow: [".", "../sdk/wasm", "../docs"] }, proxy: { "/v1": "http://127.0.0.1:8080" } },
});
