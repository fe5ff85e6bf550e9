import { afterAll, beforeAll, expect, test } from 'vitest';
import { onCleanup } from '../../support/database.ts';
import { eventually, expectInStep, PATIENCE_MS, signUpMany } from '../../support/people.ts';
import { applyWal, captured, dropSlot, handedBack, startWalServer, until, type WalServer } from '../../support/wal.ts';
import { rollcall, tempFile } from '../../cli/run-cli.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';
import { createWorld, parseWorld, type RunningWorker, type World, type WorldOptions } from '../../support/world.ts';

const TIMES = { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 };
/** Rows of the transaction that is too large to be held; 1,000,000 by ROLLCALL_WAL_ROWS. */
const MANY = Number(process.env['ROLLCALL_WAL_ROWS'] ?? 4_000);

/** Rows that lead to contacts by an address, and rows that are events. */
const DDL = `
create table public.orders (id bigint generated always as identity primary key, user_id uuid, total numeric(12, 2), note text, tags text[]);
alter table public.orders replica identity full;
create table public.people (id int primary key, email text, city text);
alter table public.people replica identity full`;
const CONNECTOR = `table_mapping:
  people: { contact: { email: email }, city: CITY }
  orders:
    sync_as: events
    event_name: order_changed
    contact: { user_id: user_id }
    operations: [insert, update, delete]
    properties: { id: id, total: total, note: note, tags: tags }`;

let server: WalServer;
let db: Awaited<ReturnType<WalServer['database']>>;
let world: World;
let worker: RunningWorker;
let config: World['config'];

beforeAll(async () => {
  // Little enough to be too much soon, but not for a transaction that alone is more.
  const most = MANY > 100_000 ? {} : { max_slot_wal_keep_size: '48MB', min_wal_size: '32MB', max_wal_size: '64MB' };
  server = await startWalServer(most);
});
afterAll(() => server.close());

async function begin(more: Pick<WorldOptions, 'consent'> = {}): Promise<void> {
  db = await server.database();
  onCleanup(() => dropSlot(db));
  world = await createWorld({
    db,
    install: false,
    ddl: DDL,
    connector: CONNECTOR,
    fields: { FIRSTNAME: 'text', N: 'text', CITY: 'text' },
    more: 'brakes: off',
    ...more,
  });
  config = await applyWal(world);
  worker = await world.start(config, { times: TIMES });
  await captured(world);
  await world.settled();
}

async function order(id: string, note: string): Promise<void> {
  await world.db.app.query(`insert into public.orders (user_id, total, note) values ($1, 1, $2)`, [id, note]);
}

/** The notes of orders as they came in, where the destination takes them. */
function notes(): readonly unknown[] {
  return world.sandbox.state.contactEvents().map(({ params }) => params['note']);
}

async function one<T>(sql: string): Promise<T> {
  return Object.values((await world.db.app.query<Record<string, T>>(sql)).rows[0] ?? {})[0] as T;
}

const lost = (): Promise<string> => one<string>(`select rollcall.status() ->> 'events_lost'`);

test('contacts and events arrive without a trigger on any table, whatever their values are', async () => {
  await begin();
  expect(await one<string>('select count(*)::text from pg_trigger where not tgisinternal')).toBe('0');
  await signUpMany(world, 5);
  const id = await world.signUp('ann@example.com', { full_name: 'Ann', n: 1 });
  const { app } = world.db;
  // Two are not in the row itself, and stay as they are.
  await app.query(
    `insert into public.orders (user_id, total, note, tags) values ($1, 12.50, (select string_agg(md5(i::text), '') from generate_series(1, 80) i), '{a,"b c"}')`,
    [id],
  );
  await app.query(`update public.orders set total = 13`);
  await app.query(`update public.orders set user_id = user_id`);
  await app.query(`delete from public.orders`);
  await app.query(`insert into public.people values (1, ' Bea@Example.com ', 'Rome'), (2, 'cy@example.com', 'Oslo')`);
  await world.settled();
  await app.query(
    `update public.people set email = 'dee@example.com' where id = 1; delete from public.people where id = 2`,
  );
  await world.settled();
  const { rows } = await app.query(
    `select properties ->> 'total' as total, length(properties ->> 'note') as length, properties -> 'tags' as tags from rollcall.events order by seq`,
  );
  expect(rows).toEqual(['12.50', '13.00', '13.00'].map((total) => ({ total, length: 2_560, tags: ['a', 'b c'] })));
  expect(
    world.sandbox.state
      .contacts()
      .map(({ email }) => email)
      .toSorted(),
  ).toEqual(['ann@example.com', 'dee@example.com', ...[1, 2, 3, 4, 5].map((n) => `p${n}@example.com`)]);
  await app.query(`delete from public.people`);
  await world.settled();
  await expectInStep(world);
});

