import { cp } from "node:fs/promises";

import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const MANIFEST = "persisted-documents.json";
const OUTPUT = "../graphql_api/static/console";
const API = process.env["RENEWALS_URL"] ?? "http://127.0.0.1:8000";

/** Put the manifest of the documents beside the page, where the server reads it. */
function persistedDocuments(): Plugin {
  return {
    name: "persisted-documents",
    apply: "build",
    closeBundle: () => cp(`src/api/generated/${MANIFEST}`, `${OUTPUT}/${MANIFEST}`),
  };
}

export default defineConfig({
  base: "/console/",
  plugins: [react(), persistedDocuments()],
  // The server replaces the nonce in each answer.
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    outDir: OUTPUT,
    emptyOutDir: true,
    target: "es2023",
    // No file inside another one: the policy of the page allows no data but images.
    assetsInlineLimit: 0,
    // antd is one file of about 900 kB before compression; the size test holds the sum.
    chunkSizeWarningLimit: 1_500,
  },
  server: {
    proxy: Object.fromEntries(
      ["/graphql", "/export", "/calendar.ics", "/console/config.json"].map((path) => [path, { target: API }]),
    ),
  },
});
