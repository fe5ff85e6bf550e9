import type { Json } from '../../../core/json.ts';
import type { ApiReply } from '../../../sandbox/api-request.ts';
import { type ApiError, invalid, reply } from './replies.ts';

const MOST = 100;
const USUAL = 50;

/** What a listing is made of. */
export interface Listing<Row> {
  readonly rows: Iterable<Row>;
  /** All of them when absent. */
  readonly where?: (row: Row) => boolean;
  /** What a cursor stands for: the last row of a page. */
  readonly key: (row: Row) => string;
  readonly view: (row: Row) => Json;
}

/**
 * One page of a listing: `limit` of 1 to 100, 50 when absent, and the `cursor` that the page before named as `next_cursor`
 * (documentation, "List contacts").
 */
export function page<Row>(
  query: URLSearchParams,
  { rows, where = () => true, key, view }: Listing<Row>,
): ApiReply | ApiError {
  const asked = query.get('limit');
  const limit = asked === null ? USUAL : Number(asked);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST) return invalid({ limit: `must be 1 to ${MOST}` });
  const cursor = query.get('cursor');
  const after = cursor === null ? undefined : Buffer.from(cursor, 'base64url').toString('utf8');
  const data: Json[] = [];
  let last: string | undefined;
  let begun = after === undefined;
  for (const row of rows) {
    if (!where(row)) continue;
    if (!begun) {
      begun = key(row) === after;
      continue;
    }
    if (data.length === limit) {
      return reply(200, { data, has_more: true, next_cursor: Buffer.from(last ?? '').toString('base64url') });
    }
    data.push(view(row));
    last = key(row);
  }
  if (!begun) return invalid({ cursor: 'is not valid' });
  return reply(200, { data, has_more: false, next_cursor: null });
}
