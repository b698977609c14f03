import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const MANIFEST = "persisted-documents.json";
const OUTPUT = "../graphql_api/static/console";
const API = process.env["RENEWALS_URL"] ?? "http://127.0.0.1:8000";

/** What only forms and dialogs need, which are loaded when they are opened. */
const LATER =
  /console\/src\/(tags\/Tag|operations\/(DialogFrame|Refusal))|@rc-component\/(form|dialog|collapse)\/|antd\/es\/(form\/(?!context|hooks)|modal|result|collapse)\//;

function isOfFirstPage(path: string): boolean {
  return !LATER.test(path);
}

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

/**
 * Leave of each document its hash and its operation's name.
 *
 * The server finds a document by its hash, and the page only needs to tell documents apart.
 */
function documentsByHash(): Plugin {
  return {
    name: "documents-by-hash",
    apply: "build",
    enforce: "pre",
    transform: {
      filter: { id: /api\/generated\/graphql\.ts$/ },
      handler: (code) => code.replace(/\{"__meta__":\{"hash".*(?=\} as unknown as DocumentNode)/g, shortened),
    },
  };
}

function shortened(text: string): string {
  const { definitions, ...document } = JSON.parse(`${text}}`) as GeneratedDocument;
  const operations = definitions.filter(({ kind }) => kind === "OperationDefinition");
  const selections = [{ kind: "Field", name: { kind: "Name", value: "__typename" } }];
  const short = operations.map(({ kind, operation, name }) => ({
    kind,
    operation,
    name,
    selectionSet: { kind: "SelectionSet", selections },
  }));
  return JSON.stringify({ ...document, definitions: short }).slice(0, -1);
}

interface GeneratedDocument {
  readonly definitions: readonly {
    readonly kind: string;
    readonly operation?: string;
    readonly name: unknown;
  }[];
}

export default defineConfig({
  base: "/console/",
  plugins: [documentsByHash(), react(), finishedFiles()],
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
    rolldownOptions: {
      output: {
        // One file of what the first page shares with others, where there would be forty small ones.
        codeSplitting: { groups: [{ name: "shared", minShareCount: 2, test: isOfFirstPage }] },
      },
    },
  },
  server: {
    proxy: Object.fromEntries(
      ["/graphql", "/export", "/calendar.ics", "/console/config.json"].map((path) => [
        path,
        // The API refuses a Host that is not its own address.
        { target: API, changeOrigin: true },
      ]),
    ),
  },
});
