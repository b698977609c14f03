import { Alert } from "antd";
import type { ReactNode } from "react";

import { RefusalList } from "./RefusalList";
import type { RefusalRowFragment } from "../api/generated/graphql";

interface RefusalAlertProps {
  readonly title: string;
  readonly refusals: readonly RefusalRowFragment[];
  readonly count: number;
  readonly children?: ReactNode;
}

/** Say that some instances cannot take part; below the list is what the customer may decide. */
export function RefusalAlert({ title, refusals, count, children }: RefusalAlertProps) {
  if (count === 0) return null;
  return (
    <Alert
      type="warning"
      showIcon
      className="refusal-alert"
      title={title}
      description={
        <>
          <RefusalList refusals={refusals} count={count} />
          {children}
        </>
      }
    />
  );
}
