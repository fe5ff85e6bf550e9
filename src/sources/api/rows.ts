import { RollcallError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { type Client, tookTooLong } from './client.ts';
import { among, behind, byKey, query, quotedName, type RowKey } from './filter.ts';
import { textOf } from './text-of.ts';
import type { Answered } from './project.ts';
import { type MirrorShape } from './shape.ts';
import { tableName } from '../../sql/inspect/table.ts';

/** What is read of one table. */
export interface TableRead {
  readonly shape: MirrorShape;
  readonly columns: readonly string[];
}

/** How many rows a page has: fewer after a statement that took too long, more again later. */
export interface RowPages {
  size: number;
}

/** The platform's own limit (`db-max-rows`), which cuts without a word. */
export const MOST_ROWS = 1_000;
/** Keys that are looked up together: they stand in the URL. */
export const MOST_KEYS = 50;
const FEWEST_ROWS = 10;

/**
 * The rows behind a key, in the key's order. Fewer than were asked for may mean that the server gives no more at once: only an empty page
 * is the end.
 * @throws RollcallError `RC_API_ROWS`, `RC_API_TABLE`, and what `Client.ask` throws
 */
export async function readRows(
  client: Client,
  table: TableRead,
  after: RowKey | undefined,
  pages: RowPages,
  since?: { readonly column: string; readonly at: string },
): Promise<readonly JsonObject[]> {
  const { key } = table.shape;
  for (;;) {
    const answer = await askRows(client, table, {
      ...(after === undefined ? {} : behind(key, after)),
      ...(since === undefined ? {} : { [quotedName(since.column)]: `gte.${since.at}` }),
      order: byKey(key),
      limit: String(pages.size),
    });
    const rows = rowsIn(answer);
    if (rows !== undefined) {
      pages.size = Math.min(MOST_ROWS, Math.ceil(pages.size * 1.25));
      return rows;
    }
    // The statement was cancelled after 8 s, or the answer is longer than what is read of one.
    if (!(tookTooLong(answer) || answer.status === 200) || pages.size <= FEWEST_ROWS)
      throw unreadable(client, table, answer);
    pages.size = Math.max(FEWEST_ROWS, Math.floor(pages.size / 4));
  }
}

/**
 * The rows that have these keys, of at most `MOST_KEYS`; who is not among them is not there.
 * @throws RollcallError as `readRows`
 */
export async function readKeys(
  client: Client,
  table: TableRead,
  columns: readonly string[],
  keys: readonly RowKey[],
): Promise<readonly JsonObject[]> {
  const answer = await askRows(client, table, { ...among(columns, keys) });
  const rows = rowsIn(answer);
  if (rows === undefined) throw unreadable(client, table, answer);
  return rows;
}

/** The key of a row, in the server's own digits and letters. */
export function keyOf({ key }: MirrorShape, row: JsonObject): RowKey {
  return key.map((column) => textOf(row[column]));
}

function askRows(
  client: Client,
  { shape, columns }: TableRead,
  conditions: Readonly<Record<string, string>>,
): Promise<Answered> {
  const path = `/rest/v1/${encodeURIComponent(shape.table)}`;
  const asked = query({ select: columns.map(quotedName).join(','), ...conditions });
  const headers: Record<string, string> = shape.schema === 'public' ? {} : { 'accept-profile': shape.schema };
  return client.ask(`${path}?${asked}`, { headers });
}

function rowsIn({ status, json }: Answered): readonly JsonObject[] | undefined {
  return (status === 200 || status === 206) && Array.isArray(json) ? (json as readonly JsonObject[]) : undefined;
}

function unreadable({ host }: Client, { shape }: TableRead, { status, json }: Answered): RollcallError {
  const code = isJsonObject(json) && typeof json['code'] === 'string' ? json['code'] : undefined;
  const name = tableName(shape);
  const hint =
    code === '42501'
      ? `Grant it: grant select on ${name} to service_role;`
      : 'See the logs of the project (dashboard, Logs, Postgres and API).';
  return new RollcallError(
    'RC_API_ROWS',
    `The Data API of ${host} gives no rows of ${name} (HTTP ${status}${code === undefined ? '' : `, ${code}`}).`,
    {
      hint,
    },
  );
}
