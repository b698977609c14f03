export interface DocumentTypeDecoration<Result, Variables> {
  __apiType?: (variables: Variables) => Result;
}
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
  /** A calendar date in the account's time zone, in ISO 8601: YYYY-MM-DD. */
  Date: { input: string; output: string; }
  /** An instant in ISO 8601 with an offset. Results are always in UTC. */
  DateTime: { input: string; output: string; }
  /** A value of JSON, such as an object. */
  JSON: { input: unknown; output: unknown; }
  /** An exact amount in the account's currency with two decimal places, as a string such as "512.90". Accepts a decimal string or an integer from -10000000000000.00 to 10000000000000.00. Floats, exponents and more than two decimal places are refused. */
  Money: { input: string; output: string; }
};

/** The kind of actor that made a change. */
export type ActorKind =
  /** An API key or a token of the account. */
  | 'CUSTOMER'
  /** The worker: automatic renewals, expiry, release, reminders and warnings. */
  | 'WORKER'
  /** The provider, through the operator API or an import. */
  | 'OPERATOR';

/** The arguments of advanceTestClock. */
export type AdvanceTestClockInput = {
  /** The new time of the account: later than its current time, by at most 24 months. */
  to: Scalars['DateTime']['input'];
  /** 1 to 64 printable characters. Repeating a request with the same key returns the first result and changes nothing. Another request with the same key is refused with IdempotencyKeyReused. A refused request does not use up its key. */
  idempotencyKey: Scalars['String']['input'];
};

/** The effect of one refused instance on the others. */
export type BatchMode =
  /** If one instance is refused, all are refused and nothing changes. */
  | 'ALL_OR_NOTHING'
  /** Refused instances are listed, and the others are changed. */
  | 'BEST_EFFORT';

/** How an instance is paid for. */
export type BillingMode =
  /** 包年包月: paid in advance for a number of months or up to a date. */
  | 'PREPAID'
  /** 按次购买: bought once, so it cannot be renewed. */
  | 'ONE_OFF'
  /** 按量付费: charged by usage, outside this service. */
  | 'PAY_AS_YOU_GO';

/** How a selection treats members of bundles (强关联). */
export type BundleHandling =
  /** A bundle is accepted only if the selection consists of exactly its members. In any other selection, the members of the bundle are refused. */
  | 'REFUSE'
  /** The missing members of each bundle are added to the selection. If `except` names a member, its bundle is refused. Each bundle is accepted or refused as a whole. */
  | 'WHOLE';

/** The arguments of createWebhookEndpoint. */
export type CreateWebhookEndpointInput = {
  /** An https URL whose host has a public address. */
  url: Scalars['String']['input'];
  /** Types of events to send. Empty: all types, including future ones. */
  eventTypes?: Array<Scalars['String']['input']>;
  /** 1 to 64 printable characters. Repeating a request with the same key returns the first result and changes nothing. Another request with the same key is refused with IdempotencyKeyReused. A refused request does not use up its key. */
  idempotencyKey: Scalars['String']['input'];
};

/** The arguments of deleteWebhookEndpoint. */
export type DeleteWebhookEndpointInput = {
  /** The endpoint's id. */
  id: Scalars['ID']['input'];
};

/** Conditions on events. An event must meet all of them. Null: no condition. */
export type EventFilter = {
  /** Types, such as instance.renewed. Null: all. An empty list, or an unknown type, matches nothing. */
  types?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Events of this instance. */
  instanceId?: InputMaybe<Scalars['ID']['input']>;
  /** Occurred at this instant or later. */
  occurredFrom?: InputMaybe<Scalars['DateTime']['input']>;
  /** Occurred before this instant. */
  occurredBefore?: InputMaybe<Scalars['DateTime']['input']>;
};

/** The property by which the renewals of a forecast are grouped. */
export type ForecastGrouping =
  /** The product. */
  | 'PRODUCT'
  /** The data center. */
  | 'DATA_CENTER'
  /** The value of the tag with the given key. */
  | 'TAG';

/** An operation on an instance, as a console offers it. */
export type InstanceActionKind =
  /** renewInstances, with a number of months from monthsMin to monthsMax. */
  | 'RENEW'
  /** setRenewalPolicy with mode AUTO and the months that the instance has. */
  | 'SET_AUTO'
  /** unifyExpiry, with at least one possible date. */
  | 'UNIFY';

