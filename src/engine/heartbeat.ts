import type { Logger } from './ports.ts';
import { createTrouble } from './trouble.ts';
import { pause } from './wake.ts';

/** Says every few seconds that this home is at work, until the signal aborts. What fails holds up nothing. */
export async function runHeartbeat(
  { say, log, everyMs }: { readonly say: () => Promise<void>; readonly log: Logger; readonly everyMs: number },
  signal: AbortSignal,
): Promise<void> {
  const trouble = createTrouble(log, {}, 'say that it is at work');
  while (!signal.aborted) {
    try {
      await say();
      trouble.worked();
    } catch (error) {
      trouble.failed(error);
    }
    await pause(everyMs, signal);
  }
}