test('what one transaction does is seen when it commits, however many others do meanwhile', async () => {
  await begin();
  const open = await db.connect();
  const id = await world.signUp('early@example.com');
  await open.query('begin');
  await open.query(`insert into public.orders (user_id, total, note) values ($1, 1, 'open long')`, [id]);
  for (let n = 0; n < 5; n += 1) await order(id, `quick ${n}`);
  await world.settled();
  const quick = [0, 1, 2, 3, 4].map((n) => `quick ${n}`);
  expect(notes().slice(-5)).toEqual(quick);
  await open.query('commit');
  await world.settled();
  expect(notes().slice(-6)).toEqual([...quick, 'open long']);
});

test('the app changes its tables as it likes', async () => {
  await begin();
  const { app } = db;
  const id = await world.signUp('ddl@example.com');
  await app.query(
    `alter table public.orders add column more text; insert into public.orders (user_id, total, note, more) values ('${id}', 1, 'a column more', 'x')`,
  );
  await app.query(
    `alter table public.orders drop column more; insert into public.orders (user_id, total, note) values ('${id}', 1, 'and gone')`,
  );
  await app.query(
    `alter table public.orders rename column note to words; insert into public.orders (user_id, total, words) values ('${id}', 1, 'another name')`,
  );
  await app.query(
    `alter table public.orders alter column total type text; insert into public.orders (user_id, total, words) values ('${id}', 'much', 'another type')`,
  );
  await app.query(
    `update public.orders set total = '2' where words = 'another type'; alter table public.orders rename column words to note`,
  );
  await app.query(`alter table public.orders alter column total type numeric(12, 2) using total::numeric`);
  await until(
    world,
    `select exists (select from rollcall.sources where name = 'public.orders' and pause_code is null)`,
  );
  await world.settled();
  // What was no number then is none now: that one is a dead letter, and holds up nobody.
  await eventually(() => ['a column more', 'and gone', 'another name'].every((note) => notes().includes(note)));
  expect(await one('select uncaptured_seen = rollcall.uncaptured_count() from rollcall.install')).toBe(true);
});

test('a slot that is dropped by hand is made anew, and a sweep finds who came meanwhile', async () => {
  await begin();
  const before = await lost();
  await worker.stop();
  await dropSlot(db);
  await signUpMany(world, 3, 10);
  worker = await world.start(config, { times: TIMES });
  await until(world, `select made_at > now() - interval '1 minute' from rollcall.wal where slot is not null`);
  await captured(world);
  await world.settled();
  await expectInStep(world);
  expect(Number(await lost())).toBe(Number(before) + 1);
});

test.each([
  ['one of another timeline, as after a failover', `update rollcall.wal set timeline = '0000FFFF'`],
  [
    'one that is ahead of what the log has, as after a restore',
    'select pg_replication_slot_advance(slot, pg_current_wal_lsn()) from rollcall.wal',
  ],
])('so is %s', async (_, sql) => {
  await begin();
  const made = await one<string>('select made_at::text from rollcall.wal');
  await worker.stop();
  await signUpMany(world, 3, 15);
  await db.app.query(sql);
  worker = await world.start(config, { times: TIMES });
  await until(world, `select made_at > '${made}' from rollcall.wal where slot is not null`);
  await captured(world);
  await world.settled();
  await expectInStep(world);
  expect(await one(`select count(*) from pg_replication_slots where database = current_database()`)).toBe('1');
});

