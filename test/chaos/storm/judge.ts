import { GRACE_MS } from './destinations.ts';
import { type Evidence, senderOf } from './evidence.ts';
import { judgeConsent } from './judge-consent.ts';
import { judgeContacts } from './judge-contacts.ts';
import { judgeEvents } from './judge-events.ts';
import { judgeLimits } from './judge-limits.ts';
import { judgeLogs } from './judge-logs.ts';
import { judgeOrder } from './judge-order.ts';
import { judgeOverlap } from './judge-overlap.ts';

/** Everything that is wrong about a run, in words. */
export function judge(evidence: Evidence): readonly string[] {
  return [
    ...evidence.leftovers.map((what) => `left behind: ${what}`),
    ...evidence.appErrors.map((what) => `the app was hurt: ${what}`),
    ...judgeContacts(evidence),
    ...judgeOrder(evidence),
    ...judgeOverlap(evidence),
    ...judgeEvents(evidence),
    ...judgeLimits(evidence),
    ...judgeConsent(evidence),
    ...judgeLogs(evidence),
  ];
}

/**
 * A request that the machine itself kept for longer than the grace, its sender being awake: what is promised then is not what is
 * judged here. Such a run is played again.
 */
export function tooSlow({ exchanges, absences, sentAt }: Evidence): string | undefined {
  for (const exchange of exchanges) {
    const at = sentAt(exchange);
    const heldMs = Math.max(0, ...exchange.forwardedAt) - at;
    if (heldMs <= GRACE_MS) continue;
    const stopped = absences.some(({ pid, from, to }) => pid === senderOf(exchange) && from <= at + heldMs && at <= to);
    if (!stopped) return `exchange ${exchange.n} was on its way for ${Math.round(heldMs)} ms`;
  }
  return undefined;
}
