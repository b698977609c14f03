import { useSyncExternalStore } from "react";

const QUERY = "(prefers-reduced-motion: reduce)";

/** Return whether the system asks for less motion, now and after each change of it. */
export function useReducesMotion(): boolean {
  return useSyncExternalStore(listen, reducesMotion);
}

function listen(onChange: () => void): () => void {
  const query = window.matchMedia(QUERY);
  query.addEventListener("change", onChange);
  return () => {
    query.removeEventListener("change", onChange);
  };
}

function reducesMotion(): boolean {
  return window.matchMedia(QUERY).matches;
}