test('rows of a partitioned table, also of a partition that they are written to, and of one that came later', async () => {
  db = await server.database();
  onCleanup(() => dropSlot(db));
  world = await createWorld({
    db,
    install: false,
    ddl: `create table public.visits (id bigint, user_id uuid, place text, primary key (id, place)) partition by list (place);
          create table public.visits_a partition of public.visits for values in ('a')`,
    connector: `table_mapping:
  visits: { sync_as: events, event_name: visited, contact: { user_id: user_id }, properties: { id: id, place: place } }`,
    more: 'brakes: off',
  });
  config = await applyWal(world);
  worker = await world.start(config, { times: TIMES });
  await captured(world);
  const id = await world.signUp('ann@example.com');
  const { app } = db;
  await app.query(`insert into public.visits values (1, $1, 'a')`, [id]);
  await app.query(`insert into public.visits_a values (2, $1, 'a')`, [id]);
  await app.query(`create table public.visits_b partition of public.visits for values in ('b')`);
  await app.query(`insert into public.visits_b values (3, $1, 'b')`, [id]);
  await app.query(`insert into public.visits values (4, $1, 'b')`, [id]);
  await world.settled();
  expect(world.sandbox.state.contactEvents().map(({ params }) => params['id'])).toEqual([1, 2, 3, 4]);
});

test('so is one that the server has invalidated', async () => {
  await begin();
  await worker.stop();
  await signUpMany(world, 3, 20);
  for (let n = 0; n < 6; n += 1) await db.app.query(`select pg_logical_emit_message(false, 'x', 'y'), pg_switch_wal()`);
  await db.app.query('checkpoint');
  expect(await one(`select wal_status from pg_replication_slots s join rollcall.wal w on w.slot = s.slot_name`)).toBe(
    'lost',
  );
  worker = await world.start(config, { times: TIMES });
  await until(
    world,
    `select wal_status <> 'lost' from pg_replication_slots s join rollcall.wal w on w.slot = s.slot_name`,
  );
  await captured(world);
  await world.settled();
  await expectInStep(world);
});

test(
  `a transaction of ${MANY.toLocaleString('en-US')} rows goes into the log in pieces, and on where it was cut off`,
  { timeout: 180_000 + 2 * MANY },
  async () => {
    await begin();
    await db.app
      .query(`begin; insert into auth.users (id, is_anonymous, created_at) select gen_random_uuid(), true, now() from generate_series(1, ${MANY});
    insert into public.orders (note) select 'many ' || n from generate_series(1, ${MANY / 4}) n; commit`);
    let cuts = 0;
    await eventually(async () => {
      const { rows } = await db.app.query<{ cut: boolean; done: boolean }>(
        `select (select place > 0 from rollcall.wal_position order by id desc limit 1) and $1 < 3 and
              (select bool_or(pg_terminate_backend(s.active_pid)) from pg_replication_slots s where s.active and s.database = current_database()) as cut,
              (select count(*) >= ${MANY / 4} from rollcall.events where properties ->> 'note' like 'many %') as done`,
        [cuts],
      );
      cuts += rows[0]?.cut === true ? 1 : 0;
      return rows[0]?.done === true;
    }, PATIENCE_MS + MANY);
    await world.settled(PATIENCE_MS + MANY);
    expect(cuts).toBeGreaterThan(0);
    expect(await one(`select count(*)::int from rollcall.events where properties ->> 'note' like 'many %'`)).toBe(
      MANY / 4,
    );
    expect(
      await one(
        `select count(*)::int from auth.users u join rollcall.contacts c on c.key = u.id::text where u.is_anonymous`,
      ),
    ).toBe(MANY);
  },
);

test('killed and cut off at any moment, each event is in the log once', async () => {
  await begin();
  await worker.stop();
  const id = await world.signUp('killed@example.com');
  const yaml = `${world.yaml}\ncapture: wal\n`;
  let n = 0;
  for (let round = 0; round < 2; round += 1) {
    const child = await startWorkerProcess(yaml, TIMES);
    const until = n + 40;
    for (; n < until; n += 1) await order(id, `kill ${n}`);
    child.signal('SIGKILL');
    await child.ended;
  }
  // And the server with it, as by a crash.
  await server.cluster.crash();
  await server.cluster.start();
  await db.reconnect();
  worker = await world.start(config, { times: TIMES });
  await order(id, `kill ${n}`);
  await captured(world);
  await world.settled();
  const { rows } = await db.app.query<{ note: string }>(
    `select properties ->> 'note' as note from rollcall.events where properties ->> 'note' like 'kill %' order by seq`,
  );
  expect(rows.map(({ note }) => note)).toEqual(Array.from({ length: n + 1 }, (_, i) => `kill ${i}`));
  await world.settled();
  await expectInStep(world);
});

