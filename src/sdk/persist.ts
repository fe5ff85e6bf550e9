import { RollcallError } from '../core/errors.ts';
import type { Outcome } from '../core/outcome.ts';
import { redact } from '../core/redact.ts';
import { retryDelayMs, type RetrySchedule, throttleMs } from '../core/retry.ts';
import { pause } from '../engine/wake.ts';
import { throwIfStopped } from './stopped.ts';

/** How long what failed is tried again: somebody waits for it. */
export const TRY_MS = 30_000;
const NO_PERMIT: Outcome = { kind: 'throttle', code: 'no_permit', message: 'The limit left no room for the request.' };

/**
 * Attempts something until it is accepted, with the waits of deliveries. What is refused, or needs a person, is not tried again.
 * @param name of the destination, for messages
 * @param attempt undefined: the limit gave no permit
 * @param stopping ends the waits
 * @throws RollcallError `RC_NOT_DELIVERED` with the destination's own words, `RC_STOPPED`
 */
export async function persist(
  name: string,
  retry: RetrySchedule,
  stopping: AbortSignal,
  attempt: () => Promise<Outcome | undefined>,
): Promise<void> {
  const until = performance.now() + TRY_MS;
  for (let tries = 1; ; tries += 1) {
    throwIfStopped(stopping);
    const outcome = (await attempt()) ?? NO_PERMIT;
    if (outcome.kind === 'delivered') return;
    const waitMs =
      outcome.kind === 'throttle'
        ? throttleMs(retry, outcome.retryAfterMs)
        : retryDelayMs(retry, { tries, random: Math.random(), retryAfterMs: outcome.retryAfterMs });
    const isOver = outcome.kind === 'reject' || outcome.kind === 'config' || performance.now() + waitMs > until;
    if (isOver) throw notDelivered(name, outcome, tries);
    await pause(waitMs, stopping);
  }
}

function notDelivered(name: string, outcome: Exclude<Outcome, { kind: 'delivered' }>, tries: number): RollcallError {
  const { kind, code, message } = outcome;
  const again = tries === 1 ? '' : ` after ${tries} attempts`;
  const hint =
    kind === 'config'
      ? 'Mend the key, the scope or the plan there.'
      : kind === 'reject'
        ? 'It will not be taken as it is: mend what it names.'
        : 'Try again later; with a database URL it would wait in the queue by itself.';
  return new RollcallError('RC_NOT_DELIVERED', `${name} did not take it${again} (${code}): ${redact(message)}`, {
    hint,
  });
}
