import { lazy, Suspense, useEffect } from "react";

import { INSTANCE_PARAM } from "../components/InstanceLink";
import { returnFocus } from "../components/returnFocus";
import { useAddress } from "../components/useAddress";

const InstanceDrawer = lazy(() => import("./InstanceDrawer"));

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
  return (
    <Suspense>
      <InstanceDrawer
        id={id}
        onClose={() => {
          change({ [INSTANCE_PARAM]: null });
        }}
      />
    </Suspense>
  );
}
