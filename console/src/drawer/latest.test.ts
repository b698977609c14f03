import { expect, it } from "vitest";

import { InstanceDetailDocument } from "../api/generated/graphql";
import { LATEST_ASKED, LATEST_SHOWN, takeLatest } from "./latest";

const rows = (count: number) => Array.from({ length: count }, (_, index) => index);

it("a list is cut only if there are more than it shows", () => {
  expect(takeLatest(rows(LATEST_SHOWN))).toEqual({ shown: rows(LATEST_SHOWN), isCut: false });
  expect(takeLatest(rows(LATEST_ASKED))).toEqual({ shown: rows(LATEST_SHOWN), isCut: true });
  expect(takeLatest([])).toEqual({ shown: [], isCut: false });
});

it("both lists of the drawer ask for the number of the variable", () => {
  const text = JSON.stringify(InstanceDetailDocument.definitions);
  for (const list of ["attempts", "orders"]) {
    expect(text).toMatch(
      new RegExp(
        `"value":"${list}"},"arguments":\\[{"kind":"Argument","name":{"kind":"Name","value":"first"},` +
          `"value":{"kind":"Variable","name":{"kind":"Name","value":"latest"}}}`,
      ),
    );
  }
});
