import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onPort } from '../support/behind.ts';
import { createLastingDatabase, onCleanup, type TestDatabase } from '../support/database.ts';
import { configText, lastingFile, rollcall, type RunOptions } from './run-cli.ts';

/** Deliveries as workers write them, at times of the test's own: `tail` and `logs` over one install. */
let db: TestDatabase;
let config: string;
let ends: readonly (() => Promise<void>)[];
const ANN = '00000000-0000-4000-8000-000000000001';

beforeAll(async () => {
  const [made, endDatabase] = await createLastingDatabase();
  const [file, endFile] = await lastingFile('rollcall.yaml', configText('http://127.0.0.1:9'));
  db = made;
  config = file;
  ends = [endDatabase, endFile];
  expect((await run(['apply', '--yes', '--skip-destinations'])).code).toBe(0);
  await history();
});
afterAll(async () => {
  for (const end of ends) await end();
});

function run(argv: readonly string[], options: RunOptions = {}): ReturnType<typeof rollcall> {
  const env = { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: '0123456789abcdef', ...options.env };
  return rollcall([...argv, '--config', config], { ...options, env });
}

/** A contact by its number. */
async function contact(id: number, key = `email:p${id}@example.com`): Promise<void> {
  await db.app.query(
    `with c as (insert into rollcall.contacts (id, key) overriding system value values ($1, $2) returning id)
     insert into rollcall.desired (destination_id, contact_id, action, address, payload, hash, version)
       select 1, c.id, 'upsert', 'p' || c.id || '@example.com', '{"FIRSTNAME": "Zacharias"}', '', 1 from c`,
    [id, key],
  );
}

interface Attempt {
  readonly contact?: number;
  readonly action?: string;
  readonly outcome?: string;
  readonly code?: string;
  readonly message?: string;
  readonly at?: string;
}

const ATTEMPT = `insert into rollcall.attempts (destination_id, contact_id, version, action, outcome, code, message, latency_ms, at)
  values (1, $1, 1, $2, $3, $4, $5, 1204, coalesce($6::timestamptz, clock_timestamp()))`;

function values({ contact: of = 1, action = 'upsert', outcome = 'delivered', code, message, at }: Attempt): unknown[] {
  return [of, action, outcome, code ?? null, message ?? null, at ?? null];
}

async function past(...attempts: readonly Attempt[]): Promise<void> {
  for (const attempt of attempts) await db.app.query(ATTEMPT, values(attempt));
}

/** A person with a delivery and an event, one whose address is refused and one of whom nothing came, and an alert. */
async function history(): Promise<void> {
  await contact(1, ANN);
  await contact(2);
  await past(
    { at: '2026-01-02 23:59:59.5Z' },
    {
      contact: 2,
      at: '2026-01-03 00:00:01Z',
      outcome: 'reject',
      code: 'invalid_email',
      message: 'p2@example.com, "Zacharias", is no address of anybody whom we could ever mail',
    },
  );
  const event = (name: string, rest: string): string =>
    `insert into rollcall.events (id, destination_id, contact_id, source, name, properties, happened_at, ready, state, reason, ended_at)
     values (gen_random_uuid(), 1, ${rest.replace('NAME', `'public.orders', '${name}', '{}', now(), true`)})`;
  // What an event is called is known where one transaction wrote both.
  await db.app.query('begin');
  await db.app.query(event('order_placed', `1, NAME, 'delivered', null, '2026-01-03 01:00:00Z'`));
  await db.app.query(ATTEMPT, values({ action: 'event', at: '2026-01-03 01:00:00.01Z' }));
  await db.app.query('commit');
  await db.app.query(event('refunded', `2, NAME, 'dropped', 'no_contact', '2026-01-03 02:00:00Z'`));
  await db.app.query(
    `insert into rollcall.alerts (kind, subject, detail, began_at, ended_at)
     values ('paused', 'mailtrap', '{"code": "unauthorized"}', '2026-01-03 01:30:00Z', '2026-01-03 03:00:00Z')`,
  );
}

const LINES = `2026-01-02 UTC
23:59:59  mailtrap  p***@example.com    upsert               delivered  1,204 ms
2026-01-03 UTC
00:00:01  mailtrap  p***@example.com    upsert               reject     1,204 ms
          invalid_email: [email], "[value]", is no address of anybody whom we
          could ever mail
01:00:00  mailtrap  p***@example.com    event order_placed   delivered  1,204 ms
01:30:00  mailtrap is paused (unauthorized): nothing is sent to it.
02:00:00  mailtrap  p***@example.com    event refunded       dropped
          no_contact
03:00:00  over: mailtrap is paused (unauthorized): nothing is sent to it.
`;

