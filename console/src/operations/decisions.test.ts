import { describe, expect, it } from "vitest";

import { MESSAGES } from "../i18n/messages";
import { discountOf, rangeOfDiscounts } from "./discounts";
import { listDurations } from "./durations";
import { toSelectionArguments } from "./operations";
import { findPaymentBlock } from "./payability";
import { groupRefusals } from "./refusalGroups";
import { INITIAL_TARGET, toUnifyTarget } from "./unifyTarget";

describe("a quote", () => {
  const quote = { lineCount: 2, refusalCount: 0, shortfall: "0.00" };

  it.each([
    ["can be paid if all take part and the money suffices", quote, false, null],
    ["cannot be paid without a line", { ...quote, lineCount: 0, refusalCount: 2 }, true, "nothing"],
    ["with refusals waits for the customer's word", { ...quote, refusalCount: 1 }, false, "refusals"],
    ["with refusals is paid for the others", { ...quote, refusalCount: 1 }, true, null],
    ["cannot be paid if one fen is missing", { ...quote, shortfall: "0.01" }, false, "shortfall"],
  ] as const)("%s", (_, facts, isPartialAgreed, block) => {
    expect(findPaymentBlock(facts, isPartialAgreed)).toBe(block);
  });
});

describe("refusals", () => {
  const refusal = (instanceId: string, code: "EXPIRED" | "TRIAL") => ({ instanceId, code, message: "" });

  it("are grouped by reason, the most frequent first", () => {
    const groups = groupRefusals([refusal("a", "TRIAL"), refusal("b", "EXPIRED"), refusal("c", "EXPIRED")]);
    expect(groups.map(({ code, refusals }) => [code, refusals.map(({ instanceId }) => instanceId)])).toEqual([
      ["EXPIRED", ["b", "c"]],
      ["TRIAL", ["a"]],
    ]);
  });
});

describe("the discount", () => {
  const tiers = [
    { months: 12, discountPercent: "17" },
    { months: 6, discountPercent: "5" },
    { months: 36, discountPercent: "50" },
  ];
  const products = [
    { code: "eip", discountTiers: tiers },
    { code: "kec", discountTiers: [] },
  ];

  it.each([
    [5, 0],
    [6, 5],
    [12, 17],
    [35, 17],
    [36, 50],
  ])("of %s months is %s percent, as by the longest tier that is reached", (months, percent) => {
    expect(discountOf(tiers, months)).toBe(percent);
  });

  it("of several products is a range", () => {
    expect(rangeOfDiscounts(products, new Set(["eip"]), 12)).toEqual({ least: 17, most: 17 });
    expect(rangeOfDiscounts(products, new Set(["eip", "kec"]), 12)).toEqual({ least: 0, most: 17 });
    expect(rangeOfDiscounts(products, new Set(["kec"]), 12)).toBeNull();
    expect(rangeOfDiscounts([], new Set(), 12)).toBeNull();
  });

  it("is named as customers know it", () => {
    expect(MESSAGES.zh.payment.discounts({ least: 17, most: 17 })).toBe("8.3 折");
    expect(MESSAGES.zh.payment.discounts({ least: 0, most: 50 })).toBe("低至 5 折");
    expect(MESSAGES.en.payment.discounts({ least: 0, most: 50 })).toBe("up to 50% off");
  });
});

describe("the target of unify", () => {
  it("is the first day of a month at first", () => {
    expect(toUnifyTarget(INITIAL_TARGET)).toEqual({ dayOfMonth: 1 });
  });

  it("is nothing until a date is chosen", () => {
    const choice = { ...INITIAL_TARGET, kind: "date" } as const;
    expect(toUnifyTarget(choice)).toBeNull();
    expect(toUnifyTarget({ ...choice, date: "2027-03-31" })).toEqual({ date: "2027-03-31" });
  });
});

it("a bundle is operated on as a whole, and a batch refuses members of bundles", () => {
  const target = { selection: { ids: ["i-1"] }, count: 1 };
  expect(toSelectionArguments({ ...target, bundleName: "KES" }).bundles).toBe("WHOLE");
  expect(toSelectionArguments({ ...target, bundleName: null }).bundles).toBe("REFUSE");
});

it("no duration is longer than the API allows", () => {
  expect(listDurations(12)).toEqual([1, 2, 3, 6, 12]);
  expect(listDurations(36).at(-1)).toBe(36);
});

it.each([
  [1, 0, "1 个月", "1 month"],
  [2, 3, "2 个月零 3 天", "2 months 3 days"],
  [0, 1, "1 天", "1 day"],
])("a term of %s months and %s days is named", (months, days, zh, en) => {
  expect(MESSAGES.zh.payment.term(months, days)).toBe(zh);
  expect(MESSAGES.en.payment.term(months, days)).toBe(en);
});

it.each([
  [6, "6 个月", "6 months"],
  [12, "1 年", "1 year"],
  [36, "3 年", "3 years"],
])("a duration of %s months is named", (months, zh, en) => {
  expect(MESSAGES.zh.payment.months(months)).toBe(zh);
  expect(MESSAGES.en.payment.months(months)).toBe(en);
});
