import { expect, test } from 'vitest';
import type { Client } from 'pg';
import { behind, onPort } from '../../support/behind.ts';
import { onCleanup } from '../../support/database.ts';
import { createGate, type Gate } from '../../support/gate.ts';
import { createOwnDatabase, type OwnDatabase } from '../../support/own-cluster.ts';
import { eventually, expectInStep, signUpMany } from '../../support/people.ts';
import { createWorld, type World } from '../../support/world.ts';

const TIMES = { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 };
const PATIENCE = { connectMs: 1_000, queryMs: 2_000 };
const FULL = 30;
/** Kept for superusers, as it is by default. */
const RESERVED = 3;

const said = ({ logs }: World, words: string): readonly string[] => logs.filter((line) => line.includes(words));

/** Ends every connection of the worker, so that it needs new ones. */
const cutOff = async (app: Client): Promise<void> => {
  await app.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'hosted'`);
};

/** Takes all connections that are not kept for superusers, until the returned function is called. */
async function occupy(db: OwnDatabase): Promise<() => Promise<void>> {
  const url = new URL(db.url);
  url.username = 'supabase_auth_admin';
  const held: Client[] = [];
  const fill = async (): Promise<void> => {
    for (;;) {
      const client = await db.connect(url.toString()).catch(() => undefined);
      if (client === undefined) return;
      held.push(client);
    }
  };
  // The worker is quick to take one that is free for a moment, and while it begins it is nobody's yet: so all others are counted.
  for (;;) {
    await cutOff(db.app);
    await fill();
    const { rows } = await db.app.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where usename in ('postgres', 'supabase_auth_admin')`,
    );
    if (rows[0]!.n >= FULL - RESERVED) break;
  }
  return async () => {
    for (const client of held) await client.end();
  };
}

interface Harm {
  readonly name: string;
  /** What the log says. */
  readonly why: string;
  /** Whether the app can sign people up meanwhile. */
  readonly appWorks: boolean;
  /** Does it; gives back what ends it. */
  readonly begin: (db: OwnDatabase, gate: Gate) => Promise<() => Promise<void>>;
}

const harms: readonly Harm[] = [
  {
    name: 'no connection is left, as others have taken them all',
    why: 'it has no connection left',
    appWorks: true,
    begin: occupy,
  },
  {
    name: 'too many connections for its role',
    why: 'it has no connection left',
    appWorks: true,
    async begin({ app }) {
      await app.query('alter role hosted connection limit 0');
      await cutOff(app);
      return async () => void (await app.query('alter role hosted connection limit -1'));
    },
  },
  {
    name: 'the database only reads',
    why: 'it only reads',
    appWorks: true,
    async begin({ app }) {
      await app.query('alter role hosted set default_transaction_read_only = on');
      await cutOff(app);
      return async () => {
        // Nobody begins a session between the two, which would be cut off once more.
        await app.query('alter role hosted connection limit 0');
        await cutOff(app);
        await app.query('alter role hosted reset default_transaction_read_only; alter role hosted connection limit -1');
      };
    },
  },
  {
    name: 'it is restarted, politely',
    why: 'it ',
    appWorks: false,
    async begin(db) {
      await db.cluster.restart();
      await db.reconnect();
      return () => Promise.resolve();
    },
  },
  {
    name: 'one of its processes is killed, so all of them start anew',
    why: 'it ',
    appWorks: false,
    async begin(db) {
      const { rows } = await db.app.query<{ pid: number }>(
        `select pid from pg_stat_activity where usename = 'hosted' limit 1`,
      );
      process.kill(rows[0]!.pid, 'SIGKILL');
      // Before that has reached everybody, a new connection would be ended too.
      await eventually(() =>
        db.app.query('select 1').then(
          () => false,
          () => true,
        ),
      );
      await eventually(() =>
        db.reconnect().then(
          () => true,
          () => false,
        ),
      );
      return () => Promise.resolve();
    },
  },
  {
    name: 'the network swallows everything, and nobody is told',
    why: 'it does not answer',
    appWorks: true,
    begin(_db, gate) {
      gate.swallow(true);
      return Promise.resolve(() => Promise.resolve(gate.swallow(false)));
    },
  },
];

test.each(harms)(
  '$name: said once, survived, said once that it is over, all in step',
  async ({ why, appWorks, begin }) => {
    const direct = await createOwnDatabase({ max_connections: String(FULL) });
    const gate = await createGate(direct.cluster.port);
    const world = await createWorld({
      db: behind(direct, onPort(direct.hostedUrl, gate.port)),
      more: 'brakes: off',
      sandbox: { keepCalls: 20_000, faults: [{ latencyMs: 5 }] },
    });
    const worker = await world.start(world.config, { times: TIMES, patience: PATIENCE });
    await signUpMany(world, 300);
    await world.sandbox.until((state) => state.contactCount > 60);
    const end = await begin(direct, gate);
    onCleanup(() => end().catch(() => undefined));
    if (appWorks) {
      await signUpMany(world, 50, 301);
      await eventually(() => said(world, `the database can't be used: ${why}`).length > 0);
    }
    await end();
    await world.db.app.query(`delete from auth.users where email like 'p%7@example.com'`);
    await world.settled();
    await expectInStep(world);
    await eventually(() => said(world, 'the database can be used again').length > 0);
    // Once for each reason, as it goes on: connections that end come before what follows.
    const lines = said(world, `the database can't be used`);
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.length).toBeLessThanOrEqual(4);
    expect(world.logs.filter((line) => line.startsWith('warn') && !lines.includes(line))).toEqual([]);
    expect(said(world, 'the database can be used again')).toHaveLength(1);
    await worker.stop();
  },
);

test('a lock that is held on a table of ours, and statements that time out: waited for no longer than said, and survived', async () => {
  const db = await createOwnDatabase();
  const world = await createWorld({ db, sandbox: { keepCalls: 20_000, faults: [{ latencyMs: 5 }] } });
  await db.app.query(`alter role hosted set statement_timeout = '700ms'; alter role hosted set lock_timeout = '300ms'`);
  const worker = await world.start(world.config, { times: TIMES });
  await signUpMany(world, 300);
  await world.sandbox.until((state) => state.contactCount > 100);
  const other = await db.connect();
  await other.query('begin; lock table rollcall.desired in access exclusive mode');
  await eventually(() => world.logs.some((line) => /could not .*"(?:55P03|57014)"/.test(line)));
  await signUpMany(world, 50, 301);
  await other.query('commit');
  await world.settled();
  await expectInStep(world);
  await worker.stop();
});

test('its connections are ended at any moment, again and again: all in step', async () => {
  const db = await createOwnDatabase();
  const world = await createWorld({
    db,
    more: 'brakes: off',
    sandbox: { keepCalls: 30_000, faults: [{ latencyMs: 2 }] },
  });
  const workers = [
    await world.start(world.config, { times: TIMES }),
    await world.start(world.config, { times: TIMES }),
  ];
  for (let round = 1; round <= 12; round += 1) {
    await signUpMany(world, 20, round * 20);
    await db.app.query(
      `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('n', $1::int) where email like 'p%' || $2 || '@example.com'`,
      [round, round % 10],
    );
    await db.app.query(`select pg_sleep(random() * 0.15)`);
    await cutOff(db.app);
  }
  await world.settled();
  await expectInStep(world);
  for (const worker of workers) await worker.stop();
});
