import type { Outcome, OutcomeKind } from '../core/outcome.ts';
import { must } from './must.ts';

const KINDS: readonly OutcomeKind[] = ['delivered', 'retry', 'throttle', 'reject', 'config', 'unknown'];
const LONGEST_MESSAGE = 500;

/** That a value is an outcome as the engine can keep one. */
export function mustBeOutcome(outcome: Outcome | undefined, of: unknown): asserts outcome is Outcome {
  must(outcome !== undefined && KINDS.includes(outcome.kind), `every operation has an outcome: ${KINDS.join(', ')}`, {
    outcome,
    of,
  });
  if (outcome.kind === 'delivered') {
    const { remoteId } = outcome;
    must(
      remoteId === undefined || (typeof remoteId === 'string' && remoteId !== ''),
      '`remoteId` is a text, or absent',
      { outcome, of },
    );
    return;
  }
  const { code, message, retryAfterMs } = outcome;
  must(/^[a-z][a-z0-9_]*$/.test(code), '`code` is a stable word in lower case', { outcome, of });
  must(
    typeof message === 'string' && message.length <= LONGEST_MESSAGE,
    `\`message\` has at most ${LONGEST_MESSAGE} characters (\`cut\`)`,
    { length: message.length, of },
  );
  const sane = retryAfterMs === undefined || (Number.isFinite(retryAfterMs) && retryAfterMs >= 0);
  must(sane, '`retryAfterMs` is a time, or absent', { outcome, of });
}
