import type { Evidence } from './evidence.ts';
import { judgeConsent } from './judge-consent.ts';
import { judgeContacts } from './judge-contacts.ts';
import { judgeEvents } from './judge-events.ts';
import { judgeLimits } from './judge-limits.ts';
import { judgeLogs } from './judge-logs.ts';
import { judgeOrder } from './judge-order.ts';

/** Everything that is wrong about a run, in words. */
export function judge(evidence: Evidence): readonly string[] {
  return [
    ...evidence.leftovers.map((what) => `left behind: ${what}`),
    ...evidence.appErrors.map((what) => `the app was hurt: ${what}`),
    ...judgeContacts(evidence),
    ...judgeOrder(evidence),
    ...judgeEvents(evidence),
    ...judgeLimits(evidence),
    ...judgeConsent(evidence),
    ...judgeLogs(evidence),
  ];
}
