import type { Language } from "../language";
import * as common from "./common";
import * as list from "./list";
import * as operations from "./operations";
import * as payment from "./payment";
import * as policy from "./policy";
import * as signIn from "./signIn";

const zh = {
  common: common.zh,
  list: list.zh,
  operations: operations.zh,
  payment: payment.zh,
  policy: policy.zh,
  signIn: signIn.zh,
};

/** Every text of the console. A text that one language lacks is a type error. */
export type Messages = typeof zh;

export const MESSAGES: Readonly<Record<Language, Messages>> = {
  zh,
  en: {
    common: common.en,
    list: list.en,
    operations: operations.en,
    payment: payment.en,
    policy: policy.en,
    signIn: signIn.en,
  },
};
