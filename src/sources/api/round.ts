import type { JsonObject } from '../../core/json.ts';
import type { Logger } from '../../engine/ports.ts';
import type { Client } from './client.ts';
import type { RowKey } from './filter.ts';
import type { Mirror, Part } from './mirror.ts';
import { fileStands, readFiles } from './objects.ts';
import { keyOf, MOST_KEYS, MOST_ROWS, readKeys, readRows, type RowPages } from './rows.ts';
import { MOST_AT_ONCE, MOST_USERS, readUser, readUsers, readUsersAtOnce, type UserPages } from './users.ts';
import { tableName } from '../../sql/inspect/table.ts';

/** What a reading works with. */
export interface Reading {
  readonly client: Client;
  readonly mirror: Mirror;
  readonly log: Logger;
  /** Learned while reading. */
  readonly users: UserPages;
  readonly rows: Map<string, RowPages>;
  /** Called between two pages, for what must not wait for the end. */
  readonly between: () => Promise<void>;
  /** Told after each page: whose, and how many rows so far. */
  readonly onPage?: ((name: string, rows: number) => void) | undefined;
}

/** What a round did. */
export interface RoundReport {
  /** Rows that were read. */
  readonly read: number;
  /** Rows that were not as they had been. */
  readonly written: number;
  readonly removed: number;
}

/** Whoever changed since then; nothing is said of who is gone. */
export interface Since {
  readonly at: string;
}

/** So many candidates are looked up before the next are read. */
const BITE = 500;
const TOGETHER = 8;

export function newReading(parts: Omit<Reading, 'users' | 'rows'>): Reading {
  return { ...parts, users: { cursor: undefined, size: MOST_USERS }, rows: new Map() };
}

/**
 * Reads everything once: users, tables, files. A row that was not seen is looked up by itself, and removed only when it is not there.
 * @param since reads of the tables that can tell only what changed since then, and removes nobody
 * @throws NotReader, Stopped, RollcallError
 */
export async function readRound(reading: Reading, since?: Since): Promise<RoundReport> {
  const { mirror } = reading;
  const sum = { read: 0, written: 0, removed: 0 };
  await mirror.round('began');
  for (const part of mirror.parts) {
    const done = await readPart(reading, part, since);
    sum.read += done.read;
    sum.written += done.written;
    sum.removed += done.removed;
  }
  await mirror.round('ended');
  return sum;
}

async function readPart(reading: Reading, part: Part, since: Since | undefined): Promise<RoundReport> {
  const { mirror } = reading;
  // One that was never read whole is read whole.
  if (since !== undefined && !part.quiet && part.columns.includes('updated_at') && part.shape.kind === 'rows') {
    return await readChanged(reading, part, since);
  }
  await mirror.begin(part);
  const count = { read: 0, written: 0 };
  const take = async (rows: readonly JsonObject[]): Promise<void> => {
    count.written += await takePage(reading, part, rows, true);
    count.read += rows.length;
    reading.onPage?.(part.name, count.read);
    await reading.between();
  };
  if (part.shape.kind === 'users') await readAllUsers(reading, part, take);
  else if (part.shape.kind === 'objects') await readFiles(reading.client, take);
  else await readTable(reading, part, take);
  const absent = since === undefined ? await judgeAbsent(reading, part) : { written: 0, removed: 0 };
  await mirror.end(part, since === undefined || part.quiet);
  return { read: count.read, written: count.written + absent.written, removed: absent.removed };
}

/**
 * Reads users until as many were seen as there are: the oldest first; then the newest, in pages of another size; then all in one page. What can
 * keep somebody off every page is told at `readUsersAtOnce`.
 */
async function readAllUsers(
  { client, mirror, users, log }: Reading,
  part: Part,
  take: (rows: readonly JsonObject[]) => Promise<void>,
): Promise<void> {
  const missing = async (total: number | undefined): Promise<boolean> =>
    total !== undefined && (await mirror.seenCount(part)) < total;
  if (!(await missing(await readUsers(client, users, take)))) return;
  const smaller = { ...users, size: Math.max(1, users.size - 7) };
  const total = await readUsers(client, smaller, take, 'desc');
  if (total === undefined || !(await missing(total))) return;
  if (total <= MOST_AT_ONCE) await readUsersAtOnce(client, total, take);
  if (!(await missing(total))) return;
  log.warn({ there: total }, 'the Admin API counts more users than it shows; the next reading looks again');
}

async function readTable(
  reading: Reading,
  part: Part,
  take: (rows: readonly JsonObject[]) => Promise<void>,
): Promise<void> {
  for (let after = part.place?.after; ;) {
    const rows = await readRows(reading.client, part, after, pagesOf(reading, part));
    const last = rows.at(-1);
    if (last === undefined) return;
    await take(rows);
    after = keyOf(part.shape, last);
  }
}

