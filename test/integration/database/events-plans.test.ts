import type pg from 'pg';
import { expect, test } from 'vitest';
import { attribute } from '../../support/config.ts';
import { column, type Events, eventSource, eventsDatabase } from './events-support.ts';

const MANY = 16_000;
const FEW = 100;

/** Rows read in one transaction, of the table of which most were read. */
async function mostRead(client: pg.Client, text: string): Promise<{ table: string; rows: number }> {
  await client.query('select pg_stat_force_next_flush()');
  await client.query('begin');
  await client.query(text);
  const { rows } = await client.query(
    `select relname as table, (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as rows from pg_stat_xact_all_tables
      where schemaname in ('rollcall', 'public') order by 2 desc limit 1`,
  );
  await client.query('commit');
  return rows[0] as { table: string; rows: number };
}

/** A log row of events of consecutive rows, as an SQL array of changes. */
function changes(log: number, from: number, count: number): string {
  return `array[row(${log}, '1000', 'public.visits', (select array_agg(jsonb_build_object('o', 'insert', 'k', n::text, 't', clock_timestamp(),
    'r', jsonb_build_object('id', n, 'customer_id', n)) order by n) from generate_series(${from}, ${from + count - 1}) n))::rollcall.change]`;
}

const write = (log: number, from: number, count: number, ready = true): string =>
  `select rollcall.write_events(rollcall.read_events(${changes(log, from, count)}), ${ready})`;
const pause = `select rollcall.pause_source('public.visits', 'drift', 'x')`;
const resume = `select rollcall.resume_source('public.visits')`;

async function visits(): Promise<Events> {
  const on = await eventsDatabase();
  await on.app.query(`
    create table public.customers (id int primary key, email text);
    create table public.visits (id int primary key, customer_id int);
    insert into rollcall.destinations (name, type, map_function, plan, account, takes_events) values ('one', 'x', 'm', '{}', 'a', true)`);
  const [table, customers] = [await on.table('visits'), await on.table('customers')];
  const via = {
    column: column(table, 'customer_id'),
    target: customers,
    targetColumn: column(customers, 'id'),
    link: { email: column(customers, 'email') },
  };
  await on.install(eventSource(table, { via }, { properties: [attribute('ID', 'id')] }));
  return on;
}

/** Customers, their contacts and states; every second one exists at the destination. */
async function people(on: Events, from: number, to: number): Promise<void> {
  await on.app.query(`
    insert into public.customers select n, n || '@x.y' from generate_series(${from}, ${to}) n;
    insert into rollcall.contacts (key) select 'email:' || n || '@x.y' from generate_series(${from}, ${to}) n;
    insert into rollcall.desired (destination_id, contact_id, action, address, remote_address, hash, version)
      select 1, c.id, 'upsert', substr(c.key, 7), case when c.id % 2 = 0 then substr(c.key, 7) end, '', 1
        from rollcall.contacts c where c.id not in (select contact_id from rollcall.desired)`);
}

for (const analyzed of [true, false])
  test(`no plan reads a whole table for a few events, in a session that began with empty tables ${analyzed ? 'and analyzed them' : ''}`, async () => {
    const on = await visits();
    const { app } = on;
    let log = 0;
    // Plans are made and kept while everything is small.
    await people(on, 1, 50);
    const all = async (from: number): Promise<Record<string, { table: string; rows: number }>> => {
      log += 10;
      const read: Record<string, { table: string; rows: number }> = {
        write: await mostRead(app, write(log, from, FEW)),
        unready: await mostRead(app, write(log + 1, from, FEW, false)),
        release: await mostRead(app, 'select rollcall.release_events()'),
        release_none: await mostRead(app, 'select rollcall.release_events()'),
        queue: await mostRead(
          app,
          `select rollcall.queue_events(1::smallint, array(select generate_series(${from}, ${from + FEW})))`,
        ),
        filter: await mostRead(
          app,
          `select rollcall.drop_filtered_events(1::smallint, array(select generate_series(${from}, ${from + FEW})))`,
        ),
        expire: await mostRead(app, `select rollcall.expire_events(${FEW})`),
      };
      await app.query(pause);
      read['hold'] = await mostRead(app, `select rollcall.read_events(${changes(log + 2, from, FEW)})`);
      read['paused'] = await mostRead(app, `select rollcall.read_events(null), rollcall.events_held()`);
      await app.query(resume);
      read['held'] = await mostRead(
        app,
        `select rollcall.events_held(), rollcall.read_events(${changes(log + 3, from, FEW)})`,
      );
      return read;
    };
    for (let n = 0; n < 7; n += 1) await all(1);
    if (analyzed) {
      await app.query('delete from rollcall.events; delete from rollcall.due');
      await on.db.sql.query(
        'analyze rollcall.events, rollcall.held_events, rollcall.desired, rollcall.contacts, rollcall.due',
      );
      for (let n = 0; n < 7; n += 1) await all(1);
    }
    await people(on, 51, MANY);
    for (let from = 1; from < MANY; from += 4_000) await app.query(write((log += 1), from, 4_000));
    // Of those that have ended, some long ago; of those that wait, some too long.
    await app.query(
      `update rollcall.events set state = 'delivered', ended_at = now() - seq * interval '1 minute' where seq % 3 = 0`,
    );
    await app.query(`update rollcall.events set wait_until = wait_until - interval '80 hours' where seq % 3 = 1`);
    await app.query(`insert into rollcall.held_events (source, log_id, place, event)
      select 'public.' || s, n, 1, '{}' from unnest(array['aaa', 'zzz']) s, generate_series(1, 100) n`);
    const { rows } = await app.query('select count(*)::int as events from rollcall.events');
    expect(rows[0].events).toBeGreaterThan(MANY - 1);
    for (const from of [MANY / 2, 1, MANY - FEW]) {
      const read = await all(from);
      // Each is a handful of rows for each event; a scan would read 16,000.
      const scans = Object.entries(read).filter(([, most]) => most.rows > FEW * 12);
      expect(scans).toEqual([]);
    }
  });
