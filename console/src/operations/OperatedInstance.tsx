import { Typography } from "antd";

import { useCatalogName } from "../instances/useCatalog";

interface OperatedInstanceProps {
  readonly instance: {
    readonly id: string;
    readonly name: string;
    readonly product: { readonly name: string; readonly nameZh: string };
  };
}

/** An instance in the table of a dialog. */
export function OperatedInstance({ instance }: OperatedInstanceProps) {
  const nameOf = useCatalogName();
  return (
    <>
      <span className="instance-id">{instance.id}</span>
      <br />
      <Typography.Text type="secondary" className="note breakable">
        {nameOf(instance.product)} · {instance.name}
      </Typography.Text>
    </>
  );
}
