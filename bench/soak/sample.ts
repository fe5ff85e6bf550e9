import type pg from 'pg';
import { tableSizes } from '../sizes.ts';
import type { Worker } from '../worker.ts';
import type { Load } from './load.ts';

/** What one look saw: name of a series -> value. A series that could not be read then is absent. */
export interface Sample {
  /** Seconds since the load began. */
  readonly at: number;
  readonly values: Readonly<Record<string, number>>;
}

/** How the values of a series are shown and judged. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  /** Which series share a picture. */
  readonly group: string;
  /** Flat: the last third is at most the first third times this, and this much more. Not judged where absent. */
  readonly flat?: { readonly times: number; readonly more: number } | undefined;
}

const MEMORY = { times: 1.15, more: 15 };

/** Every series but those of single tables, whose names are known only then. */
export const SERIES: readonly Series[] = [
  { name: 'worker 1 RSS', unit: 'MB', group: 'Memory of the workers', flat: MEMORY },
  { name: 'worker 1 heap', unit: 'MB', group: 'Memory of the workers', flat: MEMORY },
  // It is killed now and then: what it leaves behind would be seen elsewhere.
  { name: 'worker 2 RSS', unit: 'MB', group: 'Memory of the workers', flat: MEMORY },
  { name: 'worker 2 heap', unit: 'MB', group: 'Memory of the workers', flat: MEMORY },
  { name: 'all tables', unit: 'MB', group: 'Size of the schema', flat: { times: 1.15, more: 8 } },
  { name: 'connections', unit: '', group: 'Connections of the workers', flat: { times: 1, more: 2 } },
  { name: 'latency p50', unit: 'ms', group: 'Commit to accepted', flat: { times: 1.5, more: 20 } },
  { name: 'latency p99', unit: 'ms', group: 'Commit to accepted', flat: { times: 1.5, more: 500 } },
  { name: 'due', unit: '', group: 'What waits', flat: { times: 1.5, more: 200 } },
  { name: 'lag', unit: 'ms', group: 'What waits', flat: { times: 1.5, more: 500 } },
];

/** A series of one table. @param name of the table */
export function tableSeries(name: string): Series {
  return { name, unit: 'MB', group: 'Size of the schema', flat: { times: 1.3, more: 8 } };
}

/** Everything that is looked at, now. */
export async function look(
  at: number,
  client: pg.Client,
  workers: readonly (Worker | undefined)[],
  load: Load,
): Promise<Sample> {
  const values: Record<string, number> = {};
  for (const [n, worker] of workers.entries()) {
    const used = worker?.used();
    if (used !== undefined) values[`worker ${n + 1} RSS`] = used.rssMb;
    const heap = await worker?.heapMb();
    if (heap !== undefined) values[`worker ${n + 1} heap`] = heap;
  }
  const sizes = await tableSizes(client);
  for (const [name, bytes] of sizes) values[name] = bytes / 2 ** 20;
  values['all tables'] = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0) / 2 ** 20;
  const { rows } = await client.query<{ connections: number; due: number; lag: number }>(
    `select (select count(*)::int from pg_stat_activity where application_name = 'rollcall') as connections,
            (select count(*)::int from rollcall.due) as due, rollcall.fold_lag_ms()::float8 as lag`,
  );
  Object.assign(values, rows[0]);
  const latencies = (await load.latencies()).toSorted((a, b) => a - b);
  if (latencies.length > 0) {
    values['latency p50'] = latencies[latencies.length >> 1]!;
    values['latency p99'] = latencies[Math.floor(latencies.length * 0.99)]!;
  }
  return { at, values };
}
