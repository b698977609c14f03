export const zh = {
  paging: "翻页",
  total: (count: string) => `共 ${count} 条`,
  newer: "上一页",
  older: "下一页",
  filters: "筛选",
  period: "时间",
  instance: "实例ID",
};

export const en: typeof zh = {
  paging: "Paging",
  total: (count) => `${count} in total`,
  newer: "Previous",
  older: "Next",
  filters: "Filters",
  period: "Period",
  instance: "Instance ID",
};
