import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { keptText } from '../../../src/core/kept.ts';
import { tempFile } from '../../cli/run-cli.ts';
import { behind, onPort } from '../../support/behind.ts';
import { canEmail, ERASE_KEY } from '../../support/erasing.ts';
import { createGate, type Gate } from '../../support/gate.ts';
import { createOwnDatabase, type OwnDatabase } from '../../support/own-cluster.ts';
import { eventually, expectInStep, signUpMany } from '../../support/people.ts';
import { createReceiver } from '../../support/receiver.ts';
import { startStandby, type Standby } from '../../support/standby.ts';
import { createWorld, parseWorld, type World, type WorldOptions } from '../../support/world.ts';

const TIMES = { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 };

interface Pair {
  readonly world: World;
  readonly standby: Standby;
  /** The primary is gone at once, and its name leads to the standby, which is promoted. */
  readonly failOver: () => Promise<void>;
}

/** A world whose workers know the database by one name, in front of a primary and an asynchronous standby. */
async function pair(options: WorldOptions = {}): Promise<Pair> {
  const direct = await createOwnDatabase();
  const gate: Gate = await createGate(direct.cluster.port);
  const db: OwnDatabase = behind(direct, onPort(direct.hostedUrl, gate.port));
  const world = await createWorld({ ...options, db });
  const standby = await startStandby(direct);
  let { app } = direct;
  Object.defineProperty(db, 'app', { get: () => app });
  return {
    world,
    standby,
    failOver: async () => {
      await direct.cluster.crash();
      await gate.shut();
      gate.aim(standby.cluster.port);
      await gate.open();
      // Whoever comes before it is promoted finds a database that only reads.
      await eventually(() => world.logs.some((line) => line.includes('it only reads')));
      await standby.promote();
      ({ app } = standby);
    },
  };
}

const writes = ({ sandbox }: World): readonly string[] =>
  sandbox.state
    .calls()
    .filter(({ method, path }) => method !== 'GET' && !path.endsWith('/exports'))
    .map(({ method, path }) => `${method} ${decodeURIComponent(path)}`);

const said = ({ logs }: World, words: string): readonly string[] => logs.filter((line) => line.includes(words));

test('a failover that lost nothing, two workers at work: what is there is read, only what changed is sent, nobody is asked', async () => {
  const { world, standby, failOver } = await pair();
  const workers = [
    await world.start(world.config, { times: TIMES }),
    await world.start(world.config, { times: TIMES }),
  ];
  await signUpMany(world, 200);
  await world.settled();
  await standby.caughtUp();
  // Somebody left there, and the database has not heard of it.
  world.sandbox.state.suppress('p7@example.com');
  const before = writes(world).length;
  await failOver();
  await signUpMany(world, 20, 201);
  await world.db.app.query(`delete from auth.users where email = 'p9@example.com'`);
  await eventually(() => said(world, 'in use again after its failover').length === 2);
  await world.settled();
  await expectInStep(world);
  expect(world.sandbox.state.contact('p7@example.com')?.status).toBe('unsubscribed');
  expect(writes(world).slice(before)).toHaveLength(21);
  // One of them has done it; said once by each that it was away, and what for.
  const [read, ...more] = said(world, 'read what a destination has');
  expect(more).toEqual([]);
  // Of those who came and went meanwhile some were folded by then.
  expect(read).toMatch(/"there":200,"equal":(?:199|200),"different":0,.*"optedOut":1/);
  expect(said(world, 'the database has failed over')).toHaveLength(2);
  // The opt-out is known from now on.
  await world.db.app.query(`update auth.users set email = 'p7b@example.com' where email = 'p7@example.com'`);
  await world.sandbox.until((state) => state.contact('p7b@example.com')?.status === 'unsubscribed');
  for (const worker of workers) await worker.stop();
});

test('a failover that lost the last seconds: what the destination knows and the new primary does not is put right', async () => {
  const { world, standby, failOver } = await pair();
  await world.start(world.config, { times: TIMES });
  await signUpMany(world, 100);
  await world.settled();
  await standby.caughtUp();
  await standby.fallBehind();
  await signUpMany(world, 10, 101);
  await world.db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"n": 5}' where email like 'p1_@example.com'`,
  );
  await world.db.app.query(`delete from auth.users where email = 'p20@example.com'`);
  await world.settled();
  await expectInStep(world);
  await failOver();
  await eventually(() => said(world, 'in use again after its failover').length === 1);
  await world.settled();
  // Those that the app itself has lost are nobody's, and nothing is done about them; all others are as the database says.
  const { rows } = await world.db.app.query<{ email: string; n: string }>(
    `select email, raw_user_meta_data ->> 'n' as n from auth.users order by email`,
  );
  expect(rows).toHaveLength(100);
  expect(rows.filter(({ n }) => n !== '0')).toEqual([]);
  for (const { email } of rows) expect(world.sandbox.state.contact(email)?.fields['N'], email).toBe('0');
  expect(world.sandbox.state.contactCount).toBe(110);
  expect(said(world, 'read what a destination has')).toEqual([
    'info read what a destination has {"destination":"mailtrap","there":109,"equal":89,"different":10,"missing":1,"optedOut":0,"unknown":10}',
  ]);
});