/** Conditions on instances. An instance must meet all of them. Null: no condition. An empty list matches nothing. */
export type InstanceFilter = {
  /** Ids of instances, at most 10,000. */
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** Text that the id, the name or a configuration value contains, case-insensitive. */
  search?: InputMaybe<Scalars['String']['input']>;
  /** The tab of the renewal console that the instance is on. */
  tab?: InputMaybe<RenewalTab>;
  /** Expires at this instant or later. */
  expiresFrom?: InputMaybe<Scalars['DateTime']['input']>;
  /** Expires before this instant. */
  expiresBefore?: InputMaybe<Scalars['DateTime']['input']>;
  /** The last day is this day or later, in the account's time zone. */
  expiresOnFrom?: InputMaybe<Scalars['Date']['input']>;
  /** The last day is this day or earlier, in the account's time zone. */
  expiresOnTo?: InputMaybe<Scalars['Date']['input']>;
  /** Expires within this number of days (24 hours each) from now, and has not expired. */
  expiresWithinDays?: InputMaybe<Scalars['Int']['input']>;
  /** Codes of products. */
  products?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** Codes of data centers. */
  dataCenters?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** Codes of types of data centers. */
  dataCenterTypes?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** Statuses. Null: all except RELEASED, which must be named here to be found. */
  status?: InputMaybe<Array<InstanceStatus>>;
  /** True: members of bundles only. False: all others. Null: both. */
  bundled?: InputMaybe<Scalars['Boolean']['input']>;
  /** Tag conditions, all of which an instance must meet: at most 20. */
  tags?: InputMaybe<Array<TagFilter>>;
  /** True: instances that renewal management serves. False: trials, one-off purchases and instances of unsupported products. Null: both. */
  manageable?: InputMaybe<Scalars['Boolean']['input']>;
};

/** The sort order of instances. Equal values are ordered by id. */
export type InstanceOrder = {
  /** The value to sort by. */
  field?: InstanceOrderField;
  /** Ascending or descending. */
  direction?: OrderDirection;
};

/** The value by which instances are sorted. */
export type InstanceOrderField =
  /** The expiry. Instances without one count as the latest. */
  | 'EXPIRES_AT'
  /** When the provider created the instance. */
  | 'CREATED_AT'
  /** The display name, by code point. */
  | 'NAME'
  /** The product's code. */
  | 'PRODUCT'
  /** The provider's id. */
  | 'ID';

/** The stage of an instance's life. */
export type InstanceStatus =
  /** The instance was not released, and its term has not ended or it has no expiry. */
  | 'RUNNING'
  /** The instance's term has ended. A renewal before the release makes the instance RUNNING again. */
  | 'EXPIRED'
  /** The instance's data is gone, and the instance can no longer be renewed. */
  | 'RELEASED';

/** A language of messages, labels and notices. */
export type Language =
  /** Chinese, in simplified characters. */
  | 'ZH'
  /** English. */
  | 'EN';

/** Why an amount changed. */
export type LedgerEntryKind =
  /** Money was paid in, or a voucher was issued. */
  | 'TOP_UP'
  /** An order was paid. */
  | 'RENEWAL'
  /** Lines of an order were refunded. */
  | 'REFUND';

/** Conditions on ledger entries. An entry must meet all of them. Null: no condition. */
export type LedgerFilter = {
  /** True: entries of vouchers only. False: entries of the balance only, which add up to the balance. Null: both. */
  vouchers?: InputMaybe<Scalars['Boolean']['input']>;
  /** Kinds of entries. Null: all. An empty list matches nothing. */
  kinds?: InputMaybe<Array<LedgerEntryKind>>;
  /** Written at this instant or later. */
  createdFrom?: InputMaybe<Scalars['DateTime']['input']>;
  /** Written before this instant. */
  createdBefore?: InputMaybe<Scalars['DateTime']['input']>;
};

/** All instances that match a filter, except some. */
export type MatchingInput = {
  /** The conditions, evaluated when the request is executed. */
  filter: InstanceFilter;
  /** Ids of matching instances to leave out. */
  except?: Array<Scalars['ID']['input']>;
};

/** The direction of a sort order. */
export type OrderDirection =
  /** The smallest or earliest value first. */
  | 'ASC'
  /** The largest or latest value first. */
  | 'DESC';

/** Conditions on orders. An order must meet all of them. Null: no condition. */
export type OrderFilter = {
  /** Kinds of orders. Null: all. An empty list matches nothing. */
  kinds?: InputMaybe<Array<OrderKind>>;
  /** Orders with a line of this instance. */
  instanceId?: InputMaybe<Scalars['ID']['input']>;
  /** Made at this instant or later. */
  createdFrom?: InputMaybe<Scalars['DateTime']['input']>;
  /** Made before this instant. */
  createdBefore?: InputMaybe<Scalars['DateTime']['input']>;
};

