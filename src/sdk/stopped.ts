import { RollcallError } from '../core/errors.ts';

/** @throws RollcallError `RC_STOPPED` once the signal has aborted */
export function throwIfStopped(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new RollcallError('RC_STOPPED', 'Rollcall was stopped before everything was sent.', {
    hint: 'What came before is sent, or in the queue; the rest is to be told again after a start.',
  });
}