test('a destination that cannot be read stays paused alone until a person says so; one without opt-outs is told of everybody', async () => {
  const receiver = await createReceiver();
  const { world, standby, failOver } = await pair({
    destinations: `hook:
  type: webhook
  url: ${receiver.url}
  secret: whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA==`,
  });
  await world.start(world.config, { times: TIMES });
  await signUpMany(world, 5);
  await world.settled();
  await standby.caughtUp();
  const [before, told] = [writes(world).length, receiver.received.length];
  world.sandbox.addFaults([{ status: 401, match: { path: '/exports' } }]);
  await failOver();
  await eventually(() => said(world, 'in use again after its failover').length === 1);
  await eventually(() => receiver.received.length === told + 5);
  await eventually(async () => (await world.status()).destinations[1]?.pending === 0);
  const [mailtrap, hook] = (await world.status()).destinations;
  expect(mailtrap).toMatchObject({ name: 'mailtrap', pause_code: 'RC_NOT_READ', pending: 5 });
  expect(hook).toMatchObject({ name: 'hook', pause_code: null, pending: 0 });
  expect(writes(world)).toHaveLength(before);
  world.sandbox.clearFaults();
  await world.db.app.query('select rollcall.end_pauses(true)');
  await world.settled();
  expect(writes(world)).toHaveLength(before + 5);
  await receiver.close();
});

test('a worker that starts after the failover goes on too, where the project is named; behind any other host name it stops', async () => {
  const world = await createWorld({ connector: 'project_url: https://abcdefghijklmnopqrst.supabase.co' });
  const bound = (project: string, timeline: string): Promise<unknown> =>
    world.db.app.query(
      `update rollcall.install set project_ref = $1, identity = identity || jsonb_build_object('timeline', $2::text)`,
      [project, timeline],
    );
  const { rows } = await world.db.app.query<{ ref: string; now: string }>(
    `select project_ref as ref, identity ->> 'timeline' as now from rollcall.install`,
  );
  await bound('abcdefghijklmnopqrst', rows[0]!.now);
  await signUpMany(world, 3);
  const before = await world.start(world.config, { times: TIMES });
  await world.settled();
  await before.stop();

  await bound('abcdefghijklmnopqrst', '0000FFFF');
  const calls = writes(world).length;
  const after = await world.start(world.config, { times: TIMES });
  expect(said(world, 'read what a destination has')).toHaveLength(1);
  await world.signUp('late@example.com', { full_name: 'Late', n: '1' });
  await world.settled();
  expect(writes(world)).toHaveLength(calls + 1);
  await after.stop();

  await bound(rows[0]!.ref, '0000FFFF');
  const nameless = parseWorld(world.yaml.replace('project_url: https://abcdefghijklmnopqrst.supabase.co', ''));
  await world.db.app.query('update rollcall.install set config_hash = $1', [nameless.hash]);
  await expect(world.start(nameless, { times: TIMES })).rejects.toMatchObject({ code: 'RC_NOT_BOUND' });
});

const hashed = (text: string): string => createHmac('sha256', ERASE_KEY).update(text).digest('hex');

test.each([true, false])(
  'what outlives a restore is read back after a failover; where it cannot be read, every destination waits for a person (readable: %s)',
  async (readable) => {
    const file = await tempFile('kept.jsonl', '');
    const { world, standby, failOver } = await pair({
      more: `erasure: { key: "${ERASE_KEY}", export: "${file}" }`,
    });
    const worker = await world.start(world.config, { times: TIMES });
    await signUpMany(world, 5);
    await world.settled();
    await eventually(() =>
      world.db.app
        .query(`select written_at > '-infinity' as yes from rollcall.kept`)
        .then(({ rows }) => rows[0].yes === true),
    );
    await standby.caughtUp();
    // Of seconds that are lost: one said no, and one was erased.
    const at = new Date().toISOString();
    const lines = [
      {
        tombstone: hashed(
          (await world.db.app.query(`select id from auth.users where email = 'p2@example.com'`)).rows[0].id,
        ),
        at,
      },
      {
        fact: `#${hashed('a fact')}`,
        kind: 'opt_out',
        address: `#${hashed('p1@example.com')}`,
        origin: 'app',
        received_at: at,
      },
    ];
    const text = keptText({ check: hashed('rollcall erasure key'), lines });
    await writeFile(file, readable ? text : text.slice(0, -5));
    await failOver();
    await eventually(() => said(world, 'in use again after its failover').length === 1);
    if (readable) {
      await world.settled();
      await eventually(() => world.sandbox.state.contact('p2@example.com') === undefined);
      expect(world.sandbox.state.contact('p1@example.com')?.status).toBe('unsubscribed');
      expect(await canEmail(world, 'p1@example.com')).toBe(false);
      expect(await canEmail(world, 'p3@example.com')).toBe(true);
    } else {
      const { destinations } = await world.status();
      expect(destinations).toMatchObject([{ name: 'mailtrap', pause_code: 'RC_NOT_READ' }]);
    }
    await worker.stop();
  },
);