/** The operation that made an order. */
export type OrderKind =
  /** renewInstances. */
  | 'MANUAL_RENEWAL'
  /** An automatic renewal by the worker. */
  | 'AUTO_RENEWAL'
  /** unifyExpiry. */
  | 'UNIFY_EXPIRY';

/** The arguments of quoteRenewal. */
export type QuoteRenewalInput = {
  /** The instances to work on. */
  selection: Selection;
  /** How to handle members of bundles (强关联). */
  bundles?: BundleHandling;
  /** Number of months: 1 to 36. The new expiry must be within the product's longest term from now. */
  months: Scalars['Int']['input'];
};

/** The arguments of quoteUnifyExpiry. */
export type QuoteUnifyExpiryInput = {
  /** The instances to work on. */
  selection: Selection;
  /** How to handle members of bundles (强关联). */
  bundles?: BundleHandling;
  /** The new last day. */
  target: UnifyTarget;
};

/** Why an instance cannot take part. New values may be added. */
export type RefusalCode =
  /** The account has no instance with this id. */
  | 'NOT_FOUND'
  /** Renewal management does not serve the product; see its unsupportedReason. */
  | 'UNSUPPORTED_PRODUCT'
  /** The instance is a trial. */
  | 'TRIAL'
  /** The instance was bought once and cannot be renewed. */
  | 'ONE_OFF'
  /** The instance has no expiry. */
  | 'NO_EXPIRY'
  /** The instance has expired, so its mode cannot become AUTO and the worker does not renew it. */
  | 'EXPIRED'
  /** The instance was released and cannot be restored. */
  | 'RELEASED'
  /** The instance is in a bundle, and the selection has other instances as well, or another member of the bundle is refused. */
  | 'BUNDLED'
  /** The selection lacks members of the instance's bundle; see bundleInstanceIds. */
  | 'BUNDLE_INCOMPLETE'
  /** The new expiry would not be in the future; see leastMonths. */
  | 'PERIOD_TOO_SHORT'
  /** The new expiry would be further from now than the product's longest term, or autoRenewMonths would exceed that term. */
  | 'MAX_TERM_EXCEEDED'
  /** The target date has passed, or is not later than the last day of the instance. */
  | 'TARGET_NOT_LATER'
  /** Vouchers and balance do not cover the renewal. */
  | 'INSUFFICIENT_FUNDS'
  /** The price rose by more than the account's cap, and the customer has not agreed to the new price. */
  | 'PRICE_HELD'
  /** The instance was due before the account's autoRenewFrom, so the worker does not renew it. */
  | 'BEFORE_CUT_OVER'
  /** The instance would have more than 20 tags. */
  | 'TOO_MANY_TAGS';

/** The arguments of renewInstances. */
export type RenewInstancesInput = {
  /** The instances to work on. */
  selection: Selection;
  /** How to handle members of bundles (强关联). */
  bundles?: BundleHandling;
  /** The effect of one refused instance on the others. */
  batchMode?: BatchMode;
  /** The total of the quote. If the total has changed, nothing is charged and the result is PriceChanged. Null: accept any total. */
  expectedTotal?: InputMaybe<Scalars['Money']['input']>;
  /** 1 to 64 printable characters. Repeating a request with the same key returns the first result and changes nothing. Another request with the same key is refused with IdempotencyKeyReused. A refused request does not use up its key. */
  idempotencyKey: Scalars['String']['input'];
  /** Number of months: 1 to 36. The new expiry must be within the product's longest term from now. */
  months: Scalars['Int']['input'];
};

/** How an instance is renewed. */
export type RenewalMode =
  /** The customer renews the instance (the default). */
  | 'MANUAL'
  /** The worker renews the instance for autoRenewMonths months. The account's leadDays set how many days before the last day it does so. */
  | 'AUTO'
  /** The instance is meant to expire. The worker neither renews it nor sends reminders. */
  | 'NONE';

/** The tabs of the renewal console. Every manageable instance is on exactly one. */
export type RenewalTab =
  /** Instances with an expiry and the mode MANUAL. */
  | 'MANUAL'
  /** Instances with an expiry and the mode AUTO. */
  | 'AUTO'
  /** Instances with an expiry and the mode NONE. */
  | 'NONE'
  /** Instances without an expiry, whatever their mode. */
  | 'NO_EXPIRY';

