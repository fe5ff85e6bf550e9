import type { JsonObject } from '../../core/json.ts';
import type { RemoteSuppression, SuppressionPlan } from '../../core/suppressions.ts';
import type { MailtrapConfig } from './config.ts';
import { stopped } from './failure.ts';
import { suppressionsPath } from './paths.ts';
import { get, rows } from './reads.ts';

const REASONS: Readonly<Record<string, RemoteSuppression['reason']>> = {
  unsubscription: 'unsubscribe',
  'spam complaint': 'complaint',
  'hard bounce': 'bounce',
  'manual import': 'manual',
};

/** A row; a reason that nobody knows is one of somebody's own. */
function suppression({ email, type, created_at: at }: JsonObject): RemoteSuppression[] {
  if (typeof email !== 'string' || email.trim() === '') return [];
  const reason = (typeof type === 'string' ? REASONS[type] : undefined) ?? 'manual';
  return [{ address: email.trim(), reason, at: typeof at === 'string' ? at : undefined }];
}

/**
 * GET .../suppressions (OpenAPI "Email Sending" 2.0.0): at most 1,000 rows, those after `last_id`. One for each domain and stream, so
 * that an address may come more than once. Pages end with an empty one: it is not said that a page which is not full is the last.
 */
export const suppressions: SuppressionPlan<MailtrapConfig> = {
  page: (after, config) => ({
    request: get(
      config,
      suppressionsPath(config) + (after === undefined ? '' : `?last_id=${encodeURIComponent(after)}`),
    ),
    interpret(response): ReturnType<ReturnType<typeof suppressions.page>['interpret']> {
      const found = rows(response);
      if (found === undefined) return stopped(response);
      const last = found.at(-1)?.['id'];
      const value = { rows: found.flatMap(suppression) };
      // A server that does not know `last_id` gives the same page again.
      return { ok: true, value: typeof last === 'string' && last !== after ? { ...value, next: last } : value };
    },
  }),
};
