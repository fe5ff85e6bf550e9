import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import { invalid, outOfRange } from './replies.ts';

/** A part of what there is, as the query asks for. */
export interface Page {
  readonly limit: number;
  readonly offset: number;
  /** Newest first unless it says otherwise. */
  readonly ascending: boolean;
}

/**
 * Reads `limit`, `offset` and `sort`.
 * @returns the refusal of a limit that is too large, or of what is no number
 */
export function pageOf(
  { query }: ApiRequest,
  limits: { readonly usual: number; readonly most: number },
): Page | ApiReply {
  const limit = Number(query.get('limit') ?? limits.usual);
  const offset = Number(query.get('offset') ?? 0);
  const sort = query.get('sort') ?? 'desc';
  if (!Number.isInteger(limit) || !Number.isInteger(offset) || offset < 0)
    return invalid('limit or offset is not a number');
  if (limit < 0 || limit > limits.most) return outOfRange(`Limit exceeds max value ${limits.most}`);
  return sort === 'asc' || sort === 'desc'
    ? { limit, offset, ascending: sort === 'asc' }
    : invalid('sort is not asc or desc');
}

/** @param all oldest first */
export function slice<Value>(all: Iterable<Value>, { limit, offset, ascending }: Page): Value[] {
  const ordered = ascending ? [...all] : [...all].toReversed();
  return ordered.slice(offset, offset + limit);
}