/** The lines of `--json`. */
function documents(stdout: string): { readonly [key: string]: unknown }[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { [key: string]: unknown });
}

describe('rollcall logs', () => {
  test('has lines of deliveries and notices, the newest last, and nobody\u2019s data', async () => {
    expect(await run(['logs'])).toEqual({ code: 0, stderr: '', stdout: LINES });
    const revealed = await run(['logs', '--reveal', '--person', 'P2@example.com']);
    expect(revealed.stdout).toContain('invalid_email: p2@example.com, "Zacharias", is no');
    const [first] = documents((await run(['logs', '--json'])).stdout);
    expect(first).toEqual({
      at: '2026-01-02T23:59:59.500000Z',
      kind: 'delivery',
      destination: 'mailtrap',
      contact: '1',
      who: 'p***@example.com',
      action: 'upsert',
      event: null,
      outcome: 'delivered',
      code: null,
      words: '',
      ms: 1204,
    });
  });

  test('pages: each line is on one of them', async () => {
    const pages: unknown[][] = [];
    let until: string[] = [];
    for (;;) {
      const { stdout, stderr } = await run(['logs', '--json', '--limit', '2', ...until]);
      pages.unshift(documents(stdout).map(({ at }) => at));
      const before = /--until (\S+)/.exec(stderr)?.[1];
      if (before === undefined) break;
      until = ['--until', before];
    }
    expect(pages.map((page) => page.length)).toEqual([2, 2, 2]);
    expect(pages.flat()).toEqual(documents((await run(['logs', '--json'])).stdout).map(({ at }) => at));
  });

  test.each([
    [
      ['--outcome', 'reject,dropped'],
      ['reject', 'dropped'],
    ],
    [
      ['--person', ANN],
      ['delivered', 'delivered'],
    ],
    [['--person', 'p2@example.com', '--outcome', 'dropped'], ['dropped']],
    [
      ['--person', '2'],
      ['reject', 'dropped'],
    ],
    [
      ['--destination', 'mailtrap', '--since', '2026-01-03T01:45Z'],
      ['dropped', 'alert'],
    ],
    [['--since', '2026-01-03T00:00Z', '--until', '2026-01-03T01:00:00Z'], ['reject']],
    [['--since', '1h'], []],
  ])('%j', async (argv, shown) => {
    const { stdout } = await run(['logs', '--json', ...argv]);
    expect(documents(stdout).map(({ outcome, notice }) => outcome ?? notice)).toEqual(shown);
  });
});