test('whichever way captures, and while it changes, each event is taken once', async () => {
  await begin();
  const id = await world.signUp('hand-over@example.com');
  const writing = new AbortController();
  const written: string[] = [];
  const write = async (name: string): Promise<void> => {
    const client = await db.connect();
    for (let n = 0; !writing.signal.aborted; n += 1) {
      // At times open for long, so that tables change hands around it.
      const note = `${name} ${n}`;
      await client.query('begin');
      await client.query(`insert into public.orders (user_id, total, note) values ($1, 1, $2)`, [id, note]);
      if (n % 5 === 0) await client.query('select pg_sleep(0.03)');
      await client.query(n % 7 === 6 ? 'rollback' : 'commit');
      if (n % 7 !== 6) written.push(note);
      await client.query('select pg_sleep(0.01)');
    }
  };
  const writers = ['swap-a', 'swap-b'].map(write);
  for (const capture of ['triggers', 'wal']) {
    config = await applyWal(world, `capture: ${capture}`);
    await (capture === 'wal' ? captured(world) : handedBack(world));
  }
  writing.abort();
  await Promise.all(writers);
  await world.settled();
  const { rows } = await db.app.query<{ note: string }>(
    `select properties ->> 'note' as note from rollcall.events where properties ->> 'note' like 'swap%' order by seq`,
  );
  expect(rows.map(({ note }) => note).toSorted()).toEqual(written.toSorted());
  expect(await one(`select count(*)::int from pg_trigger where not tgisinternal`)).toBe(0);
});

test('a slot that keeps too much is given up, and triggers go on from there', async () => {
  await begin();
  const id = await world.signUp('budget@example.com');
  await worker.stop();
  config = parseWorld(`${world.yaml}\ncapture: wal\nwal: { warn: 4MB, keep: 20MB }\n`);
  worker = await world.start(config, { times: TIMES });
  // A transaction that writes nothing here, and still keeps the server from forgetting what came after its begin.
  const open = await db.connect();
  await open.query('begin; select pg_current_xact_id()');
  await order(id, 'budget 0');
  await db.app.query(`do $$ begin
    while (select pg_current_wal_lsn() - restart_lsn < 20971520 from pg_replication_slots s join rollcall.wal w on w.slot = s.slot_name) loop
      perform pg_logical_emit_message(false, 'x', repeat('y', 250000));
    end loop; end $$`);
  await order(id, 'budget 1');
  await handedBack(world);
  await open.query('commit');
  await order(id, 'budget 2');
  await world.settled();
  expect(notes().filter((note) => String(note).startsWith('budget'))).toEqual([0, 1, 2].map((n) => `budget ${n}`));
  expect(await one(`select given_up from rollcall.wal`)).toBe('budget');
  expect(await one(`select count(*)::int > 0 from pg_trigger where not tgisinternal`)).toBe(true);
});

test('what the write-ahead log cannot give is refused, and which home cannot read it', async () => {
  db = await server.database();
  world = await createWorld({ db, install: false, ddl: DDL, connector: CONNECTOR });
  const run = async (yaml: string, ...argv: string[]): Promise<string> => {
    const { code, stderr } = await rollcall([...argv, '--config', await tempFile('rollcall.yaml', yaml)]);
    expect(code).toBe(1);
    return stderr.replaceAll(/\s+/g, ' ');
  };
  const yaml = `${world.yaml}\ncapture: wal\n`;
  await db.app.query('alter table public.people replica identity default');
  expect(await run(yaml, 'config', 'check')).toContain(
    `error RC_WAL_TABLE: public.people can't be read from the write-ahead log: its replica identity has not email, and a row that changes or goes must still lead to its contact.`,
  );
  await db.app.query(
    'alter table public.people replica identity full; alter table public.orders replica identity default',
  );
  expect(await run(yaml, 'apply', '--yes')).toContain(
    'its replica identity is not FULL, and an event of a change or deletion needs the row as it was',
  );
  await db.app.query(
    `alter table public.orders replica identity full; alter table public.orders drop column note; alter table public.orders add column note text generated always as ('x') stored`,
  );
  expect(await run(yaml, 'config', 'check')).toContain(
    'what is generated (note) is not in it, and an event is made of it',
  );
  expect(await run(yaml, 'deploy', 'edge', '--print')).toContain(
    `RC_HOME_CAPTURE: The edge home can't read the write-ahead log`,
  );
  await db.app.query(`create role plain login password 'postgres' in role hosted`);
  expect(
    await run(yaml.replaceAll('hosted:', 'plain:').replaceAll('//hosted', '//plain'), 'config', 'check'),
  ).toContain('RC_WAL_ROLE');
});

