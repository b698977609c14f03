export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
export type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
export type MakeOptional<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]?: Maybe<T[SubKey]> };
export type MakeMaybe<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]: Maybe<T[SubKey]> };
export type MakeEmpty<T extends { [key: string]: unknown }, K extends keyof T> = { [_ in K]?: never };
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /** A calendar date in the account's time zone, ISO 8601. */
  Date: { input: string; output: string; }
  /** An instant, ISO 8601 with offset; always answered in UTC. */
  DateTime: { input: string; output: string; }
  /** An exact amount with two decimal places, as a string: "512.90". Accepts a decimal string or an integer between -10000000000000.00 and 10000000000000.00; refuses floats, exponents, NaN and more than two places. */
  Money: { input: string; output: string; }
};

export type BatchMode =
  /** One refusal refuses all; nothing is written. */
  | 'ALL_OR_NOTHING'
  /** Refused instances are reported; the others are done. */
  | 'BEST_EFFORT';

export type BillingMode =
  /** 包年包月 */
  | 'PREPAID'
  /** 按次购买: bought once, nothing to renew */
  | 'ONE_OFF'
  /** 按量付费 */
  | 'PAY_AS_YOU_GO';

export type BundleHandling =
  /** A strongly bound instance cannot take part in a batch; the members of one bundle, and nothing else, may be sent together. */
  | 'REFUSE'
  /** The selection is widened to whole bundles; each bundle is done as a whole or refused as a whole. */
  | 'WHOLE';

export type CreateWebhookEndpointInput = {
  url: Scalars['String']['input'];
  /** Empty: all types. */
  eventTypes?: Array<Scalars['String']['input']>;
  /** Same key, same request: the first answer again. */
  idempotencyKey: Scalars['String']['input'];
};

/** 机房类型 */
export type DataCenterType =
  | 'CLASSIC'
  | 'VPC'
  | 'EDGE'
  | 'DEDICATED';

export type DeleteWebhookEndpointInput = {
  id: Scalars['ID']['input'];
};

export type InstanceFilter = {
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** A part of the id or the name, case-insensitive. */
  search?: InputMaybe<Scalars['String']['input']>;
  tab?: InputMaybe<RenewalTab>;
  /** Inclusive. */
  expiresFrom?: InputMaybe<Scalars['DateTime']['input']>;
  /** Exclusive. */
  expiresBefore?: InputMaybe<Scalars['DateTime']['input']>;
  /** Expires within so many days from now, not yet expired. */
  expiresWithinDays?: InputMaybe<Scalars['Int']['input']>;
  products?: InputMaybe<Array<Scalars['ID']['input']>>;
  dataCenters?: InputMaybe<Array<Scalars['ID']['input']>>;
  dataCenterTypes?: InputMaybe<Array<DataCenterType>>;
  /** Null: all but RELEASED, which only this list brings in, whatever the other conditions are. */
  status?: InputMaybe<Array<InstanceStatus>>;
  bundled?: InputMaybe<Scalars['Boolean']['input']>;
  /** False: the account's instances that renewal management leaves out (trial, one-off, unsupported product). */
  manageable?: InputMaybe<Scalars['Boolean']['input']>;
};

export type InstanceOrder = {
  field?: InstanceOrderField;
  direction?: OrderDirection;
};

export type InstanceOrderField =
  | 'EXPIRES_AT'
  | 'CREATED_AT'
  | 'NAME'
  | 'PRODUCT'
  | 'ID';

export type InstanceStatus =
  | 'RUNNING'
  | 'EXPIRED'
  | 'RELEASED';

export type LedgerEntryKind =
  | 'TOP_UP'
  | 'RENEWAL'
  | 'REFUND';

export type LedgerFilter = {
  /** False: entries of the balance only, which add up to it. True: entries of vouchers only. Null: all entries. */
  vouchers?: InputMaybe<Scalars['Boolean']['input']>;
};

export type MatchingInput = {
  filter: InstanceFilter;
  except?: Array<Scalars['ID']['input']>;
};

export type OrderDirection =
  | 'ASC'
  | 'DESC';

export type OrderKind =
  | 'MANUAL_RENEWAL'
  | 'AUTO_RENEWAL'
  | 'UNIFY_EXPIRY';

export type QuoteRenewalInput = {
  selection: Selection;
  bundles?: BundleHandling;
  months: Scalars['Int']['input'];
};

export type QuoteUnifyExpiryInput = {
  selection: Selection;
  bundles?: BundleHandling;
  target: UnifyTarget;
};