/** The arguments of replayWebhookDelivery. */
export type ReplayWebhookDeliveryInput = {
  /** The endpoint's id. */
  id: Scalars['ID']['input'];
  /** The event's number in the account. */
  sequence: Scalars['Int']['input'];
  /** False: send only the parked delivery of this event. True: send this event and all later ones, even if they were delivered. */
  andAllAfter?: Scalars['Boolean']['input'];
};

/** The permitted use of an API key or a token. */
export type Role =
  /** Reads only. Every mutation is refused with FORBIDDEN. */
  | 'VIEWER'
  /** Reads and changes. */
  | 'RENEWER';

/** The arguments of rotateWebhookSecret. */
export type RotateWebhookSecretInput = {
  /** The endpoint's id. */
  id: Scalars['ID']['input'];
  /** Number of hours for which deliveries are also signed with the older secrets: 0 to 168. */
  overlapHours?: Scalars['Int']['input'];
  /** Repeating a request with the same key and overlap returns the secret of the first request or, if that was erased after its expiry, the newest secret. */
  idempotencyKey: Scalars['String']['input'];
};

/** Instances by id, or all that match a filter, with exceptions. At most 10,000 instances. */
export type Selection =
  /** Ids of instances. Unknown ids are refused with NOT_FOUND. */
  { ids: Array<Scalars['ID']['input']>; matching?: never; }
  |  /** A filter with exceptions. */
  { ids?: never; matching: MatchingInput; };

/** The arguments of sendTestWebhook. */
export type SendTestWebhookInput = {
  /** The endpoint's id. */
  id: Scalars['ID']['input'];
};

/** The arguments of setRenewalPolicy. */
export type SetRenewalPolicyInput = {
  /** The instances to work on. */
  selection: Selection;
  /** How to handle members of bundles (强关联). */
  bundles?: BundleHandling;
  /** The new mode. An expired instance cannot be set to AUTO. */
  mode: RenewalMode;
  /** For AUTO: 1 to 36. Null: each instance keeps its months, 1 by default. */
  autoRenewMonths?: InputMaybe<Scalars['Int']['input']>;
  /** The effect of one refused instance on the others. */
  batchMode?: BatchMode;
};

/** The arguments of setTags. At least one tag or key must be given. */
export type SetTagsInput = {
  /** The instances to change. A member can be selected without the rest of its bundle. */
  selection: Selection;
  /** Tags to add, or to replace by key: at most 20, with unique keys. */
  set?: Array<TagInput>;
  /** Keys of tags to remove: at most 20, none of them in `set`. A key that an instance does not have is ignored. */
  removeKeys?: Array<Scalars['String']['input']>;
  /** The effect of one refused instance on the others. */
  batchMode?: BatchMode;
};

/** The condition that an instance has a tag. */
export type TagFilter = {
  /** The key of the tag. */
  key: Scalars['String']['input'];
  /** The tag must have one of these values. Null: any value. */
  values?: InputMaybe<Array<Scalars['String']['input']>>;
};

/** A tag of an instance. */
export type TagInput = {
  /** 1 to 64 characters, unique in an instance. */
  key: Scalars['String']['input'];
  /** 0 to 128 characters. */
  value: Scalars['String']['input'];
};

/** The arguments of unifyExpiry. */
export type UnifyExpiryInput = {
  /** The instances to work on. */
  selection: Selection;
  /** How to handle members of bundles (强关联). */
  bundles?: BundleHandling;
  /** The effect of one refused instance on the others. */
  batchMode?: BatchMode;
  /** The total of the quote. If the total has changed, nothing is charged and the result is PriceChanged. Null: accept any total. */
  expectedTotal?: InputMaybe<Scalars['Money']['input']>;
  /** 1 to 64 printable characters. Repeating a request with the same key returns the first result and changes nothing. Another request with the same key is refused with IdempotencyKeyReused. A refused request does not use up its key. */
  idempotencyKey: Scalars['String']['input'];
  /** The new last day. */
  target: UnifyTarget;
};

/** The new last day: one date for all instances, or a day of the month. No expiry becomes earlier. Later renewals end on the target's day of the month. */
export type UnifyTarget =
  /** A date in the account's time zone. It must be later than every old last day, and must not have passed. */
  { date: Scalars['Date']['input']; dayOfMonth?: never; }
  |  /** 1 to 31. Each instance gets the first such day that is at least one month after its old last day. In a shorter month, the last day counts as this day. */
  { date?: never; dayOfMonth: Scalars['Int']['input']; };

