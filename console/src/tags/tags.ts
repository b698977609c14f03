export interface TagPair {
  readonly key: string;
  readonly value: string;
}

/** Tags to set and keys to remove, as the API takes them. */
export interface TagChange {
  readonly set: TagPair[];
  readonly removeKeys: string[];
}

/** Return a tag as key or key=value. */
export function formatTag({ key, value }: TagPair): string {
  return value === "" ? key : `${key}=${value}`;
}

/** Return the change that makes some tags into others. */
export function changeOfTags(before: readonly TagPair[], after: readonly TagPair[]): TagChange {
  const values = new Map(before.map(({ key, value }) => [key, value]));
  const kept = new Set(after.map(({ key }) => key));
  return {
    set: after.filter(({ key, value }) => values.get(key) !== value),
    removeKeys: [...values.keys()].filter((key) => !kept.has(key)),
  };
}

export function isNoChange({ set, removeKeys }: TagChange): boolean {
  return set.length === 0 && removeKeys.length === 0;
}
