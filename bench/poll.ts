import { once } from 'node:events';

/**
 * Waits until a condition holds.
 * @throws Error when it does not in time
 */
export async function poll(condition: () => Promise<boolean>, everyMs = 10, longestMs = 10 * 60_000): Promise<void> {
  const deadline = performance.now() + longestMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`the bench waited in vain for ${longestMs / 1_000} s`);
    await passed(everyMs);
  }
}

/** Waits so long. */
export async function passed(ms: number): Promise<void> {
  await once(AbortSignal.timeout(Math.ceil(ms)), 'abort');
}
