import { Space } from "antd";
import type { ReactNode } from "react";

interface LabelledProps {
  readonly label: string;
  /** The id of the field. */
  readonly id: string;
  readonly children: ReactNode;
}

/** A filter with its label before it. */
export function Labelled({ label, id, children }: LabelledProps) {
  return (
    <Space size={6}>
      <label htmlFor={id} className="filter-label">
        {label}:
      </label>
      {children}
    </Space>
  );
}
