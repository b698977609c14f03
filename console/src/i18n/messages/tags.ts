export const zh = {
  title: "编辑标签",
  none: "暂无标签",
  scope: (count: string) => `将应用于所选 ${count} 个实例：键相同的标签以新值为准，其他标签保持不变。`,
  key: "标签键",
  value: "标签值（可为空）",
  keyRequired: "请输入标签键",
  add: "添加标签",
  remove: "移除",
  removeKeys: "要删除的标签键",
  removeHint: "输入标签键后按回车",
  nothing: "请添加标签，或输入要删除的标签键。",
  done: "标签已更新",
  counts: (changed: string, unchanged: string) =>
    unchanged === "0"
      ? `已更新 ${changed} 个实例。`
      : `已更新 ${changed} 个实例，${unchanged} 个实例无需更新。`,
  refused: (count: string) => `${count} 个实例未能更新标签`,
};

export const en: typeof zh = {
  title: "Edit tags",
  none: "No tags",
  scope: (count) =>
    `Applies to the selected instances (${count}). A tag with the same key gets the new value; other tags stay.`,
  key: "Key",
  value: "Value (optional)",
  keyRequired: "Enter a key",
  add: "Add tag",
  remove: "Remove",
  removeKeys: "Keys of tags to remove",
  removeHint: "Type a key and press Enter",
  nothing: "Add a tag, or enter the key of a tag to remove.",
  done: "Tags updated",
  counts: (changed, unchanged) =>
    unchanged === "0" ? `Updated: ${changed}.` : `Updated: ${changed}. Already had these tags: ${unchanged}.`,
  refused: (count) => `Not updated: ${count}`,
};
