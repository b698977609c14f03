import { Typography } from "antd";
import type { ReactNode } from "react";

interface SectionProps {
  readonly title: string;
  readonly children: ReactNode;
}

/** A part of the drawer, with its heading. */
export function Section({ title, children }: SectionProps) {
  return (
    <section aria-label={title}>
      <Typography.Title level={2} className="section-title">
        {title}
      </Typography.Title>
      {children}
    </section>
  );
}