describe('rollcall tail', () => {
  /** Follows from a moment on until `enough` of its lines is true. */
  async function follow(
    since: string,
    enough: (lines: readonly { readonly [key: string]: unknown }[]) => Promise<boolean> | boolean,
  ): Promise<{ readonly [key: string]: unknown }[]> {
    const stop = new AbortController();
    let text = '';
    const { code, stdout, stderr } = await run(['tail', '--json', '--since', since], {
      stop: stop.signal,
      onStdout: (more) => {
        text += more;
        void Promise.resolve(enough(documents(text))).then((yes) => yes && stop.abort());
      },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return documents(stdout);
  }

  test('a transaction that began earlier and ends later is not missed', async () => {
    const since = new Date().toISOString();
    const [slow, slower] = [await db.connect(), await db.connect()];
    await slow.query('begin');
    await slow.query(ATTEMPT, values({ outcome: 'retry', code: 'http_500' }));
    await slower.query('begin');
    await slower.query(ATTEMPT, values({ outcome: 'config', code: 'unauthorized' }));
    await slower.query(`insert into rollcall.events (id, destination_id, contact_id, source, name, properties, happened_at, ready, state, reason, ended_at)
      values (gen_random_uuid(), 1, 2, 'public.orders', 'late', '{}', now(), true, 'dropped', 'filtered', clock_timestamp())`);
    await past({ outcome: 'throttle', code: 'http_429' });
    const lines = await follow(since, async (read) => {
      if (read.length === 1) await slower.query('commit');
      if (read.length === 3) await slow.query('commit');
      return read.length === 4;
    });
    expect(lines.map(({ outcome, event }) => event ?? outcome)).toEqual(['throttle', 'config', 'late', 'retry']);
  });

  test('many writers, some of whom roll back: every line once', async () => {
    const since = new Date().toISOString();
    const writers = await Promise.all([1, 2, 3, 4].map(() => db.connect()));
    const writing = writers.map(async (writer, w) => {
      for (let n = 0; n < 40; n += 1) {
        await writer.query('begin');
        for (let i = 0; i <= n % 3; i += 1) {
          await writer.query(ATTEMPT, values({ code: `w${w}`, outcome: 'retry', message: `${w}.${n}.${i}` }));
        }
        await writer.query((n + w) % 5 === 0 ? 'rollback' : 'commit');
      }
    });
    const written = Promise.all(writing).then(async () => {
      await past({ outcome: 'config', code: 'last' });
      const { rows } = await db.app.query<{ n: number }>(
        `select count(*)::int as n from rollcall.attempts where at >= $1`,
        [since],
      );
      return rows[0]!.n;
    });
    const lines = await follow(
      since,
      async (read) => read.some(({ code }) => code === 'last') && read.length >= (await written),
    );
    expect(lines.length).toBe(await written);
    expect(new Set(lines.map(({ words, code }) => `${String(code)} ${String(words)}`)).size).toBe(lines.length);
  });

  test('says nothing of what was before, and ends at Ctrl-C', async () => {
    const stop = new AbortController();
    const ran = await run(['tail', '--outcome', 'reject'], { stop: stop.signal, onStderr: () => stop.abort() });
    expect(ran).toEqual({ code: 0, stdout: '', stderr: 'Following mailtrap. Ctrl-C ends it.\n' });
  });
});

/** Between a command and the database: while it is shut, nobody is there. */
async function createGate(): Promise<{ readonly url: string; shut(): void; open(): void }> {
  const { hostedUrl } = db;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection(Number(new URL(hostedUrl).port), '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const shut = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  onCleanup(() => Promise.resolve(shut()));
  return { url: onPort(hostedUrl, port), shut, open: () => void server.listen(port, '127.0.0.1') };
}

test.each([{ command: ['tail', '--json', '--since', '1h'] }, { command: ['status', '--watch', '--json'] }])(
  '$command.0 goes on when the database is back',
  async ({ command }) => {
    const gate = await createGate();
    const stop = new AbortController();
    const notes: string[] = [];
    let said = 0;
    await past({ outcome: 'retry', code: 'before' });
    const change = async (): Promise<void> => {
      await past({ outcome: 'retry', code: 'meanwhile' });
      await db.app.query('update rollcall.desired set delivered_version = 1 where contact_id = 1');
      gate.open();
    };
    const { code, stdout } = await run(command, {
      env: { DATABASE_URL: gate.url },
      stop: stop.signal,
      onStdout: () => {
        said += 1;
        if (said === 1) gate.shut();
        else if (notes.length > 0) stop.abort();
      },
      onStderr: (text) => {
        notes.push(text);
        if (text.includes('tried again')) void change();
      },
    });
    expect(code).toBe(0);
    expect(notes.join('')).toMatch(/lost \(.*tried again until it is back.*\nThe database is back\.\n$/);
    if (command[0] === 'tail') expect(stdout).toContain('"meanwhile"');
    await db.app.query('update rollcall.desired set delivered_version = null');
  },
);

test('status --watch says what changes in a pipe, and draws over on a terminal', async () => {
  const blocks: string[] = [];
  const watch = async (argv: readonly string[], tty: boolean): Promise<Awaited<ReturnType<typeof run>>> => {
    const stop = new AbortController();
    blocks.length = 0;
    return await run(['status', '--watch', ...argv], {
      tty,
      stop: stop.signal,
      onStdout: (text) => {
        blocks.push(text);
        if (blocks.length === 2) stop.abort();
        else void db.app.query(`update rollcall.desired set delivered_version = 1 where contact_id = 1`);
      },
    });
  };
  await db.app.query('insert into rollcall.due (destination_id, contact_id, lane, due_at) values (1, 2, 0, now())');
  expect((await watch([], false)).code).toBe(0);
  expect(blocks[0]).toMatch(/^Rollcall: project .*\n\n {2}destination +in step +pending/);
  expect(blocks[1]).toMatch(/^\n--- \d\d:\d\d:\d\d UTC\nRollcall: project/);
  expect(blocks.map((block) => /mailtrap +(\d+)/.exec(block)?.[1])).toEqual(['0', '1']);
  await db.app.query('update rollcall.desired set delivered_version = null');
  await watch(['--json'], false);
  expect(documents(blocks.join('')).map(({ healthy }) => healthy)).toEqual([expect.any(Boolean), expect.any(Boolean)]);
  await watch([], true);
  expect(blocks[0]?.startsWith('\u001B[2J\u001B[H')).toBe(true);
  expect(blocks[1]?.startsWith('\u001B[H')).toBe(true);
});