test('a yes counts from its commit, however late it is read: a no that came after it stands', async () => {
  await begin({ consent: '{ column: user_metadata.yes }' });
  const says = (id: string, yes: boolean) =>
    world.db.app.query('update auth.users set raw_user_meta_data = $2 where id = $1', [id, { yes }]);
  const leaves = (address: string) =>
    world.db.sql.query(
      `select rollcall.receive_facts('mailtrap', jsonb_build_array(jsonb_build_object('id', $1::text, 'kind', 'opt_out', 'address', $1::text,
         'at', (extract(epoch from clock_timestamp()) * 1000000)::bigint)))`,
      [address],
    );
  const stand = (...consents: readonly string[]) =>
    until(
      world,
      `select array_agg(s.consent || ' ' || a.answer order by s.address) = array[${consents.map((c) => `'${c}'`).join()}]
         from rollcall.desired s join rollcall.answers a using (contact_id)`,
    );
  const ann = await world.signUp('ann@example.com', { yes: true });
  const bob = await world.signUp('bob@example.com', { yes: true });
  await stand('basis basis', 'basis basis');
  for (const id of [ann, bob]) await says(id, false);
  await stand('opted_out opted_out', 'opted_out opted_out');
  await worker.stop();
  await says(ann, true);
  await leaves('ann@example.com');
  worker = await world.start(config, { times: TIMES });
  await stand('opted_out basis', 'opted_out opted_out');
  await leaves('bob@example.com');
  await world.settled();
  await says(bob, true);
  await stand('opted_out basis', 'opted_in basis');
});

test('a commit that waits for a standby is in the log before anybody can see it: it is waited for', async () => {
  await begin();
  const setStandby = async (name: string): Promise<void> => {
    await world.db.app.query(`alter system set synchronous_standby_names = '${name}'`);
    await world.db.app.query('select pg_reload_conf()');
    await until(world, `select current_setting('synchronous_standby_names') = '${name}'`);
  };
  const other = await db.connect();
  await setStandby('nobody');
  const waiting = other.query(
    `insert into auth.users (id, email, created_at) values (gen_random_uuid(), 'ann@example.com', now())`,
  );
  try {
    await until(world, `select exists (select from pg_stat_activity where wait_event = 'SyncRep')`);
    await until(
      world,
      `select sent_lsn >= pg_current_wal_flush_lsn() from pg_stat_replication where application_name = 'rollcall wal'`,
    );
    expect(await one<string>('select count(*)::text from auth.users')).toBe('0');
  } finally {
    await setStandby('');
  }
  await waiting;
  await eventually(() => world.sandbox.state.contact('ann@example.com') !== undefined);
});

test('a trigger that is about to be made when the log takes its table over is not made', async () => {
  await begin();
  await worker.stop();
  const { app } = world.db;
  await app.query(`select rollcall.wal_hand_back('public.people')`);
  await app.query('drop trigger rollcall_insert on public.people');
  await app.query(`alter function rollcall.ensure_triggers() set lock_timeout = '60s'`);
  const taking = await db.connect();
  await taking.query('begin');
  const { rows } = await taking.query<{ taken: boolean }>(
    `select rollcall.wal_take_over('public.people', pg_current_wal_insert_lsn()) as taken`,
  );
  expect(rows).toEqual([{ taken: true }]);
  const other = await db.connect();
  const making = other.query<{ made: number }>('select rollcall.ensure_triggers() as made');
  await until(
    world,
    `select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%ensure_triggers%')`,
  );
  await taking.query('commit');
  expect((await making).rows).toEqual([{ made: 0 }]);
  expect(
    await one(`select count(*)::int from pg_trigger where tgrelid = 'public.people'::regclass and not tgisinternal`),
  ).toBe(0);
});