/** The arguments of updateWebhookEndpoint. Null leaves a value as it is. */
export type UpdateWebhookEndpointInput = {
  /** The endpoint's id. */
  id: Scalars['ID']['input'];
  /** An https URL whose host has a public address. */
  url?: InputMaybe<Scalars['String']['input']>;
  /** Types of events to send. Empty: all types, including future ones. */
  eventTypes?: InputMaybe<Array<Scalars['String']['input']>>;
  /** False stops deliveries. True resumes them where they stopped. */
  enabled?: InputMaybe<Scalars['Boolean']['input']>;
};

/** Whether a delivery will be attempted again. */
export type WebhookDeliveryState =
  /** The delivery will be retried, or waits for an earlier delivery of its instance or, for an event of the account, of the account. */
  | 'WAITING'
  /** The service has stopped retrying. Only replayWebhookDelivery sends the delivery again. */
  | 'PARKED';

export type ListQueryVariables = Exact<{
  filter?: InputMaybe<InstanceFilter>;
  orderBy?: InputMaybe<InstanceOrder>;
  first?: InputMaybe<Scalars['Int']['input']>;
  offset?: InputMaybe<Scalars['Int']['input']>;
  facets?: InputMaybe<Scalars['Boolean']['input']>;
}>;


export type ListQuery = { viewer: { name: string, canWrite: boolean, limits: { instancesPerSelection: number, pageRows: number, months: number }, account: { name: string, balance: string, currency: string, timeZone: string } }, instances: { totalCount: number, nodes: Array<{ id: string, name: string, status: InstanceStatus, renewalMode: RenewalMode, autoRenewMonths: number, expiresOn: string | null, daysLeft: number | null, releasesAt: string | null, monthlyPrice: string, agreedPrice: string | null, product: { code: string, name: string, nameZh: string }, dataCenter: { code: string, name: string }, bundle: { id: string, name: string, instanceCount: number } | null, configuration: Array<{ label: string, value: string }>, actions: Array<{ action: InstanceActionKind, allowed: boolean, monthsMin: number | null, monthsMax: number | null, refusal: { code: RefusalCode, message: string } | null }> }>, facets?: { tabs: Array<{ value: string, count: number }>, products: Array<{ value: string, count: number }>, dataCenters: Array<{ value: string, count: number }>, dataCenterTypes: Array<{ value: string, count: number }>, expiry: Array<{ value: string, count: number }> } } };

export type PreviewPolicyQueryVariables = Exact<{
  input: SetRenewalPolicyInput;
}>;


export type PreviewPolicyQuery = { previewRenewalPolicy: { changeCount: number, unchangedCount: number, refusalCount: number, changes: Array<{ fromMode: RenewalMode, toMode: RenewalMode, fromMonths: number, toMonths: number, firstChargeAt: string | null, firstChargePrice: string | null, instance: { id: string, name: string, expiresOn: string | null } }>, refusals: Array<{ instanceId: string, code: RefusalCode, message: string, instance: { name: string } | null }> } };

export type SetPolicyMutationVariables = Exact<{
  input: SetRenewalPolicyInput;
}>;


export type SetPolicyMutation = { setRenewalPolicy:
    | { __typename: 'SetRenewalPolicySuccess', changedCount: number, unchangedCount: number, refusals: Array<{ instanceId: string, code: RefusalCode, message: string }> }
    | { __typename: 'NotRenewable', message: string, refusals: Array<{ instanceId: string, code: RefusalCode, message: string }> }
    | { __typename: 'InvalidInput', field: string, message: string }
   };

export type QuoteRenewalQueryVariables = Exact<{
  input: QuoteRenewalInput;
}>;


export type QuoteRenewalQuery = { quoteRenewal: { lineCount: number, refusalCount: number, total: string, voucherTotal: string, balanceTotal: string, balanceAfter: string, shortfall: string, lines: Array<{ startsAt: string, expiresAt: string, months: number, listPrice: string, discount: string, price: string, instance: { id: string, name: string, product: { name: string, discountTiers: Array<{ months: number, discountPercent: string }> } } }>, refusals: Array<{ instanceId: string, code: RefusalCode, message: string }>, vouchers: Array<{ amount: string, voucher: { id: string, expiresAt: string } }> } };

export type RenewMutationVariables = Exact<{
  input: RenewInstancesInput;
}>;


