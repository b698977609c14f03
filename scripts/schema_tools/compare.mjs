// Compare versions of schemas with graphql-inspector.
// stdin: [{"before": SDL, "after": SDL}]; stdout: for each of them [{"level": "BREAKING", "message": text}]
import { readFileSync } from "node:fs";

import { ChangeType, CriticalityLevel, DiffRule, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

// A caller who omits the argument gets another result, without an error that would say so.
const CHANGED_DEFAULTS = [ChangeType.FieldArgumentDefaultChanged, ChangeType.InputFieldDefaultValueChanged];

const pairs = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(await Promise.all(pairs.map(compare))));

async function compare({ before, after }) {
  const rules = [DiffRule.suppressRemovalOfDeprecatedField, refuseChangedDefaults];
  const changes = await diff(buildSchema(before), buildSchema(after), rules);
  return changes.map(({ criticality, message }) => ({ level: criticality.level, message }));
}

function refuseChangedDefaults({ changes }) {
  return changes.map((change) =>
    CHANGED_DEFAULTS.includes(change.type)
      ? { ...change, criticality: { ...change.criticality, level: CriticalityLevel.Breaking } }
      : change,
  );
}
