import type { ReactNode } from "react";

interface LabelledProps {
  readonly label: string;
  /** The id of the field. */
  readonly id: string;
  /** Whether the field keeps a row of its own on a narrow screen. */
  readonly isWide?: boolean;
  readonly children: ReactNode;
}

/** A filter with its label before it; on a narrow screen, above it. */
export function Labelled({ label, id, isWide = false, children }: LabelledProps) {
  return (
    <div className={isWide ? "labelled labelled-wide" : "labelled"}>
      <label htmlFor={id} className="filter-label">
        {label}:
      </label>
      {children}
    </div>
  );
}