export type RenewMutation = { renewInstances:
    | { __typename: 'RenewInstancesSuccess', refusalCount: number, order: { id: string, total: string, lineCount: number }, account: { balance: string }, refusals: Array<{ instanceId: string, code: RefusalCode, message: string }> }
    | { __typename: 'NotRenewable', message: string, refusals: Array<{ instanceId: string, code: RefusalCode, message: string }> }
    | { __typename: 'InsufficientFunds', required: string, available: string, shortfall: string, message: string }
    | { __typename: 'PriceChanged', expectedTotal: string, total: string, message: string }
    | { __typename: 'IdempotencyKeyReused', message: string }
    | { __typename: 'InvalidInput', field: string, message: string }
   };

export type QuoteUnifyQueryVariables = Exact<{
  input: QuoteUnifyExpiryInput;
}>;


export type QuoteUnifyQuery = { quoteUnifyExpiry: { lineCount: number, refusalCount: number, total: string, voucherTotal: string, balanceTotal: string, balanceAfter: string, shortfall: string, lines: Array<{ startsAt: string, expiresAt: string, months: number, days: number, listPrice: string, price: string, instance: { id: string, name: string, expiresOn: string | null } }>, refusals: Array<{ instanceId: string, code: RefusalCode, message: string }> } };

export type UnifyMutationVariables = Exact<{
  input: UnifyExpiryInput;
}>;


export type UnifyMutation = { unifyExpiry:
    | { __typename: 'UnifyExpirySuccess', refusalCount: number, order: { id: string, total: string, lineCount: number }, account: { balance: string }, refusals: Array<{ instanceId: string, code: RefusalCode, message: string }> }
    | { __typename: 'NotRenewable', message: string, refusals: Array<{ instanceId: string, code: RefusalCode, message: string }> }
    | { __typename: 'InsufficientFunds', required: string, available: string, shortfall: string, message: string }
    | { __typename: 'PriceChanged', expectedTotal: string, total: string, message: string }
    | { __typename: 'IdempotencyKeyReused', message: string }
    | { __typename: 'InvalidInput', field: string, message: string }
   };

export type InstanceDetailsQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type InstanceDetailsQuery = { instance: { id: string, name: string, status: InstanceStatus, billingMode: BillingMode, renewalMode: RenewalMode, autoRenewMonths: number, expiresAt: string | null, expiresOn: string | null, daysLeft: number | null, releasesAt: string | null, monthlyPrice: string, agreedPrice: string | null, product: { name: string, maxTermMonths: number, retentionDays: number, discountTiers: Array<{ months: number, discountPercent: string }> }, configuration: Array<{ label: string, value: string }>, outlook: { willRenew: boolean, dueAt: string | null, price: string | null, refusals: Array<{ code: RefusalCode, message: string }> }, bundle: { name: string, instances: Array<{ id: string, name: string }> } | null, actions: Array<{ action: InstanceActionKind, allowed: boolean, refusal: { message: string } | null }>, attempts: Array<{ attemptedAt: string, succeeded: boolean, message: string | null, order: { id: string } | null }>, orders: Array<{ id: string, kind: OrderKind, createdAt: string, total: string }> } | null, eventHistory: { nodes: Array<{ occurredAt: string, summary: string, actor: { kind: ActorKind, name: string } }> } };

export type OrdersQueryVariables = Exact<{
  filter?: InputMaybe<OrderFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type OrdersQuery = { orders: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ id: string, kind: OrderKind, createdAt: string, total: string, voucherTotal: string, balanceTotal: string, lineCount: number, lines: Array<{ startsAt: string, expiresAt: string, months: number, days: number, listPrice: string, discount: string, price: string, instance: { id: string, name: string } }>, refunds: Array<{ createdAt: string, total: string }> }> } };

export type LedgerQueryVariables = Exact<{
  filter?: InputMaybe<LedgerFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type LedgerQuery = { account: { balance: string, vouchers: Array<{ id: string, available: string, faceValue: string, expiresAt: string, products: Array<string> }> }, ledger: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ id: string, kind: LedgerEntryKind, amount: string, balanceAfter: string, createdAt: string, orderId: string | null, memo: string }> } };

export type HistoryQueryVariables = Exact<{
  filter?: InputMaybe<EventFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type HistoryQuery = { eventHistory: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ sequence: number, type: string, occurredAt: string, summary: string, payload: unknown, actor: { kind: ActorKind, name: string }, instance: { id: string, name: string } | null, order: { id: string, total: string } | null }> } };

export type FollowSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type FollowSubscription = { events: { sequence: number, type: string, summary: string, instance: { id: string, status: InstanceStatus, expiresOn: string | null } | null } };

export type ForecastQueryVariables = Exact<{
  days?: InputMaybe<Scalars['Int']['input']>;
}>;


