import { alertWords } from '../core/alert-message.ts';
import type { AlertKind } from '../core/alerts.ts';
import type { SweepReport } from '../engine/sweep-report.ts';
import type { Notice } from '../sql/store/past-deliveries.ts';
import { count } from './layout.ts';
import { sweepInShort } from './sweep-view.ts';

/** What a notice says, in a sentence. */
export function noticeWords({ kind, subject, detail, over }: Notice): string {
  switch (kind) {
    case 'alert': {
      const { kind: alert, ...rest } = detail;
      const [what] = alertWords({ kind: alert as AlertKind, subject, detail: rest as Record<string, string | number> });
      return over ? `over: ${what}` : what;
    }
    case 'pause':
      return `${subject} was paused (${String(detail['code'])}): nothing is sent to it.`;
    case 'brake':
      return `the brake on ${String(detail['kind'])} stopped at ${subject}.`;
    case 'backfill': {
      const of = subject === '' ? '' : ` of ${subject}`;
      return over
        ? `the backfill${of} was done: ${count(Number(detail['rows']), 'row')} read.`
        : `a backfill${of} began.`;
    }
    case 'sweep': {
      const found = 'found' in detail ? sweepInShort(detail as unknown as SweepReport) : undefined;
      return found === undefined ? 'a sweep found everybody in step.' : `a sweep found ${found}.`;
    }
  }
}
