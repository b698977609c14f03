import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const MANIFEST = "persisted-documents.json";
const OUTPUT = "../graphql_api/static/console";
const API = process.env["RENEWALS_URL"] ?? "http://127.0.0.1:8000";

/** Put the manifest of the documents beside the page, where the server reads it, and compress what it serves. */
function finishedFiles(): Plugin {
  let output = OUTPUT;
  return {
    name: "finished-files",
    apply: "build",
    configResolved: ({ build }) => {
      output = build.outDir;
    },
    closeBundle: async () => {
      await copyFile(`src/api/generated/${MANIFEST}`, join(output, MANIFEST));
      for (const name of await readdir(join(output, "assets"))) {
        const path = join(output, "assets", name);
        const content = await readFile(path);
        await writeFile(`${path}.br`, brotliCompressSync(content));
        await writeFile(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  base: "/console/",
  plugins: [react(), finishedFiles()],
  // The server replaces the nonce in each answer.
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    outDir: OUTPUT,
    emptyOutDir: true,
    target: "es2023",
    // No file inside another one: the policy of the page allows no data but images.
    assetsInlineLimit: 0,
    // React and antd; a test holds the sum of what the first page loads, compressed.
    chunkSizeWarningLimit: 1_000,
  },
  server: {
    proxy: Object.fromEntries(
      ["/graphql", "/export", "/calendar.ics", "/console/config.json"].map((path) => [path, { target: API }]),
    ),
  },
});
