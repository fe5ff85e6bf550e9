import type { Io } from './io.ts';

const EXIT_CODE = { SIGINT: 130, SIGTERM: 143 } as const;

/** Aborts at the first SIGINT or SIGTERM; the second ends the process at once. */
export function stopSignal(io: Io): { readonly signal: AbortSignal; done(): void } {
  const controller = new AbortController();
  const done = io.onSignal((name) => {
    if (controller.signal.aborted) io.exitNow(EXIT_CODE[name]);
    else controller.abort();
  });
  return { signal: controller.signal, done };
}
