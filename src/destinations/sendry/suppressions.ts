import type { Exchange, HttpResponse } from '../../core/destination.ts';
import type { JsonObject } from '../../core/json.ts';
import type { RemoteSuppression, SuppressionPlan } from '../../core/suppressions.ts';
import type { SendryConfig } from './config.ts';
import { failureOf, isForeign, stopped } from './failure.ts';
import { get, paged, pageIn } from './reads.ts';

type Page = { readonly rows: readonly RemoteSuppression[]; readonly next?: string | undefined };

/** What each listing is called in `next`, before its own cursor. */
const UNSUBSCRIBES = 'unsubscribes:';
const SUPPRESSION = 'suppression:';

const REASONS: Readonly<Record<string, RemoteSuppression['reason']>> = {
  hard_bounce: 'bounce',
  bounce: 'bounce',
  complaint: 'complaint',
  unsubscribe: 'unsubscribe',
};

function row({ email, created_at: at }: JsonObject, reason: RemoteSuppression['reason']): RemoteSuppression[] {
  if (typeof email !== 'string' || email === '') return [];
  return [typeof at === 'string' ? { address: email, reason, at } : { address: email, reason }];
}

function suppressed(each: JsonObject): RemoteSuppression[] {
  const { reason } = each;
  return row(each, (typeof reason === 'string' ? REASONS[reason] : undefined) ?? 'manual');
}

/** Somebody who left one list we do not write to has not left: Sendry keeps that by itself. */
function unsubscribed(each: JsonObject, { audience_id: audience }: SendryConfig): RemoteSuppression[] {
  const { list_id: list } = each;
  return list === null || list === undefined || list === audience ? row(each, 'unsubscribe') : [];
}

function read(
  response: HttpResponse,
  rowsOf: (each: JsonObject) => RemoteSuppression[],
  { same, after }: { readonly same: string; readonly after: string | undefined },
): ReturnType<Exchange<Page>['interpret']> {
  const found = failureOf(response) === undefined ? pageIn(response.body) : undefined;
  if (found === undefined) return stopped(response);
  const next = found.next === undefined ? after : same + found.next;
  return { ok: true, value: { rows: found.rows.flatMap(rowsOf), next } };
}

/**
 * Who must not be mailed: the suppression list (documentation, "Suppression List"), then the unsubscribes (sendry-js,
 * `resources/unsubscribes.ts`; no page documents them, so an account without them has none).
 */
export const suppressions: SuppressionPlan<SendryConfig> = {
  page(after, config) {
    if (after?.startsWith(UNSUBSCRIBES) === true) {
      const cursor = after.slice(UNSUBSCRIBES.length) || undefined;
      return {
        request: get(config, paged('/v1/unsubscribes', cursor)),
        interpret(response): ReturnType<Exchange<Page>['interpret']> {
          if (response.status === 404 && !isForeign(response)) return { ok: true, value: { rows: [] } };
          return read(response, (each) => unsubscribed(each, config), { same: UNSUBSCRIBES, after: undefined });
        },
      };
    }
    return {
      request: get(config, paged('/v1/suppression', after?.slice(SUPPRESSION.length))),
      interpret: (response) => read(response, suppressed, { same: SUPPRESSION, after: UNSUBSCRIBES }),
    };
  },
};
