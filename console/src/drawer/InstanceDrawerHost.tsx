import { lazy, Suspense } from "react";

import { INSTANCE_PARAM } from "../components/InstanceLink";
import { useAddress } from "../components/useAddress";

const InstanceDrawer = lazy(() => import("./InstanceDrawer"));

/** Open the drawer of the instance that the address names. */
export function InstanceDrawerHost() {
  const { params, change } = useAddress();
  const id = params.get(INSTANCE_PARAM);
  if (id === null || id === "") return null;
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