async function readChanged(reading: Reading, part: Part, { at }: Since): Promise<RoundReport> {
  let read = 0;
  let written = 0;
  for (let after: RowKey | undefined; ;) {
    const rows = await readRows(reading.client, part, after, pagesOf(reading, part), { column: 'updated_at', at });
    const last = rows.at(-1);
    if (last === undefined) return { read, written, removed: 0 };
    written += await takePage(reading, part, rows, false);
    read += rows.length;
    reading.onPage?.(part.name, read);
    after = keyOf(part.shape, last);
  }
}

/** Writes rows, and before them what they lead to: an event is never before its contact. */
async function takePage(
  reading: Reading,
  part: Part,
  rows: readonly JsonObject[],
  pass: boolean,
  depth = 0,
): Promise<number> {
  const { client, mirror } = reading;
  const last = rows.at(-1);
  if (last === undefined) return 0;
  if (depth < 4) {
    for (const { target, keys } of await mirror.missing(part, rows)) {
      const other = mirror.parts.find(({ name }) => name === target);
      if (other === undefined || other.quiet) continue;
      if (other.shape.kind === 'users') await freshUsers(reading, other, keys);
      else {
        for (let n = 0; n < keys.length; n += MOST_KEYS) {
          const some = keys.slice(n, n + MOST_KEYS).map((key): RowKey => [key]);
          const reference = part.shape.references.find((to) => tableName(to) === target);
          if (reference === undefined) continue;
          const found = await readKeys(client, other, [reference.targetColumn], some);
          await takePage(reading, other, found, false, depth + 1);
        }
      }
    }
  }
  return await mirror.write(part, rows, pass ? keyOf(part.shape, last) : undefined);
}

/** Reads users by their ids. @returns those who are gone */
async function freshUsers(
  reading: Reading,
  part: Part,
  ids: readonly string[],
): Promise<{ written: number; gone: readonly RowKey[] }> {
  const gone: RowKey[] = [];
  let written = 0;
  for (let n = 0; n < ids.length; n += TOGETHER) {
    const some = ids.slice(n, n + TOGETHER);
    const found = await Promise.all(some.map((id) => readUser(reading.client, id)));
    written += await reading.mirror.write(
      part,
      found.filter((user) => typeof user === 'object'),
    );
    gone.push(...some.filter((_, i) => found[i] === 'gone').map((id): RowKey => [id]));
  }
  return { written, gone };
}

/** Looks up by itself whoever was not seen: who is there is written, who is not is removed. */
async function judgeAbsent(reading: Reading, part: Part): Promise<{ written: number; removed: number }> {
  let written = 0;
  let removed = 0;
  for (let after: RowKey | undefined; ;) {
    const keys = await reading.mirror.unseen(part, after, BITE);
    after = keys.at(-1);
    if (after === undefined) return { written, removed };
    const fresh = await lookUp(reading, part, keys);
    written += fresh.written;
    removed += fresh.removed;
    await reading.between();
  }
}

/**
 * Reads rows again by their keys: what is there is written, what is not is removed.
 * @throws as `readRound`
 */
export async function lookUp(
  reading: Reading,
  part: Part,
  keys: readonly RowKey[],
): Promise<{ written: number; removed: number }> {
  const { client, mirror } = reading;
  if (part.shape.kind === 'users') {
    const { written, gone } = await freshUsers(
      reading,
      part,
      keys.map(([id = '']) => id),
    );
    await mirror.remove(part, gone);
    return { written, removed: gone.length };
  }
  if (part.shape.kind === 'objects') {
    const gone: RowKey[] = [];
    for (const { key, bucket, name } of await mirror.files(part, keys)) {
      if (!(await fileStands(client, bucket, name, key))) gone.push([key]);
    }
    await mirror.remove(part, gone);
    return { written: 0, removed: gone.length };
  }
  let written = 0;
  let removed = 0;
  for (let n = 0; n < keys.length; n += MOST_KEYS) {
    const some = keys.slice(n, n + MOST_KEYS);
    const rows = await readKeys(client, part, part.shape.key, some);
    written += await takePage(reading, part, rows, false);
    const found = await mirror.canonical(
      part,
      rows.map((row) => keyOf(part.shape, row)),
    );
    const there = new Set(found.map((key) => JSON.stringify(key)));
    const gone = (await mirror.canonical(part, some)).filter((key) => !there.has(JSON.stringify(key)));
    await mirror.remove(part, gone);
    removed += gone.length;
  }
  return { written, removed };
}

function pagesOf({ rows }: Reading, { name }: Part): RowPages {
  const known = rows.get(name) ?? { size: MOST_ROWS };
  rows.set(name, known);
  return known;
}
