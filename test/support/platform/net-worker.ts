import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { Agent } from 'undici';
import type { Host } from './extension.ts';
import { NET_CHANNEL, NET_VERSION } from './net.ts';
import { exchange, type QueuedRequest, type RecordedAnswer } from './net-exchange.ts';

/** pg_net's settings, and what a test wants quicker; the defaults are the real ones. */
export interface NetWorkerOptions {
  /** Requests of one transaction. */
  readonly batchSize?: number;
  /** Between two batches, however fast the first one was. */
  readonly pauseMs?: number;
  /** How long answers are kept: an interval. */
  readonly ttl?: string;
  /** Until a worker that died is started again. */
  readonly restartMs?: number;
}

/** What goes wrong next, on demand. */
export interface NetFaults {
  /** The worker dies with its next batch, when all of it was sent: nothing is recorded, and all is sent again. */
  dieAfterSending: boolean;
  /** So many answers are received and not recorded. */
  dropAnswers: number;
  /** So many batches leave the queue and are neither sent nor answered. */
  swallowBatches: number;
}

/** The background worker of pg_net, in the test's process. */
export interface NetWorker {
  readonly faults: NetFaults;
  /** Requests that went out, those sent again included. */
  readonly sent: number;
  /** Batches that were committed. */
  readonly batches: number;
  /** As a crash of the database leaves it: what is in flight is lost, both tables are empty, and ids start from 1 again. */
  crash(): Promise<void>;
  /** The worker is gone, and nothing starts it. */
  stop(): Promise<void>;
  start(): void;
}

const TAKE = `
with first as (select id from net.http_request_queue order by id limit $1)
delete from net.http_request_queue q using first where q.id = first.id
returning q.id, q.method, q.url, q.headers, q.body, q.timeout_milliseconds`;

const EXPIRE = `
delete from net._http_response r using (
  select ctid from net._http_response where created < now() - $1::interval order by created limit $2) old where r.ctid = old.ctid`;

const RECORD = `
insert into net._http_response (id, status_code, content_type, headers, content, timed_out, error_msg)
select id, status_code, content_type, headers, content, timed_out, error_msg from json_populate_recordset(null::net._http_response, $1)`;

/** What has been asked for, committed or not. */
const ASKED = `select last_value::text || is_called as asked from net.http_request_queue_id_seq`;

const POLL_MS = 5;

/**
 * Starts it on a database with `createNet`. What differs from the real one: it looks for work every few milliseconds instead of
 * being woken at a commit, so a request that somebody inserted past the functions goes out too; and `pg_terminate_backend` kills it
 * in its batch, where the real one ends the batch first. As there, one that finds its tables locked sleeps until something
 * more is asked for, or `net.wake()`.
 */
export function startNetWorker(host: Host, options: NetWorkerOptions = {}): NetWorker {
  const { batchSize = 200, pauseMs = 1000, ttl = '6 hours', restartMs = 1000 } = options;
  const faults: NetFaults = { dieAfterSending: false, dropAnswers: 0, swallowBatches: 0 };
  const agent = new Agent({ connections: null });
  let [sent, batches] = [0, 0];
  let life: { readonly ends: AbortController; readonly over: Promise<void> } | undefined;

  /** One transaction: takes, sends, waits for the slowest, records. */
  const batch = async (client: pg.Client, signal: AbortSignal): Promise<boolean> => {
    await client.query('begin');
    await client.query('lock table net.http_request_queue, net._http_response in access share mode nowait');
    const expired = await client.query(EXPIRE, [ttl, batchSize]);
    const { rows } = await client.query<QueuedRequest>(TAKE, [batchSize]);
    const swallowed = rows.length > 0 && faults.swallowBatches > 0;
    if (swallowed) faults.swallowBatches -= 1;
    const answers: RecordedAnswer[] = [];
    if (!swallowed) {
      sent += rows.length;
      answers.push(...(await Promise.all(rows.map((row) => exchange(row, agent, signal)))));
    }
    if (rows.length > 0 && faults.dieAfterSending) {
      faults.dieAfterSending = false;
      throw new Error('told to die');
    }
    signal.throwIfAborted();
    const kept = answers.slice(Math.min(faults.dropAnswers, answers.length));
    faults.dropAnswers -= answers.length - kept.length;
    if (kept.length > 0) await client.query(RECORD, [JSON.stringify(kept)]);
    await client.query('commit');
    if (rows.length > 0) batches += 1;
    return rows.length > 0 || (expired.rowCount ?? 0) > 0;
  };

  /** From one start of the worker to its end, which comes as a throw. */
  const session = async (signal: AbortSignal): Promise<void> => {
    const client = new pg.Client({ connectionString: host.url, application_name: `pg_net ${NET_VERSION}` });
    const ended = new AbortController();
    const either = AbortSignal.any([signal, ended.signal]);
    const restart = new AbortController();
    let asleep: string | undefined;
    client.on('error', () => ended.abort());
    client.on('end', () => ended.abort());
    client.on('notification', ({ payload }) => {
      asleep = undefined;
      if (payload === 'restart') restart.abort();
    });
    try {
      await client.connect();
      await client.query(`listen ${NET_CHANNEL}`);
      while (!restart.signal.aborted) {
        either.throwIfAborted();
        if (asleep === undefined || asleep !== (await askedBy(client))) {
          asleep = undefined;
          const worked = await batch(client, either).catch(async (error: unknown) => {
            asleep = await leaveLocked(client, error);
            return false;
          });
          if (worked) await pause(pauseMs, undefined, { signal: either });
        }
        await pause(POLL_MS, undefined, { signal: either });
      }
    } finally {
      client.connection.stream.destroy();
    }
  };

  const live = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await session(signal).catch(() => undefined);
      await pause(restartMs, undefined, { signal }).catch(() => undefined);
    }
  };

  const worker: NetWorker = {
    faults,
    get sent() {
      return sent;
    },
    get batches() {
      return batches;
    },
    async crash() {
      await worker.stop();
      await host.app.query('truncate net.http_request_queue, net._http_response restart identity');
      worker.start();
    },
    async stop() {
      life?.ends.abort();
      await life?.over;
      life = undefined;
    },
    start() {
      const ends = new AbortController();
      life ??= { ends, over: live(ends.signal) };
    },
  };
  worker.start();
  return worker;
}

/** A table that is locked, or is not there, is left alone. @returns what had been asked for until then */
async function leaveLocked(client: pg.Client, error: unknown): Promise<string | undefined> {
  const { code } = error as { code?: string };
  if (code !== '55P03' && code !== '42P01' && code !== '3F000') throw error;
  await client.query('rollback');
  return code === '55P03' ? askedBy(client) : undefined;
}

async function askedBy(client: pg.Client): Promise<string> {
  return (await client.query<{ asked: string }>(ASKED)).rows[0]!.asked;
}
