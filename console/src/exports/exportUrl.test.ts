import { expect, it } from "vitest";

import { exportUrl } from "./exportUrl";

it("an export has the arguments of its table only", () => {
  const choice = { format: "csv", tab: "AUTO", instants: { from: "2027-01-01T00:00:00Z" } } as const;
  expect(exportUrl({ ...choice, table: "instances" }, "zh")).toBe(
    "/export/instances.csv?lang=zh&filter=%7B%22tab%22%3A%22AUTO%22%7D",
  );
  expect(exportUrl({ ...choice, table: "orders" }, "en")).toBe(
    "/export/orders.csv?lang=en&from=2027-01-01T00%3A00%3A00Z",
  );
  expect(exportUrl({ table: "ledger", format: "jsonl", tab: null, instants: {} }, "en")).toBe(
    "/export/ledger.jsonl?lang=en",
  );
});