export type ForecastQuery = { account: { balance: string, leadDays: number, autoRenewTime: string, priceRiseCapPercent: string | null }, forecast: { total: string, topUpNeeded: string, firstShortfallOn: string | null, days: Array<{ date: string, dueCount: number, total: string, balanceAfter: string, shortfall: string, atRisk: Array<{ id: string, name: string }> }> } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const ListDocument = new TypedDocumentString(`
    query List($filter: InstanceFilter, $orderBy: InstanceOrder = {field: EXPIRES_AT, direction: ASC}, $first: Int = 10, $offset: Int = 0, $facets: Boolean = true) {
  viewer {
    name
    canWrite
    limits {
      instancesPerSelection
      pageRows
      months
    }
    account {
      name
      balance
      currency
      timeZone
    }
  }
  instances(filter: $filter, orderBy: $orderBy, first: $first, offset: $offset) {
    totalCount
    nodes {
      id
      name
      status
      renewalMode
      autoRenewMonths
      expiresOn
      daysLeft
      releasesAt
      monthlyPrice
      agreedPrice
      product {
        code
        name
        nameZh
      }
      dataCenter {
        code
        name
      }
      bundle {
        id
        name
        instanceCount
      }
      configuration {
        label
        value
      }
      actions {
        action
        allowed
        monthsMin
        monthsMax
        refusal {
          code
          message
        }
      }
    }
    facets @include(if: $facets) {
      tabs {
        value
        count
      }
      products {
        value
        count
      }
      dataCenters {
        value
        count
      }
      dataCenterTypes {
        value
        count
      }
      expiry {
        value
        count
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ListQuery, ListQueryVariables>;
export const PreviewPolicyDocument = new TypedDocumentString(`
    query PreviewPolicy($input: SetRenewalPolicyInput!) {
  previewRenewalPolicy(input: $input) {
    changeCount
    unchangedCount
    refusalCount
    changes(first: 10) {
      instance {
        id
        name
        expiresOn
      }
      fromMode
      toMode
      fromMonths
      toMonths
      firstChargeAt
      firstChargePrice
    }
    refusals(first: 10) {
      instanceId
      code
      message
      instance {
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<PreviewPolicyQuery, PreviewPolicyQueryVariables>;
export const SetPolicyDocument = new TypedDocumentString(`
    mutation SetPolicy($input: SetRenewalPolicyInput!) {
  setRenewalPolicy(input: $input) {
    __typename
    ... on SetRenewalPolicySuccess {
      changedCount
      unchangedCount
      refusals {
        instanceId
        code
        message
      }
    }
    ... on NotRenewable {
      message
      refusals {
        instanceId
        code
        message
      }
    }
    ... on InvalidInput {
      field
      message
    }
  }
}
    `) as unknown as TypedDocumentString<SetPolicyMutation, SetPolicyMutationVariables>;
export const QuoteRenewalDocument = new TypedDocumentString(`
    query QuoteRenewal($input: QuoteRenewalInput!) {
  quoteRenewal(input: $input) {
    lineCount
    lines(first: 10) {
      instance {
        id
        name
        product {
          name
          discountTiers {
            months
            discountPercent
          }
        }
      }
      startsAt
      expiresAt
      months
      listPrice
      discount
      price
    }
    refusalCount
    refusals(first: 10) {
      instanceId
      code
      message
    }
    total
    vouchers {
      voucher {
        id
        expiresAt
      }
      amount
    }
    voucherTotal
    balanceTotal
    balanceAfter
    shortfall
  }
}
    `) as unknown as TypedDocumentString<QuoteRenewalQuery, QuoteRenewalQueryVariables>;
export const RenewDocument = new TypedDocumentString(`
    mutation Renew($input: RenewInstancesInput!) {
  renewInstances(input: $input) {
    __typename
    ... on RenewInstancesSuccess {
      order {
        id
        total
        lineCount
      }
      account {
        balance
      }
      refusalCount
      refusals(first: 10) {
        instanceId
        code
        message
      }
    }
    ... on NotRenewable {
      refusals(first: 10) {
        instanceId
        code
        message
      }
    }
    ... on InsufficientFunds {
      required
      available
      shortfall
    }
    ... on PriceChanged {
      expectedTotal
      total
    }
    ... on InvalidInput {
      field
    }
    ... on Error {
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RenewMutation, RenewMutationVariables>;
export const QuoteUnifyDocument = new TypedDocumentString(`
    query QuoteUnify($input: QuoteUnifyExpiryInput!) {
  quoteUnifyExpiry(input: $input) {
    lineCount
    lines(first: 10) {
      instance {
        id
        name
        expiresOn
      }
      startsAt
      expiresAt
      months
      days
      listPrice
      price
    }
    refusalCount
    refusals(first: 10) {
      instanceId
      code
      message
    }
    total
    voucherTotal
    balanceTotal
    balanceAfter
    shortfall
  }
}
    `) as unknown as TypedDocumentString<QuoteUnifyQuery, QuoteUnifyQueryVariables>;
export const UnifyDocument = new TypedDocumentString(`
    mutation Unify($input: UnifyExpiryInput!) {
  unifyExpiry(input: $input) {
    __typename
    ... on UnifyExpirySuccess {
      order {
        id
        total
        lineCount
      }
      account {
        balance
      }
      refusalCount
      refusals(first: 10) {
        instanceId
        code
        message
      }
    }
    ... on NotRenewable {
      refusals(first: 10) {
        instanceId
        code
        message
      }
    }
    ... on InsufficientFunds {
      required
      available
      shortfall
    }
    ... on PriceChanged {
      expectedTotal
      total
    }
    ... on InvalidInput {
      field
    }
    ... on Error {
      message
    }
  }
}
    `) as unknown as TypedDocumentString<UnifyMutation, UnifyMutationVariables>;
export const InstanceDetailsDocument = new TypedDocumentString(`
    query InstanceDetails($id: ID!) {
  instance(id: $id) {
    id
    name
    status
    billingMode
    renewalMode
    autoRenewMonths
    expiresAt
    expiresOn
    daysLeft
    releasesAt
    monthlyPrice
    agreedPrice
    product {
      name
      maxTermMonths
      retentionDays
      discountTiers {
        months
        discountPercent
      }
    }
    configuration {
      label
      value
    }
    outlook {
      willRenew
      dueAt
      price
      refusals {
        code
        message
      }
    }
    bundle {
      name
      instances {
        id
        name
      }
    }
    actions {
      action
      allowed
      refusal {
        message
      }
    }
    attempts(first: 5) {
      attemptedAt
      succeeded
      message
      order {
        id
      }
    }
    orders(first: 5) {
      id
      kind
      createdAt
      total
    }
  }
  eventHistory(filter: {instanceId: $id}, first: 5) {
    nodes {
      occurredAt
      summary
      actor {
        kind
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<InstanceDetailsQuery, InstanceDetailsQueryVariables>;
export const OrdersDocument = new TypedDocumentString(`
    query Orders($filter: OrderFilter, $first: Int = 10, $after: String) {
  orders(filter: $filter, first: $first, after: $after) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      id
      kind
      createdAt
      total
      voucherTotal
      balanceTotal
      lineCount
      lines(first: 3) {
        instance {
          id
          name
        }
        startsAt
        expiresAt
        months
        days
        listPrice
        discount
        price
      }
      refunds {
        createdAt
        total
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OrdersQuery, OrdersQueryVariables>;
export const LedgerDocument = new TypedDocumentString(`
    query Ledger($filter: LedgerFilter, $first: Int = 10, $after: String) {
  account {
    balance
    vouchers {
      id
      available
      faceValue
      expiresAt
      products
    }
  }
  ledger(filter: $filter, first: $first, after: $after) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      id
      kind
      amount
      balanceAfter
      createdAt
      orderId
      memo
    }
  }
}
    `) as unknown as TypedDocumentString<LedgerQuery, LedgerQueryVariables>;
export const HistoryDocument = new TypedDocumentString(`
    query History($filter: EventFilter, $first: Int = 10, $after: String) {
  eventHistory(filter: $filter, first: $first, after: $after) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      sequence
      type
      occurredAt
      summary
      actor {
        kind
        name
      }
      instance {
        id
        name
      }
      order {
        id
        total
      }
      payload
    }
  }
}
    `) as unknown as TypedDocumentString<HistoryQuery, HistoryQueryVariables>;
export const FollowDocument = new TypedDocumentString(`
    subscription Follow {
  events {
    sequence
    type
    summary
    instance {
      id
      status
      expiresOn
    }
  }
}
    `) as unknown as TypedDocumentString<FollowSubscription, FollowSubscriptionVariables>;
export const ForecastDocument = new TypedDocumentString(`
    query Forecast($days: Int = 30) {
  account {
    balance
    leadDays
    autoRenewTime
    priceRiseCapPercent
  }
  forecast(days: $days) {
    total
    topUpNeeded
    firstShortfallOn
    days {
      date
      dueCount
      total
      balanceAfter
      shortfall
      atRisk(first: 5) {
        id
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ForecastQuery, ForecastQueryVariables>;
