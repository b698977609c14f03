import type { CodegenConfig } from "@graphql-codegen/cli";

/** Types and documents from the printed schema. The manifest names each document by its SHA-256. */
const config: CodegenConfig = {
  schema: "../schema.graphql",
  documents: "src/**/*.graphql",
  generates: {
    "src/api/generated/": {
      preset: "client",
      presetConfig: {
        fragmentMasking: false,
        persistedDocuments: { mode: "embedHashInDocument", hashAlgorithm: "sha256" },
      },
      config: {
        scalars: {
          Date: "string",
          DateTime: "string",
          ID: "string",
          JSON: "unknown",
          Money: "string",
        },
        enumsAsTypes: true,
        strictScalars: true,
        useTypeImports: true,
        avoidOptionals: { field: true, inputValue: false, object: false, defaultValue: false },
        dedupeFragments: true,
      },
    },
  },
};

export default config;
