import { Suspense, useEffect } from "react";

import { INSTANCE_PARAM } from "../components/InstanceLink";
import { lazyFile } from "../components/lazyFile";
import { LoadBoundary } from "../components/LoadBoundary";
import { returnFocus } from "../components/returnFocus";
import { useAddress } from "../components/useAddress";

const InstanceDrawer = lazyFile(() => import("./InstanceDrawer"));

/** Open the drawer of the instance that the address names; its link gets the focus back. */
export function InstanceDrawerHost() {
  const { params, change } = useAddress();
  const id = params.get(INSTANCE_PARAM);
  const isOpen = id !== null && id !== "";
  useEffect(() => {
    if (!isOpen) return;
    const opener = document.activeElement;
    return () => {
      returnFocus(opener);
    };
  }, [isOpen]);
  if (!isOpen) return null;
  const close = () => {
    change({ [INSTANCE_PARAM]: null });
  };
  return (
    <LoadBoundary of={id} onClose={close}>
      <Suspense>
        <InstanceDrawer id={id} onClose={close} />
      </Suspense>
    </LoadBoundary>
  );
}
