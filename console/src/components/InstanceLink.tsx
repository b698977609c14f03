import type { ReactNode } from "react";
import { Link } from "wouter";

import { useAddress } from "./useAddress";

/** Name of the parameter with the instance whose drawer is open. */
export const INSTANCE_PARAM = "instance";

interface InstanceLinkProps {
  readonly id: string;
  readonly children?: ReactNode;
}

/** A link that opens an instance's drawer above the page that it is on. */
export function InstanceLink({ id, children = id }: InstanceLinkProps) {
  const { hrefWith } = useAddress();
  return (
    <Link href={hrefWith({ [INSTANCE_PARAM]: id })} className="instance-id">
      {children}
    </Link>
  );
}
