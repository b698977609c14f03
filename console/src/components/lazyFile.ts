import { createElement, lazy, type ComponentType } from "react";

import { wait } from "./wait";

const PAUSE_MS = 500;

/** The error of a file that could not be loaded: the server is away, or an upgrade has replaced the file. */
export class FileLoadError extends Error {}

const failed = new Set<() => void>();

/** Load a file, and once more after a pause if that fails. Throw FileLoadError if it fails again. */
export async function loadTwice<Loaded>(
  load: () => Promise<Loaded>,
  pause: () => Promise<void> = () => wait(PAUSE_MS),
): Promise<Loaded> {
  try {
    return await load();
  } catch {
    await pause();
  }
  try {
    return await load();
  } catch (error) {
    throw new FileLoadError("A file of the console cannot be loaded", { cause: error });
  }
}

/** Load a component of its own file when it is first shown. It needs a LoadBoundary and a Suspense around it. */
export function lazyFile<Props extends object>(
  load: () => Promise<{ default: ComponentType<Props> }>,
): ComponentType<Props> {
  const create = () =>
    lazy(() =>
      loadTwice(load).catch((error: unknown) => {
        failed.add(() => {
          current = create();
        });
        throw error;
      }),
    ) as unknown as ComponentType<Props>;
  let current = create();
  return (props) => createElement(current, props);
}

/** Let each file that could not be loaded be loaded anew when it is shown again; React remembers its failure. */
export function forgetFailures(): void {
  for (const forget of failed) forget();
  failed.clear();
}