export type RefusalCode =
  | 'NOT_FOUND'
  | 'UNSUPPORTED_PRODUCT'
  | 'TRIAL'
  | 'ONE_OFF'
  | 'NO_EXPIRY'
  | 'EXPIRED'
  | 'RELEASED'
  | 'BUNDLED'
  | 'BUNDLE_INCOMPLETE'
  | 'PERIOD_TOO_SHORT'
  | 'MAX_TERM_EXCEEDED'
  | 'TARGET_NOT_LATER'
  | 'INSUFFICIENT_FUNDS'
  | 'PRICE_HELD'
  | 'BEFORE_CUT_OVER';

export type RenewInstancesInput = {
  selection: Selection;
  bundles?: BundleHandling;
  batchMode?: BatchMode;
  expectedTotal?: InputMaybe<Scalars['Money']['input']>;
  /** Same key, same request: the first answer again. */
  idempotencyKey: Scalars['String']['input'];
  months: Scalars['Int']['input'];
};

export type RenewalMode =
  /** The user renews by hand (the default). */
  | 'MANUAL'
  /** The worker renews for autoRenewMonths on the day of expiry. */
  | 'AUTO'
  /** Left to lapse on purpose: never renewed by the worker, never reminded. */
  | 'NONE';

/** The pages of the renewal console. Every manageable instance is in exactly one. */
export type RenewalTab =
  | 'MANUAL'
  | 'AUTO'
  | 'NONE'
  | 'NO_EXPIRY';

export type ReplayWebhookDeliveryInput = {
  /** The endpoint's. */
  id: Scalars['ID']['input'];
  sequence: Scalars['Int']['input'];
  /** False: the parked delivery of this event. True: this event and all after it, whatever became of them. */
  andAllAfter?: Scalars['Boolean']['input'];
};

export type RotateWebhookSecretInput = {
  id: Scalars['ID']['input'];
  /** So long the old secret signs as well. */
  overlapHours?: Scalars['Int']['input'];
  /** Same key, same overlap: the first answer again, or the newest secret if that one has ended. */
  idempotencyKey: Scalars['String']['input'];
};

/** Instances by id, or all that a filter matches except some. At most 10,000. */
export type Selection =
  { ids: Array<Scalars['ID']['input']>; matching?: never; }
  |  { ids?: never; matching: MatchingInput; };

export type SendTestWebhookInput = {
  id: Scalars['ID']['input'];
};

export type SetRenewalPolicyInput = {
  selection: Selection;
  bundles?: BundleHandling;
  mode: RenewalMode;
  /** For AUTO: 1 to 36. Null: each instance keeps what it has, 1 at first. */
  autoRenewMonths?: InputMaybe<Scalars['Int']['input']>;
  batchMode?: BatchMode;
};

export type UnifyExpiryInput = {
  selection: Selection;
  bundles?: BundleHandling;
  batchMode?: BatchMode;
  expectedTotal?: InputMaybe<Scalars['Money']['input']>;
  /** Same key, same request: the first answer again. */
  idempotencyKey: Scalars['String']['input'];
  target: UnifyTarget;
};

/** The same date for all, or the first such day that is at least a month after each expiry. 31 means the last day of the month. */
export type UnifyTarget =
  { date: Scalars['Date']['input']; dayOfMonth?: never; }
  |  { date?: never; dayOfMonth: Scalars['Int']['input']; };

/** What is left out stays as it is. */
export type UpdateWebhookEndpointInput = {
  id: Scalars['ID']['input'];
  url?: InputMaybe<Scalars['String']['input']>;
  eventTypes?: InputMaybe<Array<Scalars['String']['input']>>;
  enabled?: InputMaybe<Scalars['Boolean']['input']>;
};

/** WAITING: it is tried again, or waits for an earlier one of its instance. PARKED: it is not. */
export type WebhookDeliveryState =
  | 'WAITING'
  | 'PARKED';

export type ExpiringQueryVariables = Exact<{
  days: Scalars['Int']['input'];
}>;


export type ExpiringQuery = { instances: { totalCount: number, nodes: Array<{ id: string }> } };

export type QuoteQueryVariables = Exact<{
  ids: Array<Scalars['ID']['input']> | Scalars['ID']['input'];
}>;


export type QuoteQuery = { quoteRenewal: { total: string, shortfall: string, refusalCount: number, lines: Array<{ instanceId: string, startsAt: string, price: string }>, refusals: Array<{ instanceId: string, code: RefusalCode, message: string }> } };

export type RenewMutationVariables = Exact<{
  input: RenewInstancesInput;
}>;


export type RenewMutation = { renewInstances:
    | { __typename: 'RenewInstancesSuccess', order: { id: string, total: string, lines: Array<{ instanceId: string, expiresAt: string }> }, account: { balance: string } }
    | { __typename: 'NotRenewable', message: string }
    | { __typename: 'InsufficientFunds', message: string }
    | { __typename: 'PriceChanged', message: string }
    | { __typename: 'IdempotencyKeyReused', message: string }
    | { __typename: 'InvalidInput', message: string }
   };
